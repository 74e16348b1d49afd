from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make install-train")

from core.errors import ConfigError, SinkError  # noqa: E402
from tests.training.drawn import SIDE, cached, faces  # noqa: E402
from training.__main__ import main  # noqa: E402
from training.cache import build as build_cache  # noqa: E402
from training.curves import read  # noqa: E402
from training.kept import kept  # noqa: E402
from training.loop import Run, answers, prepare, train  # noqa: E402
from training.mobilenet import mobilenetv1  # noqa: E402
from training.networks import BUILDERS, ConvNorm, FaceNet, build, dlib_resnet, started  # noqa: E402
from training.recipes import PLAIN, RECIPES  # noqa: E402
from training.start import begin  # noqa: E402
from training.targets import Faces, Fold  # noqa: E402
from training.teachers import Trained, told  # noqa: E402

HEADS = ("age", "gender", "emotion", "race", "quality")
TINY = replace(PLAIN, heads=HEADS, sets=("drawn",), size=32, epochs=3, batch=16, shape=(1, 1), rate=3e-3)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return cached(tmp_path_factory.mktemp("cache"), 160)


class Stopped(Exception):
    """As if somebody pressed Ctrl-C."""


def _train(cache, folder, recipe=TINY, seed: int = 1, until: int | None = None) -> Run:
    """As the command does; `until` breaks off in the midst of the epoch after that one."""
    faces, tune = (Faces(cache, ("drawn",), part, recipe.balance, recipe.votes) for part in ("train", "tune"))
    torch.manual_seed(seed)
    run = Run(recipe, build(recipe), seed, len(faces) // recipe.batch)
    if until is not None:
        run.net.register_forward_hook(lambda *_: _stop(run.epoch == until))
    run.resume(folder)
    train(run, faces, tune, folder)
    return run


def _stop(now: bool) -> None:
    if now:
        raise Stopped


def _curves(folder) -> list[dict[str, str]]:
    with (folder / "curves.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def whole(cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    _train(cache, folder)
    return folder


def test_the_loss_falls(whole) -> None:
    losses = [float(row["loss"]) for row in _curves(whole)]

    assert len(losses) == 3
    assert losses[-1] < losses[0]


def test_a_resumed_training_equals_an_uninterrupted_one_bit_by_bit(cache, whole, tmp_path) -> None:
    with pytest.raises(Stopped):
        _train(cache, tmp_path, until=1)
    with (tmp_path / "curves.csv").open("a") as file:
        file.write("2,9,9\n")  # an epoch that was broken off before its checkpoint

    _train(cache, tmp_path)

    ours, theirs = (torch.load(folder / "checkpoint.pt") for folder in (tmp_path, whole))
    assert all(torch.equal(ours["mean"][name], theirs["mean"][name]) for name in ours["mean"])
    assert _curves(tmp_path) == _curves(whole)


def test_another_seed_gives_another_network(cache, whole, tmp_path) -> None:
    _train(cache, tmp_path, replace(TINY, epochs=1), seed=2)

    assert _curves(tmp_path)[0]["loss"] != _curves(whole)[0]["loss"]


@pytest.mark.parametrize(("change", "seed", "what"), [({"rate": 0.1}, 1, "rate"), ({}, 2, "seed")])
def test_another_recipe_or_seed_is_not_gone_on_with(cache, whole, change, seed: int, what: str) -> None:
    with pytest.raises(ConfigError, match=f"another training .*{what} is"):
        _train(cache, whole, replace(TINY, **change), seed)


def test_faces_without_labels_touch_only_the_heads_that_they_are_labelled_for(cache) -> None:
    faces = Faces(cache, ("drawn",), "train", 0, 0.4)
    rows = np.flatnonzero((faces.labels.race < 0) & (faces.labels.mood < 0))[:8]
    torch.manual_seed(1)
    run = Run(replace(TINY, decay=0.0), build(TINY), 1, 10)
    before = {name: parameter.clone() for name, parameter in run.net.heads.named_parameters()}

    chips = np.stack([np.full((32, 32, 3), 20 * i, np.uint8) for i in range(8)])
    run.step(prepare(chips), faces.targets.take(rows))

    changed = {
        name.partition(".")[0] for name, p in run.net.heads.named_parameters() if not p.equal(before[name])
    }
    assert changed == {"age", "gender", "quality"}


@pytest.mark.parametrize("known", [True, False], ids=["exact ages", "age groups"])
def test_exact_ages_and_age_groups_both_teach(cache, known: bool) -> None:
    faces = Faces(cache, ("drawn",), "train", 0, 0.4)
    rows = np.flatnonzero(np.isfinite(faces.labels.age) == known)[:16]
    chips = prepare(np.stack([faces.picture(row)[0][::2, ::2] for row in rows]))
    torch.manual_seed(1)
    run = Run(
        replace(TINY, heads=("age",), dropout=0.0), build(replace(TINY, heads=("age",), dropout=0.0)), 1, 20
    )

    losses = [run.step(chips, faces.targets.take(rows)) for _ in range(20)]

    assert losses[-1] < losses[0] - 0.3


@pytest.mark.parametrize("name", list(RECIPES))
def test_every_recipe_gives_finite_answers_of_its_heads_and_can_take_a_step(cache, name: str) -> None:
    recipe = replace(RECIPES[name], sets=("drawn",), batch=4)
    faces = Faces(cache, ("drawn",), "train", 0, recipe.votes)
    torch.manual_seed(1)
    run = Run(recipe, build(recipe), 1, 2)
    run.net.train()
    chips = np.random.default_rng(1).integers(0, 256, (4, recipe.size, recipe.size, 3), np.uint8)

    loss = run.step(prepare(chips), faces.targets.take(np.arange(4)))
    said = run.mean(prepare(chips))

    assert np.isfinite(loss)
    assert tuple(said) == recipe.heads
    assert all(torch.isfinite(answer).all() and len(answer) == 4 for answer in said.values())
    assert set(BUILDERS) >= {recipe.network}


@pytest.mark.parametrize(("builder", "shape"), [(dlib_resnet, (1, 1)), (mobilenetv1, (16,))])
def test_a_network_begun_with_anothers_convolutions_answers_as_it(builder, shape) -> None:
    torch.manual_seed(1)
    teacher, width = builder(shape)
    blocks = [block for block in teacher.modules() if isinstance(block, ConvNorm)]
    weights = {}
    for nth, block in enumerate(blocks):
        weights[f"{nth}.weight"] = block[0].weight.detach()
        weights[f"{nth}.bias"] = torch.randn(block[0].out_channels) * 0.1
        block[1] = torch.nn.Identity()
        block[0].bias = torch.nn.Parameter(weights[f"{nth}.bias"])
    faces = torch.randn(8, 3, 48, 48)
    backbone, _ = builder(shape)

    net = FaceNet(backbone, width, ("age",))
    started(net, weights, faces)

    torch.testing.assert_close(net.eval().backbone(faces), teacher.eval()(faces), rtol=1e-3, atol=1e-4)


def test_a_training_goes_on_from_another_one_with_a_larger_crop(whole) -> None:
    larger = replace(TINY, size=48, start=str(whole))
    net, faces = build(larger), torch.randn(4, 3, 48, 48)

    begin(net, larger.start, faces)

    torch.testing.assert_close(net.eval()(faces), kept(whole).net(faces), rtol=1e-4, atol=1e-5)


def test_a_beginning_that_does_not_fit_is_one_sentence(cache, whole, tmp_path, capsys) -> None:
    words = ["train", "people_dlib", "--cache", str(cache), "--out", str(tmp_path / "run"), "--device", "cpu"]
    sets = [word for change in ("sets=[drawn]", "size=96", "batch=16") for word in ("--set", change)]

    assert main([*words, *sets, "--set", f"start={whole}"]) == 2
    assert "training of another network" in capsys.readouterr().err
    assert main([*words, *sets, "--set", "start=nowhere"]) == 2
    assert "'nowhere' is neither" in capsys.readouterr().err
    assert main([*words, *sets, "--set", "start=yunet"]) == 2
    assert "Start from a card of the same layers" in capsys.readouterr().err


def test_a_face_is_told_about_by_teachers_that_have_not_seen_it(cache, whole, tmp_path) -> None:
    faces = Faces(cache, ("drawn",), "train", 0, 0.4)
    both = [replace(kept(whole), fold=Fold(k, 2)) for k in (1, 2)]
    flat = replace(both[1], net=build(TINY).eval())

    mixed = told([Trained(both[0]), Trained(flat)], faces, tmp_path / "mixed.npz")
    first = told([Trained(both[0])], faces, tmp_path / "first.npz")

    held = both[0].fold.holds(faces.labels)
    np.testing.assert_allclose(mixed["age"][held], first["age"][held], atol=1e-6)
    assert np.abs(mixed["age"][~held] - first["age"][~held]).max() > 1e-3
    assert set(mixed) == {"age", "gender", "emotion", "race"}
    np.testing.assert_allclose(mixed["gender"].sum(axis=1), 1, atol=1e-5)


def test_what_teachers_said_is_kept_for_the_same_question_alone(cache, whole, tmp_path, monkeypatch) -> None:
    faces = Faces(cache, ("drawn",), "train", 0, 0.4)
    half = Faces(cache, ("drawn",), "train", 0, 0.4, fold=Fold(1, 2))
    store, teachers = tmp_path / "told.npz", [Trained(kept(whole))]
    said = told(teachers, faces, store)

    with monkeypatch.context() as nobody:
        nobody.setattr(Trained, "said", None)
        again = told(teachers, faces, store)
    of_half = told(teachers, half, store)
    _train(cache, tmp_path / "other", replace(TINY, epochs=1), seed=2)
    of_other = told([Trained(kept(tmp_path / "other"))], half, store)

    assert set(again) == set(said)
    np.testing.assert_array_equal(again["age"], said["age"])
    assert len(of_half["age"]) == len(half)
    assert np.abs(of_other["age"] - of_half["age"]).max() > 1e-3


def test_what_was_kept_answers_as_the_mean_of_the_training(cache, tmp_path) -> None:
    run = _train(cache, tmp_path, replace(TINY, epochs=1))
    tune = Faces(cache, ("drawn",), "tune", 0, 0.4)

    ours, theirs = (answers(net, tune, TINY) for net in (kept(tmp_path).net, run.mean))

    assert all(np.array_equal(ours[name], theirs[name]) for name in HEADS)


def test_the_commands_train_with_a_fold_and_a_teacher_and_tell_figures(
    cache, whole, tmp_path, capsys
) -> None:
    words = ["--cache", str(cache), "--device", "cpu"]
    changes = ["sets=[drawn]", "size=32", "batch=16", "shape=[1, 1]", "heads=[age, gender]", "start=null"]
    sets = [word for change in changes for word in ("--set", change)]
    more = ["--out", str(tmp_path / "run"), "--epochs", "1", "--fold", "1/3", "--threads", "1"]

    trained = main(["train", "people_dlib", *words, *sets, *more, "--teachers", str(whole)])
    told = main(["figures", str(tmp_path / "run"), *words, "--flip", "--out", str(tmp_path / "figures")])

    assert (trained, told) == (0, 0)
    assert "constant, run" in capsys.readouterr().out
    drawings = {path.name for path in (tmp_path / "figures" / "run").iterdir()}
    assert drawings == {"loss.svg", "years.svg", "share.svg", "confusion_gender.svg"}


def test_a_folder_without_a_training_is_one_sentence(cache, tmp_path, capsys) -> None:
    assert main(["figures", str(tmp_path), "--cache", str(cache)]) == 2
    assert "holds no training" in capsys.readouterr().err


def test_a_training_goes_on_where_a_full_disk_left_empty_curves(cache, tmp_path) -> None:
    (tmp_path / "curves.csv").touch()

    _train(cache, tmp_path, replace(TINY, epochs=1))

    assert [row["epoch"] for row in _curves(tmp_path)] == ["1"]


def test_a_full_disk_is_one_sentence_and_leaves_the_checkpoint_before(cache, tmp_path, monkeypatch) -> None:
    with pytest.raises(Stopped):
        _train(cache, tmp_path, until=1)
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def full(_, path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("unexpected pos 697280 vs 697168")

    with monkeypatch.context() as disk, pytest.raises(SinkError, match="full"):
        disk.setattr(torch, "save", full)
        _train(cache, tmp_path)

    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert not (tmp_path / "checkpoint.part").exists()


@pytest.mark.parametrize("damage", [b"", b"hello", None], ids=["empty", "other", "cut off"])
def test_a_damaged_checkpoint_is_one_sentence(cache, whole, tmp_path, damage: bytes | None) -> None:
    stored = (whole / "checkpoint.pt").read_bytes()
    (tmp_path / "checkpoint.pt").write_bytes(stored[:5000] if damage is None else damage)

    with pytest.raises(ConfigError, match="cannot be read as a checkpoint"):
        kept(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read as a checkpoint"):
        _train(cache, tmp_path)


@pytest.mark.parametrize("line", ["2,oops", "2"])
def test_curves_that_somebody_edited_are_one_sentence(tmp_path, line: str) -> None:
    (tmp_path / "curves.csv").write_text(f"epoch,loss\n1,3.5\n{line}\n")

    with pytest.raises(ConfigError, match="not as the training wrote it"):
        read(tmp_path / "curves.csv")
    assert read(tmp_path / "none.csv") == {}


def test_a_folder_that_cannot_be_made_is_one_sentence(cache, tmp_path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SinkError, match="cannot be written"):
        _train(cache, tmp_path / "file")


def test_another_training_is_refused_before_the_teachers_are_asked(cache, whole, tmp_path, capsys) -> None:
    out = tmp_path / "run"
    words = ["train", "people_dlib", "--cache", str(cache), "--out", str(out), "--device", "cpu"]
    changes = ["sets=[drawn]", "size=32", "batch=16", "shape=[1, 1]", "heads=[age, gender]", "start=null"]
    words += ["--epochs", "1", "--threads", "1", *(w for change in changes for w in ("--set", change))]
    assert main(words) == 0

    assert main([*words, "--teachers", str(whole)]) == 2
    assert "another training" in capsys.readouterr().err
    assert not (out / "told.npz").exists()


def test_damaged_answers_of_teachers_are_asked_for_again(cache, whole, tmp_path) -> None:
    faces = Faces(cache, ("drawn",), "train", 0, 0.4)
    (tmp_path / "told.npz").touch()

    said = told([Trained(kept(whole))], faces, tmp_path / "told.npz")

    assert len(said["age"]) == len(faces)


def test_figures_of_two_trainings_of_one_name_are_refused_instead_of_mixed(
    cache, whole, tmp_path, capsys
) -> None:
    (tmp_path / whole.name).mkdir()

    assert main(["figures", str(whole), str(tmp_path / whole.name), "--cache", str(cache)]) == 2
    assert f"two trainings are called '{whole.name}'" in capsys.readouterr().err


def test_figures_of_the_folder_one_is_in_have_its_name(cache, whole, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(whole)

    assert main(["figures", ".", "--cache", str(cache), "--device", "cpu", "--out", str(tmp_path)]) == 0
    assert f"constant, {whole.name} (" in capsys.readouterr().out
    assert (tmp_path / whole.name / "loss.svg").exists()


def test_figures_that_cannot_be_written_are_one_sentence_before_anything_is_measured(
    cache, whole, tmp_path, capsys
) -> None:
    (tmp_path / "file").touch()

    assert main(["figures", str(whole), "--cache", str(cache), "--out", str(tmp_path / "file")]) == 6
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("people_dlib", {"size": 32}),
        ("facenet", {"size": 32}),
        ("ssrnet", {"shape": (3,)}),
        ("mobilenetv1", {"shape": (-1,)}),
    ],
)
def test_a_size_or_shape_that_the_network_cannot_take_is_one_sentence(name: str, change) -> None:
    network = {"people_dlib": "dlib_resnet"}.get(name, name)

    with pytest.raises(ConfigError, match=f"'{network}' cannot be made with size="):
        build(replace(PLAIN, network=network, **change))


def test_a_training_whose_loss_is_no_number_stops_and_keeps_the_epochs_before(cache, tmp_path) -> None:
    with pytest.raises(ConfigError, match="is no number any more"):
        _train(cache, tmp_path, replace(TINY, rate=float("inf"), epochs=2))

    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_training_does_not_go_on_with_other_faces(cache, tmp_path, capsys) -> None:
    other = cached(tmp_path / "other", 100)
    changes = ["sets=[drawn]", "size=32", "batch=16", "shape=[1, 1]", "heads=[age, gender]", "start=null"]
    words = ["train", "people_dlib", "--out", str(tmp_path / "run"), "--device", "cpu", "--threads", "1"]
    words += ["--epochs", "1", *(w for change in changes for w in ("--set", change))]
    assert main([*words, "--cache", str(cache)]) == 0

    assert main([*words, "--cache", str(other)]) == 2
    assert "faces is '130 to train on, 10 to watch" in capsys.readouterr().err
    assert main([*words, "--cache", str(cache)]) == 0


def test_a_head_that_no_face_has_a_label_for_is_one_sentence(tmp_path, capsys) -> None:
    moodless = ((replace(sample, mood=-1, votes=()), found) for sample, found in faces(160))
    build_cache("drawn", moodless, tmp_path / "cache", SIDE)
    words = ["train", "moods", "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "run")]

    assert main([*words, "--set", "sets=[drawn]"]) == 2
    assert "no face of drawn has a label for 'emotion'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
