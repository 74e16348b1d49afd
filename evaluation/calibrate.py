"""How wrong the networks of the manifest are, and how sure they may be of themselves.

Reads the face packs of a folder (utkface_public, aaf_public, fer2013_public: .csv and .tar), fits
the numbers that a card states (`deviation`, `temperature`) on one half of the pictures, told apart
by a hash of the name, and reports on the other half. The report is Markdown, on stdout.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from core.cards import Output
from core.session import open_session
from core.settings import DetectorConfig, EvidenceConfig
from core.types import F64, Array, Estimates
from detectors.yunet import YuNet
from estimators.belief import YEARS, AgeBelief
from estimators.network import Network, deviation_at, temper, widen
from estimators.panel import Panel
from evaluation.packs import Labelled, read_aaf, read_fer, read_utkface
from weights.manifest import cards
from weights.store import locate

KNOTS: F64 = np.array([3.0, 8, 14, 20, 27, 35, 45, 55, 65, 76])  # predicted ages, years
BANDS = ((0, 13), (13, 20), (20, 30), (30, 40), (40, 50), (50, 60), (60, 117))
NETWORKS = {"age": "age_dlib", "gender": "gender_dlib", "emotion": "emotion_fer"}
SAID = ("quality", "age", "female", "emotion")
NINETY = 1.645  # deviations to each side of a Gaussian that hold 90 %


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """One look at each of N labelled faces, a row each.

    Attributes:
        quality (N,), age (N, 101), female (N,), emotion (N, 7): what was said.
        years (N,), woman (N,), mood (N,): what is true; NaN or -1 where not labelled.
        tuning (N,): bool, numbers may be fitted on it.
        missed: faces that the detector did not find.
    """

    quality: F64
    age: F64
    female: F64
    emotion: F64
    years: F64
    woman: F64
    mood: Array
    tuning: Array
    missed: int

    def half(self, tuning: bool) -> Looks:
        """Those to fit on, or those to report on."""
        rows = self.tuning == tuning
        parts = {name: getattr(self, name)[rows] for name in (*SAID, "years", "woman", "mood", "tuning")}
        return replace(self, **parts)


def main() -> None:
    """Measure, fit, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the face packs")
    parser.add_argument("--limit", type=int, default=4000, help="pictures of each pack (4000)")
    parser.add_argument("--as-stated", action="store_true", help="take the cards' numbers, fit none")
    options = parser.parse_args()
    panel, detector, age = open_parts()
    faces = {
        "UTKFace": collect(panel, read_utkface(options.data, options.limit, detector)),
        "All-Age-Faces": collect(panel, read_aaf(options.data, options.limit)),
    }
    tiles = collect(panel, read_fer(options.data, options.limit))
    stated = {output.role: output for card in cards().values() for output in card.outputs}
    age, gender, emotion = stated["age"], stated["gender"].temperature, stated["emotion"].temperature
    if not options.as_stated:
        age = age.model_copy(update={"deviation": fit_deviation(faces.values())})
        gender, emotion = fit_gender(faces.values()), fit_emotion(tiles)
    print(f"age deviation: {age.deviation}\ntemperatures: gender {gender:.2f}, emotion {emotion:.2f}\n")
    for name, looks in faces.items():
        print(f"## {name} ({looks.missed} faces not found)\n")
        print(report_faces(looks.half(False), age, gender))
    print("## FER2013, public test\n\n" + report_moods(tiles.half(False), emotion))


def open_parts() -> tuple[Panel, YuNet, Output]:
    """The default networks, nothing widened or tempered; and the detector."""
    known = cards()
    networks: dict[str, Network] = {}
    for role, name in NETWORKS.items():
        card = known[name]
        plain = [output.model_copy(update={"deviation": 0.0, "temperature": 1.0}) for output in card.outputs]
        card = card.model_copy(update={"outputs": tuple(plain)})
        networks[role] = Network(card, open_session(locate(card), "cpu", 1))
    config = DetectorConfig(size=320)
    yunet = YuNet(config, known["yunet"], open_session(locate(known["yunet"]), "cpu", 1))
    return Panel(networks), yunet, known["age_dlib"].outputs[0]


def collect(panel: Panel, faces: Iterable[Labelled]) -> Looks:
    """Let the panel judge every face."""
    rows: list[tuple[Labelled, Estimates]] = []
    missed = 0
    for face in faces:
        if len(face.faces):
            rows.append((face, panel.look([(face.image, face.faces)])[0]))
        else:
            missed += 1
    said = [look for _, look in rows]
    labels = np.array([(face.age, face.female, face.mood, face.tuning) for face, _ in rows], np.float64)
    columns = {
        name: np.concatenate([getattr(look, name) for look in said]).astype(np.float64) for name in SAID
    }
    years, woman, mood, tuning = labels.T
    return Looks(
        **columns, years=years, woman=woman, mood=mood.astype(np.int64), tuning=tuning > 0, missed=missed
    )


def fit_deviation(packs: Iterable[Looks]) -> tuple[tuple[float, float], ...]:
    """(predicted age, deviation) whose 90 % hold 90 % of the errors, packs counting alike."""
    halves = [looks.half(True) for looks in packs]
    means = [half.age @ YEARS for half in halves]
    errors = np.concatenate([np.abs(mean - half.years) for mean, half in zip(means, halves, strict=True)])
    shares = np.concatenate([np.full(len(mean), 1 / len(mean)) for mean in means])
    predicted = np.concatenate(means)
    middles = (KNOTS[1:] + KNOTS[:-1]) / 2
    bins = np.digitize(predicted, middles)
    deviations = [_quantile(errors[bins == i], shares[bins == i], 0.9) / NINETY for i in range(len(KNOTS))]
    return tuple((float(knot), round(d, 1)) for knot, d in zip(KNOTS.tolist(), deviations, strict=True))


def fit_gender(packs: Iterable[Looks]) -> float:
    """The temperature that makes the right answers most likely, packs counting alike."""
    halves = [looks.half(True) for looks in packs]

    def surprise(temperature: float) -> float:
        return float(sum(_gender_surprise(half, temperature) for half in halves))

    return _best(surprise)


def fit_emotion(tiles: Looks) -> float:
    """The temperature that makes the right answers most likely."""
    half = tiles.half(True)
    rows = np.arange(len(half.mood))
    return _best(lambda t: float(-np.log(temper(half.emotion, t)[rows, half.mood]).mean()))


def report_faces(looks: Looks, age: Output, temperature: float) -> str:
    """A table of age and gender, by the true age."""
    ages = widen(looks.age, deviation_at(age, looks.age @ YEARS))
    intervals = np.array([_interval(row, quality) for row, quality in zip(ages, looks.quality, strict=True)])
    errors = looks.age @ YEARS - looks.years
    inside = (intervals[:, 0] <= looks.years) & (looks.years <= intervals[:, 1])
    female = _female(looks, temperature)
    right = np.where(np.isnan(looks.woman), np.nan, (female > 0.5) == (looks.woman == 1))
    lines = ["| years | n | age error | bias | in 90 % | interval | gender right | women | men |"]
    lines.append("|---" * 9 + "|")
    for low, high in (*BANDS, (0, 117)):
        rows = (looks.years >= low) & (looks.years < high)
        error, bias, held = np.abs(errors[rows]).mean(), errors[rows].mean(), inside[rows].mean()
        known = rows & ~np.isnan(right)
        both = [right[known], right[known & (looks.woman == 1)], right[known & (looks.woman == 0)]]
        gender_cells = " | ".join(f"{part.mean():.3f}" if len(part) else "-" for part in both)
        width = np.diff(intervals[rows]).mean()
        age_cells = f"{error:.1f} | {bias:+.1f} | {held:.3f} | {width:.0f}"
        lines.append(f"| {low} to {high - 1} | {rows.sum()} | {age_cells} | {gender_cells} |")
    known = ~np.isnan(looks.woman)
    sure = np.maximum(female, 1 - female)[known]
    lines.append(f"\nGender: calibration error {_calibration_error(sure, right[known]):.3f}\n")
    return "\n".join(lines)


def report_moods(tiles: Looks, temperature: float) -> str:
    """Accuracy and calibration of the moods."""
    shares = temper(tiles.emotion, temperature)
    right = shares.argmax(axis=1) == tiles.mood
    recalls = [right[tiles.mood == mood].mean() for mood in range(shares.shape[1])]
    error = _calibration_error(shares.max(axis=1), right)
    return (
        f"n = {len(right)}: {right.mean():.3f} right, mean recall {np.mean(recalls):.3f}, "
        f"calibration error {error:.3f}; recalls {', '.join(f'{recall:.2f}' for recall in recalls)}\n"
    )


def _interval(ages: F64, quality: float) -> tuple[float, float]:
    """What a track believes after this one look."""
    belief = AgeBelief()
    belief.add(ages, 1.0, 1.0)
    return belief.read(max(quality, 0.05), EvidenceConfig().shared)[2:]


def _female(looks: Looks, temperature: float) -> F64:
    both = np.stack([looks.female, 1 - looks.female], axis=1)
    return temper(both, temperature)[:, 0]


def _gender_surprise(looks: Looks, temperature: float) -> float:
    female, known = _female(looks, temperature), ~np.isnan(looks.woman)
    return float(-np.log(np.where(looks.woman == 1, female, 1 - female)[known].clip(1e-9)).mean())


def _best(surprise: Callable[[float], float]) -> float:
    return round(float(minimize_scalar(surprise, bounds=(0.5, 5), method="bounded").x), 2)


def _calibration_error(sure: F64, right: Array) -> float:
    """Mean distance of confidence and accuracy over ten bins (Guo et al., ICML 2017)."""
    bins = np.clip((sure * 10).astype(int), 0, 9)
    parts = [
        (bins == i).mean() * abs(sure[bins == i].mean() - right[bins == i].mean()) for i in set(bins.tolist())
    ]
    return float(sum(parts))


def _quantile(values: F64, weights: F64, share: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(reached, share)])


if __name__ == "__main__":
    main()
