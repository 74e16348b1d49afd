"""The data that flows from stage to stage: frozen dataclasses of arrays, checked once when made.

No field but `SourceInfo.path` is ever None: nothing found is a row count of 0, not known is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
Image = NDArray[np.uint8]  # (H, W, 3) BGR
Kind = Literal["webcam", "network", "video", "image", "folder", "demo"]  # of a source

AGES = 101  # years 0 to 100
YEARS: F64 = np.arange(AGES, dtype=np.float64)
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
GENDERS = ("unknown", "female", "male")
UNKNOWN, FEMALE, MALE = 0, 1, 2
STATES = ("seen", "lost", "ended")
DOUBLE, SINGLE, LONG = np.dtype(np.float64), np.dtype(np.float32), np.dtype(np.int64)
BYTE, TRUTH = np.dtype(np.uint8), np.dtype(np.bool_)
SEEN, LOST, ENDED = 0, 1, 2


def expect(name: str, array: Array, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    """Raise ValueError unless `array` has this shape and type."""
    if array.shape != shape or array.dtype.type is not dtype:
        wanted = f"{np.dtype(dtype)} {shape}"
        raise ValueError(f"{name}: expected {wanted}, got {array.dtype} {array.shape}")


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before it is opened.

    Attributes:
        name: unique among the sources of a run; names its rows.
        address: what was asked for, passwords masked; for messages and the summary.
        path: the file or folder behind it, if there is one.
        live: frames may be dropped; the newest wins.
        stills: each frame is an unrelated picture: nothing is tracked across frames.
        start: seconds of the file that were skipped by request (`--from`).
        ignore: areas in which no face counts, each the corners of a polygon, x y in shares of the picture.
        hours: when it is looked at, as `core.hours` reads it; empty: always.
        fault: why it cannot be opened, if that is known already.
    """

    name: str
    kind: Kind
    address: str
    path: Path | None = None
    live: bool = False
    stills: bool = False
    start: float = 0.0
    ignore: tuple[tuple[tuple[float, float], ...], ...] = ()
    hours: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where and when a frame was taken.

    Attributes:
        source: name of the source.
        index: position in the source from 0; gaps show drops.
        time: seconds since the source's first frame; rises within a source.
        wall: UTC seconds since 1970; NaN if not known.
        size: (width, height) in pixels.
        file: name of the picture file, in its folder; "" where a frame is none of its own.
    """

    source: str
    index: int
    time: float
    wall: float
    size: tuple[int, int]
    file: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        stamp: where and when.
        image: uint8 (H, W, 3) BGR, read-only; who wants to draw, copies.
        cut: another shot than the frame before.
        damaged: the decoder flagged it, or an earlier one of its group.
        frozen: a live source has been giving this very picture for long.
        pixel: width of a pixel by its height, as it is shown.
    """

    stamp: Stamp
    image: Image
    cut: bool = False
    damaged: bool = False
    frozen: bool = False
    pixel: float = 1.0

    def __post_init__(self) -> None:
        width, height = self.stamp.size
        expect("image", self.image, (height, width, 3), np.uint8)
        self.image.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Gap:
    """A second without a picture from a live source.

    Attributes:
        stamp: of the last picture, but for the time.
        reason: one word for why it is lost; empty while it is not.
        error: the same as a sentence with its remedy.
    """

    stamp: Stamp
    reason: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """N faces of one frame, a row each.

    Attributes:
        boxes: float64 (N, 4), x1 y1 x2 y2 in pixels of the frame.
        scores: float32 (N,), detector's confidence in [0, 1].
        landmarks: float32 (N, 5, 2), x y in pixels: eyes, nose, mouth corners,
            image-left first; NaN where the detector gives none.
    """

    boxes: F64
    scores: F32
    landmarks: F32

    def __post_init__(self) -> None:
        boxes, scores, landmarks = self.boxes, self.scores, self.landmarks
        n = len(boxes)
        if (
            boxes.dtype is DOUBLE
            and scores.dtype is landmarks.dtype is SINGLE
            and boxes.shape == (n, 4)
            and scores.shape == (n,)
            and landmarks.shape == (n, 5, 2)
        ):
            return  # the same as below, in less time; that says which column is wrong
        expect("boxes", self.boxes, (n, 4), np.float64)
        expect("scores", self.scores, (n,), np.float32)
        expect("landmarks", self.landmarks, (n, 5, 2), np.float32)

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, rows: Array) -> Faces:
        """Those rows (indices or a mask), in that order."""
        if rows.dtype.type is np.int64:  # four times as fast for a handful of faces
            if len(rows) == 1 == len(self.boxes) and not rows[0]:  # the only one, faster still
                return Faces(self.boxes.copy(), self.scores.copy(), self.landmarks.copy())
            return Faces(self.boxes.take(rows, 0), self.scores.take(rows), self.landmarks.take(rows, 0))
        return Faces(self.boxes[rows], self.scores[rows], self.landmarks[rows])

    def pick(self, index: I64) -> Faces:
        """Those rows, in that order; NaN where the index is -1."""
        unseen = np.flatnonzero(index < 0)
        if not len(unseen):
            return self.take(index)
        if len(unseen) == len(index):
            return Faces.none(len(index))
        rows = self.take(index)
        for column in (rows.boxes, rows.scores, rows.landmarks):
            column[unseen] = np.nan
        return rows

    @classmethod
    def none(cls, n: int = 0) -> Faces:
        """N rows about which nothing is known."""
        faces = cls(np.empty((n, 4)), np.empty(n, SINGLE), np.empty((n, 5, 2), SINGLE))
        for column in (faces.boxes, faces.scores, faces.landmarks):  # np.full takes twice as long
            column.fill(np.nan)
        return faces


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The living confirmed tracks of one source at one moment, a row each.

    Attributes:
        ids: int64 (N,), from 1, given at confirmation, never reused within a source.
        boxes: float64 (N, 4), x1 y1 x2 y2 in pixels, filtered or predicted.
        states: uint8 (N,), SEEN, LOST or ENDED (its last row). A track that nobody looked
            for in this frame keeps its state.
        faces: N rows: each track's face in this frame, NaN while there is none.
        index: int64 (N,), row of that face in the frame's detections, -1 for none.
        born: float64 (N,), seconds, time of its first detection.
        seen: float64 (N,), seconds, time of its last detection.
        shown: bool (N,), seen, or unseen for so short a time that the face is most likely still there.
    """

    ids: I64
    boxes: F64
    states: U8
    faces: Faces
    index: I64
    born: F64
    seen: F64
    shown: Bool

    def __post_init__(self) -> None:
        ids, boxes, states, index = self.ids, self.boxes, self.states, self.index
        born, seen, shown, faces = self.born, self.seen, self.shown, self.faces
        n = len(ids)
        if (
            ids.dtype is index.dtype is LONG
            and boxes.dtype is born.dtype is seen.dtype is DOUBLE
            and states.dtype is BYTE
            and shown.dtype is TRUTH
            and ids.shape == index.shape == born.shape == seen.shape == states.shape == shown.shape == (n,)
            and boxes.shape == faces.boxes.shape == (n, 4)
        ):
            return  # the same as below, in half the time; that says which column is wrong
        expect("ids", self.ids, (n,), np.int64)
        expect("boxes", self.boxes, (n, 4), np.float64)
        expect("states", self.states, (n,), np.uint8)
        expect("faces.boxes", self.faces.boxes, (n, 4), np.float64)
        expect("index", self.index, (n,), np.int64)
        expect("born", self.born, (n,), np.float64)
        expect("seen", self.seen, (n,), np.float64)
        expect("shown", self.shown, (n,), np.bool_)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Array) -> Tracks:
        """Those rows (indices or a mask), in that order."""
        return Tracks(
            self.ids[rows],
            self.boxes[rows],
            self.states[rows],
            self.faces.take(rows),
            self.index[rows],
            self.born[rows],
            self.seen[rows],
            self.shown[rows],
        )

    @classmethod
    def join(cls, parts: Sequence[Tracks]) -> Tracks:
        """The rows of all parts, one after the other."""
        faces = [part.faces for part in parts]
        joined = {name: np.concatenate([getattr(part, name) for part in faces]) for name in Faces.__slots__}
        rest = [name for name in cls.__slots__ if name != "faces"]
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in rest}
        return cls(faces=Faces(**joined), **columns)

    @classmethod
    def none(cls) -> Tracks:
        """No track."""
        empty = np.zeros(0)
        ids = np.zeros(0, np.int64)
        states = np.zeros(0, np.uint8)
        return cls(ids, np.zeros((0, 4)), states, Faces.none(), ids, empty, empty, np.zeros(0, np.bool_))


@dataclass(frozen=True, slots=True)
class Crop:
    """How a network wants its face cut out, as it was trained.

    Attributes:
        kind: `aligned` by five landmarks, or the `box` as it stands.
        size: side of the square crop, pixels.
        zoom: over 1 is tighter.
        shift: down the picture, in sides of the crop.
        colour: channels handed to the network: 3 for rgb and bgr, 1 for grey.
    """

    kind: Literal["aligned", "box"]
    size: int
    zoom: float = 1.0
    shift: float = 0.0
    colour: Literal["rgb", "bgr", "grey"] = "rgb"


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """One look at M crops, a row each; a column that no network filled is NaN.

    Attributes:
        quality: float32 (M,), how far the crop can be trusted, 0 to 1.
        age: float32 (M, 101), distribution over the years 0 to 100.
        female: float32 (M,), probability.
        emotion: float32 (M, 7), probabilities in the order of EMOTIONS.
        embedding: float32 (M, D), unit length; D = 0 if unused.
    """

    quality: F32
    age: F32
    female: F32
    emotion: F32
    embedding: F32

    def __post_init__(self) -> None:
        m = len(self.quality)
        expect("quality", self.quality, (m,), np.float32)
        expect("age", self.age, (m, AGES), np.float32)
        expect("female", self.female, (m,), np.float32)
        expect("emotion", self.emotion, (m, len(EMOTIONS)), np.float32)
        expect("embedding", self.embedding, (m, self.embedding.shape[-1]), np.float32)

    def __len__(self) -> int:
        return len(self.quality)

    def take(self, rows: Array | slice) -> Estimates:
        """Those rows (indices, a mask or a slice), in that order."""
        return Estimates(*(getattr(self, name)[rows] for name in self.__slots__))

    @classmethod
    def none(cls, m: int = 0) -> Estimates:
        """M looks that saw nothing."""
        nan = np.float32(math.nan)
        return cls(
            np.full(m, nan),
            np.full((m, AGES), nan),
            np.full(m, nan),
            np.full((m, len(EMOTIONS)), nan),
            np.zeros((m, 0), np.float32),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The belief about each row of `Tracks`, fused from all looks at that track.

    Attributes:
        ids: int64 (N,), the rows' tracks, as in `Tracks.ids`.
        quality: float32 (N,), of the best look so far, 0 to 1; NaN before the first.
        age: float32 (N, 101), distribution over the years 0 to 100; NaN before the first look.
        age_mean, age_low, age_high: float32 (N,), years; low to high holds 90 %.
        female: float32 (N,), probability.
        gender: uint8 (N,), UNKNOWN, FEMALE or MALE; hysteresis, so it is state.
        emotion: float32 (N, 7), the mood now, probabilities in the order of EMOTIONS.
        emotion_share: float32 (N, 7), share of the visit in each mood; sums to 1.
        looks: float32 (N,), effective number of independent looks.
        updated: float64 (N,), seconds, time of the last look; NaN before the first.
    """

    ids: I64
    quality: F32
    age: F32
    age_mean: F32
    age_low: F32
    age_high: F32
    female: F32
    gender: U8
    emotion: F32
    emotion_share: F32
    looks: F32
    updated: F64

    def __post_init__(self) -> None:
        n = len(self.ids)
        expect("ids", self.ids, (n,), np.int64)
        for name in ("quality", "age_mean", "age_low", "age_high", "female", "looks"):
            expect(name, getattr(self, name), (n,), np.float32)
        expect("age", self.age, (n, AGES), np.float32)
        expect("gender", self.gender, (n,), np.uint8)
        expect("emotion", self.emotion, (n, len(EMOTIONS)), np.float32)
        expect("emotion_share", self.emotion_share, (n, len(EMOTIONS)), np.float32)
        expect("updated", self.updated, (n,), np.float64)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Array) -> Evidence:
        """Those rows (indices or a mask), in that order."""
        return Evidence(*(getattr(self, name)[rows] for name in self.__slots__))

    @classmethod
    def none(cls, ids: I64 | None = None) -> Evidence:
        """Nothing known yet about these tracks (or no track at all)."""
        ids = np.zeros(0, np.int64) if ids is None else ids
        n = len(ids)

        def nan() -> F32:
            return np.full(n, np.nan, np.float32)

        emotion = np.full((n, len(EMOTIONS)), np.nan, np.float32)
        return cls(
            ids=ids,
            quality=nan(),
            age=np.full((n, AGES), np.nan, np.float32),
            age_mean=nan(),
            age_low=nan(),
            age_high=nan(),
            female=nan(),
            gender=np.full(n, UNKNOWN, np.uint8),
            emotion=emotion,
            emotion_share=emotion.copy(),
            looks=np.zeros(n, np.float32),
            updated=np.full(n, np.nan),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth a line in the record.

    Attributes:
        kind: source_started, source_ended, track_started, track_updated, track_ended, ...
        stamp: where and when.
        track: the track's id; 0 = the source itself.
        data: flat; NaN for not known.
    """

    kind: str
    stamp: Stamp
    track: int
    data: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """All that one frame gave, without its pixels: queues cheaply, stores safely.

    The last result of a source stands for no frame: it carries the tracks' last rows (all
    ENDED), their events and `source_ended`, at the stamp of the last frame or Gap.

    Attributes:
        faces: what the detector found; those in areas that are ignored, which no track has, stand last.
        looked: int64 (M,), ids of the tracks whose faces the networks judged in this frame.
        looks: M rows, what they said, raw.
    """

    stamp: Stamp
    faces: Faces
    tracks: Tracks
    evidence: Evidence
    events: tuple[Event, ...] = ()
    looked: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    looks: Estimates = field(default_factory=Estimates.none)
    last: bool = False
