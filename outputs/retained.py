"""What a broker keeps for whoever comes later: is the program there, is each source, who is in sight."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from core.presence import Presence
from core.types import Event, Result, SourceInfo
from outputs.discovery import ALL, discovery, told_of
from outputs.rows import sendable, utc

ONLINE, OFFLINE = "online", "offline"
_AFTER = {
    "source_started": "up",
    "source_back": "up",
    "source_lost": "lost",
    "source_frozen": "frozen",
    "source_moving": "up",
    "source_closed": "closed",
    "source_opened": "up",
    "source_ended": "over",
}


@dataclass(frozen=True, slots=True)
class State:
    """One source, as `PREFIX/SOURCE/state` tells it.

    Attributes:
        state: one of `core.status.STATES`.
        reason: why it is not up; empty if it is.
        people: there now; a face that never moves is none.
        visitors: ids given in this run.
    """

    state: str = "starting"
    reason: str = ""
    people: int = 0
    visitors: int = 0


class Retained:
    """The topics of all sources and what stands in them now. Any thread may use it."""

    def __init__(self, prefix: str, sources: Mapping[str, SourceInfo], told: bool, version: str = "") -> None:
        """Nothing is known yet.

        Args:
            prefix: of all topics, without a slash at its end.
            sources: may grow.
            told: whether Home Assistant is to be told.
            version: of the program; empty if not known.
        """
        self.status = f"{prefix}/status"
        self._prefix = prefix
        self._sources = sources
        self._told = told
        self._version = version
        self._lock = threading.RLock()
        self._names: dict[str, str] = {}  # of sources: the same, safe in a topic
        self._states: dict[str, State] = {}
        self._presence: defaultdict[str, Presence] = defaultdict(Presence)
        self._bodies: dict[str, str] = {}  # of sources: their state in JSON
        self._removed: set[str] = set()  # sources that are in the settings no more
        self._left: dict[str, str] = {}  # topics of discovery of an earlier run, and the base of their source
        self._alone = False  # no other run at this broker has our topics
        self._changes = 0

    @property
    def edition(self) -> tuple[int, int]:
        """Another one as soon as `messages` may say something else."""
        return self._changes, len(self._sources)

    def heed(self, result: Result) -> bool:
        """Take a result in; whether anything became another."""
        source = result.stamp.source
        with self._lock:
            now = replace(self._states.get(source, State()), people=self._presence[source].count(result))
            for event in result.events:
                now = _after(now, event)
                if event.kind in _AFTER:
                    gone = event.kind == "source_ended" and event.data.get("reason") == "removed"
                    (self._removed.add if gone else self._removed.discard)(source)
            return self._change(source, now)

    @property
    def before(self) -> list[str]:
        """The topics that tell what earlier runs have left at the broker; see `heard`."""
        return [self.status, ALL] if self._told else []

    def heard(self, topic: str, text: str) -> None:
        """Take in what the broker kept of earlier runs; `messages` clears what is of no source now."""
        with self._lock:
            if topic == self.status:
                self._alone = text == OFFLINE
            elif base := told_of(text, self.status):
                self._left[topic] = base
            self._changes += 1

    def base(self, source: str) -> str:
        """What the topics of a source begin with."""
        with self._lock:
            if source not in self._names:
                name, number = safe(source), 1
                while name in self._names.values():
                    number += 1
                    name = f"{safe(source)}-{number}"
                self._names[source] = name
            return f"{self._prefix}/{self._names[source]}"

    def messages(self) -> dict[str, str]:
        """All of them by topic, in the order to send them in; empty is what the broker shall forget."""
        with self._lock:
            found: dict[str, str] = {}
            for source in dict.fromkeys([*self._sources, *self._states]):
                there = self._of(source, self.base(source))
                found |= dict.fromkeys(reversed(there), "") if source in self._removed else there
            if self._alone:
                bases = [base for topic, base in self._left.items() if topic not in found]
                states = [f"{base}/{end}" for base in bases for end in ("availability", "state")]
                found |= dict.fromkeys([x for x in (*self._left, *states) if x not in found], "")
            # Last: what an earlier run has left counts no more when this one becomes available.
            return {**found, self.status: ONLINE}

    def _of(self, source: str, base: str) -> dict[str, str]:
        state = self._states.get(source, State())
        up = state.state in ("up", "frozen")
        news = {f"{base}/availability": ONLINE if up else OFFLINE}
        # Nobody shall take a state for that of a source that is not there, nor an old one for the new.
        body = {f"{base}/state": self._bodies.get(source) or _body(state)}
        news = body | news if up else news | body
        return news | discovery(source, base, self.status, self._version) if self._told else news

    def _change(self, source: str, now: State) -> bool:
        if self._states.get(source) == now:
            return False
        self._states[source] = now
        self._bodies[source] = _body(now)
        self._changes += 1
        return True


def safe(name: str) -> str:
    """A name as one level of a topic: without `/`, the wildcards `+` and `#`, or what UTF-8 does not know.

    >>> safe("door/left #1"), safe("문 앞"), safe("+")
    ('door_left _1', '문 앞', '_')
    """
    return re.sub(r"[/+#\x00-\x1f\x7f]+", "_", sendable(name)) or "source"


def _after(state: State, event: Event) -> State:
    if event.kind == "track_started":
        return replace(state, visitors=state.visitors + 1)
    if event.kind not in _AFTER:
        return state
    reason = sendable(str(event.data.get("error") or event.data.get("reason") or ""))
    up = _AFTER[event.kind] == "up"
    return replace(state, state=_AFTER[event.kind], reason="" if up else reason)


def _body(state: State) -> str:
    return json.dumps({**asdict(state), "updated": utc(time.time())}, ensure_ascii=False)
