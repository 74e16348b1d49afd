"""Reads float arrays out of a Linux shared library by their symbols; nothing is loaded or run."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from core.errors import WeightsError
from core.types import F32

DYNAMIC_SYMBOLS = 11  # sh_type SHT_DYNSYM
PROGRAM_DATA = 1  # sh_type SHT_PROGBITS


@dataclass(frozen=True, slots=True)
class Section:
    """A section header, as far as it is needed."""

    kind: int
    address: int
    offset: int
    size: int
    link: int


def arrays(data: bytes, endings: tuple[str, ...]) -> dict[str, F32]:
    """Every exported object whose name ends so, as float32 (K,).

    Args:
        data: a 64-bit little-endian ELF file.
        endings: of the names wanted.

    Raises:
        WeightsError: it is no such file, or it is broken off.

    Source: System V ABI, "Object Files"; ELF-64 Object File Format 1.5.
    """
    if data[:6] != b"\x7fELF\x02\x01":
        raise WeightsError("expected a 64-bit little-endian ELF library, got another kind of file.")
    try:
        sections = _sections(data)
        table = next(s for s in sections if s.kind == DYNAMIC_SYMBOLS)
        names = sections[table.link].offset
        found = {}
        for at in range(table.offset, table.offset + table.size, 24):
            name_at, _, _, home, address, size = struct.unpack_from("<IBBHQQ", data, at)
            name = data[names + name_at : data.index(b"\0", names + name_at)].decode()
            if name.endswith(endings) and home < len(sections) and sections[home].kind == PROGRAM_DATA:
                start = address - sections[home].address + sections[home].offset
                found[name] = np.frombuffer(data, "<f4", size // 4, start).astype(np.float32)
    except (struct.error, StopIteration, IndexError, ValueError) as error:
        raise WeightsError(f"the ELF library is damaged: {error}. Bring its package again.") from error
    return found


def _sections(data: bytes) -> list[Section]:
    (start,) = struct.unpack_from("<Q", data, 0x28)
    (count,) = struct.unpack_from("<H", data, 0x3C)
    rows = [struct.unpack_from("<IIQQQQIIQQ", data, start + 64 * i) for i in range(count)]
    return [Section(kind=r[1], address=r[3], offset=r[4], size=r[5], link=r[6]) for r in rows]
