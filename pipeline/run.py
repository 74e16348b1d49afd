"""One run of the program: opens everything in order, runs the loop, closes it, sums it up."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from capture import open_source
from core.errors import SinkError, StreamError
from core.protocols import Source
from core.settings import CaptureConfig, Settings, SinkConfig
from core.types import SourceInfo, Stamp
from outputs import NETWORK, PLACE, SUMMARY, ending
from outputs.paths import begun
from outputs.summary import write_summary
from pipeline.build import Built, build
from pipeline.intake import Intake
from pipeline.load import Load
from pipeline.loop import Loop
from pipeline.monitor import Monitor
from pipeline.ports import Outputs, Window
from pipeline.progress import Progress
from pipeline.report import Report, peak_mb
from pipeline.roster import Roster
from pipeline.sinks import check_outputs, open_outputs
from render.renderer import Renderer

log = logging.getLogger(__name__)

EMOTION_NOTICE = (
    "Emotion is estimated. In the EU that is prohibited at work and in education "
    "(AI Act, article 5). To switch it off: --set estimators.emotion=none"
)
LIVE_BLUR = (
    "privacy.blur on a live source: pictures are not held back, so the first ones of "
    "a face that the detector has not found yet show it. See docs/privacy.md."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asked for.

    Attributes:
        settings: all of them, sources and sinks included.
        start: UTC seconds of the first frame of a recording; NaN if not said.
        max_seconds: of each source; infinite if not said.
        window: show one where that is possible.
        every_look: path of the table of raw looks, if wanted.
        version: of the program.
        reread: the settings as they stand in their files now; for sources that come and go.
        beat: called at least every 0.1 s while the loop is alive.
    """

    settings: Settings
    start: float = math.nan
    max_seconds: float = math.inf
    window: bool = False
    every_look: str | None = None
    version: str = ""
    reread: Callable[[], Settings] | None = None
    beat: Callable[[], None] = lambda: None


def run(plan: Plan, watch: Callable[[Loop], None]) -> int:
    """Run until the sources end or somebody stops it; the exit code.

    Args:
        plan: what to do.
        watch: told of the loop, so that a signal can stop it.

    Raises:
        StreamError: something could not be opened; nothing has been written then.
    """
    roster = Roster(plan.settings)
    sources = roster.infos
    now = time.time()
    looks = begun([SinkConfig(path=plan.every_look)] if plan.every_look else [], now)
    written = check_outputs([*begun(plan.settings.sinks, now), *looks], sources)
    settings = plan.settings.model_copy(update={"sinks": tuple(s for s in written if s not in looks)})
    plan = replace(plan, settings=settings, every_look=looks[0].path if looks else None)
    built = build(plan.settings)
    _announce(built, plan.settings, sources)
    window = open_window(plan, sources) if plan.window else None
    device = built.provider.removesuffix("ExecutionProvider")
    monitor = Monitor(Report(), sources, plan.version, device, built.pipeline)
    readable = cache(lambda: _readable(roster))
    written, monitor.outlets = open_outputs(written, plan.every_look, sources, readable, monitor)
    loop = _loop(plan, roster, built, monitor, window)
    watch(loop)
    report = loop.run()
    report.looks_run, report.looks_saved = built.pipeline.looks_run, built.pipeline.looks_saved
    report.looks_unfit = built.pipeline.looks_unfit
    for line in report.words().splitlines():
        log.info("%s", line)
    _write_summaries(written, lambda: summarise(plan, built, report), report)
    if report.failures:
        code, words = report.failures[0]
        raise _Failed(code, words)
    return 0


def _write_summaries(
    sinks: Sequence[SinkConfig], data: Callable[[], Mapping[str, object]], report: Report
) -> None:
    """`data` is asked anew for each: one that cannot be written is told in the next."""
    for sink in sinks:
        if ending(sink.path) != SUMMARY:
            continue
        try:
            write_summary(Path(sink.path), data())
        except SinkError as error:
            if sink.required:
                report.fail(error.exit_code, str(error))
            else:
                log.error("%s", error)


class _Failed(StreamError):
    """The first failure of a run that has been closed in order."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(" ".join(words.split()))
        self.exit_code = code


def _readable(roster: Roster) -> bool:
    """Whether the films give pictures, of those read in turn the first one; what flows is not tried."""
    firsts = (lane[0] for lane in roster.lanes)
    try:
        for info in firsts:
            if info.fault:
                return False
            flows = info.path is not None and not (info.path.is_file() or info.path.is_dir())
            if info.live or flows:
                continue
            source = open_source(info, roster.address(info.name), roster.reading(info.name))
            try:
                if source.read() is None:
                    return False
            finally:
                source.close()
    except StreamError:
        return False
    return True


def _announce(built: Built, settings: Settings, sources: Mapping[str, SourceInfo]) -> None:
    for model in built.models:
        log.info("%s: %s (%s), on %s", model.role, model.card.id, model.card.licence, model.session.provider)
    for card in {model.card.id: model.card for model in built.models if not model.card.commercial}.values():
        roles = [model.role for model in built.models if model.card.id == card.id]
        instead = _instead(roles, settings)
        log.warning("%s: not for commercial use%s. %s", card.id, instead, card.terms)
    if settings.estimators.emotion != "none":
        log.info(EMOTION_NOTICE)
    if settings.privacy.blur and any(info.live for info in sources.values()):
        log.warning(LIVE_BLUR)


def _instead(roles: Sequence[str], settings: Settings) -> str:
    """In brackets, the settings by which these roles are free for any use; none is for a detector."""
    if "detector" in roles:
        return ""
    named = [f"estimators.{role}=auto" for role in roles if settings.estimators.roles[role] != "auto"]
    beside = f" with {' and '.join(named)}" if named else ""
    return f" (estimators.profile=permissive{beside} is)"


def open_window(plan: Plan, sources: Mapping[str, SourceInfo]) -> Window | None:
    """A window where one can be shown; else the reason is said."""
    from outputs.window import Window as CvWindow
    from outputs.window import window_available

    reason = window_available()
    if reason is not None:
        log.info("no window: %s", reason)
        return None
    files = [path for sink in plan.settings.sinks if (path := sink.path) != "-" and PLACE not in path]
    files = [path for path in files if ending(path) not in NETWORK]
    return CvWindow(sources, Path(files[0]).parent if files else Path())


def _mirrored(config: CaptureConfig, plan: Plan, window: Window | None) -> CaptureConfig:
    """How to read: unless told, a webcam is a mirror where it is only looked at."""
    only_looked_at = window is not None and not plan.settings.sinks and not plan.every_look
    return config if config.mirror is not None else config.model_copy(update={"mirror": only_looked_at})


def _loop(plan: Plan, roster: Roster, built: Built, monitor: Monitor, window: Window | None) -> Loop:
    settings, outlets = plan.settings, monitor.outlets
    changed = threading.Condition()

    def opened(info: SourceInfo) -> Source:
        config = _mirrored(roster.reading(info.name), plan, window)
        return open_source(info, roster.address(info.name), config, wall=plan.start)

    def intake(infos: Sequence[SourceInfo]) -> Intake:
        return Intake(infos, opened, changed, plan.max_seconds)

    def change() -> tuple[list[Intake], dict[str, str]]:
        coming, leaving = roster.change(plan.reread)
        return [intake(infos) for infos in coming], leaving

    wants = {outlet.wants for outlet in outlets} - {"data"} | ({"drawn"} if window else set())

    def renderer(info: SourceInfo) -> Renderer:
        delay = 0.0 if info.live or info.stills else settings.render.delay
        return Renderer(settings.render, settings.privacy, wants, delay)

    live = all(info.live for info in roster.infos.values() if not info.fault)
    return Loop(
        built.pipeline,
        [intake(infos) for infos in roster.lanes],
        changed,
        Outputs(outlets, window, renderer if wants else None, StatusLine(roster.infos, monitor.device)),
        Progress(shown=window is None),
        settings.runtime.batch_window,
        monitor.report,
        any(roster.reading(name).wait for name in roster.infos),
        Load() if live and settings.runtime.governor else None,
        plan.beat,
        change,
    )


class StatusLine:
    """The words of the status line.

    A file says nothing that depends on this machine's speed: its video is the same each time.
    """

    def __init__(self, sources: Mapping[str, SourceInfo], device: str) -> None:
        self._sources = sources
        self._device = device
        self._said: dict[str, tuple[int, str]] = {}  # by source: the second, and its words

    def __call__(self, stamp: Stamp, report: Report) -> str:
        """For one frame; new once a second, for numbers that flicker cannot be read."""
        second = int(stamp.time)
        if self._said.get(stamp.source, (-1, ""))[0] != second:
            self._said[stamp.source] = (second, self._words(stamp, report))
        return self._said[stamp.source][1]

    def _words(self, stamp: Stamp, report: Report) -> str:
        minutes, seconds = divmod(int(stamp.time), 60)
        words = f"{stamp.source}  {minutes:02d}:{seconds:02d}  {self._device}"
        if not self._sources[stamp.source].live or not report.latencies:
            return words
        source = next(s for s in reversed(report.sources) if s.info.name == stamp.source)
        fps = source.rate_out.per_second(time.monotonic())
        dropped = sum(source.drops.values())
        words = f"{words}  {fps:.0f} fps  {report.latencies[-1] * 1000:.0f} ms  {dropped} dropped"
        return f"{words}  load: {report.shed}" if report.shed else words


def summarise(plan: Plan, built: Built, report: Report) -> dict[str, object]:
    """The summary of a run, as it is written to `.json`."""
    return {
        "version": plan.version,
        "device": plan.settings.runtime.device,
        "provider": built.provider,
        "exit_code": report.exit_code,
        "errors": [words for _, words in report.failures],
        "models": [model.row() for model in built.models],
        "looks_run": report.looks_run,
        "looks_saved": report.looks_saved,
        "looks_unfit": report.looks_unfit,
        "seconds": round(report.seconds, 3),
        "latency_ms": report.latency_ms(),
        "peak_mb": peak_mb(),
        "pictures_dropped": report.pictures_dropped,
        "sources": [source.row() for source in report.sources],
    }
