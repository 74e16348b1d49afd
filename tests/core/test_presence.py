"""Who counts as there: people, and no poster."""

from __future__ import annotations

import pytest

from core.presence import Presence
from core.types import ENDED, Event, Result
from tests.make import frame, result, tracks

BOX = (10.0, 20.0, 50.0, 70.0)


def seen(*ids: int, events: tuple[tuple[str, int, bool], ...] = (), **more) -> Result:
    """A frame with these tracks in it, and events of (kind, id, static)."""
    now = frame(0)
    said = tuple(Event(kind, now.stamp, track, {"static": static}) for kind, track, static in events)
    return result(now, tracks(dict.fromkeys(ids, BOX)), events=said, **more)


def test_a_face_counts_until_it_is_known_never_to_move_and_again_when_it_does() -> None:
    presence = Presence()

    counts = [
        presence.count(seen(1, 2, events=(("track_started", 1, False), ("track_started", 2, False)))),
        presence.count(seen(1, 2, events=(("track_updated", 2, True),))),
        presence.count(seen(1, 2)),
        presence.count(seen(1, 2, events=(("track_updated", 1, False), ("track_updated", 2, False)))),
    ]

    assert counts == [2, 1, 1, 2]


def test_a_track_that_has_ended_is_not_there() -> None:
    now = frame(0)

    assert Presence().count(result(now, tracks({1: BOX}, state=ENDED))) == 0


@pytest.mark.parametrize("last", [seen(1, last=True), seen(events=(("track_ended", 1, True),))])
def test_nothing_is_remembered_of_a_track_or_a_source_that_has_ended(last: Result) -> None:
    presence = Presence()
    presence.count(seen(1, events=(("track_started", 1, True),)))

    assert presence.count(last) == 0
    assert presence.count(seen(1)) == 1
