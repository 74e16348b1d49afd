"""Factories of test input: made-up faces, frames and walks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from core.types import F64, SEEN, Evidence, Faces, Frame, Result, Stamp, Tracks


def stamp(index: int = 0, time: float | None = None, source: str = "door", size=(640, 360)) -> Stamp:
    """A stamp at 25 frames/s unless `time` says otherwise."""
    return Stamp(source, index, index / 25 if time is None else time, float("nan"), size)


def frame(index: int = 0, time: float | None = None, size=(640, 360), value: int = 90, **more) -> Frame:
    """A plain grey picture."""
    width, height = size
    return Frame(stamp(index, time, size=size), np.full((height, width, 3), value, np.uint8), **more)


def landmarks(boxes: F64):
    """Five points where a frontal face has them, for boxes (N, 4)."""
    points = np.array([[0.3, 0.38], [0.7, 0.38], [0.5, 0.58], [0.34, 0.78], [0.66, 0.78]])
    size = boxes[:, 2:] - boxes[:, :2]
    return (boxes[:, None, :2] + points[None] * size[:, None]).astype(np.float32)


def faces(*boxes: Sequence[float], score: float = 0.9) -> Faces:
    """Frontal faces at those boxes (x1, y1, x2, y2)."""
    array = np.array(boxes, np.float64).reshape(-1, 4)
    return Faces(array, np.full(len(array), score, np.float32), landmarks(array))


def walk(
    rate: float, seconds: float, start: float = 0.0, x: float = 100.0, speed: float = 40.0, size: float = 50.0
) -> Iterator[tuple[float, Faces]]:
    """(time, faces) of one face going right at `speed` px/s, seen `rate` times a second."""
    for i in range(round(seconds * rate)):
        time = start + i / rate
        left = x + speed * time
        yield time, faces((left, 100.0, left + size, 100.0 + 1.25 * size))


def tracks(
    boxes: dict[int, Sequence[float]], state: int = SEEN, time: float = 0.0, born: float = 0.0
) -> Tracks:
    """Ids and their boxes; if seen, each by the detection of its own row."""
    n = len(boxes)
    seen = faces(*boxes.values())
    return Tracks(
        ids=np.array(list(boxes), np.int64),
        boxes=seen.boxes,
        states=np.full(n, state, np.uint8),
        faces=seen if state == SEEN else Faces.none(n),
        index=np.arange(n) if state == SEEN else np.full(n, -1),
        born=np.full(n, born),
        seen=np.full(n, time),
        shown=np.full(n, state == SEEN),
    )


def ids(rows: Sequence[Tracks]) -> set[int]:
    """All that ever come up."""
    return {number for row in rows for number in row.ids.tolist()}


def evidence(
    ids: Sequence[int], age: float = 34.0, half: float = 6.0, gender: int = 1, mood: int = 3
) -> Evidence:
    """The same belief about each of these tracks."""
    n = len(ids)
    years = np.array([age, age - half, age + half], np.float32)
    emotion = np.full((n, 7), 0.05, np.float32)
    emotion[:, mood] = 0.7
    return replace(
        Evidence.none(np.array(ids, np.int64)),
        age_mean=np.full(n, years[0]),
        age_low=np.full(n, years[1]),
        age_high=np.full(n, years[2]),
        gender=np.full(n, gender, np.uint8),
        emotion=emotion,
    )


def result(frame: Frame, tracks: Tracks, faces: Faces | None = None, **more) -> Result:
    """What a frame gave; without `faces` the detections are those of the tracks."""
    found = tracks.faces if faces is None else faces
    return Result(frame.stamp, found, tracks, more.pop("evidence", evidence(tracks.ids)), **more)
