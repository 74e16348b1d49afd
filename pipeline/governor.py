"""What a machine that cannot keep up leaves undone: estimates, then looks of the detector, then frames."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shed:
    """One level of the governor.

    Attributes:
        looks: share of the budget of estimates that is left.
        interval: least seconds between two looks of the detector; the tracker predicts between them.
        every: of each source's frames, only each so-manyth is taken.
    """

    looks: float = 1.0
    interval: float = 0.0
    every: int = 1

    def __str__(self) -> str:
        words = [f"estimates x{self.looks:g}"] if self.looks < 1 else []
        words += [f"a look each {self.interval:g} s"] if self.interval else []
        words += [f"1 frame of {self.every}"] if self.every > 1 else []
        return ", ".join(words)


LEVELS = (
    Shed(),
    Shed(0.5),
    Shed(0.25),
    Shed(0.25, 0.1),
    Shed(0.25, 0.2),
    Shed(0.25, 0.4),
    Shed(0.25, 0.4, 2),
    Shed(0.25, 0.4, 3),
    Shed(0.25, 0.4, 5),
)
_WINDOW = 1.0  # s over which the load is measured
_FULL = 0.92  # share of the time at work, from which the machine cannot keep up
_LATE = 0.05  # share of the frames that came to nothing, likewise
_ROOM = 0.75  # share of the time at work that may be expected after a step back
_UP, _DOWN = 2, 8  # windows in a row that call for more, and for less
_LONGEST = 256  # windows that a step back is put off at the most, after it had to be taken back again


class Governor:
    """Goes up a level while too much is asked of the machine, and down where it can be expected to hold.

    The load is the work that all frames would have made: seconds of work a frame taken, times frames offered
    a second. What a level saves is learned as it is entered, so that it is left only when the load
    without it is expected to fit. A step back that did not hold makes the next one wait twice as long.
    """

    def __init__(self) -> None:
        self.level = 0
        self._began = 0.0
        self._work = 0.0
        self._taken = self._offered = 0
        self._load = 0.0
        self._over = self._under = 0
        self._patience = _DOWN
        self._since_down = _LONGEST  # windows since the last step back
        self._before: float | None = None  # load as a level was entered, until the load on it is known
        self._ratios = [1.3] * len(LEVELS)  # load one level lower, in loads of this one

    @property
    def shed(self) -> Shed:
        """What is left undone now."""
        return LEVELS[self.level]

    def hear(self, now: float, work: float, taken: int, offered: int) -> bool:
        """Take note of a turn; True if the level changed.

        Args:
            now: seconds, as the turn ended.
            work: seconds that it took.
            taken: frames in it.
            offered: frames that the sources read since the last turn, whatever became of them.
        """
        self._began = self._began or now - work
        self._work += work
        self._taken += taken
        self._offered += offered
        elapsed = now - self._began
        if elapsed < _WINDOW or not self._taken:
            return False
        busy = self._work / elapsed
        late = max(0.0, 1 - self._taken * self.shed.every / max(self._offered, 1))
        self._load = self._work / self._taken * self._offered / self.shed.every / elapsed
        self._began, self._work, self._taken, self._offered = now, 0.0, 0, 0
        return self._judge(busy > _FULL and late > _LATE)

    def _judge(self, full: bool) -> bool:
        if self._before is not None:  # the first whole window on this level
            self._ratios[self.level] = min(max(self._before / max(self._load, 1e-6), 1.02), 5.0)
            self._before = None
        self._since_down += 1
        self._over = self._over + 1 if full else 0
        expected = self._load * self._ratios[self.level]
        self._under = self._under + 1 if self.level and expected < _ROOM else 0
        if self._over >= _UP and self.level < len(LEVELS) - 1:
            self._patience = min(2 * self._patience, _LONGEST) if self._since_down < 30 else _DOWN
            self._before = self._load
            return self._go(1)
        if self._under >= self._patience:
            self._since_down = 0
            return self._go(-1)
        return False

    def _go(self, step: int) -> bool:
        self.level += step
        self._over = self._under = 0
        return True
