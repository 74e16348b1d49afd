from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make install-train")
onnx = pytest.importorskip("onnx", reason="onnx is not installed: make install-train")

from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: E402

from core.cards import Input, Output  # noqa: E402
from core.errors import WeightsError  # noqa: E402
from tests.training.drawn import cached  # noqa: E402
from training import quantize  # noqa: E402
from training.__main__ import main  # noqa: E402
from training.export import difference, opened, parity  # noqa: E402
from training.graph import answering, eighths, model, save, shrunk  # noqa: E402
from training.kept import kept  # noqa: E402
from training.loop import Run  # noqa: E402
from training.networks import build  # noqa: E402
from training.recipes import RECIPES  # noqa: E402

YAML = pytest.importorskip("yaml")


def _trained(folder, name: str = "people_dlib", **changes):
    """A training of no epoch, its normalisations far from doing nothing."""
    recipe = replace(RECIPES[name], sets=("drawn",), batch=16, **changes)
    torch.manual_seed(1)
    run = Run(recipe, build(recipe), 1, 1)
    for module in run.mean.modules():
        if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    folder.mkdir(exist_ok=True)
    torch.save(run.state(), folder / "checkpoint.pt")
    return kept(folder)


@pytest.mark.parametrize("name", ["people", "people_dlib", "moods", "ssrnet", "mobilenetv2", "facenet"])
def test_the_exported_network_answers_as_pytorchs_alone_and_in_a_batch(tmp_path, name: str) -> None:
    trained = _trained(tmp_path, name)
    answers = answering(trained, trained.recipe.heads)
    made = model(answers, trained.recipe.size)

    with torch.no_grad():
        faces = torch.rand(2, 3, trained.recipe.size, trained.recipe.size)
        raw, folded = trained.net(faces), dict(zip(answers.names, answers(faces), strict=True))

    assert parity(answers, made.SerializeToString(), trained.recipe.size) < 1e-4
    assert not [node for node in made.graph.node if node.op_type == "BatchNormalization"]
    assert [output.name for output in made.graph.output] == list(trained.recipe.heads)
    if "gender" in raw:
        torch.testing.assert_close(raw["gender"].softmax(dim=1), folded["gender"], rtol=1e-3, atol=1e-4)


def test_a_mirrored_network_says_of_a_face_and_of_its_mirror_image_the_same_mean_of_both(tmp_path) -> None:
    trained = _trained(tmp_path, size=48, shape=(1, 1))
    heads = trained.recipe.heads
    made = opened(model(answering(trained, heads, mirror=True), 48).SerializeToString())
    faces = np.random.default_rng(0).standard_normal((3, 3, 48, 48)).astype(np.float32)

    said = made.run(list(heads), {"face": faces})
    turned = made.run(list(heads), {"face": np.ascontiguousarray(faces[..., ::-1])})
    plain = opened(model(answering(trained, heads), 48).SerializeToString())
    ways = [plain.run(list(heads), {"face": np.ascontiguousarray(way)}) for way in (faces, faces[..., ::-1])]

    for one, other, upright, mirrored in zip(said, turned, *ways, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
        np.testing.assert_allclose(one, (upright + mirrored) / 2, atol=1e-5)


def test_probabilities_sum_to_1_and_the_quality_lies_between_0_and_1(tmp_path) -> None:
    trained = _trained(tmp_path, size=48, shape=(1, 1))
    made = model(answering(trained, trained.recipe.heads), 48)

    said = opened(made.SerializeToString()).run(None, {"face": np.zeros((3, 3, 48, 48), np.float32)})

    age, gender, race, quality = said
    assert (age.shape, gender.shape, race.shape, quality.shape) == ((3, 101), (3, 2), (3, 5), (3, 1))
    assert all(answer.sum(axis=1) == pytest.approx(1, abs=1e-5) for answer in (age, gender, race))
    assert ((quality > 0) & (quality < 1)).all()


def test_an_export_that_differs_is_refused(tmp_path) -> None:
    trained = _trained(tmp_path, size=48, shape=(1, 1))
    made = model(answering(trained, ("gender",)), 48)
    other = answering(trained, ("gender",))
    other.net.heads["gender"].bias.data += 1 - torch.arange(2.0)

    with pytest.raises(WeightsError, match="differs from PyTorch"):
        parity(other, made.SerializeToString(), 48)
    other.net.heads["gender"].bias.data[:] = torch.nan
    with pytest.raises(WeightsError, match="differs from PyTorch"):
        parity(other, made.SerializeToString(), 48)


@pytest.mark.parametrize(("store", "bits", "allowed"), [("fp16", 16, 1e-3), ("int8", 8, 3e-2)])
def test_weights_are_stored_small_and_calculated_with_in_32_bits(tmp_path, store, bits, allowed) -> None:
    trained = _trained(tmp_path)
    answers = answering(trained, trained.recipe.heads)
    whole = model(answers, 112)

    small = shrunk(whole, store).SerializeToString()

    assert len(small) < 1.02 * len(whole.SerializeToString()) * bits / 32 + 100_000
    assert difference(answers, small, 112) < allowed


def test_eight_bits_keep_each_channel_within_half_a_step() -> None:
    value = np.random.default_rng(1).normal(size=(5, 3, 3, 3)).astype(np.float32)
    value[2] = 0

    stored, scale = eighths(value)

    assert stored.dtype == np.int8
    assert (np.abs(stored * scale - value) <= scale / 2 + 1e-7).all()


def test_the_command_writes_the_same_bytes_twice_and_a_card_that_can_be_read(tmp_path, capsys) -> None:
    _trained(tmp_path / "run", size=48, shape=(1, 1))
    words = ["export", str(tmp_path / "run"), "--heads", "age,gender", "--out"]

    codes = [main([*words, str(tmp_path / name)]) for name in ("one.onnx", "two.onnx")]

    said = capsys.readouterr().out
    card = YAML.safe_load(
        said[said.index("  input:") : said.rindex("differs from PyTorch")].rpartition("\n")[0]
    )
    assert codes == [0, 0]
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()
    assert Input.model_validate(card["input"]).size == 48
    assert [Output.model_validate(output).role for output in card["outputs"]] == ["age", "gender"]


def test_eight_bits_that_lose_too_much_are_refused_unless_forced(tmp_path, capsys, monkeypatch) -> None:
    cached(tmp_path / "cache", 160)
    _trained(tmp_path / "run", size=32, shape=(1, 1))
    out = tmp_path / "small.onnx"
    words = ["export", str(tmp_path / "run"), "--quantize", str(tmp_path / "cache"), "--out", str(out)]
    monkeypatch.setattr(quantize, "LOSS", -1.0)

    refused = main(words)
    there = out.exists()
    forced = main([*words, "--force"])

    assert (refused, there, forced) == (3, False, 0)
    assert "8 bits lose too much" in capsys.readouterr().err
    assert opened(out).get_inputs()[0].name == "face"


def test_zeros_around_a_map_belong_to_the_convolution_that_8_bits_are_made_of(tmp_path) -> None:
    """As layers of their own they take a quarter of the time."""
    trained = _trained(tmp_path / "run", "people", size=48)
    plain, ready = tmp_path / "plain.onnx", tmp_path / "ready.onnx"
    save(model(answering(trained, ("age",)), 48), plain)

    quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)

    assert "Pad" in [node.op_type for node in onnx.load(plain).graph.node]
    assert "Pad" not in [node.op_type for node in onnx.load(ready).graph.node]


def test_a_file_that_cannot_be_written_is_one_sentence_and_stays_as_it_was(
    tmp_path, capsys, monkeypatch
) -> None:
    _trained(tmp_path / "run", size=48, shape=(1, 1))
    out, words = tmp_path / "net.onnx", ["export", str(tmp_path / "run"), "--out"]
    out.write_bytes(b"of before")

    def full(path, data) -> None:
        with path.open("wb") as file:
            file.write(data[:9])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("pathlib.Path.write_bytes", full)
        assert main([*words, str(out)]) == 6
    assert "No space left" in capsys.readouterr().err
    assert out.read_bytes() == b"of before"
    assert not list(tmp_path.glob("*.part"))
    assert main([*words, str(out / "net.onnx")]) == 6
    assert main([*words, str(tmp_path)]) == 6


def test_a_checkpoint_is_not_overwritten_by_its_export(tmp_path, capsys) -> None:
    _trained(tmp_path, size=48, shape=(1, 1))

    assert main(["export", str(tmp_path), "--out", str(tmp_path / "checkpoint.pt")]) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert kept(tmp_path).epoch == 0
