"""The life of a track: tentative, confirmed, lost, remembered, ended."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

from core.types import Array
from tracker.hidden import Whole
from tracker.motion import Box, Motion, Noise

Column = Array | list[Any]


class State(IntEnum):
    """Where a track stands.

    Attributes:
        TENTATIVE: seen too briefly to count; has no id, dies at its first failed look.
        CONFIRMED: counts, and was found by the last look.
        LOST: counts, but the last look did not find it.
        REMEMBERED: unseen for too long to be known by its place; only its face print can find it.
        ENDED: over.
    """

    TENTATIVE = 0
    CONFIRMED = 1
    LOST = 2
    REMEMBERED = 3
    ENDED = 4


CONFIRMED, LOST, REMEMBERED = State.CONFIRMED, State.LOST, State.REMEMBERED  # to look these up takes long


class Ended(NamedTuple):
    """The last that is said of a track.

    Attributes:
        id: from 1.
        box: where it was last seen, filtered, pixels.
        born, seen: seconds, time of the first and last detection.
    """

    id: int
    box: Box
    born: float
    seen: float


class Living(NamedTuple):
    """The tracks that count, by id: a column each, as lists or as arrays.

    Attributes:
        ids: from 1.
        boxes: where they are now, pixels.
        lost: the last look did not find it.
        rows: which detection of this frame each is, -1 for none.
        born, seen: seconds, time of the first and last detection.
        looks: how often it was found.
    """

    ids: Column
    boxes: Column
    lost: Column
    rows: Column
    born: Column
    seen: Column
    looks: Column


class Patience(NamedTuple):
    """How long a track may stay unseen before its place says nothing any more, seconds.

    Attributes:
        longest: for any track.
        young, growth: a track that was seen for s seconds is given young + growth s.
        looks: least that each is given, whatever its age.
        known: after it a track ends though its face print is known.
    """

    longest: float
    young: float
    growth: float
    looks: float
    known: float


class Track:
    """One face over time. Its transitions are `find`, `confirm`, `miss` and `fade`.

    Attributes:
        id: from 1; 0 before confirmation.
        state: where it stands.
        motion: where it is now.
        born, seen: seconds, time of the first and last detection.
        box: at `seen`, filtered, pixels.
        looks: how often it was found.
        score: of the last detection.
        row: which detection of this frame it is, -1 for none.
        whole: how it moved when all of it could be seen.
        hidden: it was lost while something slid before it.
    """

    __slots__ = ("born", "box", "hidden", "id", "looks", "motion", "row", "score", "seen", "state", "whole")

    def __init__(self, box: Box, score: float, row: int, time: float) -> None:
        self.id = 0
        self.state = State.TENTATIVE
        self.motion = Motion(box)
        self.born = self.seen = time
        self.box = box
        self.looks = 1
        self.score = score
        self.row = row
        self.whole = Whole(self.motion, time)
        self.hidden = False

    def find(self, box: Box, score: float, row: int, time: float, noise: float) -> None:
        """A look found it here; the variance of the detection is multiplied by `noise`."""
        motion = self.motion
        motion.update(box, noise)
        self.whole.look(box, motion, time)
        self.hidden = False
        self.box = motion.box
        self.seen = time
        self.score = score
        self.row = row
        self.looks += 1
        if self.state >= LOST:
            self.state = State.CONFIRMED

    def confirm(self, number: int) -> None:
        """It counts from now on, under this id, once and for all."""
        self.id = number
        self.state = State.CONFIRMED

    def miss(self, time: float, centre: Noise) -> None:
        """A look did not find it."""
        if self.state == State.TENTATIVE:
            self.state = State.ENDED
        elif self.state == State.CONFIRMED:
            before = self.whole.before_hiding(time, centre)
            self.hidden = before is not None
            self.motion = before or self.motion
            self.state = State.LOST

    def fade(self, unseen: float, patience: Patience, known: bool) -> None:
        """It is unseen for so many seconds; its place, and perhaps all of it, is forgotten in the end."""
        given = max(patience.young + patience.growth * (self.seen - self.born), patience.looks)
        if unseen > min(patience.longest, given):
            self.state = State.REMEMBERED if known and unseen <= patience.known else State.ENDED
