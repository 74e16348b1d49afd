"""Boxes: float64 x1 y1 x2 y2 in pixels of the frame."""

from __future__ import annotations

import numpy as np

from core.types import F32, F64, I64


def iou(a: F64, b: F64) -> F64:
    """Intersection over union of each box of `a` with each box of `b`.

    Args:
        a: float64 (N, 4), x1 y1 x2 y2, pixels.
        b: float64 (M, 4), likewise.

    Returns:
        float64 (N, M) in [0, 1]; 0 for two empty boxes.

    Source: Everingham et al., "The PASCAL VOC challenge", IJCV 2010, section 4.2.

    >>> iou(np.float64([[0, 0, 4, 4]]), np.float64([[0, 0, 4, 2]])).tolist()
    [[0.5]]
    """
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    joint = area(a)[:, None] + area(b)[None, :] - shared
    result: F64 = np.divide(shared, joint, out=np.zeros_like(shared), where=joint > 0)
    return result


def area(boxes: F64) -> F64:
    """Area of each box, pixels squared; 0 where a side is negative. float64 (N,)."""
    result: F64 = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    return result


def suppress(boxes: F64, scores: F32, overlap: float) -> I64:
    """Rows that stay when each box silences those of lower score that overlap it more.

    Greedy non-maximum suppression. Equal scores: the earlier row wins, so that the answer
    does not depend on the sorting.

    Args:
        boxes: float64 (N, 4), x1 y1 x2 y2, pixels.
        scores: float32 (N,).
        overlap: the IoU above which the lower one goes.

    Returns:
        int64 (K,), highest score first.
    """
    order = np.argsort(-scores, kind="stable")
    overlaps = iou(boxes[order], boxes[order]) > overlap
    silent = np.zeros(len(order), bool)
    for i in range(len(order)):
        if not silent[i]:
            silent[i + 1 :] |= overlaps[i, i + 1 :]
    kept: I64 = order[~silent].astype(np.int64)
    return kept
