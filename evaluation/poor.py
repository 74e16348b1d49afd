"""How honest the beliefs about poor pictures are: the `doubt` of a card, and tables by quality."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from core.cards import Output
from core.settings import EvidenceConfig
from core.types import F32, F64, I64, Array, Estimates
from estimators.evidence import Fusion
from evaluation.degrade import degraded
from evaluation.finder import Finder, Located
from evaluation.fuse import always_seen
from evaluation.looks import Looks, Numbers, ages, female, moods, told_ages
from evaluation.measures import calibration_error, plain

VIEWS = 2  # poor pictures made of each good one
BANDS = ((0.0, 0.15), (0.15, 0.4), (0.4, 0.7), (0.7, 1.01))
POOR = 0.25  # quality under which doubts are fitted
GOOD, BAD = BANDS[3][0], BANDS[1][1]  # qualities of looks that a track can mix
STEP = 0.4  # s between the looks at a track: `looks.refresh`
# Of the looks with these columns: how often they promise to be right, and how often they are.
Kept = Callable[[Looks, Output], tuple[float, float]]


def views(faces: Iterable[Located], finder: Finder) -> Iterator[list[Located]]:
    """Each face that was found as it is, and in poor pictures."""
    generator = np.random.default_rng(0)
    for face in faces:
        if len(face.faces):
            yield [face, *degraded(face, finder, VIEWS, generator)]


def dim(looks: Looks) -> Looks:
    """Those by which doubts are fitted."""
    return looks.take((looks.quality > 0) & (looks.quality < POOR))


def fit_doubt(packs: Sequence[Looks], output: Output, kept: Kept) -> float:
    """The least doubt with which these poor looks keep what they promise, packs counting alike."""
    for doubt in np.arange(0, 1, 0.05).round(2).tolist():
        answers = [kept(looks, output.model_copy(update={"doubt": doubt})) for looks in packs]
        promised, held = np.mean(answers, axis=0)
        if held >= promised:
            return float(doubt)
    return 1.0


def keep_age(looks: Looks, output: Output) -> tuple[float, float]:
    """0.9, and the share of the true ages that lie in the interval."""
    return 0.9, float(held(looks, output).mean())


def held(looks: Looks, output: Output) -> Array:
    """Which of the true ages lie in the interval, bool (N,)."""
    _, low, high = told_ages(ages(looks, output)).T
    return np.asarray((low <= looks.years) & (looks.years <= high))


def keep_gender(looks: Looks, output: Output) -> tuple[float, float]:
    """Mean confidence and share of right answers."""
    sure, right = _gender(looks, output)
    return float(sure.mean()), float(right.mean())


def keep_mood(looks: Looks, output: Output) -> tuple[float, float]:
    """Mean confidence and share of right answers."""
    shares = moods(looks, output)
    return float(shares.max(axis=1).mean()), float((shares.argmax(axis=1) == looks.mood).mean())


KEPT: dict[str, Kept] = {"age": keep_age, "gender": keep_gender, "emotion": keep_mood}


def report_bands(looks: Looks, numbers: Numbers) -> str:
    """A table of age and gender by quality, all views together."""
    columns = ["quality", "n", "age error", "in 90 %", "interval", "without doubt: in 90 %", "interval"]
    columns += ["gender right", "said sure", "calibration error"]
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    looks = looks.take(looks.quality > 0)
    for low, high in (*BANDS, (0.0, 1.01)):
        band = looks.take((looks.quality >= low) & (looks.quality < high))
        aged = band.told("age")
        said = ages(aged, numbers["age"])
        error = np.abs(told_ages(said)[:, 0] - aged.years)
        cells = [f"{low:g} to {min(high, 1):g}", str(len(band)), shown(error, ".1f")]
        cells += _held(aged, said) + _held(aged, ages(aged, _undoubted(numbers)))
        sure, right = _gender(band, numbers["gender"])
        cells += [shown(right), shown(sure), calibration(sure, right)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def report_mood_bands(looks: Looks, output: Output) -> str:
    """A table of the moods by quality."""
    lines = ["| quality | n | right | said sure | calibration error |", "|---" * 5 + "|"]
    looks = looks.take(looks.quality > 0).told("emotion")
    for low, high in BANDS:
        band = looks.take((looks.quality >= low) & (looks.quality < high))
        if len(band.mood) == 0:
            continue
        shares = moods(band, output)
        sure, right = shares.max(axis=1), shares.argmax(axis=1) == band.mood
        figures = f"{shown(right)} | {shown(sure)} | {calibration(sure, right)}"
        lines.append(f"| {low:g} to {min(high, 1):g} | {len(right)} | {figures} |")
    return "\n".join(lines) + "\n"


def report_tracks(looks: Looks, numbers: Numbers) -> str:
    """A table of the beliefs about tracks of all views of each picture, fused as the program does."""
    looks = looks.told("age")
    if not len(looks):
        return ""
    order = np.argsort(looks.person, kind="stable")
    tracks = np.split(order, np.flatnonzero(np.diff(looks.person[order])) + 1)
    best = np.array([looks.quality[rows].max() for rows in tracks])
    worst = np.array([looks.quality[rows].min() for rows in tracks])
    kinds = {"all": best > 0, "good and poor looks": (best >= GOOD) & (worst < BAD)}
    columns = ["tracks", "n", "age error", "in 90 %", "interval"]
    columns += ["without doubt: age error", "in 90 %", "interval"]
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    believed = [_believe(looks, tracks, output) for output in (numbers["age"], _undoubted(numbers))]
    years = looks.years[[rows[0] for rows in tracks]]
    for name, rows in kinds.items():
        cells = [name, str(rows.sum())]
        for mean, low, high in (said[rows].T for said in believed):
            held = (low <= years[rows]) & (years[rows] <= high)
            cells += [shown(np.abs(mean - years[rows]), ".2f"), shown(held), shown(high - low, ".1f")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _undoubted(numbers: Numbers) -> Output:
    return numbers["age"].model_copy(update={"doubt": 0.0})


def _believe(looks: Looks, tracks: Sequence[I64], output: Output) -> F64:
    """Mean, low and high of each track, (N, 3), the poor looks first: then they can do harm."""
    said = ages(looks, output).astype(np.float32)
    return np.array([_track(said[rows[::-1]], looks.quality[rows[::-1]]) for rows in tracks])


def _track(said: F32, quality: F64) -> tuple[float, float, float]:
    """Mean, low and high after these looks at one person, years."""
    fusion = Fusion(EvidenceConfig())
    row, track = np.zeros(1, np.int64), always_seen(1)
    for i in range(len(said)):
        look = Estimates.none(1)
        look.age[:], look.quality[:] = said[i], quality[i]
        belief = fusion.update(track, row, look, i * STEP)
    return float(belief.age_mean[0]), float(belief.age_low[0]), float(belief.age_high[0])


def _held(looks: Looks, said: F64) -> list[str]:
    _, low, high = told_ages(said).T
    inside = (low <= looks.years) & (looks.years <= high)
    return [shown(inside), shown(high - low, ".1f")]


def shown(values: Array, form: str = ".3f") -> str:
    """The mean; a dash where there is none."""
    return format(values.mean(), form) if len(values) else "-"


def calibration(sure: F64, right: Array) -> str:
    """The calibration error; a dash where there is none."""
    return f"{plain(calibration_error(sure, right), len(right)):.3f}" if len(right) else "-"


def _gender(looks: Looks, output: Output) -> tuple[F64, Array]:
    """Confidence, and whether it was right, of those whose gender is labelled."""
    looks = looks.told("gender")
    chance = female(looks, output)
    return np.maximum(chance, 1 - chance), (chance > 0.5) == (looks.woman == 1)
