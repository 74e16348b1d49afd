"""Chromium without a screen, spoken to by its DevTools protocol through a pipe."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.waiting import PATIENCE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-dev-shm-usage", "--remote-debugging-pipe"),
)


class Browser:
    """One page in a browser of its own; use as a context manager."""

    def __enter__(self) -> Browser:
        self._folder = tempfile.mkdtemp()
        # What it writes beside its profile goes there as well, and with it.
        places = dict.fromkeys(("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), self._folder)
        commands, self._to = os.pipe()
        self._from, answers = os.pipe()
        # It speaks on 3 and 4; the ends meant for it may be those very numbers, so they are moved away first.
        words = [str(CHROMIUM), *_FLAGS, f"--user-data-dir={self._folder}", "about:blank"]
        script = f'exec 98<&{commands} 99>&{answers}; exec "$@" 3<&98 4>&99 98<&- 99>&-'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "sh", *words],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **places},
        )
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._number = 0
        self.logs: list[dict] = []
        self._session = ""
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        opened = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = opened["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._session = ""
        with contextlib.suppress(OSError, EOFError):
            self.call("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._folder, ignore_errors=True)

    def call(self, method: str, **parameters) -> dict:
        """The result of one command."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            if answer.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.logs.append(answer["params"])

    def show(self, address: str, width: int = 1280, height: int = 800, dark: bool = False) -> None:
        """Open an address in a window of that size."""
        phone = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=address)

    def value(self, expression: str):
        """What a piece of JavaScript gives."""
        said = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return said["result"].get("value")

    def wait(self, expression: str, patience: float = PATIENCE) -> None:
        """Until a piece of JavaScript is true."""
        until = time.monotonic() + patience
        while not self.value(expression):
            if time.monotonic() > until:
                text = self.value("document.body.innerText")
                raise AssertionError(f"never true: {expression}\n{text}\n{self.logs}")
            time.sleep(0.1)

    def picture(self, path: Path, whole: bool = False) -> None:
        """Save what is seen as PNG; `whole`: the page to its end."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _read(self) -> dict:
        while b"\0" not in self._buffer:
            data = os.read(self._from, 1 << 20)
            if not data:
                raise EOFError("the browser is gone")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(line)
