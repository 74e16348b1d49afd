"""Where results go: files by the ending of their path, the standard output, a window."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path

from core.errors import ConfigError
from core.masking import login_end, masked
from core.protocols import Sink
from core.registry import load
from core.settings import SinkConfig
from core.status import Status
from core.types import SourceInfo

REGISTRY = {
    "-": "outputs.jsonl:JsonLines",
    ".jsonl": "outputs.jsonl:JsonLines",
    ".csv": "outputs.visits_csv:VisitsCsv",
    ".looks.csv": "outputs.looks_csv:LooksCsv",
    ".txt": "outputs.mot:MotText",
    ".mp4": "outputs.video:VideoFile",
    ".mkv": "outputs.video:VideoFile",
}
# By the scheme of an address. Each is made from its settings, the sources by name, and a function that says
# how the run is doing.
NETWORK = {
    "mqtt": "outputs.mqtt:Mqtt",
    "mqtts": "outputs.mqtt:Mqtt",
    "webhook+http": "outputs.webhook:Webhook",
    "webhook+https": "outputs.webhook:Webhook",
    "http": "web.sink:WebPages",
    "rtsp": "outputs.rtsp:RtspPublisher",
}
SUMMARY = ".json"  # of the whole run, hence no sink: see `write_summary`
ONE_SOURCE = (".txt", ".mp4", ".mkv")  # nothing in them tells sources apart
PLACE = "{source}"
BEGAN = "{began}"

_WORDS = (
    ".mp4 or .mkv (video), .jsonl (events), .csv (visits), .looks.csv (every look), "
    ".txt (MOTChallenge), .json (summary), - (events on the standard output); or an address: "
    "http://:PORT/ (pages), rtsp:// (video), mqtt(s)://, webhook+http(s):// (events)"
)
_PLACES = re.compile(r"\{[^{}]*\}")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")


def ending(path: str) -> str:
    """Which output a path asks for: a key of REGISTRY or NETWORK, or SUMMARY.

    Raises:
        ConfigError: none ends like this; the right endings are listed.
    """
    if path == "-":
        return path
    if match := _SCHEME.match(path):
        if match[1].lower() not in NETWORK:
            raise ConfigError(f"output '{masked(path)}': no output has this scheme. There are: {_WORDS}.")
        return match[1].lower()
    name = Path(path).name.lower()
    fitting = [end for end in (*REGISTRY, SUMMARY) if name.endswith(end) and end != "-"]
    if not fitting or name in fitting:
        raise ConfigError(f"output '{path}': no output has this ending. There are: {_WORDS}.")
    return max(fitting, key=len)


def open_sink(
    config: SinkConfig, sources: Mapping[str, SourceInfo], status: Callable[[], Status] = Status
) -> Sink:
    """The sink that the ending of the path names, for all sources of the run, by name.

    `sources` may grow while the run goes on; `status` says how it is doing, from any thread.

    Raises:
        ConfigError: an ending that does not exist, or `{source}` is missing in the path.
        SinkError: the file cannot be written.
    """
    fault = misnamed(config, sources)
    if fault is not None:
        raise fault
    if ending(config.path) in NETWORK:
        network: Sink = load(NETWORK, ending(config.path), "output")(config, sources, status)
        return network
    kind = load(REGISTRY, ending(config.path), "output")
    if PLACE not in config.path:
        return _open(kind, Path(config.path), sources)
    from outputs.fan import Fan, fill
    from outputs.paths import keep
    from outputs.textfile import failure

    def open_for(source: str) -> Sink:
        path = fill(config.path, list(sources))[source]  # sources may have come since
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise failure(path, error) from error
        if sources[source].live:
            keep(path)  # what it saw before it was taken out of the settings and put in again
        return _open(kind, path, sources)

    return Fan(kind.wants, open_for)


def misnamed(config: SinkConfig, sources: Mapping[str, SourceInfo]) -> ConfigError | None:
    """What is wrong with a path as it is spelled, if anything."""
    try:
        end = ending(config.path)
    except ConfigError as error:
        return error
    if unknown := _unknown_place(config.path, end):
        return unknown
    if end == SUMMARY and PLACE in config.path:
        return ConfigError(f"output '{config.path}': one summary holds all sources; leave {PLACE} out.")
    if end in ONE_SOURCE and len(sources) > 1 and PLACE not in config.path:
        better = Path(config.path).with_stem(f"{Path(config.path).stem}-{PLACE}")
        return ConfigError(
            f"output '{config.path}': a {end} file holds one source, and there are {len(sources)}. "
            f"Put {PLACE} into the path: {better}"
        )
    if end == "rtsp" and len(sources) > 1 and PLACE not in config.path:
        return ConfigError(
            f"output '{config.path}': a stream holds one source, and there are {len(sources)}. "
            f"Put {PLACE} into the address: rtsp://server/{PLACE}"
        )
    return None


def _unknown_place(path: str, end: str) -> ConfigError | None:
    """A word in braces that nothing is put in the place of; passwords and queries may hold any."""
    if end in NETWORK:
        rest = path.partition("://")[2] if end == "rtsp" else ""
        named = rest[login_end(rest) + 1 :].partition("?")[0]
    else:
        named = path
    for place in _PLACES.findall(named):
        if place not in (PLACE, BEGAN):
            near = get_close_matches(place.lower(), (PLACE, BEGAN), 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            return ConfigError(
                f"output '{masked(path)}': nothing is put in the place of {place}. {hint}"
                f"There are: {PLACE}, the name of the source, and {BEGAN}, when the run began."
            )
    return None


def _open(kind: type[Sink], path: Path, sources: Mapping[str, SourceInfo]) -> Sink:
    sink: Sink = kind(path, sources)  # type: ignore[call-arg]  # every class of REGISTRY takes these
    return sink
