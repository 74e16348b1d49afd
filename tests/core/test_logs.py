"""Messages: without secrets, as text or JSON, not again and again."""

import json
import logging

import pytest

from core.logs import Json, Once, Plain


def record(words: str, *args: object, at: float = 0.0, level: int = logging.INFO) -> logging.LogRecord:
    made = logging.LogRecord("capture.live", level, __file__, 1, words, args, None)
    made.created, made.msecs = at, at % 1 * 1000
    return made


def test_a_plain_line_holds_no_password_and_names_a_warning() -> None:
    line = Plain("%(message)s").format(record("rtsp://u:hunter2@cam/ is gone", level=logging.WARNING))

    assert line == "warning: rtsp://***@cam/ is gone"


def test_a_line_of_json_is_read_back_and_holds_no_password() -> None:
    row = json.loads(Json().format(record('lost "%s"', "rtsp://u:hunter2@cam/", at=1e9 + 0.25)))

    assert row == {
        "time": "2001-09-09T01:46:40.250Z",
        "level": "info",
        "logger": "capture.live",
        "message": 'lost "rtsp://***@cam/"',
    }


def test_a_message_is_written_once_a_minute_with_the_number_of_those_kept_back() -> None:
    once = Once()
    said = [r for t in range(130) if once.filter(r := record("camera %s is lost", "door", at=float(t)))]

    assert [r.created for r in said] == [0.0, 60.0, 120.0]
    assert said[1].getMessage() == "camera door is lost (and 59 times more since it was last said)"


def test_a_clock_that_is_set_back_keeps_no_message_back() -> None:
    once = Once()

    assert [once.filter(record("lost", at=at)) for at in (5000.0, 1400.0, 1430.0)] == [True, True, False]


@pytest.mark.parametrize("count", [5000])
def test_ever_new_messages_do_not_fill_the_memory(count) -> None:
    once = Once()

    assert all(once.filter(record("line %d", i)) for i in range(count))
    assert len(once._said) <= 1000
