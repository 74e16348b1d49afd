"""`--check`: looks at everything, runs nothing, and puts a remedy beside each fault."""

from __future__ import annotations

import math
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from capture import Probe, probe
from capture.address import Resolved, resolve_all
from core.errors import StreamError
from core.masking import masked
from core.settings import CaptureConfig, Settings
from outputs import NETWORK, ending
from outputs.paths import expand, short_of_room
from pipeline.build import Built, build
from pipeline.sinks import LEFT_OUT, sift

AGE_NEEDS = 40.0  # px of face height from which age and mood are worth reading


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        topic: what was looked at.
        words: what was found; for a fault, with the remedy.
        code: exit code of a fault, 0 if it runs.
        advice: it runs, but will not serve well.
    """

    topic: str
    words: str
    code: int = 0
    advice: bool = False

    def __str__(self) -> str:
        mark = "FAULT" if self.code else "note" if self.advice else "ok"
        head = f"{mark:5}  {self.topic:9} "
        return textwrap.fill(self.words, 80, initial_indent=head, subsequent_indent=" " * len(head))


def check(settings: Settings) -> Iterator[Finding]:
    """Everything that a run needs, looked at one after the other."""
    try:
        lanes = resolve_all(settings.sources, settings.capture)
    except StreamError as error:
        yield Finding("source", str(error), error.exit_code)
        lanes = []
    built: Built | None = None
    try:
        built = build(settings)
    except StreamError as error:
        yield Finding("weights", str(error), error.exit_code)
    if built is not None:
        yield from _models(built)
    for entry, lane in zip(settings.sources, lanes, strict=False):  # no lanes after a fault
        for resolved in lane:
            yield from _source(resolved, entry.reading(settings.capture), built)
    yield from _outputs(lanes, settings)


def _models(built: Built) -> Iterator[Finding]:
    yield Finding("device", f"networks run on {built.provider}")
    for model in built.models:
        use = "commercial use allowed" if model.card.commercial else "NO commercial use"
        words = f"{model.role}: {model.card.id}, sha256 {model.sha256[:12]}, {model.card.licence}, {use}"
        yield Finding("weights", words)


def _source(resolved: Resolved, config: CaptureConfig, built: Built | None) -> Iterator[Finding]:
    info, address = resolved
    try:
        seen = probe(info, address, config)
    except StreamError as error:
        yield Finding("source", str(error), error.exit_code)
        return
    width, height = seen.frame.stamp.size
    rate = "" if math.isnan(seen.fps) else f", {seen.fps:.1f} frames/s"
    yield Finding("source", f"{info.name}: {info.kind}, {width}x{height}{rate} {seen.codec}".rstrip())
    if built is not None:
        yield _placement(info.name, seen, built)


def _placement(name: str, seen: Probe, built: Built) -> Finding:
    try:
        faces = built.pipeline.find(seen.frame.image)
    except StreamError as error:
        return Finding("placement", f"{name}: {error}", error.exit_code)
    if not len(faces):
        words = f"{name}: no face in the first picture; try again with somebody there"
        return Finding("placement", words, advice=True)
    height = float(np.median(faces.boxes[:, 3] - faces.boxes[:, 1]))
    words = f"{name}: {len(faces)} face{'s' * (len(faces) > 1)}, {height:.0f} px high"
    if height < AGE_NEEDS:
        words += f"; age needs {AGE_NEEDS:.0f}: move the camera nearer, zoom in, or raise its resolution"
        return Finding("placement", words, advice=True)
    return Finding("placement", words)


def _outputs(lanes: list[list[Resolved]], settings: Settings) -> Iterator[Finding]:
    sources = {info.name: info for lane in lanes for info, _ in lane}
    usable, missed, faults = sift(settings.sinks, sources)
    for fault in faults:
        yield Finding("output", _bare(fault), fault.exit_code)
    for miss in missed:
        yield Finding("output", LEFT_OUT.format(_bare(miss)), advice=True)
    if faults:
        return
    for words in short_of_room(usable, sources):
        yield Finding("output", _bare(words), advice=True)
    for sink in usable:
        if ending(sink.path) in NETWORK:
            words = f"{masked(sink.path)}: is tried only when the run begins"
            yield Finding("output", words, advice=True)
        for path in expand(sink, sources):
            # Folders of `{source}` come with the run, on the disk of the one that holds them.
            there = next(folder for folder in path.resolve().parents if folder.is_dir())
            free = shutil.disk_usage(there).free
            yield Finding("output", f"{path}: can be written, {free / 1e9:.1f} GB free")


def _bare(words: object) -> str:
    """Without what the topic says already."""
    return str(words).removeprefix("output ")
