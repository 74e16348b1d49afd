"""A network that judges faces, described by its card: one class for any head or heads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.cards import Card, Input, Output, Points
from core.errors import WeightsError
from core.session import Session
from core.types import AGES, EMOTIONS, F32, F64, U8, YEARS, Array, Crop, Estimates

# Of 2, 2.5, 3 and 4: with more, the intervals of All-Age-Faces hold too few at a quality of 0.5.
DOUBT_FADES = 2
NARROWEST = 0.1  # years, deviation of a look
ROLES = ("age", "gender", "emotion", "embedding")  # of a card's outputs, those that are computed
CLASSES = {"gender": ("female", "male"), "emotion": EMOTIONS}


class Network:
    """Judges cut-out faces; fills the columns of its card's outputs, leaves the others NaN."""

    def __init__(self, card: Card, session: Session) -> None:
        """Take a card and its open network.

        Raises:
            WeightsError: they do not fit each other.
        """
        check(card, session)
        self.name = card.id
        self.crop: Crop = card.input.crop()
        self._card = card
        self._session = session
        self._outputs = [output for output in card.outputs if output.role in ROLES]
        self._names = [output.name for output in self._outputs]
        self.roles: tuple[str, ...] = tuple(output.role for output in self._outputs)

    def estimate(self, crops: Array, quality: F32) -> Estimates:
        """Judge uint8 (M, size, size, 3 or 1) crops of these qualities (M,), 0 to 1."""
        estimates = Estimates.none(len(crops))
        if len(crops) == 0:
            return estimates
        answers = self._session.run(prepare(crops, self._card.input), self._names)
        for output, answer in zip(self._outputs, answers, strict=True):
            rows = np.asarray(answer, np.float64).reshape(len(crops), -1)
            if output.role == "embedding":
                estimates = replace(estimates, embedding=unit(rows))
            else:
                _fill(estimates, output, rows, quality)
        return estimates


def prepare(crops: U8, wanted: Input) -> F32:
    """Crops (M, size, size, C) as a network wants them: float32 (M, C, size, size)."""
    # Planes first: ten times as fast as to calculate with the channels of each pixel side by side.
    planes = np.ascontiguousarray(crops.transpose(0, 3, 1, 2)).astype(np.float32)
    planes -= np.array(wanted.mean, np.float32)[:, None, None]
    planes /= np.float32(wanted.scale)
    return planes


def check(card: Card, session: Session) -> None:
    """Compare a card with the inputs and outputs of its network.

    Raises:
        WeightsError: a name, shape or class that does not fit.
    """
    channels = 1 if card.input.colour == "grey" else 3
    wanted = (None, channels, card.input.size, card.input.size)
    _expect_shape(card, f"input '{card.input.name}'", session.inputs.get(card.input.name), wanted)
    if len(card.input.mean) not in (1, channels):
        raise WeightsError(f"{card.id}: mean has {len(card.input.mean)} values for {channels} channels.")
    if not any(output.role in ROLES for output in card.outputs):
        raise WeightsError(
            f"{card.id}: its card names no output: expected age, gender, emotion or embedding."
        )
    for output in card.outputs:
        names = CLASSES.get(output.role)
        if names is not None and sorted(output.classes) != sorted(names):
            raise WeightsError(
                f"{card.id}: {output.role} has the classes {list(output.classes)}; expected {list(names)}."
            )
        width = max(len(output.classes), len(output.values), output.size, 1)
        _expect_shape(card, f"output '{output.name}'", session.outputs.get(output.name), (None, width))


def _expect_shape(
    card: Card, what: str, shape: tuple[object, ...] | None, wanted: tuple[int | None, ...]
) -> None:
    """Free axes of the network (names instead of numbers) fit anything."""
    if shape is None:
        raise WeightsError(f"{card.id}: the network {card.file} has no {what}, which its card promises.")
    fits = len(shape) == len(wanted) or (wanted == (None, 1) and len(shape) == 1)
    pairs = zip(shape, wanted, strict=False)
    if not fits or any(isinstance(have, int) and want not in (None, have) for have, want in pairs):
        expected = ["any" if size is None else size for size in wanted]
        raise WeightsError(
            f"{card.id}: {what} of {card.file} is {list(shape)}, its card says {expected}. "
            "Bring the right file, or correct the card."
        )


def _fill(estimates: Estimates, output: Output, answer: F64, quality: F32) -> None:
    if output.role == "age":
        estimates.age[:] = doubted(_ages(output, answer), ANYBODY, output.doubt, quality)
        return
    order = [output.classes.index(name) for name in CLASSES[output.role]]
    shares = temper(answer, by_age(output.temperature, np.zeros(len(answer))))[:, order]
    shares = doubted(shares, np.full(len(order), 1 / len(order)), output.doubt, quality)
    if output.role == "gender":
        estimates.female[:] = shares[:, 0]
    else:
        estimates.emotion[:] = shares


def _ages(output: Output, answer: F64) -> F64:
    if not output.values:  # one number: the age itself, for which a network may say less than 0
        return gaussian(np.clip(answer[:, 0], 0, AGES - 1), by_age(output.deviation, answer[:, 0]))
    return fitted(spread(answer, np.array(output.values)), output)


def fitted(shares: F64, output: Output) -> F64:
    """Distributions of the age (M, 101) as wide as the errors that the card states."""
    shares = temper(shares, by_age(output.temperature, shares @ YEARS))
    return widen(shares, by_age(output.deviation, shares @ YEARS))


def unit(vectors: F64) -> F32:
    """Vectors (M, D) at length 1, so that their product is the cosine; a vector of length 0 becomes NaN.

    >>> unit(np.array([[3.0, 4.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, np.nan)).astype(np.float32)


def temper(shares: F64, temperatures: F64) -> F64:
    """Flatten (above 1) or sharpen probabilities (M, K), each row by its own (M,); rows sum to 1."""
    powered = np.clip(shares, 1e-12, None) ** (1 / temperatures)[:, None]
    result: F64 = powered / powered.sum(axis=1, keepdims=True)
    return result


def doubted(shares: F64, anybody: F64, doubt: float, quality: Array) -> F64:
    """Mix what looks say (M, K) with what is true of anybody (K,), the more the poorer they are.

    The networks do not know that they cannot see: of a blurred adult they say "a child" as
    surely as of a sharp child. Some of the poor looks are right, the others say nothing at all,
    so a mixture fits the errors better than a wider Gaussian: narrower at the same coverage.

    Args:
        shares: probabilities of K ages, genders or moods.
        anybody: those of a person never seen.
        doubt: share of the looks of quality 0 that say nothing.
        quality: (M,), 0 to 1.
    """
    blind = (doubt * (1 - quality.astype(np.float64)) ** DOUBT_FADES)[:, None]
    result: F64 = shares + blind * (anybody - shares)
    return result


def spread(shares: F64, values: F64) -> F64:
    """Probabilities (M, K) of K ages, years, on the grid of whole years (M, 101), mean kept.

    >>> spread(np.array([[1.0]]), np.array([0.25]))[0, :3].tolist()
    [0.75, 0.25, 0.0]
    """
    if np.array_equal(values, YEARS):
        return shares
    onto = np.clip(1 - np.abs(values[:, None] - YEARS), 0, None)
    result: F64 = shares @ onto
    return result


def by_age(stated: float | Points, means: F64) -> F64:
    """What a card states for these predicted ages (M,): one number, or points with lines between."""
    if isinstance(stated, tuple):
        ages, values = np.array(stated, np.float64).T
        return np.asarray(np.interp(means, ages, values), np.float64)
    return np.full(len(means), float(stated))


def widen(shares: F64, deviations: F64) -> F64:
    """Blur distributions (M, 101) until their deviation is the measured one.

    A network is surer of itself than its errors allow: what its own spread lacks is added
    as a Gaussian. Distributions that are wide enough stay.
    """
    means = shares @ YEARS
    own = (shares * (YEARS - means[:, None]) ** 2).sum(axis=1)
    missing = np.sqrt(np.clip(deviations**2 - own, 0, None))
    narrow = missing > 0
    if not narrow.any():
        return shares
    kernels = gaussian(np.tile(YEARS, narrow.sum()), np.repeat(missing[narrow], AGES))
    result: F64 = shares.copy()
    result[narrow] = np.einsum("ma,mab->mb", shares[narrow], kernels.reshape(-1, AGES, AGES))
    return result


def gaussian(means: F64, deviations: F64) -> F64:
    """Normal distributions on the grid of years (M, 101), cut off at its ends; a mean may lie beyond them.

    >>> gaussian(np.array([-3.0]), np.array([2.0]))[0, :2].round(2).tolist()
    [0.63, 0.26]
    """
    away = (YEARS - means[:, None]) / np.maximum(deviations, NARROWEST)[:, None]
    logs = -0.5 * away**2
    heights = np.exp(logs - logs.max(axis=1, keepdims=True))  # of a mean far beyond, all would vanish
    result: F64 = heights / heights.sum(axis=1, keepdims=True)
    return result


# Ages of people never seen: broad on purpose. For the poor looks of both packs (see
# evaluation/calibrate.py) 34 and 18 years would be the likeliest, and hardly likelier than this.
ANYBODY: F64 = gaussian(np.array([38.0]), np.array([20.0]))[0]
