"""The protocol on cases that one can work out by hand."""

import re

import numpy as np
import pytest

from core.types import F32, F64, Array, Faces
from evaluation.curves import precision_recall
from evaluation.detection import by_height, over, precisions
from evaluation.widerface import Labels, Matches, average_precision, match, tally


def boxes(*lefts: float, size: float = 20.0) -> F64:
    """Square boxes in a row, told by their left side."""
    return np.array([[x, 0, x + size, size] for x in lefts], np.float64).reshape(-1, 4)


def scores(*values: float) -> F32:
    return np.array(values, np.float32)


def counted(*values: bool) -> Array:
    return np.array(values, bool)


def precision(*pictures: Matches) -> float:
    hits, judged, faces = tally(pictures)
    return float(average_precision(hits.sum(0), judged.sum(0), faces.sum()))


def test_every_face_found_and_nothing_else_is_an_ap_of_one():
    found = match(boxes(0, 100), scores(0.9, 0.4), boxes(100, 0), counted(True, True))

    assert found.hits.tolist() == [1, 0]
    assert precision(found) == pytest.approx(1)


def test_half_of_the_faces_found_is_half_the_area():
    found = match(boxes(0), scores(0.9), boxes(0, 100), counted(True, True))

    assert precision(found) == pytest.approx(0.5)


def test_a_false_alarm_above_a_hit_costs_and_one_below_does_not():
    above = match(boxes(500, 0), scores(0.9, 0.5), boxes(0), counted(True))
    below = match(boxes(0, 500), scores(0.9, 0.5), boxes(0), counted(True))

    assert precision(above) == pytest.approx(0.5)
    assert precision(below) == pytest.approx(1)


def test_a_face_outside_the_subset_is_neither_hit_nor_false_alarm():
    found = match(boxes(100, 0), scores(0.9, 0.5), boxes(0, 100), counted(True, False))

    assert found.judged.tolist() == [False, True]
    assert found.faces == 1
    assert precision(found) == pytest.approx(1)


def test_a_second_box_on_one_face_is_a_false_alarm():
    found = match(boxes(2, 0, 100), scores(0.8, 0.9, 0.5), boxes(0, 100), counted(True, True))

    assert found.hits.tolist() == [0, -1, 1]
    assert found.judged.all()
    # Recall 1/2 at precision 1, then 2/2 at 2/3: 0.5 * 1 + 0.5 * 2/3.
    assert precision(found) == pytest.approx(5 / 6)


@pytest.mark.parametrize(("shift", "found"), [(6.9, True), (7.1, False)])
def test_a_hit_needs_half_of_the_joint_area(shift, found):
    """Boxes of 21 px, last pixel included, moved by d: (21 - d) / (21 + d) is 1/2 at d = 7."""
    result = match(boxes(shift), scores(0.9), boxes(0), counted(True))

    assert (result.hits.tolist() == [0]) is found


def test_just_half_of_the_joint_area_is_a_hit():
    whole, half = np.array([[0.0, 0, 9, 9]]), np.array([[0.0, 0, 9, 4]])  # 100 and 50 px with the last ones

    assert match(whole, np.float32([0.9]), half, np.array([True])).hits.tolist() == [0]


def test_scores_are_stretched_over_all_pictures_together():
    """A hit at 0.51 and a false alarm at 0.5 in another picture differ, however close."""
    good = match(boxes(0), scores(0.51), boxes(0), counted(True))
    bad = match(boxes(500), scores(0.50), boxes(0), counted(False))

    assert precision(good, bad) == pytest.approx(1)


def test_pictures_without_faces_or_without_detections_take_part():
    empty = match(boxes(), scores(), boxes(0), counted(True))
    nobody = match(boxes(0), scores(0.9), boxes(), counted())
    good = match(boxes(0), scores(0.5), boxes(0), counted(True))

    # The alarm stands above the hit: precision 1/2 up to recall 1/2.
    assert precision(empty, nobody, good) == pytest.approx(0.25)


def test_the_order_of_detections_and_labels_does_not_matter():
    rng = np.random.default_rng(3)
    detections, labels = boxes(*rng.uniform(0, 900, 40)), boxes(*rng.uniform(0, 900, 20))
    sure, inside = rng.random(40).astype(np.float32), rng.random(20) < 0.7
    one = match(detections, sure, labels, inside)
    a, b = rng.permutation(40), rng.permutation(20)

    other = match(detections[a], sure[a], labels[b], inside[b])

    assert precision(one) == precision(other)


def test_recall_goes_by_the_height_of_the_label():
    labels = np.concatenate([boxes(0, 100, size=15), boxes(200, 300, size=50)])
    every = counted(True, True, True, True)
    truth = [Labels(labels, {"hard": every})]
    rows = [match(labels[[0, 2, 3]], scores(0.9, 0.9, 0.3), labels, every)]

    found = by_height(rows, truth, 0.5)

    assert {band: figure.short for band, figure in found.items()} == {
        "0-10 px": "-",
        "10-20 px": "0.500",
        "20-40 px": "-",
        "40+ px": "0.500",
    }


def test_of_no_face_and_of_nothing_found_no_share_is_known():
    truth = [Labels(boxes(0, size=50), dict.fromkeys(("easy", "medium", "hard"), counted(False)))] * 3
    rows = [match(boxes(), scores(), labels.boxes, labels.counted["hard"]) for labels in truth]

    found = [*by_height(rows, truth, 0.5).values(), *over(rows, 0.5)]
    found += precisions([Faces.none()] * 3, truth).values()

    assert len(found) == 4 + 2 + 3
    assert all(np.isnan([figure.value, figure.low, figure.high]).all() for figure in found)
    assert {str(figure) for figure in found} == {"-"}


def test_a_level_without_faces_has_no_curve():
    truth = [Labels(boxes(0), {"easy": counted(False), "medium": counted(True), "hard": counted(True)})]
    alarm = Faces(boxes(500), scores(0.9), np.full((1, 5, 2), np.nan, np.float32))

    drawn = precision_recall("yunet", [alarm], truth).svg

    assert [len(points.split()) for points in re.findall("points='(.*?)'", drawn)] == [0, 1, 1]


def test_recall_and_precision_are_read_over_a_score():
    rows = [match(boxes(0, 500, 100), scores(0.9, 0.6, 0.3), boxes(0, 100), counted(True, True))]

    recall, precise = over(rows, 0.5)

    assert (recall.value, precise.value) == (0.5, 0.5)
