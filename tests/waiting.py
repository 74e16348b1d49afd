"""How tests wait for what another thread or process does: until it is done, however busy the machine."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0  # s until something that should come within a few


def until(true: Callable[[], object], patience: float = PATIENCE) -> None:
    """Back as soon as it is so."""
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end, "never became true"
        time.sleep(0.01)
