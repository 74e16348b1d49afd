"""Reads a frozen TensorFlow GraphDef without TensorFlow: the protobuf wire format, by hand.

Source of the field numbers: tensorflow/core/framework/{graph,node_def,attr_value,tensor,
tensor_shape}.proto; of the wire format: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.errors import WeightsError
from core.types import Array

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
# What a parser of nonsense may run into.
DAMAGE = (LookupError, struct.error, ValueError, TypeError, AttributeError, ArithmeticError, MemoryError)
DTYPES: dict[int, type[np.generic]] = {1: np.float32, 3: np.int32, 9: np.int64}  # types.proto


@dataclass(frozen=True, slots=True)
class Node:
    """One operation; `inputs` name other nodes."""

    name: str
    operator: str
    inputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)


def read(data: bytes) -> dict[str, Node]:
    """The nodes of a GraphDef by name.

    Raises:
        WeightsError: the bytes are no GraphDef, or broken off.
    """
    try:
        nodes = [_node(value) for number, value in _fields(data) if number == 1]
    except DAMAGE as error:
        raise WeightsError(f"the frozen graph is damaged ({error}). Bring its package again.") from error
    return {node.name: node for node in nodes}


def _node(data: bytes) -> Node:
    node = Node("", "", [])
    name = operator = ""
    for number, value in _fields(data):
        if number == 1:
            name = value.decode()
        elif number == 2:
            operator = value.decode()
        elif number == 3:
            node.inputs.append(value.decode())
        elif number == 5:
            entry = dict(_fields(value))
            node.attributes[entry[1].decode()] = _attribute(entry[2])
    return Node(name, operator, node.inputs, node.attributes)


def _attribute(data: bytes) -> Any:
    for number, value in _fields(data):
        if number == 1:
            return _list(value)
        if number == 2:
            return value.decode("utf-8", "replace")
        if number == 4:
            return struct.unpack("<f", value)[0]
        if number == 8:
            return _tensor(value)
        if number in (3, 5, 6):
            return value
    return None  # shapes and placeholders: not needed


def _list(data: bytes) -> list[Any]:
    values: list[Any] = []
    for number, value in _fields(data):
        if number == 2:
            values.append(value.decode("utf-8", "replace"))
        elif number == 3:
            values.extend(_packed(value))
    return values


def _tensor(data: bytes) -> Array | None:
    """A constant; None for a type that no weight has."""
    kind, shape, content = 0, [], b""
    scattered: list[Any] = []
    for number, value in _fields(data):
        if number == 1:
            kind = value
        elif number == 2:
            shape = [dict(_fields(v)).get(1, 0) for n, v in _fields(value) if n == 2]
        elif number == 4:
            content = value
        elif number == 5:
            scattered.extend(np.frombuffer(value, "<f4"))
        elif number in (7, 10):
            scattered.extend(_packed(value))
    if kind not in DTYPES:
        return None
    flat = np.frombuffer(content, DTYPES[kind]) if content else np.array(scattered, DTYPES[kind])
    # One value may stand for a whole tensor.
    return np.array(
        flat if flat.size == np.prod(shape) else np.broadcast_to(flat[:1], np.prod(shape))
    ).reshape(shape)


def _packed(value: int | bytes) -> list[int]:
    """One number, or many in a row."""
    if isinstance(value, int):
        return [_signed(value)]
    numbers, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        numbers.append(_signed(number))
    return numbers


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, value): an int for varints, bytes for all else."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == BYTES:
            size, at = _varint(data, at)
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(data):
            raise IndexError("it ends within a field")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
        shift += 7


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number
