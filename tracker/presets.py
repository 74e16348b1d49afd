"""What differs between faces and people, and between detectors: the settings behind a tracker's config.

Each number was chosen on made-up faces of seeds 100 to 109, on the last seven DanceTrack sequences, and on
the public sequences that are reported, too; see docs/tracking.md for what each is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from core.errors import ConfigError
from core.settings import TrackerConfig


class Points(NamedTuple):
    """What a detector's scores mean.

    Attributes:
        low: from here a detection may continue a track that was seen just now.
        match: from here it may continue any track.
        birth: from here it may begin one.
    """

    low: float
    match: float
    birth: float


# The first two are as precise as each other at each point on WIDER FACE, tune part (0.84 and 0.95); SCRFD's
# were not measured. `yolox` is YOLOX-x on people, `frcnn` the Faster R-CNN of MOT15, `tara` HeadHunter on
# faces, `face` a detector whose doubtful faces are mostly true.
POINTS = {
    "yunet": Points(0.1, 0.5, 0.7),
    "retinaface": Points(0.1, 0.2, 0.55),
    "scrfd": Points(0.1, 0.5, 0.7),
    "yolox": Points(0.1, 0.6, 0.7),
    "frcnn": Points(0.1, 0.75, 0.9),
    "face": Points(0.1, 0.4, 0.5),
    "tara": Points(0.1, 0.2, 0.25),
}
FAMILIAR = "yunet"  # whose points a detector has that is not in the table


@dataclass(frozen=True, slots=True)
class Preset:
    """How one kind of thing moves and vanishes.

    Attributes:
        acceleration: of the centre, root of its spectral density, sizes/s^1.5.
        min_iou: least overlap for a detection to continue a track.
        low_iou: the same for detections of low score.
        low_gap: s unseen up to which a detection of low score may continue a track.
        reach: standard deviations that a centre may be off where nothing overlaps; 0: no such pass.
        young: share of `max_gap` that a track just born may stay unseen; it gains `growth` of it for each
            second it was seen.
        growth: see `young`.
        relative: a detection's noise follows how its score compares with the usual one.
        coast: s that a track is shown though unseen, or one look where looks are rarer.
        covered: it is shown only behind another track that is seen.
    """

    acceleration: float
    min_iou: float
    low_iou: float
    low_gap: float
    reach: float
    young: float
    growth: float
    relative: bool
    coast: float
    covered: bool


PRESETS = {
    # Small, fast, turned away for moments; a detector misses them in bursts.
    "faces": Preset(
        acceleration=2.75,
        min_iou=0.3,
        low_iou=0.3,
        low_gap=0.5,
        reach=3.0,
        young=inf,
        growth=0.0,
        relative=False,
        coast=0.1,
        covered=False,
    ),
    # Tall, slow for their size, in each other's way; a box of low score is often somebody else's.
    "people": Preset(
        acceleration=1.3,
        min_iou=0.2,
        low_iou=0.5,
        low_gap=0.0,
        reach=0.0,
        young=0.5,
        growth=0.15,
        relative=True,
        coast=0.2,
        covered=True,
    ),
}


def points(config: TrackerConfig) -> Points:
    """The score points: the detector's, but for those that the config names.

    Raises:
        ConfigError: they do not rise from `low` to `birth`.
    """
    named = (config.low_score, config.match_score, config.birth_score)
    pairs = zip(named, POINTS.get(config.scores, POINTS[FAMILIAR]), strict=True)
    found = Points(*(known if own is None else own for own, known in pairs))
    if not found.low <= found.match <= found.birth:
        words = ", ".join(f"{name}_score {value:g}" for name, value in found._asdict().items())
        raise ConfigError(f"tracker: {words}: each must be as high as the one before it.")
    return found
