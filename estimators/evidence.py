"""Fuses the looks at each track into a belief about its age, gender and mood."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace

import numpy as np

from core.settings import EvidenceConfig
from core.types import FEMALE, I64, MALE, UNKNOWN, Array, Estimates, Evidence, Tracks
from estimators.belief import AgeBelief, GenderBelief, MoodBelief

# A look that follows at once still has this share of the say of a fresh one: its error is
# mostly, not wholly, that of the look before.
LEAST_SAY = 0.3
# Effective looks remembered; older ones fade, so that the newest always moves the belief.
MEMORY = 30.0

_COLUMNS = [field.name for field in fields(Evidence) if field.name != "ids"]


@dataclass(slots=True)
class _Track:
    """What is remembered of one track.

    Attributes:
        looks: effective number of independent looks, at most MEMORY.
        updated: seconds, time of the last look.
        stale: share of a further look at that time that would be nothing new.
    """

    age: AgeBelief = field(default_factory=AgeBelief)
    gender: GenderBelief = field(default_factory=GenderBelief)
    mood: MoodBelief = field(default_factory=MoodBelief)
    looks: float = 0.0
    updated: float = -math.inf
    stale: float = 0.0

    def count(self, quality: float, since: float, correlation: float) -> tuple[float, float]:
        """Count one look; returns its say, and the fading of all before it."""
        stale = self.stale * math.exp(-since / correlation) if correlation else 0.0
        # A poor look uses up little of what is new, so that a good one right after it counts.
        news = quality * (1 - stale)
        self.stale = stale + news
        fade = min(1.0, MEMORY / (self.looks + news))
        self.looks = min(self.looks + news, MEMORY)
        # Squared: what looks do not share of their error grows faster than quality falls.
        return quality**2 * max(1 - stale, LEAST_SAY), fade


class Fusion:
    """The beliefs about all living tracks of one source.

    Looks that follow each other within `correlation` seconds repeat each other, so beliefs
    grow with time looked at, not with the number of looks: at most one effective look at once
    and one more each `correlation`.
    """

    def __init__(self, config: EvidenceConfig) -> None:
        self._config = config
        self._tracks: dict[int, _Track] = {}
        self._belief = Evidence.none()

    def update(self, tracks: Tracks, looked: I64, looks: Estimates, time: float) -> Evidence:
        """Take the looks of one frame; what is known of tracks that are gone is forgotten.

        Args:
            tracks: of this frame.
            looked: int64 (M,), rows of `tracks` that were looked at.
            looks: M rows; those of quality 0 or NaN change nothing.
            time: of this frame, seconds.

        Returns:
            a row for each of the tracks; the same object as before if nothing is new.
        """
        if not np.array_equal(self._belief.ids, tracks.ids):
            self._follow(tracks.ids)
        qualities = looks.quality.tolist()
        useful = [i for i, quality in enumerate(qualities) if quality > 0]
        if useful:
            # Results keep the belief of their moment, so a new one is made, never changed.
            self._belief = _copied(self._belief)
            for i in useful:
                self._learn(int(looked[i]), looks, i, time)
        return self._belief

    def _follow(self, ids: I64) -> None:
        here, there = np.nonzero(ids[:, None] == self._belief.ids)
        belief = Evidence.none(ids)
        for name in _COLUMNS:
            getattr(belief, name)[here] = getattr(self._belief, name)[there]
        self._belief = belief
        self._tracks = {track: self._tracks.get(track) or _Track() for track in ids.tolist()}

    def _learn(self, row: int, looks: Estimates, look: int, time: float) -> None:
        config, belief = self._config, self._belief
        track = self._tracks[int(belief.ids[row])]
        quality = float(looks.quality[look])
        since = max(time - track.updated, 0.0)
        weight, fade = track.count(quality, since, config.correlation)
        track.updated = time
        belief.looks[row], belief.updated[row] = track.looks, time
        belief.quality[row] = np.fmax(belief.quality[row], quality)
        if _known(looks.age[look, 0]):
            track.age.add(looks.age[look].astype(np.float64), weight, fade)
            said = track.age.read(track.looks, config.shared)
            belief.age[row], belief.age_mean[row], belief.age_low[row], belief.age_high[row] = said
        if _known(looks.female[look]):
            track.gender.add(float(looks.female[look]), weight, fade)
            belief.female[row], cautious = track.gender.read(track.looks, config.shared)
            belief.gender[row] = decide(cautious, int(belief.gender[row]), config)
        if _known(looks.emotion[look, 0]):
            track.mood.add(looks.emotion[look].astype(np.float64), quality, since, config.emotion_time)
            belief.emotion[row], belief.emotion_share[row] = track.mood.now, track.mood.share


def decide(chance: float, before: int, config: EvidenceConfig) -> int:
    """The gender to say: a certain one is said, and kept until it clearly is not.

    Args:
        chance: probability of being female, cautiously.
        before: what was said before: UNKNOWN, FEMALE or MALE.
        config: its `gender_certain` to say one, its `gender_release` to take it back.
    """
    likely, share = (FEMALE, chance) if chance >= 0.5 else (MALE, 1 - chance)
    if share >= config.gender_certain or (likely == before and share >= config.gender_release):
        return likely
    return UNKNOWN


def _known(value: np.float32) -> bool:
    return not math.isnan(value)


def _copied(belief: Evidence) -> Evidence:
    columns: dict[str, Array] = {name: getattr(belief, name).copy() for name in _COLUMNS}
    return replace(belief, **columns)
