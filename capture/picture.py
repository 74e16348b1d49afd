"""Single pictures and folders of them, by Pillow: upright, 8 bits, BGR."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import ExifTags, UnidentifiedImageError
from PIL import Image as Pillow

from capture.content import pictures_in
from core.errors import SourceError
from core.settings import CaptureConfig
from core.types import Array, Frame, Image, SourceInfo, Stamp

log = logging.getLogger(__name__)

# Pillow warns from here on that a small file may unpack to a gigabyte; for us it ends here.
MOST_PIXELS = 89_478_485
_BETWEEN_STILLS = 1.0  # s
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
# What makes a picture upright, by its orientation as EXIF counts it.
_TURNS = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}


def open_pictures(
    info: SourceInfo, address: str | int, config: CaptureConfig, *, wall: float = math.nan
) -> Pictures:
    """The picture, or the folder of pictures, that `info` names."""
    path = info.path or Path(str(address))
    return Pictures(info, pictures_in(path) if path.is_dir() else [path], config, wall)


class Pictures:
    """One picture, or the pictures of a folder: unrelated stills, or at a `rate` a film.

    `Stamp.index` is the position in the list of files, so that a frame leads to its file;
    a picture that cannot be read leaves a gap there.
    """

    def __init__(
        self, info: SourceInfo, files: Sequence[Path], config: CaptureConfig, wall: float = math.nan
    ) -> None:
        """Read the first picture.

        Args:
            info: what is known of the source.
            files: in the order of showing.
            config: `rate` makes a film of them, pictures/s; `begin` and `end` cut it, in seconds.
            wall: UTC seconds of the first picture of a film.

        Raises:
            SourceError: the only picture, or each of them, cannot be read.
        """
        self.info = info
        self.files = tuple(files)
        self.decode_errors = 0
        self._config = config
        self._wall = wall if len(files) == 1 or not info.stills else math.nan
        self._step = _BETWEEN_STILLS if config.rate is None else 1 / config.rate
        self._frames = self._read()
        self._next = next(self._frames, None)
        if self._next is None:
            raise SourceError(
                f"{info.address}: none of its {len(files)} pictures can be read, or is asked for."
            )

    @property
    def length(self) -> float:
        """Seconds in all."""
        begin, end = self._span()
        return max(min(end, len(self.files) * self._step) - begin, 0.0)

    @property
    def codec(self) -> str:
        """Nature of the pictures, by their ending."""
        return self.files[0].suffix.lower().lstrip(".")

    def read(self) -> Frame | None:
        """The next picture; None at the end."""
        frame = self._next
        self._next = None
        return frame or next(self._frames, None)

    def close(self) -> None:
        """Show no more."""
        self._next = None
        self._frames = iter(())

    def _span(self) -> tuple[float, float]:
        if self.info.stills:
            return 0.0, math.inf
        return self._config.begin, math.inf if self._config.end is None else self._config.end

    def _read(self) -> Iterator[Frame]:
        begin, end = self._span()
        for index, file in enumerate(self.files):
            time = index * self._step
            if not begin - 1e-6 <= time < end - 1e-6:
                continue
            try:
                image = read_picture(file)
            except SourceError as error:
                if len(self.files) == 1:
                    raise
                self.decode_errors += 1
                log.warning("%s It is left out.", error)
                continue
            size = (image.shape[1], image.shape[0])
            # Its name says where it lies: sub-folders are not entered.
            stamp = Stamp(self.info.name, index, time, self._wall + time, size, file.name)
            yield Frame(stamp, image, cut=self.info.stills)


def read_picture(file: Path) -> Image:
    """A picture file as uint8 (H, W, 3) BGR.

    Turned upright as its EXIF data say; 16 bits scaled to 8; transparent parts on white; the
    first picture of several.

    Raises:
        SourceError: it cannot be read, or is too large.
    """
    try:
        # Pillow's own warnings name neither the picture nor a remedy: what is left of damaged EXIF data
        # is used, and a picture that is too large is told by us.
        with warnings.catch_warnings(action="ignore"), Pillow.open(file) as opened:
            width, height = opened.size
            if width * height > MOST_PIXELS:
                raise SourceError(_too_large(file))
            rgb = _to_rgb(_upright(opened))
    except SourceError:
        raise
    except Pillow.DecompressionBombError:
        raise SourceError(_too_large(file)) from None
    except UnidentifiedImageError:
        said = "is empty (0 bytes)" if file.stat().st_size == 0 else "is not a picture that can be read"
        raise SourceError(f"{file}: {said}; save it again as JPEG or PNG.") from None
    except Exception as error:  # of damaged files Pillow's readers raise anything, as RuntimeError for AVIF
        said = str(error).rstrip(".") or type(error).__name__
        raise SourceError(f"{file}: the picture cannot be read: {said}; save it again.") from None
    image: Image = np.ascontiguousarray(rgb[:, :, ::-1])
    return image


def _upright(picture: Pillow.Image) -> Pillow.Image:
    """Pillow's own way also writes the EXIF data anew, which fails where they are damaged."""
    picture.load()  # the EXIF data of a PNG may follow its pixels
    turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return picture if turn is None else picture.transpose(turn)


def _to_rgb(picture: Pillow.Image) -> Array:
    if picture.mode in _DEEP:
        return _eight_bits(np.asarray(picture))
    if picture.mode == "1":
        picture = picture.convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        # White, as viewers and printed portraits have it: dark hair stays apart from it.
        white = Pillow.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = Pillow.alpha_composite(white, picture)
    return np.asarray(picture.convert("RGB"))


def _eight_bits(grey: Array) -> Array:
    """Grey of 16 bits, whole numbers or fractions, as uint8 (H, W, 3)."""
    values = np.nan_to_num(grey.astype(np.float64))
    top = values.max(initial=0)
    if np.issubdtype(grey.dtype, np.floating):
        full = 1.0 if top <= 1 else 255.0 if top <= 255 else 65535.0
    else:
        full = 255.0 if grey.dtype.itemsize == 4 and top <= 255 else 65535.0
    scaled = np.clip(np.rint(values * (255 / full)), 0, 255).astype(np.uint8)
    return np.repeat(scaled[:, :, None], 3, axis=2)


def _too_large(file: Path) -> str:
    return f"{file}: has more than {MOST_PIXELS // 1_000_000} million pixels; scale it down first."
