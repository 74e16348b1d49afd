"""How a run is doing right now: what health, metrics and availability are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# What a source is doing: not yet shown a picture, giving pictures, giving the same one again and again,
# gone and called again, outside its opening hours, ended.
STATES = ("starting", "up", "frozen", "lost", "closed", "over")
BOUNDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # s, upper ends of the latency's classes


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source.

    Attributes:
        name, kind, live: as in `SourceInfo`.
        state: one of STATES.
        reason: why it is not up, in words without secrets; empty if it is.
        since: seconds that it has been in this state.
        size: (width, height) px of its last picture; (0, 0) before the first.
        age: seconds since its last picture; NaN before the first.
        fps_in, fps_out: frames/s read and judged, over the last seconds.
        frames_in, frames_out, drops: as in the summary; `drops` by cause.
        suspect: frames that the decoder flagged, or that build on one; no estimate came from them.
        decode_errors: packets that could not be decoded.
        reconnects: times that it came back.
        tracks: people there now; a face that never moves is none.
        people: people who have gone again. It never falls: a face counts once it is sure to be no poster.
    """

    name: str
    kind: str
    live: bool
    state: str = "starting"
    reason: str = ""
    since: float = 0.0
    size: tuple[int, int] = (0, 0)
    age: float = float("nan")
    fps_in: float = 0.0
    fps_out: float = 0.0
    frames_in: int = 0
    frames_out: int = 0
    drops: Mapping[str, int] = field(default_factory=dict)
    suspect: int = 0
    decode_errors: int = 0
    reconnects: int = 0
    tracks: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """The whole run.

    Attributes:
        version, device: of the program, and what its networks run on.
        seconds: since its start.
        turned: seconds since the loop last finished a turn.
        sources: all of them, in the order asked for.
        level: what the load governor sheds, in words; empty if nothing.
        looks_run, looks_saved: inferences on faces, run and not needed.
        latency: frames by seconds from arrival to result: one count for each of BOUNDS, and the rest.
        latency_sum: seconds, of all of them.
        queues: results that wait for an output, by its name.
    """

    version: str = ""
    device: str = ""
    seconds: float = 0.0
    turned: float = 0.0
    sources: tuple[SourceStatus, ...] = ()
    level: str = ""
    looks_run: int = 0
    looks_saved: int = 0
    latency: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    latency_sum: float = 0.0
    queues: Mapping[str, int] = field(default_factory=dict)
