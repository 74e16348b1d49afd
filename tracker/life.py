"""The life of a track: tentative, confirmed, lost, ended."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from tracker.hidden import Whole
from tracker.motion import Box, Motion


class Detection(NamedTuple):
    """One usable row of a frame's `Faces`: its box, score, and which row it was."""

    box: Box
    score: float
    row: int


class State(Enum):
    """Where a track stands.

    Attributes:
        TENTATIVE: seen too briefly to count; has no id, dies at its first failed look.
        CONFIRMED: counts, and was found by the last look.
        LOST: counts, but the last look did not find it.
        ENDED: over.
    """

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"
    ENDED = "ended"


class Track:
    """One face over time. Its transitions are `find`, `confirm`, `miss` and `end`.

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

    def __init__(self, face: Detection, time: float) -> None:
        self.id = 0
        self.state = State.TENTATIVE
        self.motion = Motion(face.box)
        self.born = self.seen = time
        self.box = face.box
        self.looks = 1
        self.score = face.score
        self.row = face.row
        self.whole = Whole(self.motion, time)
        self.hidden = False

    def find(self, face: Detection, time: float) -> None:
        """A look found it here."""
        self.motion.update(face.box, trust(face.score))
        self.whole.look(face.box, self.motion, time)
        self.hidden = False
        self.box = self.motion.box
        self.seen = time
        self.score = face.score
        self.row = face.row
        self.looks += 1
        if self.state is State.LOST:
            self.state = State.CONFIRMED

    def confirm(self, number: int) -> None:
        """It counts from now on, under this id, once and for all."""
        self.id = number
        self.state = State.CONFIRMED

    def miss(self, time: float) -> None:
        """A look did not find it."""
        if self.state is State.CONFIRMED:
            before = self.whole.lost(time)
            self.hidden = before is not None
            self.motion = before or self.motion
        self.state = State.ENDED if self.state is State.TENTATIVE else State.LOST

    def end(self) -> None:
        """It is over."""
        self.state = State.ENDED


def trust(score: float) -> float:
    """What the variance of a detection of this score is divided by; 1 at a score of 1/2.

    Source: Du et al., "GIAOTracker", ICCVW 2021, whose noise scales with 1 - score; flatter here, since
    some detectors give each clear face nearly 1.
    """
    return 1 / (1.5 - score)
