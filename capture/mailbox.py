"""Between the threads that read sources and the loop that takes their frames."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """The items of one source on their way to the loop.

    A live source has room for one item and the newest wins: what it replaces is handed to
    `lose`, unless `keep` says that it must arrive. `lose` is given both, and returns the newer one with
    what it takes over from the other. An archive has `room` and waits.
    """

    def __init__(self, room: int, live: bool, changed: threading.Condition) -> None:
        """`changed` is shared by all mailboxes of a loop and notified at each arrival."""
        self._items: deque[Item] = deque()
        self._room = room
        self._live = live
        self._changed = changed
        self._closed = False

    def put(self, item: Item, keep: Callable[[Item], bool], lose: Callable[[Item, Item], Item]) -> bool:
        """Hand over an item; False once the loop has closed the box."""
        with self._changed:
            if self._live and not keep(item):
                for old in [i for i in self._items if not keep(i)]:
                    self._items.remove(old)
                    item = lose(old, item)
            elif not self._live:
                while len(self._items) >= self._room and not self._closed:
                    self._changed.wait()
            if self._closed:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def take(self) -> Item | None:
        """The oldest item, or None if there is none. The caller holds `changed`."""
        if not self._items:
            return None
        item = self._items.popleft()
        self._changed.notify_all()
        return item

    def close(self) -> list[Item]:
        """Refuse whatever else comes; what lay here undelivered. The caller holds `changed`."""
        self._closed = True
        left = list(self._items)
        self._items.clear()
        self._changed.notify_all()
        return left

    def __bool__(self) -> bool:
        return bool(self._items)
