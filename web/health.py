"""What `/health` says: is the run doing what it should?"""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.masking import mask
from core.status import SourceStatus, Status

STUCK = 30.0  # s without a turn of the loop; the first turns of a GPU may take some
RESTING = ("closed", "over")  # not up, and rightly so

Json = Mapping[str, object]


def verdict(status: Status) -> tuple[str, str]:
    """`ok`, `degraded` or `failing`, and why, in words.

    >>> verdict(Status(sources=(SourceStatus("door", "network", True, "up"),)))
    ('ok', '')
    """
    wanted = [source for source in status.sources if source.state not in RESTING]
    down = [source for source in wanted if source.state != "up"]
    if status.turned > STUCK:
        return "failing", f"the loop has not turned for {status.turned:.0f} s"
    if len(down) == len(wanted) and (wanted or not status.sources):
        return "failing", "no source is up"
    if down:
        return "degraded", f"not up: {', '.join(label(source.name) for source in down)}"
    return "ok", ""


def health(status: Status) -> Json:
    """The answer of `/health`, ready for JSON: not known is null."""
    word, reason = verdict(status)
    return {
        "status": word,
        "reason": reason,
        "version": status.version,
        "device": status.device,
        "seconds": round(status.seconds, 1),
        "turned": round(status.turned, 1),
        "governor": status.level,
        "sources": [_source(source) for source in status.sources],
    }


def _source(source: SourceStatus) -> Json:
    return {
        "name": label(source.name),
        "kind": source.kind,
        "live": source.live,
        "state": source.state,
        "reason": mask(source.reason),
        "since": round(source.since, 1),
        "age": None if math.isnan(source.age) else round(source.age, 2),
        "width": source.size[0],
        "height": source.size[1],
        "fps_in": round(source.fps_in, 1),
        "fps_out": round(source.fps_out, 1),
        "frames_in": source.frames_in,
        "frames_out": source.frames_out,
        "dropped": sum(source.drops.values()),
        "tracks": source.tracks,
        "people": source.people + source.tracks,
    }


def label(name: str) -> str:
    r"""A source's name as text that can be sent: a file name that is no UTF-8 is not.

    >>> label("문 1"), label("door\udcff")
    ('문 1', 'door\\udcff')
    """
    return name.encode("utf-8", "backslashreplace").decode()
