"""The protocol of WIDER FACE: average precision with faces that count, and faces that do not.

Source: Yang et al., "WIDER FACE: a face detection benchmark", CVPR 2016, and the rules of its
evaluation tools: scores are stretched to 0..1 over all pictures of a run; going down the scores, a
detection belongs to the face that it overlaps most, if by IoU 0.5 or more; one that belongs to a
face outside the subset counts neither way; the first one on a face of the subset is a hit, each
later one a false alarm; precision and recall are read at 1,000 scores, and the area under their
envelope is the AP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.geometry import iou
from core.types import F32, F64, I64, Array

OVERLAP = 0.5
STEPS = 1000
LEVELS = ("easy", "medium", "hard")


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The faces of one picture.

    Attributes:
        boxes: float64 (M, 4), x1 y1 x2 y2, pixels.
        counted: level -> bool (M,), the face counts there; else it is neither hit nor false alarm.
    """

    boxes: F64
    counted: dict[str, Array]

    @classmethod
    def of_sides(cls, sides: F64, counted: dict[str, Array]) -> Labels:
        """Of boxes told as x y w h, float64 (M, 4), pixels."""
        return cls(np.concatenate([sides[:, :2], sides[:, :2] + sides[:, 2:]], axis=1), counted)

    @property
    def heights(self) -> F64:
        """Of the faces, pixels. float64 (M,)."""
        return self.boxes[:, 3] - self.boxes[:, 1]


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The N detections of one picture against its labels, best score first.

    Attributes:
        scores: float64 (N,).
        hits: int64 (N,), row of the label that this detection found first; -1 for none.
        judged: bool (N,), counts as right or wrong; the others lie on faces outside the subset.
        faces: how many labels are in the subset.
    """

    scores: F64
    hits: I64
    judged: Array
    faces: int


def match(boxes: F64, scores: F32, labels: F64, counted: Array) -> Matches:
    """Who found whom.

    Args:
        boxes: float64 (N, 4), x1 y1 x2 y2, detections.
        scores: float32 (N,).
        labels: float64 (M, 4), x1 y1 x2 y2, all faces of the picture.
        counted: bool (M,), the face is in the subset.
    """
    order = np.argsort(-scores, kind="stable")
    hits = np.full(len(order), -1, np.int64)
    judged = np.ones(len(order), bool)
    if len(labels):
        overlaps = iou(_whole_pixels(boxes[order]), _whole_pixels(labels))
        nearest = overlaps.argmax(axis=1)
        taken: set[int] = set()
        for row in np.flatnonzero(overlaps.max(axis=1) >= OVERLAP).tolist():
            face = int(nearest[row])
            if not counted[face]:
                judged[row] = False
            elif face not in taken:
                taken.add(face)
                hits[row] = face
    return Matches(scores[order].astype(np.float64), hits, judged, int(counted.sum()))


def tally(pictures: Sequence[Matches]) -> tuple[Array, Array, Array]:
    """Hits (P, 1000) and judged detections (P, 1000) down to each score, and faces (P,)."""
    everything = np.concatenate([picture.scores for picture in pictures])
    low, high = (everything.min(), everything.max()) if len(everything) else (0.0, 1.0)
    steps = 1 - np.arange(1, STEPS + 1) / STEPS
    hits, judged = np.zeros((2, len(pictures), STEPS), np.int64)
    for i, picture in enumerate(pictures):
        scores = (picture.scores - low) / max(high - low, 1e-12)
        reached = np.searchsorted(-scores, -steps, side="right")  # detections at or over each step
        hits[i] = np.concatenate([[0], np.cumsum(picture.hits >= 0)])[reached]
        judged[i] = np.concatenate([[0], np.cumsum(picture.judged)])[reached]
    return hits, judged, np.array([picture.faces for picture in pictures])


def average_precision(hits: Array, judged: Array, faces: Array | int) -> F64:
    """Area under the envelope of precision over recall.

    Args:
        hits, judged: (..., 1000), over all pictures, down to each score.
        faces: (...), in the subset.

    Returns:
        float64 (...), 0 to 1; NaN where the subset has no face.
    """
    recall = np.asarray(hits) / np.maximum(np.asarray(faces), 1)[..., None]
    precision = np.asarray(hits) / np.maximum(judged, 1)
    envelope = np.maximum.accumulate(precision[..., ::-1], axis=-1)[..., ::-1]
    steps = np.diff(recall, axis=-1, prepend=0)
    result: F64 = np.where(np.asarray(faces) > 0, (steps * envelope).sum(axis=-1), np.nan)
    return result


def _whole_pixels(boxes: F64) -> F64:
    """The protocol's boxes include their last pixel."""
    larger: F64 = boxes + np.array([0.0, 0, 1, 1])
    return larger
