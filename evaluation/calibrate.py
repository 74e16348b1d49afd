"""How wrong the networks are, and how sure they may be of themselves.

Fits the numbers that a card states (`deviation`, `temperature`, `doubt`) on the part `tune` of the
face packs (or published sets) of a folder, and reports on the part `report`: the pictures as they
are by true age, and with poor pictures made of them by quality. Faces are found as the program
finds them. The report is Markdown, on stdout.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from core.cards import Output, Points
from core.command import ended
from core.errors import ConfigError
from core.types import F64, YEARS
from evaluation.finder import Finder
from evaluation.groups import BANDS, Labels
from evaluation.layouts import chosen, opened, sets
from evaluation.looks import (
    FEWEST,
    Looks,
    Numbers,
    ages,
    collect,
    female,
    moods,
    open_panel,
    together,
    told_ages,
)
from evaluation.models import default, open_detector, role_arguments
from evaluation.options import whole
from evaluation.poor import (
    KEPT,
    calibration,
    dim,
    fit_doubt,
    held,
    report_bands,
    report_mood_bands,
    report_tracks,
    views,
)
from evaluation.progress import watched
from evaluation.stills import asked

log = logging.getLogger(__name__)
KNOTS: F64 = np.array([3.0, 8, 14, 20, 27, 35, 45, 55, 65, 76])  # predicted ages, years
ROUNDS = 2  # temperatures and doubts are fitted in turn: each needs the other
HELD = 0.9  # share of the true ages in their intervals
LEAST_HELD = 0.85  # of each band of true ages near a knot: teenagers are said too old, the oldest too young
# An age's distribution may be sharpened down to the first of these, and widened up to the last of those.
TEMPERATURES: F64 = np.arange(0.4, 1.01, 0.05).round(2)
DEVIATIONS: F64 = np.arange(0, 25.01, 0.1).round(1)


def main() -> None:
    """Measure, fit, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the face packs")
    parser.add_argument("--limit", type=whole, default=4000, help="pictures of each set (4000)")
    parser.add_argument(
        "--models", type=role_arguments, default={}, help="age=ID,gender=ID,emotion=ID (the program's own)"
    )
    parser.add_argument("--as-stated", action="store_true", help="take the cards' numbers, fit none")
    options = parser.parse_args()
    names = {role: options.models.get(role) or default(role) for role in ("age", "gender", "emotion")}
    finder = Finder(open_detector("yunet", "cpu")[0])
    faces, stated = look("age", {role: names[role] for role in ("age", "gender")}, finder, options)
    tiles, moods_stated = look("emotion", {"emotion": names["emotion"]}, finder, options)
    numbers = stated | moods_stated
    if not options.as_stated:
        numbers = fit([*faces.values()], [*tiles.values()], numbers)
    for role, output in numbers.items():
        print(f"{names[role]}, {role}: {_stated(role, output)}")
    for name, looks in faces.items():
        rest = looks.take(~looks.tuning)
        print(f"\n## {name}\n\n" + report_faces(rest.take(~rest.poor), numbers))
        print(report_bands(rest, numbers) + "\n" + report_tracks(rest, numbers))
    if len(faces) > 1:
        rest = together(faces.values())
        print("## All\n\n" + report_bands(rest.take(~rest.tuning), numbers))
    for name, looks in tiles.items():
        rest = looks.take(~looks.tuning)
        print(f"## {name}\n\n" + report_moods(rest.take(~rest.poor), numbers["emotion"]))
        print(report_mood_bands(rest, numbers["emotion"]))


def look(
    task: str, names: Mapping[str, str], finder: Finder, options: argparse.Namespace
) -> tuple[dict[str, Looks], Numbers]:
    """Looks at every set with labels of a task, in good and poor pictures; what the cards state."""
    panel, stated = open_panel(names)
    found = {}
    for one in sets(options.data):
        sound = [e for e in one.entries if e.labels.sound and e.labels.part != "train"]
        rows = asked(task, Labels.of([entry.labels for entry in sound]))
        entries = chosen([entry for entry, row in zip(sound, rows, strict=True) if row], options.limit)
        if entries:
            samples = watched(opened(entries), len(entries), one.name)
            found[one.name] = collect(panel, views(finder.locate(samples), finder), one.name)
    return found, stated


def _stated(role: str, output: Output) -> str:
    spread = f"deviation {_listed(output.deviation)}, " if role == "age" else ""
    return f"{spread}temperature {_listed(output.temperature)}, doubt {output.doubt}"


def _listed(stated: float | Points) -> str:
    return str([list(point) for point in stated]) if isinstance(stated, tuple) else str(stated)


def fit(faces: Sequence[Looks], tiles: Sequence[Looks], numbers: Numbers) -> Numbers:
    """The numbers that fit the part `tune`: errors by pictures as they are, doubts by poor ones.

    What no set has enough labels for stays as it is stated, with a warning.

    Raises:
        ConfigError: there is nothing to fit any number by.
    """
    found = {
        role: fit_output(tiles if role == "emotion" else faces, output) for role, output in numbers.items()
    }
    if not any(found.values()):
        raise ConfigError(
            f"too few pictures of the part `tune` to fit by: a set needs {FEWEST} with a label."
        )
    return {role: found[role] or output for role, output in numbers.items()}


def fit_output(packs: Sequence[Looks], output: Output) -> Output | None:
    """The numbers of one role; None where there is nothing to fit any of them by."""
    own = [looks.take(looks.tuning).told(output.role) for looks in packs]
    spread = "temperature and deviation" if output.role == "age" else "temperature"
    clear = _enough([looks.take(~looks.poor) for looks in own], f"{output.role}, {spread}")
    poor = _enough([dim(looks) for looks in own], f"{output.role}, doubt")
    changed = output.model_copy(update={"doubt": 0.0}) if poor else output
    for _ in range(1 if output.role == "age" else ROUNDS):  # an age's spread is fitted without doubts
        if clear:
            changed = changed.model_copy(update=_fitted(clear, changed))
        if poor:
            changed = changed.model_copy(update={"doubt": fit_doubt(poor, changed, KEPT[output.role])})
    return changed if clear or poor else None


def _enough(packs: Sequence[Looks], number: str) -> list[Looks]:
    """The sets that a number can be fitted by."""
    kept = [looks for looks in packs if len(looks) >= FEWEST]
    if not kept:
        log.warning("%s: no set has %d labelled looks of the part `tune`: as stated.", number, FEWEST)
    elif len(kept) < len(packs):
        few = len(packs) - len(kept)
        log.warning("%s: %d of %d sets have too few labelled looks; left out.", number, few, len(packs))
    return kept


def _fitted(packs: Sequence[Looks], output: Output) -> Mapping[str, float | Points]:
    if output.role == "age":
        return fit_spread(packs, output)
    if output.role == "gender":
        return {"temperature": fit_gender(packs, output)}
    return {"temperature": fit_emotion(together(packs), output)}


def fit_spread(packs: Sequence[Looks], output: Output) -> dict[str, Points]:
    """Temperature and deviation by predicted age, with which 90 % of the intervals hold the true age,
    and of no age band fewer than 85 %.

    Packs count alike. A distribution that is too wide is sharpened as far as it may be; what holds too
    few is widened. Nothing where no age is predicted often enough.
    """
    all_of_them = together(packs)
    share = np.concatenate([np.full(len(looks.years), 1 / len(looks.years)) for looks in packs])
    bins = np.digitize(all_of_them.age @ YEARS, (KNOTS[1:] + KNOTS[:-1]) / 2)
    temperatures, deviations = [], []
    for nth, knot in enumerate(KNOTS.tolist()):
        near = bins == nth
        if near.sum() >= FEWEST:
            looks, weights = all_of_them.take(near), share[near]
            temperature = _least(TEMPERATURES, looks, weights, output, "temperature", deviation=0.0)
            deviation = _least(DEVIATIONS, looks, weights, output, "deviation", temperature=temperature)
            temperatures.append((knot, temperature))
            deviations.append((knot, deviation))
    if not temperatures:
        log.warning("age: none is predicted %d times: temperature and deviation as stated.", FEWEST)
        return {}
    return {"temperature": tuple(temperatures), "deviation": tuple(deviations)}


def _least(choice: F64, looks: Looks, weights: F64, output: Output, name: str, **others: float) -> float:
    """The least of these rising numbers with which enough of the intervals hold; else the last."""
    first, last = 0, len(choice) - 1
    in_band = [(looks.years >= low) & (looks.years < high) for low, high in BANDS]
    wanted = [(np.full(len(looks.years), True), HELD)]
    wanted += [(rows, LEAST_HELD) for rows in in_band if rows.sum() >= FEWEST]
    while first < last:
        middle = (first + last) // 2
        changed = output.model_copy(update={"doubt": 0.0, **others, name: float(choice[middle])})
        inside = held(looks, changed)
        enough = all(np.average(inside[rows], weights=weights[rows]) >= share for rows, share in wanted)
        first, last = (first, middle) if enough else (middle + 1, last)
    return float(choice[first])


def fit_gender(halves: Sequence[Looks], output: Output) -> float:
    """The temperature that makes the right answers most likely at that doubt, packs counting alike."""

    def surprise(temperature: float) -> float:
        changed = output.model_copy(update={"temperature": temperature})
        chances = [(female(half, changed), half.woman == 1) for half in halves]
        return sum(
            float(-np.log(np.where(woman, chance, 1 - chance).clip(1e-9)).mean()) for chance, woman in chances
        )

    return _best(surprise)


def fit_emotion(half: Looks, output: Output) -> float:
    """The temperature that makes the right answers most likely at that doubt."""
    rows = np.arange(len(half.mood))

    def surprise(temperature: float) -> float:
        shares = moods(half, output.model_copy(update={"temperature": temperature}))
        return float(-np.log(shares[rows, half.mood]).mean())

    return _best(surprise)


def report_faces(looks: Looks, numbers: Numbers) -> str:
    """A table of age and gender, by the true age."""
    said = ages(looks, numbers["age"])
    told = told_ages(said)
    errors = told[:, 0] - looks.years
    inside = (told[:, 1] <= looks.years) & (looks.years <= told[:, 2])
    chance = female(looks, numbers["gender"])
    right = np.where(np.isnan(looks.woman), np.nan, (chance > 0.5) == (looks.woman == 1))
    lines = ["| years | n | age error | bias | in 90 % | interval | gender right | women | men |"]
    lines.append("|---" * 9 + "|")
    for low, high in (*BANDS, (0, 117)):
        rows = (looks.years >= low) & (looks.years < high)
        if not rows.any():
            continue
        error, bias, held = np.abs(errors[rows]).mean(), errors[rows].mean(), inside[rows].mean()
        known = rows & ~np.isnan(right)
        both = [right[known], right[known & (looks.woman == 1)], right[known & (looks.woman == 0)]]
        gender_cells = " | ".join(f"{part.mean():.3f}" if len(part) else "-" for part in both)
        width = np.diff(told[rows, 1:]).mean()
        age_cells = f"{error:.1f} | {bias:+.1f} | {held:.3f} | {width:.0f}"
        lines.append(f"| {low} to {high - 1} | {rows.sum()} | {age_cells} | {gender_cells} |")
    known = ~np.isnan(looks.woman)
    error = calibration(np.maximum(chance, 1 - chance)[known], right[known])
    lines.append(f"\nGender: calibration error {error}\n")
    return "\n".join(lines)


def report_moods(tiles: Looks, output: Output) -> str:
    """Accuracy and calibration of the moods."""
    tiles = tiles.told("emotion")
    if not len(tiles):
        return "n = 0\n"
    shares = moods(tiles, output)
    right = shares.argmax(axis=1) == tiles.mood
    here = sorted(set(tiles.mood.tolist()))
    recalls = [right[tiles.mood == mood].mean() for mood in here]
    error = calibration(shares.max(axis=1), right)
    return (
        f"n = {len(right)}: {right.mean():.3f} right, mean recall {np.mean(recalls):.3f}, "
        f"calibration error {error}; recalls {', '.join(f'{recall:.2f}' for recall in recalls)}\n"
    )


def _best(surprise: Callable[[float], float]) -> float:
    return round(float(minimize_scalar(surprise, bounds=(0.5, 5), method="bounded").x), 2)


if __name__ == "__main__":
    sys.exit(ended(main))
