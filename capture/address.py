"""What an address stands for: a camera, a stream, a film, pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from capture.content import files_in, is_film, is_list, is_picture
from core.errors import ConfigError, SourceError
from core.masking import login_end, mask, masked
from core.settings import CaptureConfig, SourceConfig
from core.types import Kind, SourceInfo

Resolved = tuple[SourceInfo, str | int]

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "rtp", "srt", "tcp")
_SCHEME = re.compile(r"^(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://")
_HOST_AND_PORT = re.compile(r"[\w.-]+:\d+(?=[/?#])")
_DEVICE = re.compile(r"^/dev/(video\d+|v4l/.+)$")
_NOT_IN_A_NAME = re.compile(r"[/\\{}\x00-\x1f]+")
_RECORDED = re.compile(r"(?i)\.(mp4|m4v|mov|mkv|webm|avi|wmv|flv|mpe?g)$")


def resolve_all(
    sources: Sequence[SourceConfig], config: CaptureConfig, taken: Collection[str] = ()
) -> list[list[Resolved]]:
    """Every source of these settings with the address to open it by, under names of its own.

    One list for each setting: what stands in it (the videos of a folder) is read in turn. An address
    that stands for nothing is a source with a `fault` beside others; the names `taken` are not given again.

    Raises:
        SourceError: every address stands for nothing; the reason for each, a line each.
        ConfigError: a name given twice, or an empty address.
    """
    given = [source.name for source in sources if source.name]
    for name in given:
        if given.count(name) > 1 or name in taken:
            raise ConfigError(f"sources: the name '{name}' is given twice; names must differ.")
    found = [(source, _resolved(source, source.reading(config))) for source in sources]
    faults = [infos[0].fault for _, infos in found if infos[0].fault]
    if faults and len(faults) == len(found):
        raise SourceError("\n".join(faults))
    fixed = {info.name for source, infos in found if source.name for info in infos}.union(taken)
    names = iter(_unique([i.name for source, infos in found if not source.name for i in infos], fixed))
    lanes: list[list[Resolved]] = []
    for source, infos in found:
        address = with_login(source)
        named = [info if source.name else replace(info, name=next(names)) for info in infos]
        lanes.append([(replace(i, ignore=source.ignore, hours=source.hours), address) for i in named])
    return lanes


def _resolved(source: SourceConfig, config: CaptureConfig) -> list[SourceInfo]:
    try:
        return resolve(source, config)
    except SourceError as error:
        address = masked(str(source.address))
        name = source.name or _clean(Path(address).stem)
        return [SourceInfo(name, "video", address, fault=str(error))]


def resolve(source: SourceConfig, config: CaptureConfig) -> list[SourceInfo]:
    """The sources behind one address: one, or several for a folder of videos.

    A folder gives its pictures as one source, and then each of its videos as one more, in
    natural order. Sub-folders are not entered.

    Raises:
        SourceError: nothing there, or nothing in it that can be shown.
        ConfigError: an empty address.
    """
    address = str(source.address).strip()
    if not address:
        raise ConfigError("sources: an empty address; say a camera number, a path, an address, or demo.")
    kind = _kind(address) if source.kind == "auto" else source.kind
    name = source.name
    if kind == "demo":
        return [SourceInfo(name or "demo", "demo", "demo", start=config.begin)]
    if kind == "webcam":
        return [SourceInfo(name or _camera_name(address), "webcam", address, live=True)]
    if kind == "network":
        return [SourceInfo(name or _host(address), "network", masked(address), live=True)]
    if _SCHEME.match(address) and not address.startswith("file://"):
        stem = Path(unquote(urlsplit(address).path)).stem
        return [SourceInfo(name or _clean(mask(stem)), "video", masked(address), start=config.begin)]
    return _resolve_path(_local(address), kind, name, config)


def with_login(source: SourceConfig) -> str | int:
    """The address, with the user and password that stand beside it.

    >>> with_login(SourceConfig(address="rtsp://10.0.0.7/main", user="admin", password="a/b@c"))
    'rtsp://admin:a%2Fb%40c@10.0.0.7/main'

    Raises:
        ConfigError: the password's file cannot be read, or the address has no place for it.
    """
    password = source.read_password()
    if source.user is None and password is None:
        return source.address
    match = _SCHEME.match(str(source.address))
    if not match:
        raise ConfigError(f"sources: {source.address}: user and password are for network addresses only.")
    login = ":".join(quote(word, safe="") for word in (source.user or "", password) if word is not None)
    rest = str(source.address)[match.end() :]
    # What begins as a host and its port holds no login of its own: the '@' is part of its path.
    end = -1 if _HOST_AND_PORT.match(rest) else login_end(rest)
    return f"{match[0]}{login}@{rest[end + 1 :]}"


def _kind(address: str) -> Kind:
    if address == "demo":
        return "demo"
    if address.isdecimal() or _DEVICE.match(address):
        return "webcam"
    match = _SCHEME.match(address)
    if not match or match["scheme"].lower() == "file":
        return "folder" if os.path.isdir(_local(address)) else "video"  # noqa: PTH112  never raises
    if match["scheme"].lower() not in SCHEMES:
        raise SourceError(
            f"{masked(address)}: '{match['scheme']}' addresses are not known; "
            f"a path, a camera number, or one of: {', '.join(SCHEMES)}."
        )
    recorded = match["scheme"].lower() in ("http", "https") and _RECORDED.search(_url_path(address))
    return "video" if recorded else "network"


def _resolve_path(path: Path, kind: Kind, name: str | None, config: CaptureConfig) -> list[SourceInfo]:
    try:
        if not path.exists():
            raise SourceError(_nothing_there(path))
        if path.is_dir():
            return _resolve_folder(path, name, config)
        if not path.is_file():
            raise SourceError(f"{path}: is neither a file nor a folder; give a video, a picture or a folder.")
        if path.stat().st_size == 0:
            raise SourceError(f"{path}: is empty (0 bytes); copy or record it again.")
        if kind == "image" or is_picture(path):
            return [SourceInfo(name or _clean(path.stem), "image", str(path), path, stills=True)]
        if is_list(path):
            raise SourceError(f"{path}: is a list of other files, no video; name the files that are meant.")
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read: {error.strerror}; check the name and the rights."
        ) from error
    return [_film(path, name or _clean(path.stem), config)]


def _resolve_folder(path: Path, name: str | None, config: CaptureConfig) -> list[SourceInfo]:
    files = files_in(path)
    pictures = [f for f in files if is_picture(f)]
    films = [f for f in files if f not in set(pictures) and is_film(f)]
    base = name or _clean(path.resolve().name)
    found: list[SourceInfo] = []
    if pictures:
        start = config.begin if config.rate else 0.0
        found.append(SourceInfo(base, "folder", str(path), path, stills=config.rate is None, start=start))
    prefix = f"{base}_" if name else ""
    names = _unique([prefix + _clean(f.stem) for f in films], {base} if pictures else set())
    found += [_film(f, n, config) for f, n in zip(films, names, strict=True)]
    if not found:
        holds = "no pictures and no videos" if files else "no files"
        raise SourceError(
            f"{path}: the folder holds {holds}; sub-folders are not entered: name the one that is meant."
        )
    if len(films) == 1 and not pictures and name:
        found[0] = replace(found[0], name=name)
    return found


def _film(path: Path, name: str, config: CaptureConfig) -> SourceInfo:
    return SourceInfo(name, "video", str(path), path, start=config.begin)


def _nothing_there(path: Path) -> str:
    if path.parent.is_dir():
        return f"{path}: there is no such file or folder in {path.parent.resolve()}; check the name."
    return f"{path}: there is no such file: the folder {path.parent} does not exist; check the path."


def _local(address: str) -> Path:
    if address.startswith("file://"):
        address = unquote(urlsplit(address).path)
    try:
        return Path(address).expanduser()
    except RuntimeError:  # nobody of that name: it is a file's name then
        return Path(address)


def _camera_name(address: str) -> str:
    return f"camera{address}" if address.isdecimal() else _clean(Path(address).name)


def _url_path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:  # brackets in a password look like an IPv6 address
        return ""


def _host(address: str) -> str:
    rest = _SCHEME.sub("", address)
    return _clean(re.split(r"[/?#&]", rest[login_end(rest) + 1 :])[0].strip("[]").replace(":", "_"))


def _clean(name: str) -> str:
    return _NOT_IN_A_NAME.sub("_", name).strip() or "source"


def _unique(names: Iterable[str], taken: set[str]) -> list[str]:
    """Each name, followed by _2, _3, ... where it is taken."""
    used = set(taken)
    result: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in used:
            number += 1
            candidate = f"{name}_{number}"
        used.add(candidate)
        result.append(candidate)
    return result
