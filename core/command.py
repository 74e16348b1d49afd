"""How every command ends: its exit code, errors in words, and quietly when nobody reads it any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from core.errors import STOPPED, StreamError


def ended(run: Callable[[], int | None]) -> int:
    """Run a command; its exit code. The last line of an error on stderr begins with `error: `."""
    try:
        return run() or 0
    except StreamError as error:
        *faults, last = str(error).splitlines() or [""]
        if sys.stderr is not None:  # print would take the standard output instead
            print(*faults, f"error: {last}", sep="\n", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:  # whoever read the standard output has enough
        return 0
    finally:
        _flush()


def _flush() -> None:
    """Write what waits; at its exit Python would complain of a closed pipe, or of a terminal that is gone."""
    for stream, gone in ((sys.stdout, BrokenPipeError), (sys.stderr, OSError)):
        try:
            if stream is not None:
                stream.flush()
        except gone:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
