"""The demo's film: what it shows, and that its truth fits its pixels."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture import open_source
from capture.demo import FPS, FRAMES, SIZE, Demo, truth
from capture.demo.cutouts import PICTURES, read_cast
from capture.demo.motion import curve
from capture.demo.stage import Stage
from core.errors import SourceError
from core.settings import CaptureConfig
from core.types import Frame, SourceInfo

pytestmark = pytest.mark.slow  # the film takes seconds to build

INFO = SourceInfo("demo", "demo", "demo")
STRIDE = 3
PEOPLE = ("biden", "collins", "hopper", "obama")


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="module")
def visible() -> dict[str, np.ndarray]:
    """Share of each person's face that shows, in every third frame."""
    rows = [{f.name: f.visible for f in truth(i) if f.name in PEOPLE} for i in range(0, FRAMES, STRIDE)]
    return {name: np.array([row[name] for row in rows]) for name in PEOPLE}


def between(series: np.ndarray, start: float, end: float) -> np.ndarray:
    return series[round(start * FPS / STRIDE) : round(end * FPS / STRIDE)]


def longest(claims: np.ndarray) -> float:
    """Seconds of the longest run of True in a series with a row for every third frame."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], claims.astype(int), [0]])))
    return float((edges[1::2] - edges[::2]).max(initial=0) * STRIDE / FPS)


def test_the_same_frame_has_the_same_bytes_in_any_order(stage: Stage) -> None:
    demo = Demo(INFO, CaptureConfig(begin=17.0, end=17.1))
    first = demo.read()
    second = demo.read()
    assert first is not None and second is not None

    later = stage.draw(426)
    earlier = stage.draw(425)

    assert np.array_equal(first.image, earlier)
    assert np.array_equal(second.image, later)


def test_the_demo_hands_out_the_frames_that_are_asked_for_with_the_films_times() -> None:
    demo = Demo(INFO, CaptureConfig(begin=35.8))

    stamps = [frame.stamp for frame in iter(demo.read, None)]

    assert [s.index for s in stamps] == [0, 1, 2, 3, 4]
    assert [s.time for s in stamps] == pytest.approx([35.8, 35.84, 35.88, 35.92, 35.96])
    assert {s.size for s in stamps} == {SIZE}
    assert demo.length == pytest.approx(0.2)


def test_the_films_date_is_that_of_its_first_frame_also_where_reading_begins_later() -> None:
    info, part = INFO, CaptureConfig(begin=35.9)
    dated, undated = open_source(info, "demo", part, wall=1000.0), open_source(info, "demo", part)
    first, other = dated.read(), undated.read()

    assert isinstance(first, Frame) and isinstance(other, Frame)
    assert first.stamp.wall == pytest.approx(1035.92)
    assert math.isnan(other.stamp.wall)


def test_an_empty_part_of_the_film_is_an_error_with_its_length() -> None:
    with pytest.raises(SourceError, match="36 s long"):
        Demo(INFO, CaptureConfig(begin=36.0))


def test_every_picture_is_the_one_that_its_page_describes() -> None:
    page = (PICTURES / "PICTURES.md").read_text(encoding="utf-8")
    cast = read_cast()
    used = {entry["picture"] for entry in cast["actors"]} | {cast["mural"]["picture"]}

    for name in used:
        digest = hashlib.sha256((PICTURES / name).read_bytes()).hexdigest()
        assert f"{digest}  {name}" in page
    assert {Path(p.name) for p in PICTURES.glob("*.[jp][pn]g") if "matte" not in p.name} == set(
        map(Path, used)
    )


def test_there_are_four_people_and_the_29_of_the_mural_in_every_frame() -> None:
    for index in (0, 450, 899):
        names = [face.name for face in truth(index)]
        assert names == sorted([*PEOPLE, *(f"solvay-{i:02}" for i in range(1, 30))])


def test_a_face_that_shows_lies_within_the_picture_and_its_landmarks_within_its_box() -> None:
    for index in range(0, FRAMES, 50):
        for face in truth(index):
            if face.visible == 1:
                assert (face.box[:2] >= 0).all() and (face.box[2:] <= SIZE).all()
                assert (face.landmarks > face.box[:2]).all() and (face.landmarks < face.box[2:]).all()


@pytest.mark.parametrize("seconds", [1.0, 5.2, 10.0, 15.2, 24.0, 28.9, 35.0])
def test_at_each_true_place_the_face_of_that_person_can_be_seen(stage: Stage, seconds: float) -> None:
    index = round(seconds * FPS)
    frame = cv2.cvtColor(stage.draw(index), cv2.COLOR_BGR2GRAY)
    faces = [face for face in truth(index) if face.visible > 0.97 and face.blur < 4]

    likeness = {face.name: _likeness(frame, face, *_source(face.name)) for face in faces}

    assert len(likeness) > 10
    assert min(likeness.values()) > 0.8


def _source(name: str):
    """The person's picture in grey, box and landmarks, as the cast has them."""
    cast = read_cast()
    if name.startswith("solvay"):
        picture, entry = cast["mural"]["picture"], cast["mural"]["faces"][int(name[-2:]) - 1]
    else:
        entry = next(e for e in cast["actors"] if e["name"] == name)
        picture = entry["picture"]
    grey = cv2.imread(str(PICTURES / picture), cv2.IMREAD_GRAYSCALE)
    return grey, np.array(entry["box"]), np.array(entry["points"])


def _likeness(frame, face, source, box, points) -> float:
    """Correlation of the face in the frame with that in the source, laid over it by the landmarks."""
    side = 24
    corner = np.array([[0, 0], [side, 0], [0, side]], np.float32)
    ours = _crop_matrix(face.landmarks, corner)
    theirs = _crop_matrix(points, corner)
    fine = cv2.GaussianBlur(source, (0, 0), max((box[3] - box[1]) / face.size * 0.5, 0.1))
    a = cv2.warpAffine(frame, ours, (side, side), flags=cv2.INTER_AREA)
    b = cv2.warpAffine(fine, theirs, (side, side), flags=cv2.INTER_AREA)
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def _crop_matrix(points, corner):
    """From a picture to a crop whose x runs along the eyes and whose y goes down to the mouth."""
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    across = (points[1] - points[0]) * 0.9
    down = (mouth - eyes) * 0.9
    middle = (eyes + mouth) / 2
    start = middle - across - down
    spots = np.float32([start, start + 2 * across, start + 2 * down])
    return cv2.getAffineTransform(spots, corner)


@pytest.mark.parametrize(
    ("hidden", "start", "end"),
    [("hopper", 2.5, 3.5), ("hopper", 3.6, 4.9), ("hopper", 16.0, 17.9), ("collins", 31.6, 32.6)],
)
def test_people_pass_each_other_so_that_one_face_hides_the_other(visible, hidden, start, end) -> None:
    share = between(visible[hidden], start, end)

    assert share[0] > 0.9 and share[-1] > 0.9
    assert share.min() < 0.2
    assert longest(share < 0.5) < 0.8


def test_the_column_hides_a_face_for_about_half_a_second(visible) -> None:
    share = between(visible["biden"], 20.0, 21.8)

    assert share[0] > 0.9 and share[-1] > 0.9
    assert 0.2 < longest(share < 0.05) < 0.6


def test_collins_is_out_of_the_picture_and_back_within_a_second(visible) -> None:
    share = between(visible["collins"], 20.0, 21.8)

    assert share[0] > 0.9 and share[-1] > 0.9
    assert longest(share == 0) > 0.1
    assert longest(share < 0.5) < 0.8


def test_obama_is_away_for_more_than_five_seconds(visible) -> None:
    share = visible["obama"]

    assert share[round(15.5 * FPS / STRIDE)] == 1
    assert longest(between(share, 16, 27) == 0) > 5
    assert share[-1] == 1


def test_everybody_shows_long_enough_to_be_judged(visible) -> None:
    for name in PEOPLE:
        assert longest(visible[name] > 0.9) > 5


def test_hopper_comes_up_to_the_camera() -> None:
    sizes = [next(f.size for f in truth(i) if f.name == "hopper") for i in (580, 715)]

    assert sizes[0] < 60
    assert sizes[1] > 195


def test_somebody_hurries_past_and_blurs() -> None:
    blurs = {f.name: f.blur for f in truth(round(10.8 * FPS))}

    assert blurs["biden"] > 30
    assert blurs["solvay-14"] < 4


def test_the_light_sinks_to_a_third_and_returns(stage: Stage) -> None:
    before, dim, after = (stage.draw(round(t * FPS)).mean() for t in (14.9, 17.4, 19.7))

    assert dim / before == pytest.approx(0.35, abs=0.05)
    assert after / before == pytest.approx(1, abs=0.1)


def test_no_two_frames_in_a_row_look_like_a_cut(stage: Stage) -> None:
    def thumbnail(index: int):
        grey = cv2.cvtColor(stage.draw(index), cv2.COLOR_BGR2GRAY)
        return cv2.resize(grey, (64, 36), interpolation=cv2.INTER_AREA).astype(float)

    thumbnails = np.array([thumbnail(i) for i in range(FRAMES)])

    assert np.abs(np.diff(thumbnails, axis=0)).mean(axis=(1, 2)).max() < 14


def test_a_curve_passes_through_its_points_without_overshooting() -> None:
    keys = [(0.0, 1.0), (1.0, 3.0), (1.5, 3.0), (4.0, -2.0)]
    times = np.linspace(-1, 5, 601)

    values = curve(keys, times)

    assert curve(keys, np.array([k[0] for k in keys])).tolist() == [k[1] for k in keys]
    assert values.max() == 3.0 and values.min() == -2.0
    assert (np.diff(values[(times >= 0) & (times <= 1)]) >= 0).all()
    assert np.abs(np.diff(values)).max() < 0.05
