from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core import geometry
from core.geometry import iou, suppress


def _brute_iou(a, b) -> float:
    """By counting the points of a fine grid of halves: an oracle without a formula."""
    xs = np.arange(0, 40, 0.5) + 0.25
    x, y = np.meshgrid(xs, xs)
    inside = [(x > q[0]) & (x < q[2]) & (y > q[1]) & (y < q[3]) for q in (a, b)]
    joint = (inside[0] | inside[1]).sum()
    return float((inside[0] & inside[1]).sum() / joint) if joint else 0.0


boxes_of = st.lists(
    st.tuples(*[st.integers(0, 19)] * 2, *[st.integers(1, 20)] * 2).map(
        lambda q: (q[0], q[1], q[0] + q[2], q[1] + q[3])
    ),
    max_size=60,
).map(lambda rows: np.array(rows, np.float64).reshape(-1, 4))


@given(boxes_of)
def test_overlap_is_the_shared_part_of_the_joint_area(boxes) -> None:
    boxes = boxes[:4]

    found = iou(boxes, boxes)

    assert np.allclose(found, [[_brute_iou(a, b) for b in boxes] for a in boxes], atol=1e-12)


@given(boxes_of, st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_few_boxes_and_many_are_suppressed_alike(boxes, seed: int, overlap: float) -> None:
    scores = np.random.default_rng(seed).random(len(boxes)).round(1).astype(np.float32)
    few, geometry.FEW = geometry.FEW, -1 if len(boxes) else 0
    try:
        by_arrays = suppress(boxes, scores, overlap)
        geometry.FEW = 1000
        by_numbers = suppress(boxes, scores, overlap)
    finally:
        geometry.FEW = few

    assert by_numbers.tolist() == by_arrays.tolist()


@given(boxes_of, st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_what_stays_is_apart_and_what_goes_has_a_better_double(boxes, seed: int, overlap: float) -> None:
    scores = np.random.default_rng(seed).random(len(boxes)).astype(np.float32)

    kept = suppress(boxes, scores, overlap).tolist()

    overlaps = iou(boxes, boxes)
    assert all(overlaps[i, j] <= overlap + 1e-9 for i in kept for j in kept if i != j)
    gone = set(range(len(boxes))) - set(kept)
    assert all(any(overlaps[i, k] > overlap - 1e-9 and scores[k] >= scores[i] for k in kept) for i in gone)
    assert scores[kept].tolist() == sorted(scores[kept].tolist(), reverse=True)
