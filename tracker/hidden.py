"""What a face was like before something hid it.

A face that slides behind a pillar, another face or the edge of the picture is still found while a fifth
of it shows, in a box of what shows: narrower from look to look, its middle held back at the pillar. The
filter reads that as a smaller and slower face, and after 0.3 s unseen its guess is off by a face's width.
Only what happens next tells a hidden face from one that turned or went away: it vanishes. So nothing is
done while it is seen; when it is lost, its last looks are forgotten if they showed but a part of it.
"""

from __future__ import annotations

from tracker.motion import Box, Motion, Noise, steps

SPAN = 0.3  # s, how far back the whole face is looked for; 0.2 to 0.4 do as well
WHOLE_SHARE = 0.95  # share of the sides of the whole face from which a box shows all of it; the rest is noise
PART_SHARE = 0.7  # share of a side under which a box shows a part; 0.7 to 0.8 do


class Whole:
    """The last look that showed all of a face, `SPAN` seconds back at most.

    Attributes:
        motion, time: how the face moved at that look (as `Motion.values`), and when that was.
        partly: the last look showed but a part of it.
    """

    __slots__ = ("motion", "partly", "time")

    def __init__(self, motion: Motion, time: float, partly: bool = False) -> None:
        self.motion, self.time = motion.values(), time
        self.partly = partly

    def look(self, box: Box, motion: Motion, time: float) -> None:
        """The face was found in `box`; `motion` has taken that in."""
        x1, y1, x2, y2 = box
        w, h = (x2 - x1) / self.motion[2], (y2 - y1) / self.motion[3]
        shown = w if w < h else h
        self.partly = shown < PART_SHARE
        if shown >= WHOLE_SHARE or time - self.time > SPAN:
            self.motion, self.time = motion.values(), time

    def before_hiding(self, time: float, centre: Noise) -> Motion | None:
        """How the face moves, as the last look at all of it tells; None if the last look was that good."""
        if not self.partly:
            return None
        motion = Motion.of(self.motion)
        motion.predict(*steps(centre, time - self.time))
        return motion
