"""Settings of the published tracker."""

from __future__ import annotations

from typing import NamedTuple


class Rules(NamedTuple):
    """All in frames, by definition.

    Attributes:
        max_age: frames unseen before a track is dropped.
        min_hits: detections in a row, after the first, before a track is reported.
        min_iou: least overlap for a detection to continue a track.
        first_id: of the first track.
    """

    max_age: int = 1
    min_hits: int = 3
    min_iou: float = 0.3
    first_id: int = 1
