"""What every detector does with a network's outputs: check them once, keep the best rows."""

from __future__ import annotations

import numpy as np

from core.cards import Card
from core.errors import StageError, WeightsError
from core.geometry import suppress
from core.session import Session
from core.settings import DetectorConfig
from core.types import F64, Faces
from detectors.letterbox import Fit

PROBE = (96, 64)  # width, height of the black picture that a network is tried on


def keep(faces: Faces, where: Fit, config: DetectorConfig) -> Faces:
    """One row a face, best first, from canvas pixels back to the frame's.

    Doubles (IoU over `overlap` with a better one) go, then faces less than `min_face` pixels
    high in the frame. Boxes are not clipped: a face half out of the picture keeps its size,
    which is what a tracker follows.
    """
    rows = suppress(faces.boxes, faces.scores, config.overlap)
    boxes = faces.boxes[rows] / np.concatenate([where.scale, where.scale])
    large = boxes[:, 3] - boxes[:, 1] >= config.min_face
    if not large.all():
        rows, boxes = rows[large], boxes[large]
    points = (faces.landmarks[rows] / where.scale).astype(np.float32)
    return Faces(boxes, faces.scores[rows], points)


def corners(centre: F64, size: F64) -> F64:
    """Boxes x1 y1 x2 y2 (N, 4) from their centres (N, 2) and sizes (N, 2)."""
    half = size / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def probe(session: Session, card: Card, shapes: dict[str, tuple[int, ...]]) -> None:
    """Make sure that a network has the outputs that this kind of detector decodes.

    Args:
        session: the network.
        card: of the kind that it should be.
        shapes: its outputs by name, for one picture of `PROBE` pixels.

    Raises:
        WeightsError: it is another kind of network.
    """
    missing = sorted(shapes.keys() - session.outputs.keys())
    if missing:
        raise misfit(card, f"outputs {', '.join(shapes)}", ", ".join(session.outputs))
    try:
        outputs = session.run(np.zeros((1, 3, PROBE[1], PROBE[0]), np.float32), list(shapes))
    except StageError as error:
        raise misfit(card, "input (N, 3, H, W) of any size", str(error)) from error
    for (name, shape), output in zip(shapes.items(), outputs, strict=True):
        if output.shape != shape or output.dtype != np.float32:
            found = f"{output.dtype} {output.shape}"
            raise misfit(card, f"{name} to be float32 {shape} for a picture of {PROBE}", found)


def misfit(card: Card, expected: str, found: str) -> WeightsError:
    """The error for a file that is not the kind of network its name says."""
    return WeightsError(
        f"detector '{card.id}': the network does not fit: expected {expected}, got {found}. "
        "Check detector.name and detector.weights; the program's own files: python -m weights"
    )
