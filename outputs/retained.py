"""What a broker keeps for whoever comes later: is the program there, is each source, who is in sight."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from core.status import Status
from core.types import ENDED, Event, Result, SourceInfo
from outputs.discovery import discovery
from outputs.rows import utc

ONLINE, OFFLINE = "online", "offline"
_AFTER = {"source_started": "up", "source_back": "up", "source_lost": "lost", "source_ended": "over"}
_SEEN_BY_STATUS = ("frozen", "closed")  # what no event tells


@dataclass(frozen=True, slots=True)
class State:
    """One source, as `PREFIX/SOURCE/state` tells it.

    Attributes:
        state: one of `core.status.STATES`.
        reason: why it is not up; empty if it is.
        people: there now.
        visitors: ids given in this run.
    """

    state: str = "starting"
    reason: str = ""
    people: int = 0
    visitors: int = 0


class Retained:
    """The topics of all sources and what stands in them now. Any thread may use it."""

    def __init__(self, prefix: str, sources: Mapping[str, SourceInfo], told: bool) -> None:
        """Nothing is known yet.

        Args:
            prefix: of all topics, without a slash at its end.
            sources: may grow.
            told: whether Home Assistant is to be told.
        """
        self.status = f"{prefix}/status"
        self._prefix = prefix
        self._sources = sources
        self._told = told
        self._lock = threading.RLock()
        self._names: dict[str, str] = {}  # of sources: the same, safe in a topic
        self._states: dict[str, State] = {}
        self._bodies: dict[str, str] = {}  # of sources: their state in JSON
        self._changes = 0

    @property
    def edition(self) -> tuple[int, int]:
        """Another one as soon as `messages` may say something else."""
        return self._changes, len(self._sources)

    def heed(self, result: Result) -> bool:
        """Take a result in; whether anything became another."""
        source, last = result.stamp.source, result.last
        people = 0 if last else int((result.tracks.states != ENDED).sum())
        with self._lock:
            now = replace(self._states.get(source, State()), people=people)
            for event in result.events:
                now = _after(now, event)
            return self._change(source, now)

    def look(self, status: Status) -> None:
        """Take in what only the run itself knows."""
        with self._lock:
            for source in status.sources:
                now = self._states.get(source.name, State())
                if now.state == "up" and source.state in _SEEN_BY_STATUS:
                    self._change(source.name, replace(now, state=source.state, reason=source.reason))
                elif now.state in _SEEN_BY_STATUS and source.state == "up":
                    self._change(source.name, replace(now, state="up", reason=""))

    def base(self, source: str) -> str:
        """What the topics of a source begin with."""
        with self._lock:
            return self._base(source)

    def messages(self, version: str) -> dict[str, str]:
        """All of them, by topic."""
        with self._lock:
            found = {self.status: ONLINE}
            for source in dict.fromkeys([*self._sources, *self._states]):
                base = self._base(source)
                state = self._states.get(source, State())
                found[f"{base}/availability"] = ONLINE if state.state in ("up", "frozen") else OFFLINE
                found[f"{base}/state"] = self._bodies.get(source) or _body(state)
                if self._told:
                    found |= discovery(source, base, self.status, version)
            return found

    def _change(self, source: str, now: State) -> bool:
        if self._states.get(source) == now:
            return False
        self._states[source] = now
        self._bodies[source] = _body(now)
        self._changes += 1
        return True

    def _base(self, source: str) -> str:
        if source not in self._names:
            name, number = safe(source), 1
            while name in self._names.values():
                number += 1
                name = f"{safe(source)}-{number}"
            self._names[source] = name
        return f"{self._prefix}/{self._names[source]}"


def safe(name: str) -> str:
    """A name as one level of a topic: without `/`, the wildcards `+` and `#`, or what UTF-8 does not know.

    >>> safe("door/left #1"), safe("문 앞"), safe("+")
    ('door_left _1', '문 앞', '_')
    """
    words = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return re.sub(r"[/+#\x00-\x1f\x7f]+", "_", words) or "source"


def _after(state: State, event: Event) -> State:
    if event.kind == "track_started":
        return replace(state, visitors=state.visitors + 1)
    if event.kind not in _AFTER:
        return state
    reason = str(event.data.get("error") or event.data.get("reason") or "")
    up = _AFTER[event.kind] == "up"
    return replace(state, state=_AFTER[event.kind], reason="" if up else reason)


def _body(state: State) -> str:
    return json.dumps({**asdict(state), "updated": utc(time.time())}, ensure_ascii=False)
