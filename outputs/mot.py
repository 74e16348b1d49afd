"""MOTChallenge text, which the tools of tracking research read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from core.types import SEEN, Image, Result, SourceInfo, Tracks
from outputs.one_source import OneSource
from outputs.textfile import TextFile


class MotText:
    """Writes `frame,id,left,top,width,height,score,-1,-1,-1`, frames from 1, a line a track.

    A track that nobody looked for in this frame is written where it is predicted, with its
    last score; a lost one is not. Of several sources the first is written; when it begins again,
    its frames go on after the last one.
    """

    wants: Literal["data", "raw", "drawn"] = "data"

    def __init__(self, path: Path, _sources: Mapping[str, SourceInfo]) -> None:
        self._file = TextFile(path)
        self._only = OneSource(str(path))
        self._before = 0  # frames until the source began again
        self._frame = 0  # the last one, from 1
        self._scores: dict[int, float] = {}

    def write(self, result: Result, picture: Image | None) -> None:  # noqa: ARG002  the protocol's
        """Add the tracks of one frame."""
        if result.last:  # no track is seen in it
            if self._only.has(result.stamp.source):
                self._before, self._scores = self._frame, {}
            return
        if not self._only.lets_in(result.stamp.source):
            return
        self._frame = self._before + result.stamp.index + 1
        self._remember_scores(result.tracks)
        self._file.write("".join(self._lines(result)), result.stamp.time)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _remember_scores(self, tracks: Tracks) -> None:
        pairs = zip(tracks.ids.tolist(), tracks.faces.scores.tolist(), strict=True)
        self._scores = {
            track: self._scores.get(track, 0.0) if math.isnan(score) else score for track, score in pairs
        }

    def _lines(self, result: Result) -> list[str]:
        tracks = result.tracks
        rows = zip(tracks.ids.tolist(), tracks.boxes.tolist(), tracks.states.tolist(), strict=True)
        return [
            f"{self._frame},{track},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},"
            f"{self._scores[track]:.4f},-1,-1,-1\n"
            for track, (x1, y1, x2, y2), state in rows
            if state == SEEN
        ]
