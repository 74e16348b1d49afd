"""One ONNX network on one device. onnxruntime is imported when the first one is opened."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import DeviceError, StageError, WeightsError
from core.types import Array

if TYPE_CHECKING:
    import onnxruntime

BUCKETS = (1, 2, 4, 8, 16)  # batch sizes on a GPU: each new shape makes its runtime tune anew
PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}


class Session:
    """A network, ready to run; one picture a run on a CPU, padded batches on a GPU."""

    def __init__(self, session: onnxruntime.InferenceSession, path: Path) -> None:
        self._session = session
        self._path = path
        self.provider: str = session.get_providers()[0]
        self.inputs = {i.name: tuple(i.shape) for i in session.get_inputs()}
        self.outputs = {o.name: tuple(o.shape) for o in session.get_outputs()}
        self._input = next(iter(self.inputs))

    def run(self, batch: Array, names: list[str] | None = None) -> list[Array]:
        """The outputs for a batch (N, C, H, W), each with N rows.

        A CPU gains nothing from batches and rounds differently in each size, so there every
        row runs alone: a picture gives the same numbers whoever stands beside it.

        Raises:
            StageError: the network refused the batch.
        """
        try:
            if self.provider == PROVIDERS["cpu"]:
                rows = [self._session.run(names, {self._input: batch[i : i + 1]}) for i in range(len(batch))]
            else:
                rows = [
                    self._bucket(batch[i : i + BUCKETS[-1]], names) for i in range(0, len(batch), BUCKETS[-1])
                ]
        except Exception as error:  # onnxruntime's own errors share no base
            raise StageError(
                f"{self._path.name} failed on input {batch.shape}: {_first_line(error)}"
            ) from error
        if len(rows) == 1:
            return list(rows[0])
        return [np.concatenate(column) for column in zip(*rows, strict=True)]

    def _bucket(self, batch: Array, names: list[str] | None) -> list[Array]:
        size = next(b for b in BUCKETS if b >= len(batch))
        padded = np.concatenate([batch, np.repeat(batch[-1:], size - len(batch), axis=0)])
        return [output[: len(batch)] for output in self._session.run(names, {self._input: padded})]


def keep_to_itself() -> None:
    """Have onnxruntime tell its makers nothing; no use after its first import in a process.

    Else it writes down the machine, the program and each network that is opened, under a number of the
    machine, in `~/.cache/Microsoft`, to be sent to them; its own `disable_telemetry_events` comes too late.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def runtime() -> ModuleType:
    """onnxruntime, which keeps to itself."""
    keep_to_itself()
    import onnxruntime

    return onnxruntime  # type: ignore[no-any-return]


def open_session(path: Path, device: str = "auto", threads: int = 2) -> Session:
    """Open a network on a device.

    Args:
        path: an ONNX file with one input.
        device: auto (the best there is), cpu, cuda or tensorrt.
        threads: CPU threads within one run.

    Raises:
        DeviceError: the device that was named does not run here.
        WeightsError: the file is no ONNX network.
    """
    onnxruntime = runtime()
    onnxruntime.set_default_logger_severity(3)  # its warnings mean nothing to a user
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads cost 66 ms of CPU a frame against 40 at a paced 10 frames/s.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    wanted = _providers(device)
    if device in ("auto", "cuda", "tensorrt") and hasattr(onnxruntime, "preload_dlls") and len(wanted) > 1:
        onnxruntime.preload_dlls()
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
    except Exception as error:
        if device in ("cuda", "tensorrt") and "provider" in str(error).lower():
            raise DeviceError(f"runtime.device: '{device}' does not start: {_first_line(error)}") from error
        raise WeightsError(
            f"{path} is not a network that can be run: {_first_line(error)}. "
            "If it is not a file of your own, fetch it again with: python -m weights"
        ) from error
    runs = session.get_providers()[0]
    if device != "auto" and runs != PROVIDERS[device]:
        raise DeviceError(
            f"runtime.device: '{device}' was asked for, but the network runs on {runs}. "
            "Check the driver and the CUDA libraries, or set device: auto."
        )
    return Session(session, path)


def has_gpu() -> bool:
    """Whether onnxruntime offers a GPU provider here (it may still fail to start)."""
    return PROVIDERS["cuda"] in runtime().get_available_providers()


def _providers(device: str) -> list[Any]:
    offered = runtime().get_available_providers()
    if device == "auto":
        order = [PROVIDERS["cuda"], PROVIDERS["cpu"]]
        return [p for p in order if p in offered]
    if PROVIDERS[device] not in offered:
        names = [short for short, provider in PROVIDERS.items() if provider in offered]
        raise DeviceError(
            f"runtime.device: '{device}' was asked for, but this onnxruntime offers only: "
            f"{', '.join(names)}. Install the GPU build of onnxruntime, or set device: auto."
        )
    return [PROVIDERS[device]] if device == "cpu" else [PROVIDERS[device], PROVIDERS["cpu"]]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
