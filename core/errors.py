"""Errors meant for people: what happened, where, and what to do. Each knows its exit code."""

from __future__ import annotations

from core.masking import mask

STOPPED = 130  # exit code of a command that Ctrl-C ends, as a shell says it


class StreamError(Exception):
    """Base of all our errors; `exit_code` is what the program ends with."""

    exit_code = 5

    def __init__(self, message: str) -> None:
        super().__init__(mask(message))


class ConfigError(StreamError):
    """A setting or a command line that cannot be used."""

    exit_code = 2


class WeightsError(StreamError):
    """A weight file that is missing, altered, or does not fit its use."""

    exit_code = 3


class DeviceError(StreamError):
    """A processor that was asked for and does not run."""

    exit_code = 3


class SourceError(StreamError):
    """A camera or file that does not open, or breaks off."""

    exit_code = 4


class StageError(StreamError):
    """A stage of the pipeline that failed on a frame."""

    exit_code = 5


class SinkError(StreamError):
    """An output that cannot be written."""

    exit_code = 6


def in_words(error: Exception) -> str:
    """What happened: our own errors say it themselves, foreign ones with their kind."""
    return str(error) if isinstance(error, StreamError) else mask(f"{type(error).__name__}: {error}")


class ReaderGone(SinkError):
    """Whoever read the other end of a pipe has enough: no failure, but nothing left to do there."""

    exit_code = 0
