"""Cuts: found on the first frame of a shot, and nowhere else, whatever the camera, the light and people do.

The three thresholds of `capture/scene.py` were chosen on the clips of CHOSEN_ON, and on the half of
WIDER FACE's pictures that a seeded draw gave, so as to lie between cuts and all else there. So were
`_MARGIN` and `_STAYS_IN_THE_MIDDLE`, with what is in LAID_OVER laid over them.
"""

import json
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from capture import open_source
from capture.address import resolve_all
from capture.scene import Cuts, Shots
from core.settings import CaptureConfig, SourceConfig
from core.types import Frame, Gap, SourceInfo
from tests.clips import unpacked
from tests.make import stamp
from tests.portraits import PICTURES, portrait
from tests.program import run

SIZE = (320, 180)
CHOSEN_ON = (
    "group_720p.mp4",
    "crowd_mosaic_1080p.mp4",
    "crossing_576p10.mp4",
    "webcam_expressions_400x300.mp4",
    "talking_face_cif_vp9.webm",
)
OTHERS = (
    "cc_store_aisle_480p.mp4",
    "cc_three_faces_480p.mp4",
    "cc_two_heads_480p.mp4",
    "onebyone_store_432p10.mp4",
    "talking_head_512_audio.mp4",
)


def texture(seed: int, size=(960, 540)):
    """A picture with things of all sizes in it."""
    rng = np.random.default_rng(seed)
    image = np.full((size[1], size[0], 3), 128.0)
    for cells in (4, 8, 16, 32):
        coarse = rng.normal(0, 25, (cells * 9 // 16 + 1, cells, 3))
        image += cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 20, 235).astype(np.uint8)


def window(image, x: float, y: float, width: float):
    """What a camera sees of a picture: a part with its middle at (x, y), `width` px wide."""
    scale = width / SIZE[0]
    move = np.float64([[scale, 0, x - width / 2], [0, scale, y - width * 9 / 32]])
    return cv2.warpAffine(image, move, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def lit(image, gain: float = 1.0, offset: float = 0.0, gamma: float = 1.0):
    return np.clip(255 * (image / 255) ** gamma * gain + offset, 0, 255).astype(np.uint8)


def grain(image, rng, deviation: float):
    return np.clip(image + rng.normal(0, deviation, image.shape), 0, 255).astype(np.uint8)


def walk_past(images, share: float, step: float):
    """Something `share` as wide as the picture crosses it, `step` of its width a frame."""
    other = window(texture(99), 480, 270, 480)[:, : int(share * SIZE[0])]
    shown = []
    for i, image in enumerate(images):
        left = int((i * step % (1 + share) - share) * SIZE[0])
        a, b = max(left, 0), min(left + other.shape[1], SIZE[0])
        shown.append(image.copy())
        shown[-1][:, a:b] = other[:, a - left : b - left]
    return shown


def shaken(images, rng):
    """As held in a hand: moved by some per cent from frame to frame."""
    moves = rng.normal(0, 0.025, (len(images), 2)) * SIZE
    return [
        cv2.warpAffine(image, np.float64([[1, 0, x], [0, 1, y]]), SIZE, borderMode=cv2.BORDER_REFLECT)
        for image, (x, y) in zip(images, moves, strict=True)
    ]


def at_once(images, rate: float, what):
    """One frame in every second is another than it should be."""
    return [what(image) if i % round(rate) == 2 else image for i, image in enumerate(images)]


def switched(images, rate: float, rng):
    """Every second, the light is another."""
    light = [(rng.uniform(0.4, 1.6), rng.uniform(-15, 15), rng.uniform(0.6, 1.6)) for _ in images]
    return [lit(image, *light[int(i / rate)]) for i, image in enumerate(images)]


def cuts_in(images) -> list[int]:
    cuts = Cuts()
    return [i for i, image in enumerate(images) if cuts.begins(image)]


SCENE = texture(1)
STILL = [window(SCENE, 480, 270, 480)] * 8
QUIET = {
    "a pan by a third of the width": [window(SCENE, x, 270, 320) for x in np.arange(200, 760, 106)],
    "a tilt by a fifth of the height": [window(SCENE, 480, y, 320) for y in np.arange(100, 440, 36)],
    "a zoom in by a fifth": [window(SCENE, 480, 270, 900 / 1.2**i) for i in range(7)],
    "a zoom out by a fifth": [window(SCENE, 480, 270, 280 * 1.2**i) for i in range(7)],
    "a lamp that goes off": [*STILL, *(lit(image, 0.2) for image in STILL)],
    "a lamp that goes on": [*STILL, *(lit(image, 1.5, 20, 0.6) for image in STILL)],
    "a flash": at_once(STILL, 4, lambda image: lit(image, 3, 60)),
    "a white frame": at_once(STILL, 4, lambda image: np.full_like(image, 255)),
    "a black frame": at_once(STILL, 4, np.zeros_like),
    "a fade to black and back": [lit(STILL[0], abs(level)) for level in np.linspace(-1, 1, 21)],
    "noise": [grain(image, np.random.default_rng(5), 25) for image in STILL],
    "noise in the dark": [grain(lit(image, 0.3), np.random.default_rng(5), 12) for image in STILL],
    "somebody who walks past": walk_past(STILL * 3, share=0.5, step=0.2),
    "nothing to be seen": [np.full((180, 320, 3), level, np.uint8) for level in (0, 255, 90, 160)],
    "another size": [STILL[0], cv2.resize(STILL[0], (1280, 720)), cv2.resize(STILL[0], (90, 160)), STILL[0]],
}


@pytest.mark.parametrize("kind", QUIET)
def test_what_is_no_cut_is_not_taken_for_one(kind) -> None:
    assert cuts_in(QUIET[kind]) == []


@pytest.mark.parametrize("kind", [kind for kind in QUIET if "nothing" not in kind])
def test_a_cut_is_found_on_its_first_frame_whatever_went_before(kind) -> None:
    before = QUIET[kind]
    after = [window(texture(2), 480, 270, 480)] * 3

    assert cuts_in([*before, *after, *STILL]) == [len(before), len(before) + 3]


def test_every_pair_of_different_pictures_is_a_cut() -> None:
    images = [window(texture(seed), 480, 270, 600) for seed in range(60)]

    assert cuts_in(images) == list(range(1, 60))


def test_a_cut_through_black_is_found_where_the_other_picture_comes() -> None:
    black = np.zeros_like(STILL[0])
    other = window(texture(2), 480, 270, 480)

    assert cuts_in([STILL[0], black, black, black, other, other]) == [4]


def barred(image, top: float = 0, side: float = 0):
    """Black but for the middle: these shares are bars, at each of two sides."""
    height, width = image.shape[:2]
    y, x = round(top * height), round(side * width)
    framed = np.zeros_like(image)
    framed[y : height - y, x : width - x] = image[y : height - y, x : width - x]
    return framed


def written(image, text: str, x: float, y: float, size: float):
    """With white writing that begins at (x, y), shares of the picture, and is `size` as high."""
    height, width = image.shape[:2]
    at, scale = (round(x * width), round(y * height)), size * height / 22
    return cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 1, cv2.LINE_AA)


def ticker(image):
    """A line of news over the lowest 6 %."""
    image = image.copy()
    image[round(0.94 * len(image)) :] = (60, 30, 30)
    return written(image, "BREAKING NEWS: prices fall by 3 % in one day", 0.01, 0.985, 0.04)


def station(image):
    """A station's mark in the upper right corner."""
    image, (height, width) = image.copy(), image.shape[:2]
    image[round(0.05 * height) : round(0.14 * height), round(0.88 * width) : round(0.97 * width)] = (
        200,
        40,
        40,
    )
    return written(image, "TV1", 0.89, 0.12, 0.05)


LAID_OVER = {
    "letterbox 2.35:1": lambda image: barred(image, top=0.122),
    "letterbox 2.0:1": lambda image: barred(image, top=1 / 18),
    "pillarbox 4:3": lambda image: barred(image, side=1 / 8),
    "ticker": ticker,
    "station": station,
    "ticker and station": lambda image: station(ticker(image)),
    "bars with writing in them": lambda image: written(
        barred(image, top=0.122), "- Where were you last night?", 0.2, 0.95, 0.06
    ),
}


@pytest.mark.parametrize("over", LAID_OVER)
def test_what_two_pictures_share_but_is_no_part_of_them_hides_no_cut(over) -> None:
    images = [LAID_OVER[over](window(texture(seed), 480, 270, 600)) for seed in range(60)]

    assert_nearly_all(cuts_in(images), list(range(1, 60)))


@pytest.mark.parametrize("over", LAID_OVER)
@pytest.mark.parametrize("kind", QUIET)
def test_what_is_no_cut_is_none_with_something_laid_over_it_either(kind, over) -> None:
    images = QUIET[kind]
    if "a pan" in kind and "4:3" in over:  # a third of what is to be seen
        images = [window(SCENE, x, 270, 320) for x in np.arange(200, 760, 80)]

    assert cuts_in([LAID_OVER[over](image) for image in images]) == []


def test_bars_that_come_and_go_are_no_cuts() -> None:
    in_bars = [LAID_OVER["letterbox 2.35:1"](image) for image in STILL]

    assert cuts_in([*STILL, *in_bars, *STILL]) == []


class Film:
    """A source of these frames."""

    info = SourceInfo("film", "video", "film.mp4")
    decode_errors = 3
    length = 1.5
    closed = False

    def __init__(self, items) -> None:
        self.read = iter([*items, None]).__next__

    def close(self) -> None:
        self.closed = True


def a_frame(index: int, image, damaged: bool = False) -> Frame:
    return Frame(stamp(index, size=SIZE), image.copy(), damaged=damaged)


def test_broken_pictures_are_no_cuts_and_are_not_compared() -> None:
    broken = window(texture(3), 480, 270, 480)
    images = [(STILL[0], False), (broken, True), (STILL[0], False), (broken, False)]
    source = Shots(Film(a_frame(i, *image) for i, image in enumerate(images)))

    cuts = [isinstance(item, Frame) and item.cut for item in iter(source.read, None)]
    assert cuts == [False, False, False, True]


def test_all_else_of_a_source_stays_as_it_is() -> None:
    gap, frame, film = Gap(stamp(0), "no picture"), a_frame(1, STILL[0]), Film([])
    film.read = iter([gap, frame, None]).__next__
    source = Shots(film)

    assert [source.read(), source.read(), source.read()] == [gap, frame, None]
    assert (source.info, source.decode_errors, source.length, source.codec) == (film.info, 3, 1.5, "")
    source.close()
    assert film.closed


def write(path: Path, images, rate: float = 25) -> Path:
    """A film of these pictures."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.options = {"preset": "ultrafast", "crf": "18"}
        for image in images:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
        out.mux(stream.encode())
    return path


def marked(address, live: bool = False, **config) -> list[int]:
    """Which frames of a source say that they begin another shot."""
    settings = CaptureConfig(**config)
    (((info, where),),) = resolve_all([SourceConfig(address=str(address))], settings)
    source = open_source(replace(info, live=live), where, settings)
    frames = [item for item in iter(source.read, None) if isinstance(item, Frame)]
    source.close()
    return [i for i, frame in enumerate(frames) if frame.cut]


@pytest.mark.parametrize(
    ("live", "cuts", "found"),
    [
        (False, "auto", [8]),
        (False, True, [8]),
        (False, False, []),
        (True, "auto", []),
        (True, True, [8]),
        (True, False, []),
    ],
)
def test_cuts_are_looked_for_in_recordings_and_in_cameras_only_if_told(tmp_path, live, cuts, found) -> None:
    path = write(tmp_path / "film.mp4", [*STILL, *[window(texture(2), 480, 270, 480)] * 4])

    assert marked(path, live, cuts=cuts) == found


def test_the_first_frame_is_no_cut_wherever_reading_begins(tmp_path) -> None:
    path = write(tmp_path / "film.mp4", [*STILL, *[window(texture(2), 480, 270, 480)] * 12])

    assert marked(path, begin=0.32) == []
    assert marked(path, begin=0.28) == [1]


@pytest.mark.parametrize(("rate", "found"), [(None, [0, 1, 2, 3]), (5, [2])])
def test_a_folder_has_cuts_only_as_a_film(tmp_path, rate, found) -> None:
    for i, image in enumerate([*STILL[:2], *[window(texture(2), 480, 270, 480)] * 2]):
        cv2.imwrite(str(tmp_path / f"{i}.png"), image)

    assert marked(tmp_path, rate=rate) == found  # stills are each a shot of their own


@pytest.mark.slow
def test_a_cut_ends_all_tracks_and_begins_others(tmp_path) -> None:
    other = cv2.resize(cv2.imread(str(PICTURES / "obama.jpg")), (320, 400))[:240]
    film = write(tmp_path / "film.mp4", [portrait()] * 25 + [other] * 25)

    done = run("-s", film, "-o", tmp_path / "cut.jsonl")

    assert done.returncode == 0, done.stderr
    rows = [json.loads(row) for row in (tmp_path / "cut.jsonl").read_text(encoding="utf-8").splitlines()]
    ended = [(r["id"], r["frame"], r["reason"]) for r in rows if r["event"] == "track_ended"]
    started = [(r["id"], r["frame"]) for r in rows if r["event"] == "track_started"]
    assert started[0] == (1, 0)
    assert [id for id, _ in started] == [1, 2]
    assert started[1][1] in (25, 26)
    assert ended == [(1, 25, "cut"), (2, 49, "end")]


# What follows needs the clips, or draws the whole demo.


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return unpacked(tmp_path_factory.mktemp("clips"))


def small_frames(address, end: float = 20.0):
    """Times, grey pictures of one size, and the frames that the source itself marks, of the first 20 s."""
    settings = CaptureConfig(end=end)
    (((info, where),),) = resolve_all([SourceConfig(address=str(address))], settings)
    frames = (item for item in iter(open_source(info, where, settings).read, None) if isinstance(item, Frame))
    rows = [
        (f.stamp.time, cv2.resize(cv2.cvtColor(f.image, cv2.COLOR_BGR2GRAY), SIZE), f.cut) for f in frames
    ]
    times, images, cuts = zip(*rows, strict=True)
    return np.array(times), np.array(images), [i for i, cut in enumerate(cuts) if cut]


@pytest.fixture(scope="module")
def clips(folder):
    return {name: small_frames(folder / name) for name in (*CHOSEN_ON, *OTHERS)}


@pytest.fixture(scope="module")
def demo():
    return small_frames("demo", end=36.0)


def at(clip, rate: float):
    """The pictures of a clip, `rate` a second."""
    times, images, _ = clip
    rows = np.searchsorted(times, np.arange(0, times[-1], 1 / rate) + 1e-6, side="right") - 1
    return [cv2.cvtColor(images[row], cv2.COLOR_GRAY2BGR) for row in np.maximum(rows, 0)]


def spliced(pieces, rng, rate: float, count: int):
    """Parts of 0.8 to 3 s, of another piece each time, one after the other; and where each begins."""
    film, begins, last = [], [], -1
    for _ in range(count):
        last = rng.choice([i for i in range(len(pieces)) if i != last])
        length = min(int(rng.uniform(0.8, 3) * rate), len(pieces[last]))
        first = rng.integers(len(pieces[last]) - length + 1)
        begins.append(len(film))
        film += pieces[last][first : first + length]
    return film, begins[1:]


def assert_nearly_all(found: list[int], true: list[int]) -> None:
    right = len(set(found) & set(true))
    assert right >= 0.95 * len(true)  # recall
    assert right >= 0.95 * len(found)  # precision


@pytest.mark.slow
@pytest.mark.parametrize("rate", [5, 10, 25])
@pytest.mark.parametrize("names", [OTHERS, CHOSEN_ON], ids=["others", "chosen_on"])
def test_splices_of_different_clips_are_found(clips, names, rate) -> None:
    film, begins = spliced([at(clips[name], rate) for name in names], np.random.default_rng(rate), rate, 120)

    assert_nearly_all(cuts_in(film), begins)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [5, 10, 25])
@pytest.mark.parametrize("over", LAID_OVER)
def test_splices_with_something_laid_over_them_are_found(clips, over, rate) -> None:
    pieces = [[LAID_OVER[over](image) for image in at(clips[name], rate)] for name in OTHERS]

    film, begins = spliced(pieces, np.random.default_rng(rate), rate, 120)

    assert_nearly_all(cuts_in(film), begins)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [5, 10, 25])
def test_splices_of_a_clip_with_itself_are_found_where_its_camera_had_moved_on(clips, rate) -> None:
    pictures = at(clips["group_720p.mp4"], rate)
    pieces = [pictures[: 4 * rate], pictures[round(9.2 * rate) :]]

    film, begins = spliced(pieces, np.random.default_rng(rate), rate, 60)

    assert_nearly_all(cuts_in(film), begins)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [5, 10, 25])
@pytest.mark.parametrize("kind", ["as it is", "light", "shake", "flash", "black", "grain", "people"])
def test_a_clip_has_no_cuts_whatever_is_done_to_it(clips, kind, rate) -> None:
    rng = np.random.default_rng(rate)
    done = {
        "as it is": lambda film: film,
        "light": lambda film: switched(film, rate, rng),
        "shake": lambda film: shaken(film, rng),
        "flash": lambda film: at_once(film, rate, lambda image: lit(image, 3, 60)),
        "black": lambda film: at_once(film, rate, np.zeros_like),
        "grain": lambda film: [grain(lit(image, 0.35), rng, 15) for image in film],
        "people": lambda film: walk_past(film, share=0.4, step=1.4 / rate),
    }

    assert {name: cuts_in(done[kind](at(clips[name], rate))) for name in OTHERS} == {
        name: [] for name in OTHERS
    }


def panned(images, rate: float):
    """Seen by a camera that sees two thirds of the width, and goes from side to side within a second."""
    places = [abs(i / rate % 2 - 1) for i in range(len(images))]
    return [window(image, 107 + 106 * x, 90, 214) for image, x in zip(images, places, strict=True)]


def zoomed(images, rate: float):
    """Seen by a camera that zooms to and fro by half within a second."""
    widths = [213 * 1.5 ** abs(i / rate % 2 - 1) for i in range(len(images))]
    return [window(image, 160, 90, width) for image, width in zip(images, widths, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("rate", [5, 10, 25])
@pytest.mark.parametrize("over", LAID_OVER)
@pytest.mark.parametrize("kind", ["as it is", "pan", "zoom", "light", "flash", "dark", "dark and grain"])
def test_a_clip_has_no_cuts_with_something_laid_over_it(clips, kind, over, rate) -> None:
    rng = np.random.default_rng(rate)
    done = {
        "as it is": lambda film: film,
        "pan": lambda film: panned(film, rate),
        "zoom": lambda film: zoomed(film, rate),
        "light": lambda film: switched(film, rate, rng),
        "flash": lambda film: at_once(film, rate, lambda image: lit(image, 3, 60)),
        "dark": lambda film: [lit(image, 0.15) for image in film],
        "dark and grain": lambda film: [grain(lit(image, 0.3), rng, 8) for image in film],
    }
    films = {name: done[kind](at(clips[name], rate)[: 6 * rate]) for name in OTHERS}

    found = {name: cuts_in(map(LAID_OVER[over], film)) for name, film in films.items()}
    assert found == {name: [] for name in OTHERS}


@pytest.mark.slow
def test_no_clip_is_marked_by_the_program_itself(folder, clips) -> None:
    variants = [
        path for path in folder.glob("v_*") if "not_a" not in path.name and "truncated" not in path.name
    ]

    assert len(variants) == 11
    assert {path.name: small_frames(path)[2] for path in variants} == {p.name: [] for p in variants}
    assert {name: clip[2] for name, clip in clips.items()} == {name: [] for name in clips}


@pytest.mark.slow
@pytest.mark.parametrize("rate", [5, 10, 25])
def test_the_demo_has_no_cut(demo, rate) -> None:
    rng = np.random.default_rng(rate)
    film = at(demo, rate)

    assert demo[2] == []
    assert cuts_in(film) == []
    assert cuts_in(shaken(film, rng)) == []
    assert cuts_in(switched(film, rate, rng)) == []
