"""For outputs in which nothing tells sources apart, while sources come and go."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)


class OneSource:
    """Lets in the first source that asks, for good, and says once of each other that it is left out."""

    def __init__(self, output: str) -> None:
        """Take the name of the output, for messages, without secrets."""
        self._output = output
        self._name: str | None = None
        self._told: set[str] = set()

    def has(self, source: str) -> bool:
        """Whether this is the source that was let in."""
        return source == self._name

    def lets_in(self, source: str) -> bool:
        """Whether this source's results belong into the output."""
        if self._name is None:
            self._name = source
        if source != self._name and source not in self._told:
            self._told.add(source)
            log.warning(
                "output %s: holds '%s' alone, so '%s' is left out. Put {source} into its path.",
                self._output,
                self._name,
                source,
            )
        return source == self._name
