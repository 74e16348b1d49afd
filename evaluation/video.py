"""How steady and how right the answers about tracks are, with and without fusion and spared looks.

Either -s: any film, as stream.py takes it, or the demo. Or --data: films made of labelled stills that no
number was fitted on, so that the truth is known. Three ways of answering are set side by side: as the
stream does; the newest look alone; and fused, with a look at every face of every frame.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from capture import open_source
from capture.address import resolve_all
from core.config import load_settings
from core.errors import ConfigError
from core.protocols import Source
from core.settings import Settings, SourceConfig
from core.types import Frame, Gap
from evaluation.clips import Clip, make_clip
from evaluation.layouts import chosen, opened, sets
from evaluation.layouts.entry import Entry
from evaluation.options import made, natural, whole
from evaluation.progress import watched
from evaluation.report import Figure, Plot, Report, Table
from evaluation.samples import RACES
from evaluation.video_figures import Person, coverage, groups, steadiness, surest, table, truthfulness
from evaluation.video_plots import drawings
from evaluation.video_tracks import Moment, Replay, belonging, every_look, play, record
from pipeline.build import Built, build

STREAM, NEWEST, EVERY = "as the stream", "newest look alone", "every face, every frame"
SUFFIX = {STREAM: "", NEWEST: "_newest_look", EVERY: "_every_frame"}


@dataclass(slots=True)
class Answers:
    """What one way of answering said about all tracks, and how many looks it took and spared."""

    people: list[Person] = field(default_factory=list)
    run: int = 0
    saved: int = 0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this task."""
    add = parser.add_argument
    add("-s", "--source", action="append", metavar="SRC", help="a film, a folder of films, or demo; repeat")
    add("--data", type=Path, help="labelled stills to make films of: a set of faces, or a folder of packs")
    add("--layout", default="auto", help="which set is in --data (auto)")
    add(
        "--part",
        choices=["all", "train", "tune", "report"],
        default="report",
        help="stills, by hash (report)",
    )
    add("--limit", type=whole, default=200, help="films made of each set (200)")
    add("--fps", type=float, default=10.0, help="frames/s of the films made (10)")
    add("--seed", type=natural, default=0, help="of the films made (0)")
    add("--set", action="append", default=[], metavar="A.B=V", help="a setting, as stream.py takes it")
    add("--out", type=Path, help="folder for the report")


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write under --out.

    Raises:
        ConfigError: options that do not go together, or a set that is not recognised.
        SourceError, WeightsError, DeviceError: a film or a network cannot be used.
        SinkError: the report cannot be written.
    """
    if (options.source is None) == (options.data is None):
        raise ConfigError("video: give either -s (films) or --data (labelled stills).")
    if not 1 <= options.fps <= 60:
        raise ConfigError("video: expected for --fps 1 to 60.")
    made(options.out)
    report = measure(options, load_settings([], options.set))
    print(report.text())
    if options.out is not None:
        report.write(options.out)


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """Every way of answering, on the films that the options ask for."""
    began = time.perf_counter()
    built = build(every_look(settings))
    stream = Replay(settings.looks, settings.evidence, static_after=settings.tracker.static_after)
    ways = {
        STREAM: stream,
        NEWEST: replace(stream, fused=False),
        EVERY: replace(stream, looks=every_look(settings).looks),
    }
    answers = {name: Answers() for name in ways}
    missed = 0
    for moments, clip in _recorded(options, settings, built):
        ids = None if clip is None else belonging(moments, clip.boxes)
        for name, way in ways.items():
            found = _answer(answers[name], moments, way, ids, clip)
            missed += name == STREAM and options.data is not None and not found
    where = "; ".join(options.source or [f"{options.data.name} ({options.part}, seed {options.seed})"])
    return _report(
        where, answers, missed, [model.row() for model in built.models], time.perf_counter() - began
    )


def _answer(
    answers: Answers, moments: Sequence[Moment], way: Replay, ids: set[int] | None, clip: Clip | None
) -> int:
    """Add what one way says about the tracks of a film; how many of them got an answer."""
    histories, saved = play(moments, way)
    answers.saved += saved
    answers.run += sum(history.looks for history in histories.values())
    kept = [h for track, h in histories.items() if h.times and (ids is None or track in ids)]
    sample = None if clip is None else clip.sample
    for history in kept:
        if sample is None:
            answers.people.append(Person(history))
        else:
            race = RACES[sample.race] if sample.race >= 0 else ""
            answers.people.append(Person(history, sample.age, sample.female, race))
    return len(kept)


def _recorded(
    options: argparse.Namespace, settings: Settings, built: Built
) -> Iterator[tuple[list[Moment], Clip | None]]:
    if options.data is None:
        given = [SourceConfig(address=address) for address in options.source]
        for info, address in (one for found in resolve_all(given, settings.capture) for one in found):
            if info.live or info.stills:
                raise ConfigError(f"video: '{info.address}' is no film; give files or demo.")
            source = open_source(info, address, settings.capture)
            try:
                frames = watched(_frames(source), None, "video")
                yield record(built.pipeline, info.name, frames), None
            finally:
                source.close()
        return
    entries = stills(options)
    for i, sample in enumerate(watched(opened(entries, keep=True), len(entries), "video")):
        if not sample.image.size:
            yield [], None
            continue
        clip = make_clip(sample, options.fps, options.seed)
        yield record(built.pipeline, f"clip{i}", clip.frames(f"clip{i}")), clip


def _frames(source: Source) -> Iterator[Frame]:
    while (item := source.read()) is not None:
        if not isinstance(item, Gap):
            yield item


def stills(options: argparse.Namespace) -> list[Entry]:
    """The stills of the part asked for, so many of each set; only those with a sound age and gender.

    Raises:
        ConfigError: no set is recognised, or none has such stills.
    """
    found: list[Entry] = []
    for one in sets(options.data, options.layout):
        labelled = [
            entry
            for entry in one.entries
            if entry.labels.sound
            and not np.isnan(entry.labels.age + entry.labels.female)
            and options.part in ("all", entry.labels.part)
        ]
        found += chosen(labelled, options.limit)
    if not found:
        raise ConfigError(f"{options.data}: no stills with age and gender in the part '{options.part}'.")
    return found


def _report(
    where: str, answers: dict[str, Answers], missed: int, models: Sequence[dict[str, object]], seconds: float
) -> Report:
    columns = {name: _figures(answer) for name, answer in answers.items()}
    metrics = {key + SUFFIX[name]: one for name, figures in columns.items() for key, one in figures.items()}
    people = answers[STREAM].people
    parts = groups(people)
    by_group = {name: truthfulness(members) | steadiness(members) for name, members in parts.items()}
    tables = [table(f"{where}: {len(people)} tracks, {missed} films without an answer", columns)]
    plots: list[Plot] = []
    if by_group:
        counts, sure = {name: len(members) for name, members in parts.items()}, surest(people)
        tables += [_group_table(by_group, counts), coverage(sure)]
        plots += drawings(by_group, counts, sure)
    return Report("video", where, len(people), missed, metrics, by_group, models, seconds, tables, plots)


def _figures(answers: Answers) -> dict[str, Figure]:
    figures = steadiness(answers.people)
    for name, count in (("looks_run", answers.run), ("looks_saved", answers.saved)):
        figures[name] = Figure(float(count), float(count), float(count))
    if any(not np.isnan(person.age) for person in answers.people):
        figures |= truthfulness(answers.people)
    return figures


def _group_table(by_group: dict[str, dict[str, Figure]], counts: dict[str, int]) -> Table:
    names = list(next(iter(by_group.values())))
    rows = [
        [name, str(counts[name]), *(figures[key].short for key in names)]
        for name, figures in by_group.items()
    ]
    return Table("By group, as the stream", ("group", "n", *names), rows)
