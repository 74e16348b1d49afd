"""A text file of whole lines, on disk as soon as they are written."""

from __future__ import annotations

import errno
import math
import os
import shutil
import stat
import sys
import time
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ReaderGone, SinkError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

STDOUT = Path("-")
_READER = 3.0  # s that the reader of a named pipe has to come; a signal must end the program within 5
_GLANCE = 0.05  # s between two looks for it


class WholeFile(FileIO):
    """An unbuffered file that writes all it is given: a disk that fills up first takes a part.

    Of a named pipe the reader is waited for, but not for long: the system's own waiting hears no signal.
    """

    def __init__(self, target: Path | int, closefd: bool = True) -> None:
        """Open a path, or what is open under a number; OSError as the system has it."""
        super().__init__(target, "w", closefd=closefd, opener=None if isinstance(target, int) else _opened)

    def write(self, data: Buffer) -> int:
        """All of it, or the error of what could not be written."""
        left = memoryview(data).cast("B")
        size = len(left)
        while left:
            left = left[super().write(left) or 0 :]
        return size


class TextFile:
    """Lines in UTF-8, unbuffered: a kill loses none, a full disk leaves no half one.

    `-` is the standard output.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._until = float("nan")
        try:
            # Not through sys.stdout: what it had buffered for a reader that is gone would
            # make Python complain at its exit.
            if path == STDOUT and sys.stdout is None:
                raise SinkError("output -: there is no standard output, it is closed. Name a file.")
            target = sys.stdout.fileno() if path == STDOUT else path
            self._file = WholeFile(target, closefd=path != STDOUT)
        except (OSError, AttributeError) as error:
            raise failure(path, error) from error

    def write(self, lines: str, until: float) -> None:
        """Add lines, each with its end, `until` that second of their source, for messages.

        Raises:
            SinkError: the disk is full or fails; only whole lines were kept.
            ReaderGone: the reader of a pipe went away.
        """
        if self._file.closed or not lines:
            return
        # A file name that is no UTF-8 lives in a source's name as lone surrogates.
        data = lines.encode("utf-8", "backslashreplace")
        try:
            self._file.write(data)
        except BrokenPipeError as error:
            self._file.close()
            raise ReaderGone(f"output {self._path}: nobody reads it any more.") from error
        except OSError as error:
            self._drop_half_line()
            self._file.close()
            raise failure(self._path, error, self._until) from error
        self._until = until

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self._file.close()

    def _drop_half_line(self) -> None:
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode) or self._path == STDOUT:
            return
        end = self._file.tell()
        with self._path.open("rb") as written:
            written.seek(max(end - 65536, 0))
            tail = written.read(65536)
        self._file.truncate(end - (len(tail) - tail.rfind(b"\n") - 1))


def _opened(path: str, flags: int) -> int:
    """As `os.open`; ENXIO if nobody reads a named pipe in time, EBUSY if another run writes the file."""
    if not Path(path).is_fifo():
        return _reserved(os.open(path, flags & ~os.O_TRUNC, 0o666), bool(flags & os.O_TRUNC))
    until = time.monotonic() + _READER
    while True:
        try:
            pipe = os.open(path, flags & ~(os.O_CREAT | os.O_TRUNC) | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > until:
                raise
            time.sleep(_GLANCE)
        else:
            os.set_blocking(pipe, True)
            return pipe


def _reserved(file: int, empty: bool) -> int:
    """The file, if no other run writes it, until it is closed; only then it may be emptied."""
    try:
        if stat.S_ISREG(os.fstat(file).st_mode):
            _lock(file)
            if empty:
                os.ftruncate(file, 0)
    except OSError:
        os.close(file)
        raise
    return file


def _lock(file: int) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY)) from error
    except OSError:  # some network file systems know no locks
        return


def probe(path: Path) -> None:
    """Try to write a file, which stays as it is; OSError as the system has it, EBUSY as above."""
    os.close(_reserved(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666), empty=False))


def failure(path: Path, error: BaseException, until: float = float("nan")) -> SinkError:
    """What went wrong with an output, in words; `until` is the time of the last thing written."""
    kept = "" if math.isnan(until) else f" What was seen up to {until:.2f} s is in it."
    code = getattr(error, "errno", None)
    if code == errno.ENOSPC:
        room = "" if path == STDOUT else f": {free(path)} free"  # nobody knows where the shell sends it
        words = f"the disk is full{room}. Make room, or name a path on another disk."
    elif code in (errno.EACCES, errno.EPERM, errno.EROFS):
        words = "may not be written (no permission). Name another path, or change its rights."
    elif code == errno.ENOENT and not path.parent.is_dir():
        words = f"the folder '{path.parent}' does not exist. Make it first."
    elif code == errno.ENXIO and path.is_fifo():
        words = "nobody reads this pipe; start its reader first."
    elif code == errno.EBUSY:
        words = "another run writes this file. End that one, or name another file."
    elif code == errno.EISDIR:
        words = "is a folder. Name a file in it."
    else:
        words = f"cannot be written: {getattr(error, 'strerror', None) or error}."
    return SinkError(f"output {path}: {words}{kept}")


def free(path: Path) -> str:
    """Room left on the disk of a path, in words."""
    try:
        return f"{shutil.disk_usage(path.parent).free / 1e6:.1f} MB"
    except OSError:
        return "nothing"
