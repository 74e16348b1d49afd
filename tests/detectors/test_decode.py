"""Each decoding against a plain loop over cells, written from the papers' formulas."""

from collections.abc import Iterator
from math import exp

import numpy as np
import pytest

from detectors import retinaface, scrfd, yunet

CANVAS = (96, 64)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def cells(canvas: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    """(stride, x, y) of every cell, level by level, row by row."""
    for stride in (8, 16, 32):
        for y in range(canvas[1] // stride):
            for x in range(canvas[0] // stride):
                yield stride, x, y


def test_yunet_finds_each_cell_where_its_formula_puts_it(rng):
    a = sum(yunet.cells(CANVAS))
    scores, boxes = rng.random(a, np.float32), rng.normal(0, 0.5, (4, a)).astype(np.float32)
    points = rng.normal(0, 1, (10, a)).astype(np.float32)

    found = yunet.decode(scores, boxes, points, CANVAS, 0.0)

    for i, (stride, x, y) in enumerate(cells(CANVAS)):
        dx, dy, w, h = boxes[:, i].tolist()
        centre = (x + dx) * stride, (y + dy) * stride
        half = exp(w) * stride / 2, exp(h) * stride / 2
        box = [centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1]]
        assert found.boxes[i].tolist() == pytest.approx(box, abs=1e-4)
        expected = [(v + (x, y)[k % 2]) * stride for k, v in enumerate(points[:, i].tolist())]
        assert found.landmarks[i].ravel().tolist() == pytest.approx(expected, abs=1e-3)


def test_retinaface_finds_each_anchor_where_its_formula_puts_it(rng):
    sides = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
    a = sum(retinaface.anchors(CANVAS))
    scores, boxes = rng.random(a, np.float32), rng.normal(0, 1, (a, 4)).astype(np.float32)
    points = rng.normal(0, 1, (a, 10)).astype(np.float32)

    found = retinaface.decode(scores, boxes, points, CANVAS, 0.0)

    places = [(stride, x, y, side) for stride, x, y in cells(CANVAS) for side in sides[stride]]
    for i, (stride, x, y, side) in enumerate(places):
        middle = (x + 0.5) * stride, (y + 0.5) * stride
        dx, dy, w, h = boxes[i].tolist()
        centre = middle[0] + 0.1 * dx * side, middle[1] + 0.1 * dy * side
        half = exp(0.2 * w) * side / 2, exp(0.2 * h) * side / 2
        box = [centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1]]
        assert found.boxes[i].tolist() == pytest.approx(box, abs=1e-3)
        expected = [middle[k % 2] + 0.1 * v * side for k, v in enumerate(points[i].tolist())]
        assert found.landmarks[i].ravel().tolist() == pytest.approx(expected, abs=1e-3)


def test_scrfd_finds_each_anchor_where_its_formula_puts_it(rng):
    counts = [2 * (CANVAS[0] // s) * (CANVAS[1] // s) for s in (8, 16, 32)]
    outputs = [rng.random((1, n, k)).astype(np.float32) for k in (10, 1, 4) for n in counts]

    found = scrfd.decode(scrfd.by_level(outputs), CANVAS, 0.0)

    reach = np.concatenate([o[0] for o in outputs[6:]]).tolist()
    points = np.concatenate([o[0] for o in outputs[:3]]).tolist()
    places = [place for place in cells(CANVAS) for _ in range(2)]
    for i, (s, x, y) in enumerate(places):
        left, top, right, bottom = (v * s for v in reach[i])
        box = [x * s - left, y * s - top, x * s + right, y * s + bottom]
        assert found.boxes[i].tolist() == pytest.approx(box, abs=1e-3)
        expected = [((x, y)[k % 2] + v) * s for k, v in enumerate(points[i])]
        assert found.landmarks[i].ravel().tolist() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.99, 1.0])
def test_only_rows_over_the_threshold_are_decoded(rng, threshold):
    a = sum(yunet.cells(CANVAS))
    scores = rng.random(a, np.float32)

    found = yunet.decode(
        scores, np.zeros((4, a), np.float32), np.zeros((10, a), np.float32), CANVAS, threshold
    )

    assert found.scores.tolist() == scores[scores >= threshold].tolist()
