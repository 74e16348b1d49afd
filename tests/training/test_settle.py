from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make install-train")
onnx = pytest.importorskip("onnx", reason="onnx is not installed: make install-train")

from tests.training.drawn import cached  # noqa: E402
from training.export import opened  # noqa: E402
from training.graph import answering, model  # noqa: E402
from training.kept import Kept, kept  # noqa: E402
from training.loop import Run, train  # noqa: E402
from training.networks import Residual, build  # noqa: E402
from training.quantize import chips, quantize  # noqa: E402
from training.recipes import PLAIN  # noqa: E402
from training.settle import settled  # noqa: E402
from training.targets import Faces  # noqa: E402

RECIPE = replace(
    PLAIN, network="dlib_resnet", shape=(1, 1), sets=("drawn",), size=48, batch=16, epochs=6, rate=5e-3
)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _hard_to_round(trained: Kept) -> None:
    """The same answers, but four maps of each block reach sixty times as far as the others."""
    for block in trained.net.modules():
        if isinstance(block, Residual):
            with torch.no_grad():
                block.first[1].weight[:4] *= 60
                block.first[1].bias[:4] *= 60
                block.second[0].weight[:, :4] /= 60


def _ages(made: bytes, seen) -> np.ndarray:
    return opened(made).run(["age"], {"face": seen})[0] @ np.arange(101)


def test_a_network_that_was_settled_answers_in_8_bits_more_as_it_did_in_32(tmp_path) -> None:
    cache = cached(tmp_path / "cache", 160)
    faces, tune = (Faces(cache, ("drawn",), part, 0, 0.4) for part in ("train", "tune"))
    torch.manual_seed(2)
    train(Run(RECIPE, build(RECIPE), 1, len(faces) // RECIPE.batch), faces, tune, tmp_path)
    trained = kept(tmp_path)
    _hard_to_round(trained)

    whole, soft = (model(answering(t, ("age",)), 48) for t in (trained, settled(trained, cache)))
    for name, source in (("cut", whole), ("settled", soft)):
        quantize(trained, whole, source, cache, tmp_path / name, force=True)

    seen = chips(faces, trained, range(len(faces)))
    exact = _ages(whole.SerializeToString(), seen)
    cut, soft = (_ages((tmp_path / name).read_bytes(), seen) for name in ("cut", "settled"))
    kernels = [onnx.numpy_helper.to_array(t) for t in onnx.load(tmp_path / "settled").graph.initializer]
    assert np.ptp(exact) > 20  # it has learned to tell them apart
    assert np.abs(soft - exact).mean() < 0.7 * np.abs(cut - exact).mean()
    # 7 bits: sums of full products overflow on x86 processors without VNNI.
    assert max(np.abs(k).max() for k in kernels if k.dtype == np.int8 and k.ndim == 4) == 64
