"""The program beside cameras that go, come back, refuse and freeze: as a shop has them."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import av
import pytest

from tests.program import ended, start
from tests.servers.certificate import certificate, showing
from tests.servers.farm import Farm
from tests.servers.films import faces
from tests.servers.relay import Relay
from tests.servers.rtsp import Camera
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow
FACES = ("--film", "faces", "--size", "640x360", "--rate", "10")


class Watched:
    """A running program whose events are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.rows: list[dict[str, object]] = []

    def until(self, event: str, source: str = "", new: int = 0) -> dict[str, object]:
        """Such a row, perhaps one that came already; with `new`, the so-manyth from now on."""
        fitting = [row for row in self.rows if self._fits(row, event, source)]
        if fitting and not new:
            return fitting[0]
        began, wanted = time.monotonic(), max(new, 1)
        assert self.process.stdout
        while time.monotonic() - began < PATIENCE:
            line = self.process.stdout.readline()
            assert line, f"ended before {event}: {self.process.stderr.read()}"
            self.rows.append(json.loads(line))
            wanted -= self._fits(self.rows[-1], event, source)
            if not wanted:
                return self.rows[-1]
        raise AssertionError(f"no {event} within {PATIENCE:g} s: {self.rows[-3:]}")

    @staticmethod
    def _fits(row, event: str, source: str) -> bool:
        return row["event"] == event and source in ("", row["source"])

    def stop(self, number: int = signal.SIGTERM) -> str:
        """End it; what it said."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        self.rows += [json.loads(line) for line in out.splitlines()]
        assert self.process.returncode == 0, err
        self._times_never_fall()
        return err

    def _times_never_fall(self) -> None:
        """In no source, from its start to its end: it may end and come again."""
        last: dict[object, float] = {}
        for row in self.rows:
            source, time_ = row["source"], float(str(row["t"]))
            assert time_ >= last.get(source, 0.0), row
            last[source] = 0.0 if row["event"] == "source_ended" else time_


@contextlib.contextmanager
def watching(*words: str | Path, **environment: str) -> Iterator[Watched]:
    """The program with these words, its events on stdout."""
    process = start(*words, "-o", "-", **environment)
    try:
        yield Watched(process)
    finally:
        process.kill()
        process.communicate()


def settings(folder: Path, *sources: str) -> Path:
    file = folder / "shop.yaml"
    file.write_text("sources:\n" + "".join(f"  - {source}\n" for source in sources))
    return file


def sums_up(summary: Path):
    """The sources of a summary by name; every frame is accounted for."""
    sources = {source["name"]: source for source in json.loads(summary.read_text())["sources"]}
    for source in sources.values():
        assert source["frames_in"] == source["frames_out"] + sum(source["drops"].values())
    return sources


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks")
def test_a_second_run_into_the_same_files_is_refused_and_spoils_none(tmp_path) -> None:
    files = [tmp_path / name for name in ("o.csv", "o.jsonl", "o.mp4")]
    outputs = [word for file in files for word in ("-o", file)]
    with Farm(*FACES) as farm:
        words = ("-s", farm.addresses[0], *outputs, "--set", "events.interval=0")
        with watching(*words) as run:
            run.until("track_updated", new=5)
            second = start(*words)
            said, code = ended(second)[1], second.returncode
            run.until("track_updated", new=5)
            run.stop()

    assert (code, said.count("another run writes this file")) == (6, len(files))
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["o.csv", "o.jsonl", "o.mp4"]
    rows = [json.loads(line) for line in files[1].read_text().splitlines()]
    assert rows == run.rows
    with av.open(str(files[2])) as film:
        pictures = sum(1 for _ in film.decode(video=0))
    assert pictures >= len({row["frame"] for row in rows if row["event"] == "track_updated"})


def test_a_camera_that_goes_and_comes_back_is_in_the_record_and_the_other_goes_on(tmp_path) -> None:
    with Farm("--cameras", "2", *FACES) as farm:
        door, till = farm.addresses
        config = settings(
            tmp_path, f"{{name: door, address: '{door}'}}", f"{{name: till, address: '{till}'}}"
        )
        with watching("--config", config, "-o", tmp_path / "s.json", "--set", "events.interval=0") as run:
            run.until("track_started", "door")
            run.until("track_started", "till")
            farm.order(0, "refuse")
            farm.order(0, "drop")
            lost = run.until("source_lost", "door")
            run.until("track_ended", "door")
            run.until("track_updated", "till", new=30)
            farm.order(0, "listen")
            back = run.until("source_back", "door")
            run.until("track_started", "door", new=1)
            said = run.stop()

    assert lost["reason"] in ("ended", "broken", "refused")
    assert "127.0.0.1" in str(lost["error"])
    assert back["seconds"] >= lost["t"] - lost["last_t"]
    assert said.count("camera 'door'") == 2  # lost, and back
    times = [row["t"] for row in run.rows if row["source"] == "till" and "id" in row]
    assert max(b - a for a, b in pairwise(times)) < 1.0
    sources = sums_up(tmp_path / "s.json")
    assert sources["door"]["reconnects"] == 1
    assert sources["till"]["reconnects"] == 0
    ids = [row["id"] for row in run.rows if row["event"] == "track_ended" and row["source"] == "door"]
    assert len(set(ids)) == len(ids) >= 2


def test_a_camera_that_is_off_at_the_start_stops_nobody_and_comes_when_it_is_there(tmp_path) -> None:
    with Farm("--cameras", "2", *FACES) as farm:
        farm.order(0, "refuse")
        words = [word for address in farm.addresses for word in ("-s", address)]
        with watching(*words) as run:
            lost = run.until("source_lost")
            other = run.until("track_started")
            farm.order(0, "listen")
            back = run.until("source_back", str(lost["source"]))
            run.until("source_started", str(lost["source"]))
            run.stop()

    assert lost["reason"] == "refused"
    assert (lost["t"], lost["last_t"]) == (0.0, None)
    assert lost["utc"] is not None
    assert back["seconds"] > 0
    assert other["source"] != lost["source"]


def test_if_no_camera_opens_the_program_ends_and_names_each_unless_it_shall_wait() -> None:
    with Farm("--cameras", "2", *FACES) as farm:
        for camera in (0, 1):
            farm.order(camera, "refuse")
        words = [word for address in farm.addresses for word in ("-s", address)]
        process = start(*words)
        _, said = ended(process)
        with watching(*words, "--set", "capture.wait=true") as run:
            run.until("source_lost", new=2)
            farm.order(1, "listen")
            run.until("source_started")
            run.stop()

    assert process.returncode == 4
    assert said.count("nobody listens there") >= 2
    assert "capture.wait=true" in said
    assert said.splitlines()[-1].startswith("error: ")


def test_one_camera_that_shall_be_waited_for_keeps_the_program_and_its_record_names_what_is_wrong(
    tmp_path,
) -> None:
    with Farm("--cameras", "2", *FACES) as farm:
        for camera in (0, 1):
            farm.order(camera, "refuse")
        door, till = farm.addresses
        patient = f"{{name: door, address: '{door}', capture: {{wait: true}}}}"
        config = settings(tmp_path, patient, f"{{name: till, address: '{till}'}}")
        with watching("--config", config, "-o", tmp_path / "s.json") as run:
            run.until("source_lost", "door")
            run.until("source_lost", "till")
            farm.order(1, "listen")
            run.until("source_started", "till")
            run.stop()

    (ended,) = [row for row in run.rows if row["event"] == "source_ended" and row["source"] == "door"]
    assert (ended["reason"], "nobody listens" in str(ended["error"])) == ("stopped", True)
    assert "nobody listens" in str(sums_up(tmp_path / "s.json")["door"]["error"])


def test_sources_come_and_go_while_the_others_lose_no_frame(tmp_path) -> None:
    with Farm("--cameras", "3", *FACES) as farm:
        entries = [f"{{name: cam{i}, address: '{address}'}}" for i, address in enumerate(farm.addresses)]
        config = settings(tmp_path, *entries[:2])
        summary, every = tmp_path / "s.json", ("--set", "events.interval=0")
        outputs = ("-o", summary, "-o", tmp_path / "{source}-{began}.csv")
        with watching("--config", config, *outputs, *every) as run:
            run.until("track_started", "cam0")
            run.until("track_started", "cam1")
            settings(tmp_path, *entries[1:])
            run.process.send_signal(signal.SIGHUP)
            ended = run.until("source_ended", "cam0")
            run.until("track_started", "cam2")
            settings(tmp_path, "{name: cam1}")  # cannot be used: all goes on
            run.process.send_signal(signal.SIGHUP)
            run.until("track_updated", "cam1", new=15)
            said = run.stop()

    assert ended["reason"] == "removed"
    assert "settings read anew; ending: cam0; beginning: cam2" in said
    assert "only sources change" not in said
    assert "all goes on as before" in said
    assert run.rows[-1]["source"] in ("cam1", "cam2")
    times = [row["t"] for row in run.rows if row["source"] == "cam1" and "id" in row]
    assert max(b - a for a, b in pairwise(times)) < 1.0
    assert [row["event"] for row in run.rows if row["source"] == "cam1"].count("track_started") == 1
    sources = sums_up(summary)
    assert set(sources) == {"cam0", "cam1", "cam2"}
    assert all(len(list(tmp_path.glob(f"{name}-20*Z.csv"))) == 1 for name in sources)
    assert sources["cam1"]["reconnects"] == 0


def test_no_password_is_seen_anywhere_not_even_in_the_list_of_processes(tmp_path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    with Farm(*FACES) as farm:
        bare = farm.addresses[0]
        farm.order(0, "faults", status=401)
        config = settings(
            tmp_path,
            f"{{name: door, address: '{bare}', user: admin, password_file: {tmp_path / 'secret'}}}",
            f"{{name: till, address: '{bare}', user: admin, password: '${{TILL}}'}}",
        )
        quiet = ("-v", "-o", tmp_path / "s.json", "--set", "capture.wait=true")
        with watching("--config", config, *quiet, TILL="hunter3") as run:
            lost = run.until("source_lost", new=2)
            said = run.stop()
        written = said + json.dumps(run.rows) + (tmp_path / "s.json").read_text()
        login = bare.replace("rtsp://", "rtsp://admin:hunter4@")
        with watching("-s", login, "-v", "--set", "capture.wait=true") as run:
            run.until("source_lost")
            listed = Path(f"/proc/{run.process.pid}/cmdline")
            shown = listed.read_bytes() if listed.exists() else b"rtsp://***@"
            written += run.stop() + json.dumps(run.rows)

    assert lost["reason"] == "denied"
    assert "hunter" not in written
    assert b"hunter" not in shown
    assert b"rtsp://***@" in shown


def test_an_encrypted_camera_comes_back_after_a_drop_and_its_password_is_nowhere(tmp_path) -> None:
    film = faces(40, (640, 360))
    security = showing(*certificate(tmp_path))
    with Camera(pictures=film, rate=10, security=security, user="admin", password="hunter2") as camera:
        entry = f"{{name: door, address: '{camera.address()}', user: admin, password: hunter2}}"
        quiet = ("-v", "-o", tmp_path / "s.json")
        with watching("--config", settings(tmp_path, entry), *quiet) as run:
            run.until("track_started")
            camera.refuse()
            camera.drop()
            run.until("source_lost")
            run.until("track_ended")
            camera.listen()
            run.until("source_back")
            run.until("track_started", new=1)
            said = run.stop()

    assert sums_up(tmp_path / "s.json")["door"]["reconnects"] == 1
    assert "hunter" not in said + json.dumps(run.rows) + (tmp_path / "s.json").read_text()


def test_a_new_start_keeps_the_visits_of_the_last_one(tmp_path) -> None:
    with Farm(*FACES) as farm:
        for _ in range(2):
            with watching("-s", farm.addresses[0], "-o", tmp_path / "visits.csv") as run:
                run.until("track_started")
                said = run.stop()

    kept = list(tmp_path.glob("visits-until-20*Z.csv"))
    assert f"kept what was written before: {kept[0]}" in said.replace("\n", "")
    assert all(len(path.read_text().splitlines()) > 1 for path in (*kept, tmp_path / "visits.csv"))


def test_outside_of_the_opening_hours_a_camera_is_not_even_called(tmp_path) -> None:
    hour = (time.localtime().tm_hour + 12) % 24
    with Farm(*FACES) as farm:
        farm.order(0, "refuse")
        entry = f"{{name: door, address: '{farm.addresses[0]}', hours: '{hour:02d}:00-{hour:02d}:01'}}"
        with watching("--config", settings(tmp_path, entry), "-o", tmp_path / "s.json") as run:
            run.until("source_closed")
            run.stop()

    assert [row["event"] for row in run.rows] == ["source_closed", "source_ended"]
    assert sums_up(tmp_path / "s.json")["door"]["frames_in"] == 0


def test_faces_in_an_ignored_area_are_nobody(tmp_path) -> None:
    with Farm(*FACES) as farm:
        whole = "[[[0, 0], [1, 0], [1, 1], [0, 1]]]"
        entry = f"{{name: door, address: '{farm.addresses[0]}', ignore: {whole}}}"
        words = ("--config", settings(tmp_path, entry), "-o", tmp_path / "s.json", "--max-seconds", "3")
        process = start(*words)
        ended(process)

    assert process.returncode == 0
    assert sums_up(tmp_path / "s.json")["door"]["tracks"] == 0


def test_a_stall_is_told_within_its_limit_and_no_picture_is_given_late() -> None:
    soon = ("--set", "capture.stall_timeout=1.5", "--set", "events.interval=0")
    with Farm(*FACES) as farm, watching("-s", farm.addresses[0], *soon) as run:
        run.until("track_started")
        farm.order(0, "stall")
        lost = run.until("source_lost")
        farm.order(0, "resume")
        back = run.until("source_back")
        run.stop()

    assert lost["reason"] == "stalled"
    assert 1.3 < lost["t"] - lost["last_t"] < 2.5
    assert back["seconds"] > 1.5


def test_what_waited_in_a_stalled_network_is_dropped_and_nobody_loses_their_id(tmp_path) -> None:
    with Farm(*FACES) as farm:
        address = urlsplit(farm.addresses[0])
        with Relay(address.port) as network:
            there = address._replace(netloc=f"127.0.0.1:{network.port}").geturl()
            words = ("--set", "events.interval=0", "--set", "tracker.max_gap=3", "-o", tmp_path / "s.json")
            with watching("-s", there, *words) as run:
                run.until("track_updated", new=10)
                network.hold()
                time.sleep(1.8)  # less than a track lives unseen
                network.release()
                run.until("track_updated", new=20)
                run.stop()

    (camera,) = sums_up(tmp_path / "s.json").values()
    assert 5 <= camera["drops"]["stalled"] <= 20
    assert camera["tracks"] == 1
    assert camera["reconnects"] == 0


@pytest.mark.parametrize("coding", ["h264", "main10"])
def test_a_frozen_picture_is_told_and_so_is_its_end(coding) -> None:
    soon = ("--set", "capture.frozen_after=3")
    with Farm("--coding", coding, *FACES) as farm, watching("-s", farm.addresses[0], *soon) as run:
        run.until("track_started")
        farm.order(0, "freeze")
        frozen = run.until("source_frozen")
        farm.order(0, "show")
        moving = run.until("source_moving")
        run.stop()

    assert frozen["reason"] == "frozen"
    assert moving["t"] > frozen["t"]
    assert not any(row["event"] == "source_lost" for row in run.rows)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="systemd is Linux's")
def test_systemd_hears_that_the_program_is_ready_and_alive_though_no_camera_is_there(tmp_path) -> None:
    with Farm(*FACES) as farm, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        farm.order(0, "refuse")
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
        with watching("-s", farm.addresses[0], "--set", "capture.wait=true", **told) as run:
            heard = [systemd.recv(500).decode() for _ in range(4)]
            run.stop()

    assert heard[0].startswith("READY=1\nWATCHDOG=1\nSTATUS=0 of ")
    assert heard[3].startswith("WATCHDOG=1\nSTATUS=0 of 1 sources up")
