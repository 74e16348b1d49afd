"""Films of known people, made of labelled stills: each walks up to a camera, and away again.

The camera is the demo's (capture/demo): a walk with steps and sway, a face as tall as its distance says,
smeared by its movement while the shutter is open. Focus, light, noise and packing differ from clip to clip,
and change within. The face itself never moves: what only a living face changes (its pose, its mood) is
not in these films, so looks at one track share more of their error here than before a camera.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from capture.demo.film import FACE, SHUTTER
from capture.demo.film import FPS as FILM_FPS
from capture.demo.motion import Walk, curve, walk
from core.types import F64, Frame, Image, Stamp
from estimators.align import BOX_MARGIN, TEMPLATE, fit_similarity
from evaluation.samples import Sample, bucket

SIZE = (480, 270)  # width, height of the picture, pixels
FOCAL = 600.0  # px; something of 1 m at a distance of 1 m is that large
HORIZON = 150.0  # px, row of the picture on which everything as high as the camera lies
CHIN = -0.11  # m above the camera, so that the middle of the face is as high as it
EXPOSURE = SHUTTER / FILM_FPS  # s

# What is drawn for each clip, evenly between the two:
SECONDS = (3.0, 8.0)
FAR, NEAR = (24.0, 48.0), (48.0, 110.0)  # px, height of the face where the walk begins and at its nearest
BLUR = (0.0, 1.2)  # px, of the lens, where the focus is worst
DARKEST = (0.3, 1.0)  # of full light
WARMTH = (-0.1, 0.1)  # share that blue loses and red gains
NOISE = (1.0, 6.0)  # grey levels, standard deviation
JPEG = (40, 92)  # quality
SOFT = 0.06  # of a still's side: its edge fades into the background


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """The film of one still.

    Attributes:
        sample: the still and what is true of the person.
        times: float64 (frames,), seconds.
        matrices: float64 (frames, 2, 3), pixels of the still to pixels of the picture.
        boxes: float64 (frames, 4), the true face, x1 y1 x2 y2 in pixels of the picture.
        drifts: float64 (frames, 2), px, how far the face moves while the shutter is open.
        blurs, lights: float64 (frames,), of the lens, px; share of full light.
        warmth, noise, jpeg: of the whole clip.
        seed: of its background and its noise.
    """

    sample: Sample
    times: F64
    matrices: F64
    boxes: F64
    drifts: F64
    blurs: F64
    lights: F64
    warmth: float
    noise: float
    jpeg: int
    seed: int

    def frames(self, source: str) -> Iterator[Frame]:
        """The film, picture by picture; the same bytes each time."""
        generator = np.random.default_rng(self.seed)
        ground, still = _background(generator), self.sample.image
        cover = _cover(still.shape[0], still.shape[1])
        for i, time in enumerate(self.times.tolist()):
            picture = _lay(ground, still, cover, self.matrices[i])
            picture = _smear(picture, self.drifts[i], float(self.blurs[i]))
            picture = self._expose(picture, float(self.lights[i]), generator)
            yield Frame(Stamp(source, i, time, math.nan, SIZE), picture)

    def _expose(self, picture: Image, light: float, generator: np.random.Generator) -> Image:
        gain = light * (1 + self.warmth * np.array([-1, 0, 1], np.float32))
        noisy = picture * gain + self.noise * generator.standard_normal(picture.shape, np.float32)
        grey = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        packed = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg])[1]
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def make_clip(sample: Sample, rate: float, seed: int) -> Clip:
    """A visit of that person, at `rate` frames/s; another seed, another visit."""
    generator = np.random.default_rng([seed, bucket(sample.name, 2**32)])
    draw = generator.uniform
    seconds = draw(*SECONDS)
    times: F64 = np.arange(math.ceil(seconds * rate)) / rate
    centre, tall = _face(sample)
    path = _path(generator, seconds, times, tall)
    matrices = _matrices(path, tall, centre)
    half = FOCAL * FACE / path.z[:, None] * np.array([[0.38, 0.5]])
    middles = matrices[:, :, :2] @ centre + matrices[:, :, 2]
    moved = np.gradient(middles, times, axis=0) * EXPOSURE
    return Clip(
        sample=sample,
        times=times,
        matrices=matrices,
        boxes=np.concatenate([middles - half, middles + half], axis=1),
        drifts=moved,
        blurs=_varying(generator, seconds, times, 0.0, draw(*BLUR)),
        lights=_varying(generator, seconds, times, 1.0, draw(*DARKEST)),
        warmth=draw(*WARMTH),
        noise=draw(*NOISE),
        jpeg=int(generator.integers(*JPEG)),
        seed=int(generator.integers(2**31)),
    )


def _face(sample: Sample) -> tuple[F64, float]:
    """Middle (2,) and height of the face in its still, pixels; a still without landmarks is all face."""
    height, width = sample.image.shape[:2]
    if sample.landmarks is not None:
        scale, shift = fit_similarity(sample.landmarks[None].astype(np.float64), TEMPLATE)
        if np.isfinite(scale[0]):
            middle = complex((0.5 + 0.5j - shift[0]) / scale[0])
            return np.array([middle.real, middle.imag]), 1 / abs(complex(scale[0])) / BOX_MARGIN
    return np.array([width / 2, height / 2]), float(height)


def _path(generator: np.random.Generator, seconds: float, times: F64, tall: float) -> Walk:
    """From afar to the camera, a stop, and in one visit of two away again; never larger than the still."""
    draw = generator.uniform
    first, nearest = (FOCAL * FACE / min(draw(*heights), tall) for heights in (FAR, NEAR))
    last = first if generator.random() < 0.5 else nearest
    stop = draw(0.3, 0.6) * seconds
    z = [(0.0, first), (stop, nearest), (min(stop + 1.0, 0.9 * seconds), nearest), (seconds, last)]
    side = 0.5 * (SIZE[0] / 2) / FOCAL  # m to the side for each m of distance: half way to the edge
    x = [(time, draw(-side, side) * away) for time, away in z]
    return walk(x, z, CHIN, draw(0, 2 * math.pi), times)


def _matrices(path: Walk, tall: float, centre: F64) -> F64:
    """From the still to the picture; the chin is where the walk says, (frames, 2, 3)."""
    scale = FOCAL * FACE / path.z / tall
    turn = np.radians(path.roll)
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    linear = np.stack([np.stack([c, -s], axis=1), np.stack([s, c], axis=1)], axis=1)
    chins = np.stack([SIZE[0] / 2 + FOCAL * path.x / path.z, HORIZON - FOCAL * path.y / path.z], axis=1)
    shift = chins - linear @ (centre + np.array([0.0, tall / 2]))
    return np.concatenate([linear, shift[:, :, None]], axis=2)


def _varying(generator: np.random.Generator, seconds: float, times: F64, best: float, worst: float) -> F64:
    """A smooth line that wanders between two values."""
    count = 2 + round(seconds / 1.5)
    keys = [(float(t), best + (worst - best) * generator.random()) for t in np.linspace(0, seconds, count)]
    return curve(keys, times)


def _background(generator: np.random.Generator) -> Image:
    """A wall with soft blotches, uint8 (height, width, 3)."""
    tones = (
        generator.uniform(50, 190, 3) + generator.normal(0, 20, (5, 8, 1)) + generator.normal(0, 5, (5, 8, 3))
    )
    wall = cv2.resize(tones, SIZE, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(wall, 0, 255), np.uint8)


def _cover(height: int, width: int) -> F64:
    """How far a still covers what is behind it: 1, falling to 0 at its edge, (height, width)."""
    down, across = (
        np.minimum(np.arange(n) + 0.5, n - 0.5 - np.arange(n)) / n / SOFT for n in (height, width)
    )
    result: F64 = np.minimum(down[:, None], 1) * np.minimum(across[None], 1)
    return result


def _lay(ground: Image, still: Image, cover: F64, matrix: F64) -> Image:
    """The still on the background; made small first, so that no pixel is skipped."""
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    layer = np.dstack([still * cover[..., None], cover * 255]).astype(np.float32)
    small = cv2.resize(layer, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else layer
    grown = np.array(still.shape[1::-1]) / np.array(small.shape[1::-1])  # px of the still for one of `small`
    moved = np.column_stack([matrix[:, :2] * grown, matrix[:, 2] + matrix[:, :2] @ (grown / 2) - 0.5])
    warped = cv2.warpAffine(small, moved, SIZE, flags=cv2.INTER_LINEAR)
    picture = ground * (1 - warped[..., 3:] / 255) + warped[..., :3]
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8)


def _smear(picture: Image, drift: F64, blur: float) -> Image:
    """What moves is smeared, what is out of focus is soft."""
    sides = [2 * round(abs(d) / 2) + 1 for d in drift.tolist()]
    if max(sides) > 1:
        picture = np.asarray(cv2.blur(picture, sides, borderType=cv2.BORDER_REPLICATE), np.uint8)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), np.uint8) if blur > 0.2 else picture
