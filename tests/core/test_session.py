"""One network on one device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.program import ROOT


def test_what_runs_the_networks_writes_nothing_about_the_machine_and_its_use(tmp_path: Path) -> None:
    """It would send that to its makers. Where it takes itself for a test, it does not."""
    ours = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    words = (
        "from pathlib import Path; from core.session import open_session as o; o(Path('weights/yunet.onnx'))"
    )

    subprocess.run([sys.executable, "-c", words], cwd=ROOT, env={**ours, "HOME": str(tmp_path)}, check=True)

    assert list(tmp_path.iterdir()) == []
