"""Watches a camera or a video: one id a person, with age, gender and mood, and honest uncertainty.

The command line: reads the settings, opens everything, runs the loop, closes everything.
"""

from __future__ import annotations

import argparse
import io
import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

from core.command import ended
from core.errors import ConfigError, StreamError
from core.logs import set_up
from core.masking import hidden

if TYPE_CHECKING:  # imported when needed: a wrong word is answered at once
    from types import FrameType

    from core.settings import Settings
    from pipeline.loop import Loop

HERE = Path(__file__).parent
VERSION = "0.1.0"
ABOUT = """\
Finds the faces in a camera or a video, gives each person one id, and says how
old they are, their gender and their mood, with honest uncertainty.
"""
EXAMPLES = """\
examples:
  stream.py -s 0                       watch the first webcam in a window
  stream.py -s film.mp4 -o out.mp4 -o out.jsonl
                                       annotate a film, write what was seen
  stream.py -s rtsp://10.0.0.7 -o visits.csv --set estimators.profile=permissive
                                       a store camera; a line a visit, from
                                       networks that are free for any use
  stream.py --config shop.yaml -o http://:8080/
                                       cameras of a settings file, and a page
  stream.py -s door.mp4 -s till.mp4 -o '{source}.jsonl'
                                       several at once, a file each
  stream.py -s photos/ -o faces.csv    a folder of unrelated photographs
  stream.py -s 0 --check               is everything in place?
exit codes: 0 done; 2 usage or settings; 3 weights or device; 4 a source;
            5 a stage; 6 an output
"""


class Parser(argparse.ArgumentParser):
    """argparse, with our form of an error."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong; the last line is the error, and the exit code 2."""
        self.print_usage(sys.stderr)
        raise ConfigError(f"{message}. See: stream.py --help")


def parser() -> Parser:
    """The command line."""
    p = Parser(
        prog="stream.py",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    p.add_argument(
        "-s",
        "--source",
        action="append",
        default=[],
        metavar="SRC",
        help="camera number, file, folder, address, or demo; may be repeated",
    )
    p.add_argument(
        "-o",
        "--output",
        action="append",
        default=[],
        metavar="OUT",
        help=".mp4 .mkv video, .jsonl events, .csv visits, .txt MOTChallenge, .json summary, - events on "
        "stdout, http://:8080/ pages, rtsp:// mqtt:// webhook+https:// addresses; may be repeated",
    )
    p.add_argument("--every-look", metavar="CSV", help="each raw look beside the belief, for researchers")
    p.add_argument("--config", action="append", default=[], metavar="FILE", help="settings over config.yaml")
    p.add_argument("--set", action="append", default=[], metavar="A.B=V", help="one setting over all")
    p.add_argument("--device", choices=("auto", "cpu", "cuda", "tensorrt"), help="where networks run")
    p.add_argument("--detector", metavar="NAME", help="yunet, retinaface or scrfd")
    p.add_argument(
        "--from", dest="begin", type=_number, metavar="S", help="skip the first S seconds of files"
    )
    p.add_argument("--to", dest="end", type=_number, metavar="S", help="end files at second S")
    p.add_argument("--start", metavar="ISO", help="date and time of a recording's first frame")
    p.add_argument("--max-seconds", type=_seconds, metavar="S", help="stop after S seconds of video")
    p.add_argument("--no-window", action="store_true", help="show nothing, even where there is a display")
    p.add_argument("--check", action="store_true", help="look at everything, run nothing, say what to mend")
    p.add_argument("--list-cameras", action="store_true", help="the cameras of this machine")
    p.add_argument("-v", "--verbose", action="store_true", help="say more; tracebacks of failures too")
    p.add_argument("--version", action="version", version=f"stream.py {VERSION}")
    return p


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}': expected seconds, such as 60") from error


def _seconds(text: str) -> float:
    seconds = _number(text)
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}': expected seconds, more than 0, such as 60")
    return seconds


class Stopper:
    """The first signal asks the loop to end in order; the second one ends the process."""

    def __init__(self) -> None:
        self.loop: Loop | None = None
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self._on_hangup)

    def _on_hangup(self, _number: int, _frame: FrameType | None) -> None:
        if self.loop is not None:
            self.loop.reload()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.asked:
            os._exit(128 + number)
        self.asked = True
        if self.loop is not None:
            self.loop.stop()

    def watch(self, loop: Loop) -> None:
        """Hand signals to this loop from now on, one that came before included."""
        self.loop = loop
        if self.asked:
            loop.stop()


def main(words: Sequence[str] | None = None) -> int:
    """Run the program; the exit code."""
    return ended(partial(_main, words))


def _main(words: Sequence[str] | None) -> int:
    stopper = Stopper()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that the terminal cannot show must not end a report
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _hide(sys.argv[1:] if words is None else words)
        try:
            options = parser().parse_args(words)
        except BrokenPipeError:  # some Pythons let it out of --help; whoever read it has enough
            return 0
        _log(options.verbose)
        return _run(options, stopper)
    except StreamError:
        raise
    except Exception as error:  # a fault of ours: no wall of text at a user, -v shows it
        logging.getLogger(__name__).debug("unexpected", exc_info=True)
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise StreamError(f"{told} (unexpected; -v says more)") from error


def _run(options: argparse.Namespace, stopper: Stopper) -> int:
    if options.list_cameras:
        from capture.webcam import list_cameras

        with suppress(BrokenPipeError):  # whoever read it has enough
            print("\n".join(str(camera) for camera in list_cameras()) or "no camera found")
        return 0
    settings = read_settings(options)
    if not settings.sources:
        raise ConfigError("no source: say what to watch, such as -s 0 or -s film.mp4. See: stream.py --help")
    _log(options.verbose, settings.runtime.log)
    if options.check:
        return _check(settings)
    from pipeline.run import Plan, run

    plan = Plan(
        settings,
        start=_start(options.start),
        max_seconds=float("inf") if options.max_seconds is None else options.max_seconds,
        window=not options.no_window,
        every_look=options.every_look,
        version=VERSION,
        reread=lambda: read_settings(options),
        beat=_notifier(stopper),
    )
    return run(plan, stopper.watch)


def _notifier(stopper: Stopper) -> Callable[[], None]:
    """What tells systemd that the loop is alive, if it was started by it."""
    if "NOTIFY_SOCKET" not in os.environ:
        return lambda: None
    from pipeline.notify import Notifier

    watchdog = float(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    return Notifier(
        os.environ["NOTIFY_SOCKET"], watchdog, lambda: stopper.loop.report.line() if stopper.loop else ""
    )


def _check(settings: Settings) -> int:
    from pipeline.check import check

    codes = []
    for finding in check(settings):
        with suppress(BrokenPipeError):  # whoever read it has enough; the exit code tells all the same
            print(finding, flush=True)
        codes += [finding.code] if finding.code else []
    if codes:
        print(f"error: mend what is marked FAULT, {len(codes)} in all.", file=sys.stderr)
    return codes[0] if codes else 0


def read_settings(options: argparse.Namespace) -> Settings:
    """config.yaml, the files over it, and the words of the command line over all."""
    from core.config import load_settings
    from core.settings import SinkConfig, SourceConfig

    given = (
        ("--device", "runtime.device", options.device),
        ("--detector", "detector.name", options.detector),
        ("--from", "capture.from", options.begin),
        ("--to", "capture.to", options.end),
    )
    base = [HERE / "config.yaml"] if (HERE / "config.yaml").exists() else []
    typed = [option for option in given if option[2] is not None]
    settings = load_settings([*base, *map(Path, options.config)], options.set, options=typed)
    changes: dict[str, object] = {}
    if options.source:
        changes["sources"] = tuple(SourceConfig(address=address) for address in options.source)
    if "" in options.output:
        raise ConfigError("-o: the path is empty; name a file, such as -o out.mp4.")
    if options.every_look is not None and not options.every_look.lower().endswith(".csv"):
        raise ConfigError(f"--every-look {options.every_look}: name a file that ends in .csv.")
    if options.every_look is not None and "{source}" in options.every_look:
        raise ConfigError("--every-look: one file holds the looks of all sources; leave {source} out.")
    if options.output:
        changes["sinks"] = tuple(SinkConfig(path=path) for path in options.output)
    return settings.model_copy(update=changes)


def _start(text: str | None) -> float:
    """UTC seconds of an ISO 8601 date and time; without a zone it is this machine's."""
    from datetime import datetime

    if text is None:
        return float("nan")
    try:
        start = datetime.fromisoformat(text)
        if not 1900 <= start.year <= 9000:  # room for the length of any recording
            raise ValueError(text)
        return start.timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(f"--start {text}: expected a time such as 2026-11-23T09:00:00Z.") from error


def _log(verbose: bool, form: Literal["text", "json"] = "text") -> None:
    set_up(verbose, form)
    threading.excepthook = lambda args: logging.getLogger(args.thread.name if args.thread else "").error(
        "%s", args.exc_value
    )


def _hide(words: Sequence[str]) -> None:
    """Take passwords out of what lists of processes show, if there are any in the command line."""
    shown = [hidden(word) for word in words]
    if shown != list(words):
        from setproctitle import setproctitle

        setproctitle(" ".join(["stream.py", *shown]))


if __name__ == "__main__":
    code = main()
    # All is written. Python puts the default actions back as it ends, and a signal that comes
    # then would still turn a good end into a bad one.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)
