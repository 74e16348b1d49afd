"""The task `fuse`: beliefs from made-up looks whose truth is known, against what statistics say of them."""

import csv
import math
from itertools import pairwise

import numpy as np
import pytest

from core.settings import EvidenceConfig
from core.types import EMOTIONS
from evaluation.__main__ import main
from evaluation.fuse import GIVEN, MOODS, TAKEN

SHARED = EvidenceConfig().shared
CORRELATION = EvidenceConfig().correlation


def write(path, rows):
    """Rows of cells by column; what is left out is not known."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, TAKEN, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def fuse(tmp_path):
    """Looks by column, one list per track, to beliefs by column, one list per track."""

    def fused(*tracks):
        rows = [
            {"track": number, "quality": 0.8} | dict(zip(track, cells, strict=True))
            for number, track in enumerate(tracks)
            for cells in zip(*track.values(), strict=True)
        ]
        looks, out = write(tmp_path / "looks.csv", rows), tmp_path / "beliefs.csv"
        assert main(["fuse", "--looks", str(looks), "--out", str(out)]) == 0
        with out.open(newline="") as file:
            beliefs = list(csv.DictReader(file))
        return [[row for row in beliefs if row["track"] == str(number)] for number in range(len(tracks))]

    return fused


def numbers(rows, name):
    return np.array([float(row[name] or "nan") for row in rows])


def lingering(rng, count, step, memory=CORRELATION):
    """Noise of deviation 1 that forgets itself over `memory` seconds."""
    keep = math.exp(-step / memory) if memory else 0.0
    noise = rng.standard_normal(count)
    for i in range(1, count):
        noise[i] = keep * noise[i - 1] + math.sqrt(1 - keep**2) * noise[i]
    return noise


def visit(rng, truth, shared=SHARED, rate=25.0, seconds=2.0, deviation=6.0, **more):
    """Looks at one person: an error that all share, and one that lingers from look to look."""
    times = np.arange(0, seconds, 1 / rate)
    own = lingering(rng, len(times), 1 / rate)
    ages = truth + deviation * (math.sqrt(shared) * rng.standard_normal() + math.sqrt(1 - shared) * own)
    return {"t": times, "age": ages, "age_std": np.full(len(times), deviation), **more}


def moods(*names, surely=0.85):
    """A column for each mood, a row for each name."""
    rest = (1 - surely) / (len(EMOTIONS) - 1)
    return {f"p_{mood}": [surely if name == mood else rest for name in names] for mood in EMOTIONS}


def genders(chances, rate=25.0):
    return {"t": np.arange(len(chances)) / rate, "female": np.clip(chances, 0, 1)}


def test_the_belief_about_independent_looks_is_that_of_exact_statistics(fuse):
    """Of n looks that share a part of their error, the posterior is a Gaussian around their mean."""
    rng = np.random.default_rng(0)
    count, deviation = 8, 6.0
    shared, own = deviation**2 * SHARED, deviation**2 * (1 - SHARED)
    people = [
        {
            "t": 10.0 * np.arange(count),
            "age": 45 + rng.normal(0, math.sqrt(shared)) + rng.normal(0, math.sqrt(own), count),
            "age_std": np.full(count, deviation),
            "quality": np.ones(count),
        }
        for _ in range(60)
    ]

    last = [rows[-1] for rows in fuse(*people)]

    exact = 2 * 1.645 * math.sqrt(shared + own / count)
    assert numbers(last, "age") == pytest.approx([person["age"].mean() for person in people], abs=0.5)
    widths = numbers(last, "age_high") - numbers(last, "age_low")
    assert widths.mean() == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("shared", [0.5, SHARED, 1.0])
@pytest.mark.parametrize("rate", [5.0, 25.0])
def test_nine_of_ten_intervals_hold_the_truth_and_the_error_is_not_over_that_of_the_mean(fuse, shared, rate):
    rng = np.random.default_rng(1)
    truths = rng.uniform(15, 75, 200)
    people = [visit(rng, truth, shared, rate, deviation=rng.uniform(3, 9)) for truth in truths]

    last = [rows[-1] for rows in fuse(*people)]

    held = (numbers(last, "age_low") <= truths) & (truths <= numbers(last, "age_high"))
    plain = np.abs([person["age"].mean() for person in people] - truths).mean()
    assert 0.85 <= held.mean() <= 0.97
    assert np.abs(numbers(last, "age") - truths).mean() <= plain + 0.05


def test_poor_looks_that_are_wrong_and_a_few_odd_ones_change_little(fuse):
    rng = np.random.default_rng(2)
    truths = rng.uniform(20, 70, 100)
    people = [visit(rng, truth) for truth in truths]
    for person in people:
        poor, odd = rng.random((2, len(person["t"]))) < [[0.4], [0.05]]
        person["quality"] = np.where(poor, 0.15, 0.85)
        person["age"] = np.where(poor & (rng.random(len(poor)) < 0.5), 4.0, person["age"])
        person["age"] = np.where(odd, rng.uniform(0, 100, len(odd)), person["age"])

    last = [rows[-1] for rows in fuse(*people)]

    held = (numbers(last, "age_low") <= truths) & (truths <= numbers(last, "age_high"))
    plain = np.abs([person["age"].mean() for person in people] - truths).mean()
    assert np.abs(numbers(last, "age") - truths).mean() < 0.6 * plain
    assert 0.85 <= held.mean() <= 0.98


def test_looks_that_scatter_as_far_as_they_say_are_worth_more_than_one(fuse):
    """Then little of their error is shared: what is known beforehand is not the last word."""
    rng = np.random.default_rng(3)
    times = np.arange(20.0)

    wide, narrow = fuse(
        {"t": times, "age": np.full(20, 40.0), "age_std": np.full(20, 6.0)},
        {"t": times, "age": 40 + rng.normal(0, 4.3, 20), "age_std": np.full(20, 6.0)},
    )

    widths = [numbers(rows, "age_high")[-1] - numbers(rows, "age_low")[-1] for rows in (wide, narrow)]
    assert widths[1] < 0.9 * widths[0]


@pytest.mark.parametrize("rate", [5.0, 25.0])
def test_odd_looks_now_and_then_never_turn_the_gender_back_and_forth(fuse, rate):
    rng = np.random.default_rng(4)
    people = [genders(np.where(rng.random(round(6 * rate)) < 0.12, 0.1, 0.93), rate) for _ in range(30)]

    tracks = fuse(*people)

    said = [[row["gender"] for row in rows if row["gender"] != "unknown"] for rows in tracks]
    turns = [sum(a != b for a, b in pairwise(one)) for one in said]
    assert max(turns) <= 1
    assert sum(turns) <= 2
    assert sum(rows[-1]["gender"] == "female" for rows in tracks) >= 26
    assert not any(rows[-1]["gender"] == "male" for rows in tracks)


def test_weak_or_contradictory_looks_leave_the_gender_unknown(fuse):
    rng = np.random.default_rng(5)
    weak = genders(0.6 + rng.normal(0, 0.05, 150))
    torn = genders(np.where(np.arange(150) // 3 % 2, 0.1, 0.9))

    for rows in fuse(weak, torn):
        assert {row["gender"] for row in rows[5:]} == {"unknown"}


def test_one_poor_look_names_no_gender_and_one_good_look_does(fuse):
    poor, good = fuse(
        genders([0.97]) | {"quality": [0.15]},
        genders([0.97]) | {"quality": [0.95]},
    )

    assert [poor[0]["gender"], good[0]["gender"]] == ["unknown", "female"]


@pytest.mark.parametrize("rate", [2.5, 5.0, 25.0])
def test_the_mood_follows_a_change_within_a_second_and_no_single_odd_look(fuse, rate):
    said = ["neutral"] * round(4 * rate) + ["happy"] * round(4 * rate)
    said[round(2 * rate)] = "angry"

    (rows,) = fuse({"t": np.arange(len(said)) / rate} | moods(*said))

    now = [MOODS[int(np.argmax([float(row[name]) for name in MOODS]))] for row in rows]
    first = now.index("p_happy")
    assert set(now[:first]) == {"p_neutral"}
    assert set(now[first:]) == {"p_happy"}
    assert float(rows[first]["t"]) - 4 <= 1.0


def test_a_burst_of_looks_has_no_more_say_in_the_mood_than_one(fuse):
    burst = np.array([0.0, *(0.01 * np.arange(1, 20)), 1.0, 2.0])

    (rows,) = fuse({"t": burst} | moods(*(["sad"] * 20 + ["happy"] * 2)))

    assert float(rows[-2]["p_happy"]) > float(rows[-2]["p_sad"])


def test_five_looks_a_second_say_nearly_the_same_as_twenty_five(fuse):
    rng = np.random.default_rng(6)
    often = visit(rng, 40.0, seconds=6.0, female=np.full(150, 0.9), **moods(*["happy"] * 150))
    seldom = {name: np.asarray(column)[::5] for name, column in often.items()}

    (a, b) = (rows[-1] for rows in fuse(often, seldom))

    for name, near in (
        ("age", 1.0),
        ("age_low", 1.5),
        ("age_high", 1.5),
        ("female", 0.02),
        ("p_happy", 0.02),
    ):
        assert float(a[name]) == pytest.approx(float(b[name]), abs=near)
    assert a["gender"] == b["gender"] == "female"


def test_rows_of_many_tracks_may_be_mixed_and_keep_their_order(tmp_path):
    rng = np.random.default_rng(7)
    rows = [
        {
            "track": track,
            "t": t,
            "age": 20 + 10 * i + rng.normal(),
            "age_std": 5,
            "female": 0.2,
            "quality": 0.7,
        }
        for t in range(5)
        for i, track in enumerate(("door:1", "door:2"))
    ]

    def beliefs(rows):
        looks, out = write(tmp_path / "a.csv", rows), tmp_path / "b.csv"
        assert main(["fuse", "--looks", str(looks), "--out", str(out)]) == 0
        return out.read_text().splitlines()

    mixed, sorted_ = beliefs(rows), beliefs(sorted(rows, key=lambda row: row["track"]))

    assert mixed[0] == ",".join(GIVEN)
    assert [line.split(",")[0] for line in mixed[1:]] == [row["track"] for row in rows]
    assert sorted(mixed) == sorted(sorted_)


def test_every_answer_is_sane_whatever_is_left_out(fuse):
    rng = np.random.default_rng(8)
    count = 200
    gaps = ["", "nan"]
    track = {
        "t": np.cumsum(rng.exponential(0.3, count)),
        "age": [rng.choice(gaps) if rng.random() < 0.3 else rng.uniform(-20, 120) for _ in range(count)],
        "age_std": [
            rng.choice(gaps) if rng.random() < 0.2 else 10 ** rng.uniform(-2, 2) for _ in range(count)
        ],
        "female": [rng.choice(gaps) if rng.random() < 0.3 else rng.random() for _ in range(count)],
        "quality": [rng.choice(gaps) if rng.random() < 0.2 else rng.random() for _ in range(count)],
        **moods(*rng.choice(EMOTIONS, count)),
    }

    (rows,) = fuse(track)

    low, age, high = (numbers(rows, name) for name in ("age_low", "age", "age_high"))
    known = ~np.isnan(age)
    assert known.any()
    assert known[np.flatnonzero(known)[0] :].all()
    assert np.array_equal(known, ~np.isnan(low + high))
    assert ((low <= age) & (age <= high) & (low >= 0) & (high <= 100))[known].all()
    mood = np.stack([numbers(rows, name) for name in MOODS])
    told = ~np.isnan(mood[0])
    assert mood.sum(axis=0)[told] == pytest.approx(1, abs=1e-5)
    female = numbers(rows, "female")
    assert ((female > 0) & (female < 1))[~np.isnan(female)].all()


GOOD = {"track": 1, "t": 1, "age": 30, "age_std": 5, "female": 0.5, "quality": 0.5}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"age": "old"}, "expected for age a number, got 'old'"),
        ({"age": "inf"}, "expected for age a number, got 'inf'"),
        ({"track": ""}, "expected for track a name"),
        ({"t": ""}, "expected for t a time"),
        ({"t": 0.5}, "expected for t a time not before the track's last, got '0.5'"),
        ({"female": 1.2}, "expected for female 0 to 1, got '1.2'"),
        ({"quality": -1}, "expected for quality 0 to 1, got '-1'"),
        ({"age_std": -2}, "expected for age_std 0 or more, got '-2'"),
        (dict.fromkeys(MOODS, 0.5), "probabilities that sum to 1"),
        ({"p_happy": 1}, "probabilities that sum to 1"),
    ],
)
def test_a_row_that_makes_no_sense_is_named_in_one_sentence(tmp_path, capsys, wrong, said):
    looks = write(tmp_path / "looks.csv", [GOOD, GOOD | wrong])

    code = main(["fuse", "--looks", str(looks), "--out", str(tmp_path / "out.csv")])

    (line,) = capsys.readouterr().err.splitlines()
    assert code == 2
    assert line.startswith(f"error: {looks}, line 3: ")
    assert said in line
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("track,t\n1,2\n", "line 1: expected the columns"),
        ("", "line 1: expected the columns"),
        (",".join(TAKEN) + "\n" + "1," * len(TAKEN) + "1\n", "line 2: has more cells"),
        (",".join(TAKEN) + "\n1,2\n1,\xff\n", "is no table"),
    ],
)
def test_a_file_that_is_no_table_of_looks_is_refused(tmp_path, capsys, text, said):
    looks = tmp_path / "looks.csv"
    looks.write_bytes(text.encode("latin-1"))

    code = main(["fuse", "--looks", str(looks), "--out", str(tmp_path / "out.csv")])

    assert code == 2
    assert said in capsys.readouterr().err


def test_files_that_cannot_be_read_or_written_are_named(tmp_path, capsys):
    looks = write(tmp_path / "looks.csv", [GOOD])

    codes = [
        main(["fuse", "--looks", str(tmp_path / "none.csv"), "--out", str(tmp_path / "out.csv")]),
        main(["fuse", "--looks", str(looks), "--out", str(tmp_path / "none" / "out.csv")]),
    ]

    assert codes == [2, 6]
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_looks_are_not_overwritten_by_their_beliefs(tmp_path, capsys):
    looks, link = write(tmp_path / "looks.csv", [GOOD]), tmp_path / "link.csv"
    link.symlink_to(looks)
    before = looks.read_text()

    for out in (looks, link):
        assert main(["fuse", "--looks", str(looks), "--out", str(out)]) == 2
        assert capsys.readouterr().err.startswith(f"error: --out {out}: this file is read")

    assert looks.read_text() == before


def test_a_mood_is_told_though_an_earlier_look_at_that_moment_told_none(tmp_path):
    happy = GOOD | {name: float(name == "p_happy") for name in MOODS}
    looks, out = write(tmp_path / "looks.csv", [GOOD, happy]), tmp_path / "out.csv"

    assert main(["fuse", "--looks", str(looks), "--out", str(out)]) == 0

    last = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))[-1]
    assert float(last["p_happy"]) > 0.9


def test_a_table_without_rows_gives_a_table_without_rows(tmp_path):
    looks, out = write(tmp_path / "looks.csv", []), tmp_path / "out.csv"

    assert main(["fuse", "--looks", str(looks), "--out", str(out)]) == 0

    assert out.read_text() == ",".join(GIVEN) + "\n"
