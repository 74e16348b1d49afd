"""What goes wrong with cameras during a soak, and when: one camera at a time, fixed by a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.settings import CaptureConfig

QUIET = 8.0  # s in which all cameras are well, before each fault; what a fault is compared with
NEXT_TRY = 6.0  # s, the longest pause between two tries to connect, with its jitter
TO_PICTURE = 3.0  # s that the first try after its return may take to its first picture
AFTER_404 = 72.0  # s, the same pause where the answer means a wrong setting

Orders = tuple[Mapping[str, Any], ...]


class Cameras(Protocol):
    """Who carries out orders: `tests.servers.farm.Farm`."""

    def order(self, camera: int, order: str, **more: Any) -> None:
        """Have it carried out; back when it is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to fail.

    Attributes:
        seconds: how long it lasts.
        begin, end: orders to the camera.
        limit: seconds after its end in which pictures must have come back.
        loses: the connection is lost by it.
    """

    seconds: float
    begin: Orders
    end: Orders = ()
    limit: float = 3.0
    loses: bool = False


def _order(name: str, **more: Any) -> Mapping[str, Any]:
    return {"order": name, **more}


_LIMITS = CaptureConfig()
_DROP = _order("drop")
_BACK = NEXT_TRY + TO_PICTURE
KINDS = {
    "drop": Kind(0.0, (_DROP,), (), _BACK, loses=True),
    "stall": Kind(_LIMITS.stall_timeout + 3, (_order("stall"),), (_order("resume"),), _BACK, loses=True),
    "refuse": Kind(12.0, (_order("refuse"), _DROP), (_order("listen"),), _BACK, loses=True),
    "silent": Kind(
        8.0,
        (_order("faults", silent=True), _DROP),
        (_order("faults", silent=False),),
        _LIMITS.open_timeout + _BACK,
        loses=True,
    ),
    "404": Kind(
        6.0,
        (_order("faults", status=404), _DROP),
        (_order("faults", status=200),),
        AFTER_404 + TO_PICTURE,
        loses=True,
    ),
    "loss": Kind(8.0, (_order("faults", loss=0.05),), (_order("faults", loss=0.0),)),
    "resolution": Kind(8.0, (_order("show", size=[320, 180]),), (_order("show"),)),
    "night": Kind(8.0, (_order("show", grey=True),), (_order("show"),)),
    "frozen": Kind(6.0, (_order("freeze"),), (_order("show"),)),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A camera fails.

    Attributes:
        kind: key of KINDS.
        camera: its number.
        at, over: seconds since the soak began, or of whatever clock `since` counts by.
    """

    kind: str
    camera: int
    at: float
    over: float
    how: Kind = field(repr=False)

    def since(self, zero: float) -> Fault:
        """The same by a clock that stood at `zero` when the soak began."""
        return Fault(self.kind, self.camera, zero + self.at, zero + self.over, self.how)


def plan(seed: int, cameras: int, begin: float, end: float) -> list[Fault]:
    """Faults between two times, seconds, each after the one before is over and the camera is back.

    Every kind comes once, in an order of the seed's, before any comes again; what does not fit any
    more is left out.
    """
    dice = random.Random(seed)
    faults: list[Fault] = []
    at = begin + QUIET
    while True:
        fit = [kind for kind in dice.sample(sorted(KINDS), len(KINDS)) if at + _slot(kind) <= end]
        if not fit:
            return faults
        for kind in fit:
            camera = dice.randrange(cameras)
            if at + _slot(kind) <= end:
                faults.append(Fault(kind, camera, at, at + KINDS[kind].seconds, KINDS[kind]))
                at += _slot(kind) + QUIET


def _slot(kind: str) -> float:
    return KINDS[kind].seconds + KINDS[kind].limit


def carry_out(cameras: Cameras, fault: Fault, orders: Orders) -> None:
    """Give the camera its orders."""
    for order in orders:
        more = dict(order)
        cameras.order(fault.camera, more.pop("order"), **more)
