"""The progress bar on files; nothing where nobody watches."""

from __future__ import annotations

import math
import sys
from typing import Any

from core.types import SourceInfo, Stamp
from pipeline.report import Report


class Progress:
    """A bar with the time left for files, a line that moves for live sources; on a terminal only."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown and sys.stderr is not None and sys.stderr.isatty()
        self._bars: dict[str, Any] = {}
        self._starts: dict[str, float] = {}  # s, the time of each source's first frame

    def begun(self, info: SourceInfo, length: float) -> None:
        """A source has begun; `length` seconds in all, NaN if not known."""
        if not self._shown:
            return
        from tqdm import tqdm

        self._starts[info.name] = info.start
        total = length if math.isfinite(length) else None
        unit = "pictures" if info.stills else "s"
        self._bars[info.name] = tqdm(
            total=total,
            desc=info.name[:20],
            unit=unit,
            unit_scale=False,
            ncols=80,
            leave=False,
            bar_format=f"{{desc}} {{bar}} {{n:.0f}}/{{total:.0f}} {unit}, {{remaining}} left"
            if total
            else "{desc} {n:.0f} s{postfix}",
        )

    def moved(self, stamp: Stamp, report: Report) -> None:
        """A frame has become a result."""
        bar = self._bars.get(stamp.source)
        if bar is not None:
            bar.update(max(0.0, stamp.time - self._starts[stamp.source] - bar.n))
            if bar.total is None:
                source = next(s for s in reversed(report.sources) if s.info.name == stamp.source)
                bar.set_postfix_str(f"{source.frames_out} frames", refresh=False)

    def over(self, info: SourceInfo) -> None:
        """A source has ended."""
        bar = self._bars.pop(info.name, None)
        if bar is not None:
            bar.close()
            if bar.pos:  # tqdm goes back up from a lower line, but not to its beginning
                bar.fp.write("\r")
