"""The readers of foreign formats, against files that the tests write by the formats' own rules."""

import json
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import WeightsError
from weights import bring, fetch
from weights.convert import graphdef
from weights.convert.elf import arrays
from weights.manifest import cards


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: int | float | bytes | str) -> bytes:
    """A field of a protobuf message: varint, 32-bit float or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(name: str, operator: str, *inputs: str, **attributes: bytes) -> bytes:
    body = field(1, name) + field(2, operator) + b"".join(field(3, i) for i in inputs)
    for key, value in attributes.items():
        body += field(5, field(1, key) + field(2, value))
    return field(1, body)


def tensor(dtype: int, shape: list[int], content: bytes) -> bytes:
    sides = b"".join(field(2, field(1, side)) for side in shape)
    return field(8, field(1, dtype) + field(2, sides) + content)


GRAPH = (
    node("x", "Placeholder", dtype=field(6, 1))
    + node("w", "Const", value=tensor(1, [2, 3], field(4, np.arange(6, dtype="<f4").tobytes())))
    + node("pads", "Const", value=tensor(3, [2], field(7, varint(-1) + varint(300))))
    + node("fill", "Const", value=tensor(1, [2, 2], field(5, struct.pack("<f", 0.5))))
    + node("conv", "Conv2D", "x", "w", "^pads", strides=field(1, field(3, b"\x01\x02\x02\x01")))
    + node("bn", "FusedBatchNormV3", "conv", epsilon=field(4, 0.001), padding=field(2, "SAME"))
)


def test_a_frozen_graph_is_read_by_its_wire_format():
    nodes = graphdef.read(GRAPH)

    assert list(nodes) == ["x", "w", "pads", "fill", "conv", "bn"]
    assert nodes["conv"].inputs == ["x", "w", "^pads"]
    assert nodes["conv"].attributes["strides"] == [1, 2, 2, 1]
    assert nodes["w"].attributes["value"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert nodes["pads"].attributes["value"].tolist() == [-1, 300]
    assert nodes["fill"].attributes["value"].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert nodes["bn"].attributes == {"epsilon": pytest.approx(0.001), "padding": "SAME"}


@given(st.integers(0, len(GRAPH) - 1), st.binary(max_size=8))
def test_a_damaged_graph_is_an_error_of_ours_or_fewer_nodes(end, tail):
    with suppress(WeightsError):
        assert len(graphdef.read(GRAPH[:end] + tail)) <= 7


def header(kind: int, address: int, at: int, size: int, link: int) -> bytes:
    """Of a section."""
    return struct.pack("<IIQQQQIIQQ", 0, kind, 0, address, at, size, link, 0, 8, 0)


def library(symbols: dict[str, bytes]) -> bytes:
    """A shared library with nothing but a table of those objects."""
    base, data, names, table = 0x1000, b"", b"\0", bytes(24)
    for name, content in symbols.items():
        table += struct.pack("<IBBHQQ", len(names), 0x11, 0, 1, base + len(data), len(content))
        names += name.encode() + b"\0"
        data += content
    at_data, at_names = 64, 64 + len(data)
    at_table = at_names + len(names)
    sections = bytes(64) + header(1, base, at_data, len(data), 0)
    sections += header(3, 0, at_names, len(names), 0) + header(11, 0, at_table, len(table), 2)
    elf = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + bytes(24)
    elf += struct.pack("<Q", at_table + len(table)) + bytes(12) + struct.pack("<HH", 4, 0)
    return elf + data + names + table + sections


def test_arrays_are_read_from_a_library_by_their_symbols():
    floats = np.linspace(-1, 1, 7, dtype="<f4")
    data = library({"a_weight": floats.tobytes(), "main": b"\x90" * 8, "a_bias": floats[:2].tobytes()})

    found = arrays(data, ("_weight", "_bias"))

    assert {name: value.tolist() for name, value in found.items()} == {
        "a_weight": floats.tolist(),
        "a_bias": floats[:2].tolist(),
    }


@pytest.mark.parametrize("end", [0, 5, 40, 70, 120, 300])
def test_a_damaged_library_is_an_error_of_ours(end):
    data = library({"a_weight": bytes(64)})

    with pytest.raises(WeightsError):
        arrays(data[:end], ("_weight",))


def test_without_the_converters_packages_one_sentence_says_what_to_install(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name="onnx")

    monkeypatch.setattr(bring, "import_module", absent)

    with pytest.raises(
        WeightsError, match=r"needs the package 'onnx': pip install -r requirements/convert\.txt"
    ):
        bring.rebuild(cards()["yunet"])


EIGHT_BITS = {"dtype": "uint8", "scale": 0.5, "min": -64.0}
LAYOUT = [
    {"name": "a", "shape": [2, 2], "dtype": "float32", "quantization": EIGHT_BITS},
    {"name": "b", "shape": [3], "dtype": "float32"},
]
NUMBERS = bytes([0, 128, 130, 255]) + np.float32([1.5, -2, 0]).tobytes()


def layout(*rows):
    return json.dumps([{"weights": rows, "paths": ["net.bin"]}]).encode()


def test_whole_numbers_stand_for_floats_as_tensorflow_js_has_it():
    faceapi = pytest.importorskip("weights.convert.faceapi", exc_type=ImportError)

    tensors = faceapi.read(NUMBERS, layout(*LAYOUT))

    assert tensors["a"].stored.dtype == np.uint8
    assert tensors["a"].value.tolist() == [[-64.0, 0.0], [1.0, 63.5]]
    assert tensors["b"].value.tolist() == [1.5, -2.0, 0.0]


def test_a_list_of_weights_is_found_within_the_file_of_a_graph():
    faceapi = pytest.importorskip("weights.convert.faceapi", exc_type=ImportError)
    graph = {"modelTopology": {"node": []}, "weightsManifest": [{"weights": LAYOUT}]}

    tensors = faceapi.read(NUMBERS, json.dumps(graph).encode())

    assert list(tensors) == ["a", "b"]


def test_a_graph_of_another_version_is_an_error_of_ours():
    faceres = pytest.importorskip("weights.convert.faceres", exc_type=ImportError)

    with pytest.raises(WeightsError, match="no weights conv1/convolution/merged_input; another version"):
        faceres.convert(NUMBERS, layout(*LAYOUT))


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (NUMBERS[:-1], layout(*LAYOUT)),
        (NUMBERS + b"more", layout(*LAYOUT)),
        (NUMBERS, layout(*LAYOUT)[:-3]),
        (NUMBERS, layout({"name": "a"})),
        (NUMBERS, b"[1]"),
    ],
)
def test_numbers_and_a_list_that_do_not_belong_together_are_an_error_of_ours(data, rows):
    faceapi = pytest.importorskip("weights.convert.faceapi", exc_type=ImportError)

    with pytest.raises(WeightsError, match="list of weights"):
        faceapi.read(data, rows)


def test_without_npm_one_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name: None)

    with pytest.raises(
        WeightsError, match=r"^@vladmandic/face-api 1\.7\.15 comes from npm, which is not here"
    ):
        fetch.members(cards()["embed_dlib"].package, tmp_path)
