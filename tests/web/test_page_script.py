"""The script of the page without a browser: what its tiles say, by Node and made-up elements."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from tests.web.run import Run, up
from web.app import PAGE
from web.health import health

NODE = shutil.which("node")
NOW = datetime(2026, 11, 30, 12, 8, 39, tzinfo=UTC)  # a Monday
pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node")

# Shows what /health says, one answer after the other; prints what the tile says and whether it has a picture.
SCRIPT = """
const [now, answers] = JSON.parse(process.argv[2]);
class Element {
  textContent = ""; src = ""; dataset = {}; parts = {}; naturalWidth = 0;
  style = { setProperty() {} }; classList = { add() {}, remove() {}, toggle() {} };
  get content() { return { firstElementChild: this }; }
  cloneNode() { return new Element(); }
  querySelector(words) { return this.parts[words] ??= new Element(); }
  querySelectorAll() { return []; }
  removeAttribute(name) { this[name] = ""; }
  setAttribute() {} addEventListener() {} append() {}
}
const ids = {};
const page = require("vm").createContext({
  document: { getElementById: id => ids[id] ??= new Element(), addEventListener() {}, hidden: false },
  IntersectionObserver: class { observe() {} }, AbortSignal, setTimeout() {}, clearTimeout() {}, console,
  fetch: () => new Promise(() => {}),
});
const run = words => require("vm").runInContext(words, page);
run(`Date = class extends Date {
  constructor(...given) { super(...(given.length ? given : [${now}])); }
  static now() { return ${now}; }
}`);
run(require("fs").readFileSync(0, "utf8"));
run("connected = true");
for (const answer of answers) {
  run(`show(${JSON.stringify(answer)}); tiles.get("door").visible = true; tiles.get("door").choose();`);
  const tile = run("tiles.get(\'door\').element");
  console.log(JSON.stringify([tile.parts[".message"].textContent, Boolean(tile.parts["img"].src)]));
}
"""


def tells(*states: dict) -> list[tuple[str, bool]]:
    """What the tile of `door` says in each of these states and whether it has a picture."""
    run = Run("door")
    answers = []
    for state in states:
        run.states["door"] = up("door", **state)
        answers.append(health(run()))
    given = json.dumps([NOW.timestamp() * 1000, answers])
    done = subprocess.run(
        [str(NODE), "-e", SCRIPT, "-", given],
        input=(PAGE / "page.js").read_text(encoding="utf-8"),
        env={**os.environ, "TZ": "UTC", "LC_ALL": "en_US.UTF-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("state", ["lost", "frozen"])
def test_a_time_of_another_day_is_said_with_its_day(state: str) -> None:
    hours = [timedelta(hours=h).total_seconds() for h in (1, 13, 49)]

    words = [said for said, _ in tells(*({"state": state, "age": h, "since": h} for h in hours))]

    assert all(" since " in said and ":08:39" in said for said in words)
    assert [day for said in words for day in ("Sat", "Sun", "Mon") if day in said] == ["Sun", "Sat"]
    assert "28" in words[2]
    assert "Nov" in words[2]


def test_an_ended_source_is_said_to_be_and_shows_no_picture() -> None:
    told = tells({}, {"state": "over", "since": 1.0, "age": 1.0}, {"state": "up"})

    assert told == [("", True), ("ended", False), ("", True)]
