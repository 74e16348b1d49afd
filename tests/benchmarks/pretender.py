"""Behaves as `stream.py` should, as far as a soak can tell, in a few lines; or leaks, if told to."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av

OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "200000", "fpsprobesize": "0"}
STOP = threading.Event()


class Source:
    """Reads one camera for ever and writes its rows."""

    def __init__(self, address: str, rows, leak: list) -> None:
        self.name = address.split("/")[2].replace(":", "_")
        self.frames = self.reconnects = 0
        self.newest = time.monotonic()
        self._address, self._rows, self._leak = address, rows, leak

    def run(self) -> None:
        while not STOP.is_set():
            with suppress(av.error.FFmpegError), av.open(self._address, timeout=3.0, options=OPTIONS) as film:
                if self.frames:
                    self.reconnects += 1
                    self._row("source_back")
                for _ in film.decode(video=0):
                    if STOP.is_set():
                        return
                    self._row("track_updated")
                    self.frames, self.newest = self.frames + 1, time.monotonic()
                    if self._leak is not None and self.frames % 10 == 0:
                        self._leak.append(open(os.devnull))  # noqa: PTH123, SIM115
            self._row("source_lost")
            STOP.wait(1.0)

    def _row(self, event: str) -> None:
        row = {"event": event, "source": self.name, "frame": self.frames, "utc": str(datetime.now(UTC))}
        self._rows.write(json.dumps(row) + "\n")
        self._rows.flush()

    def metrics(self) -> str:
        values = {
            "stream_frames_in_total": self.frames,
            "stream_frames_out_total": self.frames,
            'stream_drops_total{cause="late"}': 0,
            "stream_frame_age_seconds": time.monotonic() - self.newest,
            "stream_reconnects_total": self.reconnects,
            "stream_people_total": 0,
        }
        label = f'source="{self.name}"'
        return "".join(
            f"{key[:-1]},{label}}} {value}\n" if key.endswith("}") else f"{key}{{{label}}} {value}\n"
            for key, value in values.items()
        )

    def row(self) -> dict:
        counts = {"frames_in": self.frames, "frames_out": self.frames, "drops": {"late": 0}}
        return {"name": self.name, **counts, "tracks": 1, "static": 0}


def serve(address: str, sources: list[Source]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write("".join(source.metrics() for source in sources).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", int(address.rstrip("/").rpartition(":")[2])), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("vice")
    parser.add_argument("-s", action="append")
    parser.add_argument("-o", action="append")
    asked, _ = parser.parse_known_args()
    rows, summary, pages = asked.o
    signal.signal(signal.SIGINT, lambda *_: STOP.set())
    with Path(rows).open("w", encoding="utf-8") as file:
        leak = [] if asked.vice == "leak" else None
        sources = [Source(address, file, leak) for address in asked.s]
        threads = [threading.Thread(target=source.run) for source in sources]
        server = serve(pages, sources)
        for thread in threads:
            thread.start()
        STOP.wait()
        for thread in threads:
            thread.join()
        server.shutdown()
    found = {"latency_ms": {"p50": 1.0, "p95": 2.0}, "sources": [source.row() for source in sources]}
    Path(summary).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
