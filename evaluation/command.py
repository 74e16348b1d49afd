"""How a command ends: its exit code, and errors as one sentence on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from core.errors import STOPPED, StreamError


def ended(run: Callable[[], None]) -> int:
    """Run it; the exit code."""
    try:
        run()
    except StreamError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:  # whoever read the table has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
