"""Opening hours: what people write, and when that is open."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.hours import Hours

MONDAY = datetime(2026, 11, 23)  # in this machine's zone


def open_at(text, day, hour, minute=0) -> bool:
    return Hours.parse(text).are_open(MONDAY.replace(day=23 + day, hour=hour, minute=minute).timestamp())


def test_no_hours_are_always_open() -> None:
    assert open_at("", 2, 3)


def test_hours_without_days_hold_every_day_to_the_minute() -> None:
    assert not open_at("08:00-20:00", 3, 7, 59)
    assert open_at("08:00-20:00", 3, 8)
    assert open_at("08:00-20:00", 6, 19, 59)
    assert not open_at("08:00-20:00", 6, 20)


def test_days_and_several_spans() -> None:
    text = "Mon-Fri 09:00-18:00, sat 10:00-12:00, Sat 14:00-16:00"

    assert open_at(text, 4, 17)
    assert not open_at(text, 5, 17)
    assert open_at(text, 5, 11)
    assert not open_at(text, 5, 13)
    assert not open_at(text, 6, 11)


def test_hours_may_go_past_midnight_and_past_the_week() -> None:
    assert open_at("Sat-Sun 22:00-02:00", 0, 1)
    assert not open_at("Sat-Sun 22:00-02:00", 0, 3)
    assert open_at("Fri-Mon 18:00-19:00", 6, 18)
    assert not open_at("Fri-Mon 18:00-19:00", 2, 18)


@given(st.integers(0, 6), st.integers(0, 23), st.integers(0, 59))
def test_a_whole_day_is_open_on_that_day_alone(day, hour, minute) -> None:
    assert open_at("Wed 00:00-24:00", day, hour, minute) == (day == 2)


@given(st.times(), st.times(), st.times())
def test_hours_of_a_day_are_those_between_its_two_times_as_a_clock_shows_them(begin, end, now) -> None:
    begins, ends, shown = (moment.strftime("%H:%M") for moment in (begin, end, now))
    past_midnight = ends <= begins

    between = (begins <= shown or shown < ends) if past_midnight else begins <= shown < ends

    assert open_at(f"{begins}-{ends}", 2, now.hour, now.minute) == between


@pytest.mark.parametrize(
    "text", ["8-20", "Mo 08:00-20:00", "xyz 08:00-20:00", "08:00-25:00", "08:61-09:00", "08:00-24:01"]
)
def test_what_cannot_be_read_is_refused_with_an_example(text) -> None:
    with pytest.raises(ValueError, match=r"hours such as|days are|a time of day"):
        Hours.parse(text)
