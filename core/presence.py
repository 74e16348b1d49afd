"""How many people are there: faces that never move, such as posters, are none."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.types import ENDED, Result


@dataclass(slots=True)
class Presence:
    """Of one source. Whether a face moves stands in the events alone, which say it as soon as it changes."""

    _static: set[int] = field(default_factory=set)

    def count(self, result: Result) -> int:
        """People there with this result; every result of the source must come by."""
        for event in result.events:
            still = event.kind != "track_ended" and event.data.get("static", False)
            (self._static.add if still else self._static.discard)(event.track)
        if result.last:
            self._static.clear()  # nobody of them comes again: no id is given twice
            return 0
        living = result.tracks.ids[result.tracks.states != ENDED].tolist()
        return sum(track not in self._static for track in living)
