"""Face prints on their way to the tracker: computed only where it asks, and handed to nobody else."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from core.settings import EventsConfig, EvidenceConfig, LooksConfig, SinkConfig, TrackerConfig
from core.types import Estimates, Frame, Gap, Result, SourceInfo, Tracks
from estimators.evidence import Fusion
from outputs import REGISTRY, open_sink
from pipeline.schedule import Chooser
from pipeline.step import Lane, Pipeline
from tests.make import evidence, faces, frame, result, stamp, tracks
from tracker.sort import Sort
from watch.life import Life
from watch.still import Still

MARK = 0.123456789  # in every face print of these tests


class Asking:
    """A tracker that wants the prints of the same rows each time, and keeps what it is given."""

    def __init__(self, *rows: int, track: bool = False) -> None:
        self.given: list = []  # of face prints, or None
        self.asked: list[float] = []
        self._rows = np.array(rows, np.int64)
        self._sort = Sort(TrackerConfig()) if track else None

    def wants(self, faces, time):
        self.asked.append(time)
        return self._rows

    def update(self, faces, time, *, cut=False, damaged=False, embeddings=None):
        self.given.append(embeddings)
        return self._sort.update(faces, time, cut=cut) if self._sort else Tracks.none()

    def end(self):
        return self._sort.end() if self._sort else Tracks.none()


class Columns:
    """A detector that finds a face in each of three columns."""

    def detect(self, images):
        return [faces(*[(x, 100.0, x + 80.0, 200.0) for x in (20.0, 220.0, 420.0)]) for _ in images]


class Lefts:
    """An embedder whose prints begin with where each face is, and with the grey of its picture."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def embed(self, views):
        self.batches.append([len(found) for _, found in views])
        return [
            np.array([[box[0], image[0, 0, 0], MARK] for box in found.boxes], np.float32)
            for image, found in views
        ]


class Looks:
    """A panel that says nothing, and keeps where the faces were that it was shown."""

    def __init__(self) -> None:
        self.lefts: list[float] = []

    def look(self, views):
        self.lefts += [left for _, found in views for left in found.boxes[:, 0].tolist()]
        return [Estimates.none(len(found)) for _, found in views]


def pipeline(*trackers: Asking, embedder: Lefts | None, panel: Looks | None = None) -> Pipeline:
    """With a source for each tracker: door, till."""
    waiting = list(trackers)

    def lane(_: SourceInfo, _first_id: int) -> Lane:
        looks, fusion = Chooser(LooksConfig()), Fusion(EvidenceConfig())
        return Lane(waiting.pop(0), looks, fusion, Life(EventsConfig()), Still(None))

    made = Pipeline(Columns(), panel or Looks(), lane, embedder=embedder)
    for name in ("door", "till")[: len(trackers)]:
        made.start(SourceInfo(name, "video", name))
    return made


def test_the_prints_stand_in_the_rows_that_were_asked_for_and_the_others_are_not_known() -> None:
    tracker = Asking(2, 0)

    pipeline(tracker, embedder=Lefts()).turn([frame(0)])

    (prints,) = tracker.given
    assert prints.dtype == np.float32
    assert prints[[0, 2], 0].tolist() == [20, 420]
    assert np.isnan(prints[1]).all()


def test_all_networks_see_pixels_that_are_no_squares_as_they_are_shown_and_boxes_stay_in_pixels() -> None:
    tracker, panel = Asking(0, 1, 2, track=True), Looks()
    made = pipeline(tracker, embedder=Lefts(), panel=panel)

    results = [made.turn([replace(frame(i), pixel=2.0)])[0] for i in range(3)]

    assert tracker.given[0][:, 0].tolist() == [40, 440, 840]
    assert set(panel.lefts) == {40, 440, 840}
    assert results[-1].tracks.boxes[:, 0].tolist() == pytest.approx([20, 220, 420], abs=1)


def test_each_source_gets_its_own_prints_from_one_batch() -> None:
    door, till, embedder = Asking(1), Asking(0, 1, 2), Lefts()
    other = Frame(stamp(0, source="till"), np.full((360, 640, 3), 200, np.uint8))

    pipeline(door, till, embedder=embedder).turn([frame(0), other])

    assert embedder.batches == [[1, 3]]
    assert door.given[0][1, :2].tolist() == [220, 90]
    assert till.given[0][:, :2].tolist() == [[20, 200], [220, 200], [420, 200]]


def test_where_one_tracker_asks_for_nothing_the_other_one_still_gets_its_own() -> None:
    door, till, embedder = Asking(), Asking(2), Lefts()
    other = Frame(stamp(0, source="till"), np.full((360, 640, 3), 200, np.uint8))

    pipeline(door, till, embedder=embedder).turn([frame(0), other])

    assert embedder.batches == [[1]]
    assert door.given == [None]
    assert till.given[0][2, 1] == 200


def test_nothing_is_computed_if_the_tracker_asks_for_nothing() -> None:
    tracker, embedder = Asking(), Lefts()

    pipeline(tracker, embedder=embedder).turn([frame(0)])

    assert tracker.given == [None]
    assert embedder.batches == []


def test_without_the_network_the_tracker_is_not_even_asked() -> None:
    tracker = Asking(0)

    pipeline(tracker, embedder=None).turn([frame(0)])

    assert tracker.given == [None]
    assert tracker.asked == []


@pytest.mark.parametrize("state", ["damaged", "cut"])
def test_of_a_damaged_frame_and_at_a_cut_no_print_is_computed(state: str) -> None:
    tracker, embedder = Asking(0), Lefts()

    pipeline(tracker, embedder=embedder).turn([frame(0, **{state: True}), frame(1)])

    assert tracker.given[0] is None
    assert tracker.given[1] is not None
    assert tracker.asked == [frame(1).stamp.time]


def test_a_frame_that_no_detector_saw_and_a_gap_bring_no_print() -> None:
    tracker, embedder = Asking(0), Lefts()
    line = pipeline(tracker, embedder=embedder)
    line._interval = 1.0

    line.turn([frame(0), frame(1)])
    line.gap(Gap(stamp(2, time=2.0), "nothing came"))

    assert [given is None for given in tracker.given] == [False, True, True]
    assert embedder.batches == [[1]]


def numbers(value) -> np.ndarray:
    """Every number in a result, however deep."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float64).ravel()
    parts: list = list(value) if isinstance(value, tuple) else []
    if is_dataclass(value):
        parts = [getattr(value, field.name) for field in fields(value)]
        parts += list(value.data.values()) if hasattr(value, "data") else []
    if not parts:
        return np.array([value] if isinstance(value, float) else [])
    return np.concatenate([numbers(part) for part in parts])


def test_no_result_holds_a_face_print() -> None:
    tracker = Asking(0, 1, 2, track=True)
    line = pipeline(tracker, embedder=Lefts())

    results = [made for i in range(60) for made in line.turn([frame(i)])]
    last = line.end("door")

    assert any(len(made.looked) for made in results)
    assert sum(given is not None for given in tracker.given) == 60
    for made in [*results, last]:
        assert made.looks.embedding.shape[1] == 0
        assert not np.isclose(numbers(made), MARK, atol=1e-7).any()


@pytest.mark.parametrize("path", ["out.jsonl", "out.csv", "out.looks.csv", "out.txt"])
def test_no_output_would_write_a_face_print_even_if_it_were_given_one(path: str, tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain", tmp_path / "marked"
    seen = tracks({1: (10, 20, 60, 90)})
    life = Life(EventsConfig(interval=0))
    looks = replace(Estimates.none(1), age=np.full((1, 101), 1 / 101, np.float32))
    known = evidence([1])
    events = [*life.update(stamp(0), seen, known), *life.update(stamp(1), seen, known, last=True)]
    written = []
    for folder, given in (
        (plain, looks),
        (marked, replace(looks, embedding=np.full((1, 128), MARK, np.float32))),
    ):
        folder.mkdir()
        sink = open_sink(
            SinkConfig(path=str(folder / path)), {"door": SourceInfo("door", "video", "door.mp4")}
        )
        made: Result = result(frame(0), seen, events=tuple(events), looked=seen.ids, looks=given)
        sink.write(made, None)
        sink.close()
        written.append((folder / path).read_bytes())

    assert written[0] == written[1]
    assert len(written[0]) > 0
    assert b"0.12345" not in written[1]


def test_every_output_of_data_is_among_those_that_were_tried() -> None:
    assert set(REGISTRY) == {"-", ".jsonl", ".csv", ".looks.csv", ".txt", ".mp4", ".mkv"}
