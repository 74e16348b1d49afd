"""How wrong the networks of the manifest are, and how sure they may be of themselves.

Reads the face packs of a folder (utkface_public, aaf_public, fer2013_public: .csv and .tar), fits
the numbers that a card states (`deviation`, `temperature`, `doubt`) on one half of the pictures,
told apart by a hash of the name, and reports on the other half: the pictures as they are by true
age, and with poor pictures made of them by quality. The report is Markdown, on stdout.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from core.cards import Output
from core.types import F64
from estimators.belief import YEARS
from evaluation.looks import (
    Looks,
    Numbers,
    ages,
    calibration_error,
    collect,
    female,
    intervals,
    moods,
    open_parts,
    together,
    with_number,
)
from evaluation.packs import read_aaf, read_fer, read_utkface
from evaluation.poor import (
    fit_doubt,
    keep_age,
    keep_gender,
    keep_mood,
    report_bands,
    report_mood_bands,
    report_tracks,
    tile_views,
    views,
)

KNOTS: F64 = np.array([3.0, 8, 14, 20, 27, 35, 45, 55, 65, 76])  # predicted ages, years
BANDS = ((0, 13), (13, 20), (20, 30), (30, 40), (40, 50), (50, 60), (60, 117))
ROUNDS = 2  # temperatures and doubts are fitted in turn: each needs the other
NINETY = 1.645  # deviations to each side of a Gaussian that hold 90 %


def main() -> None:
    """Measure, fit, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the face packs")
    parser.add_argument("--limit", type=int, default=4000, help="pictures of each pack (4000)")
    parser.add_argument("--as-stated", action="store_true", help="take the cards' numbers, fit none")
    options = parser.parse_args()
    panel, detector, numbers = open_parts()
    faces = {
        "UTKFace": collect(panel, views(read_utkface(options.data, options.limit, detector), detector)),
        "All-Age-Faces": collect(panel, views(read_aaf(options.data, options.limit), detector)),
    }
    tiles = collect(panel, tile_views(read_fer(options.data, options.limit)))
    if not options.as_stated:
        numbers = fit(list(faces.values()), tiles, numbers)
    print(f"age deviation: {numbers['age'].deviation}")
    for role, output in numbers.items():
        print(f"{role}: temperature {output.temperature}, doubt {output.doubt}")
    for name, looks in faces.items():
        rest = looks.take(~looks.tuning)
        print(f"\n## {name}\n\n" + report_faces(rest.take(~rest.poor), numbers))
        print(report_bands(rest, numbers) + "\n" + report_tracks(rest, numbers))
    rest = together(faces.values())
    print("## Both\n\n" + report_bands(rest.take(~rest.tuning), numbers))
    rest = tiles.take(~tiles.tuning)
    print("## FER2013, public test\n\n" + report_moods(rest.take(~rest.poor), numbers["emotion"]))
    print(report_mood_bands(rest, numbers["emotion"]))


def fit(faces: list[Looks], tiles: Looks, numbers: Numbers) -> Numbers:
    """The numbers that fit the tuning half: errors by pictures as they are, doubts by poor ones."""
    good = [looks.take(looks.tuning & ~looks.poor) for looks in faces]
    clear = tiles.take(tiles.tuning & ~tiles.poor)
    numbers = with_number(numbers, "age", deviation=fit_deviation(good))
    numbers = with_number(numbers, "age", doubt=fit_doubt(faces, numbers["age"], keep_age))
    for role in ("gender", "emotion"):
        numbers = with_number(numbers, role, doubt=0.0)
    for _ in range(ROUNDS):
        numbers = with_number(numbers, "gender", temperature=fit_gender(good, numbers["gender"]))
        numbers = with_number(numbers, "gender", doubt=fit_doubt(faces, numbers["gender"], keep_gender))
        numbers = with_number(numbers, "emotion", temperature=fit_emotion(clear, numbers["emotion"]))
        numbers = with_number(numbers, "emotion", doubt=fit_doubt([tiles], numbers["emotion"], keep_mood))
    return numbers


def fit_deviation(halves: Iterable[Looks]) -> tuple[tuple[float, float], ...]:
    """(predicted age, deviation) whose 90 % hold 90 % of the errors, packs counting alike."""
    halves = list(halves)
    means = [half.age @ YEARS for half in halves]
    errors = np.concatenate([np.abs(mean - half.years) for mean, half in zip(means, halves, strict=True)])
    shares = np.concatenate([np.full(len(mean), 1 / len(mean)) for mean in means])
    predicted = np.concatenate(means)
    middles = (KNOTS[1:] + KNOTS[:-1]) / 2
    bins = np.digitize(predicted, middles)
    deviations = [_quantile(errors[bins == i], shares[bins == i], 0.9) / NINETY for i in range(len(KNOTS))]
    return tuple((float(knot), round(d, 1)) for knot, d in zip(KNOTS.tolist(), deviations, strict=True))


def fit_gender(halves: Iterable[Looks], output: Output) -> float:
    """The temperature that makes the right answers most likely at that doubt, packs counting alike."""
    known = [half.take(~np.isnan(half.woman)) for half in halves]

    def surprise(temperature: float) -> float:
        changed = output.model_copy(update={"temperature": temperature})
        chances = [(female(half, changed), half.woman == 1) for half in known]
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
    ends = intervals(said)
    errors = said @ YEARS - looks.years
    inside = (ends[:, 0] <= looks.years) & (looks.years <= ends[:, 1])
    chance = female(looks, numbers["gender"])
    right = np.where(np.isnan(looks.woman), np.nan, (chance > 0.5) == (looks.woman == 1))
    lines = ["| years | n | age error | bias | in 90 % | interval | gender right | women | men |"]
    lines.append("|---" * 9 + "|")
    for low, high in (*BANDS, (0, 117)):
        rows = (looks.years >= low) & (looks.years < high)
        error, bias, held = np.abs(errors[rows]).mean(), errors[rows].mean(), inside[rows].mean()
        known = rows & ~np.isnan(right)
        both = [right[known], right[known & (looks.woman == 1)], right[known & (looks.woman == 0)]]
        gender_cells = " | ".join(f"{part.mean():.3f}" if len(part) else "-" for part in both)
        width = np.diff(ends[rows]).mean()
        age_cells = f"{error:.1f} | {bias:+.1f} | {held:.3f} | {width:.0f}"
        lines.append(f"| {low} to {high - 1} | {rows.sum()} | {age_cells} | {gender_cells} |")
    known = ~np.isnan(looks.woman)
    sure = np.maximum(chance, 1 - chance)[known]
    lines.append(f"\nGender: calibration error {calibration_error(sure, right[known]):.3f}\n")
    return "\n".join(lines)


def report_moods(tiles: Looks, output: Output) -> str:
    """Accuracy and calibration of the moods."""
    shares = moods(tiles, output)
    right = shares.argmax(axis=1) == tiles.mood
    recalls = [right[tiles.mood == mood].mean() for mood in range(shares.shape[1])]
    error = calibration_error(shares.max(axis=1), right)
    return (
        f"n = {len(right)}: {right.mean():.3f} right, mean recall {np.mean(recalls):.3f}, "
        f"calibration error {error:.3f}; recalls {', '.join(f'{recall:.2f}' for recall in recalls)}\n"
    )


def _best(surprise: Callable[[float], float]) -> float:
    return round(float(minimize_scalar(surprise, bounds=(0.5, 5), method="bounded").x), 2)


def _quantile(values: F64, weights: F64, share: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(reached, share)])


if __name__ == "__main__":
    main()
