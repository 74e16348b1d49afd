"""Opening hours, such as `Mon-Fri 08:00-20:00, Sat 09:00-13:00`: when a camera is looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY, _TIME = r"[a-z]{3}", r"\d{1,2}:\d{2}"
_SPAN = re.compile(rf"(?:({_DAY})(?:-({_DAY}))? +)?({_TIME})-({_TIME})")
_MINUTES = 24 * 60  # of a day
_WEEK = 7 * _MINUTES


@dataclass(frozen=True, slots=True)
class Hours:
    """When something is open, by the clock of this machine.

    Attributes:
        spans: from and to, minutes since Monday 00:00; may lie in the week after. Empty: always.
    """

    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Read spans such as `08:00-20:00` (every day) or `Fri-Sat 18:00-02:00`, with commas between.

        Raises:
            ValueError: it is none, with what would be right.

        >>> Hours.parse("Sun 22:00-02:00").spans
        ((9960, 10200),)
        """
        spans: list[tuple[int, int]] = []
        for part in filter(None, (part.strip() for part in text.lower().split(","))):
            match = _SPAN.fullmatch(part)
            if not match:
                raise ValueError(f"hours such as 'Mon-Sat 08:00-20:00, Sun 10:00-14:00', not '{part}'")
            begin, end = _minutes(match[3]), _minutes(match[4])
            length = (end - begin) % _MINUTES or _MINUTES  # until after midnight; the same twice: a whole day
            spans += [(day * _MINUTES + begin, day * _MINUTES + begin + length) for day in _days(match)]
        return cls(tuple(spans))

    def are_open(self, wall: float) -> bool:
        """Whether `wall`, UTC seconds since 1970, lies in one of the spans."""
        if not self.spans:
            return True
        now = datetime.fromtimestamp(wall).astimezone()
        minute = now.weekday() * _MINUTES + now.hour * 60 + now.minute
        return any(begin <= m < end for begin, end in self.spans for m in (minute, minute + _WEEK))


def _days(match: re.Match[str]) -> list[int]:
    names = [name for name in match.groups()[:2] if name]
    for name in names:
        if name not in DAYS:
            raise ValueError(f"days are {', '.join(DAYS)}, not '{name}'")
    if not names:
        return list(range(7))
    first, last = DAYS.index(names[0]), DAYS.index(names[-1])
    return list(range(first, (last if last >= first else last + 7) + 1))


def _minutes(text: str) -> int:
    hour, minute = map(int, text.split(":"))
    if minute > 59 or hour * 60 + minute > _MINUTES:
        raise ValueError(f"a time of day from 00:00 to 24:00, not '{text}'")
    return hour * 60 + minute
