"""Pairs of pictures of one person or of two, in folds, as LFW gives them; and what they are judged by.

Source: Huang, Ramesh, Berg, Learned-Miller, "Labeled Faces in the Wild", University of
Massachusetts, Amherst, Technical Report 07-49, 2007, and http://vis-www.cs.umass.edu/lfw/README.txt
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from core.errors import ConfigError
from core.types import F64, I64, Array
from evaluation.layouts.place import Place
from evaluation.measures import quotient
from evaluation.options import is_number
from evaluation.report import Measure

FOLDS = 10
NAME = re.compile(r"(.+)_(\d{4})")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures by their names, whether they show one person, and the fold they belong to."""

    first: str
    second: str
    same: bool
    fold: int


def people(place: Place) -> dict[str, dict[int, str]]:
    """Of each person the pictures by their number: files `Name/Name_0001.jpg`, any picture ending.

    Raises:
        ConfigError: there are none.
    """
    found: dict[str, dict[int, str]] = {}
    for file in place.pictures:
        path = PurePosixPath(file)
        match = NAME.fullmatch(path.stem)
        if match is not None and match[1] == path.parent.name:
            found.setdefault(match[1], {})[int(match[2])] = file
    if not found:
        raise ConfigError(f"{place.path}: no pictures named Name/Name_0001 (LFW) there.")
    return found


def listed(text: str, pictures: dict[str, dict[int, str]]) -> list[Pair]:
    """The pairs of a `pairs.txt`: folds of so many pairs of one person, then as many of two.

    The first line gives folds and pairs; then `Name 1 4`, or `Name 1 Other 2`.

    Raises:
        ConfigError: a line that is none of these, or names a picture that is not there; or a single fold.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or not is_number(lines[0][-1]) or int(lines[0][-1]) < 1:
        raise ConfigError(
            "pairs.txt: expected folds and pairs in line 1, such as '10 300', and then the pairs."
        )
    count = int(lines[0][-1])  # of each kind in a fold
    pairs = []
    for number, line in enumerate(lines[1:]):
        try:
            if len(line) == 3:
                ends = pictures[line[0]][int(line[1])], pictures[line[0]][int(line[2])]
            else:
                ends = pictures[line[0]][int(line[1])], pictures[line[2]][int(line[3])]
        except (KeyError, ValueError, IndexError) as error:
            raise ConfigError(
                f"pairs.txt, line {number + 2}: '{' '.join(line)}' names no two pictures."
            ) from error
        pairs.append(Pair(*ends, same=len(line) == 3, fold=number // (2 * count)))
    if pairs[-1].fold == 0:
        raise ConfigError(
            f"pairs.txt: {len(pairs)} pairs, with {count} of each kind in a fold, are a single fold; "
            "each is judged by the threshold of the others, so it takes two."
        )
    return pairs


def drawn(pictures: dict[str, dict[int, str]], count: int, generator: np.random.Generator) -> list[Pair]:
    """Ten folds of at most so many pairs of one person, and as many of two; nobody is in two folds.

    Raises:
        ConfigError: a fold without two pictures of one person, or without two people.
    """
    order = generator.permutation(sorted(pictures)).tolist()
    pairs = []
    for fold in range(FOLDS):
        names = order[fold::FOLDS]
        same = [pair for name in names for pair in _twice(list(pictures[name].values()), fold)]
        if not same or len(names) < 2:
            raise ConfigError(
                "too few people for ten folds: each needs two, and one of them on two pictures."
            )
        kept = generator.permutation(len(same))[:count].tolist()
        pairs += [same[i] for i in kept]
        for _ in kept:
            one, other = generator.choice(len(names), 2, replace=False).tolist()
            ends = [_any(pictures[names[i]], generator) for i in (one, other)]
            pairs.append(Pair(ends[0], ends[1], same=False, fold=fold))
    return pairs


def _twice(files: Sequence[str], fold: int) -> list[Pair]:
    return [Pair(files[i], files[j], True, fold) for j in range(len(files)) for i in range(j)]


def _any(files: dict[int, str], generator: np.random.Generator) -> str:
    names = list(files.values())
    return names[int(generator.integers(len(names)))]


def by_folds(scores: F64, same: Array, folds: I64) -> Array:
    """Which pairs are told right, each fold by the threshold that is best for the other folds.

    Args:
        scores: float64 (N,), higher for one person.
        same: bool (N,). folds: int64 (N,).

    Raises:
        ConfigError: all pairs are of one fold.
    """
    if len(np.unique(folds)) == 1:
        raise ConfigError("both faces are known in pairs of a single fold, and no other can judge it.")
    right = np.zeros(len(scores), np.bool_)
    for fold in np.unique(folds):
        here = folds == fold
        right[here] = (scores[here] >= best_threshold(scores[~here], same[~here])) == same[here]
    return right


def best_threshold(scores: F64, same: Array) -> float:
    """The least score to call two pictures one person, with the fewest errors."""
    order = np.argsort(-scores, kind="stable")
    # With the first i pairs called the same: hits among them, and right refusals among the others.
    hits = np.concatenate([[0], np.cumsum(same[order])])
    refused = (~same).sum() - np.concatenate([[0], np.cumsum(~same[order])])
    ends = np.concatenate([[np.inf], scores[order], [-np.inf]])
    allowed = np.flatnonzero(ends[:-1] != ends[1:])  # equal scores are told alike
    i = int(allowed[np.argmax((hits + refused)[allowed])])
    return float((ends[i] + ends[i + 1]) / 2) if 0 < i < len(scores) else float(ends[i] if i else np.inf)


def accepted(scores: F64, same: Array, false_accepts: float) -> Measure:
    """The share of pairs of one person that are accepted where at most that share of the others is.

    The threshold is sought anew in every draw: it rests on the few likest pairs of two people, so most of
    the uncertainty is its own. Not known without pairs of both kinds.
    """
    order = np.argsort(-scores[~same], kind="stable")
    others, ones = np.append(scores[~same][order], -np.inf), scores[same]

    def measure(weights: Array) -> Array:
        passed = np.cumsum(weights[:, ~same][:, order], axis=1)  # pairs of two people down to each score
        everyone = weights[:, ~same].sum(axis=1)
        first = (passed <= np.floor(false_accepts * everyone)[:, None]).sum(axis=1)  # that is refused
        own = weights[:, same]
        hits = (own * (ones > others[first][:, None])).sum(axis=1)
        return quotient(hits, own.sum(axis=1) * (everyone > 0))

    return measure
