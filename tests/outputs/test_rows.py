"""Rows of the events file: their schema, rounding and characters."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import EventsConfig
from core.types import ENDED, LOST, Event, Evidence, Stamp
from outputs.rows import dumps, row, utc
from tests.make import evidence, stamp, tracks
from watch.life import Life

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "outputs" / "events.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def every_kind_of_row() -> list[dict[str, object]]:
    """Rows of a source with one person known and one unknown, read back from their text."""
    life, box = Life(EventsConfig(interval=0)), (10.0, 20.0, 50.005, 70.0)
    known = evidence([1, 2])
    about: dict[str, str | int | float] = {"width": 640, "height": 360, "reason": "", "error": ""}
    events = [
        Event("source_started", stamp(0), 0, about),
        *life.update(stamp(0), tracks({1: box, 2: box}), known),
        *life.update(stamp(1), tracks({1: box, 2: box}, LOST), Evidence.none(np.array([1, 2]))),
        *life.update(stamp(2), tracks({1: box}, ENDED), evidence([1])),
        *life.update(stamp(3), tracks({2: box}, ENDED), Evidence.none(np.array([2])), last=True),
        Event("source_lost", stamp(3), 0, {"reason": "stalled", "error": "no picture", "last_t": math.nan}),
        Event("source_back", stamp(4), 0, {"seconds": 12.5}),
        Event("source_frozen", stamp(5), 0, {"reason": "frozen", "error": "restart it"}),
        Event("source_moving", stamp(6), 0, {"seconds": 31.0}),
        Event("source_closed", stamp(7), 0, {}),
        Event("source_opened", stamp(8), 0, {}),
        Event("source_ended", stamp(9), 0, {**about, "reason": "end"}),
    ]
    return [json.loads(dumps(row(event)), parse_constant=pytest.fail) for event in events]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_kind_of_row_follows_the_schema_and_has_no_other_keys() -> None:
    rows = every_kind_of_row()
    known = set(SCHEMA["properties"]).union(*(part["properties"] for part in SCHEMA["$defs"].values()))

    for record in rows:
        VALIDATOR.validate(record)
        assert set(record) <= known
    assert {r["event"] for r in rows} == {
        *("source_started", "source_ended", "track_started", "track_updated", "track_ended"),
        *("source_lost", "source_back", "source_frozen", "source_moving", "source_closed", "source_opened"),
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("v", 2),
        ("frame", -1),
        ("t", None),
        ("state", "ended"),
        ("reason", "gone"),
        ("emotion", ""),
        ("id", 0),
    ],
)
def test_a_wrong_row_breaks_the_schema(key: str, value: object) -> None:
    ended = next(r for r in every_kind_of_row() if r["event"] == "track_ended")

    assert not VALIDATOR.is_valid({**ended, key: value})


def test_keys_stand_in_the_same_order_in_all_rows_of_a_kind() -> None:
    orders: dict[object, set[tuple[str, ...]]] = {}
    for record in every_kind_of_row():
        orders.setdefault(record["event"], set()).add(tuple(record))

    assert all(len(order) == 1 for order in orders.values())


@given(st.floats(allow_nan=True, allow_infinity=True) | st.text() | st.integers())
def test_any_value_becomes_one_line_of_strict_json(value: str | float) -> None:
    line = dumps(row(Event("other", stamp(0), 1, {"what": value})))

    assert "\n" not in line
    read = json.loads(line, parse_constant=pytest.fail)
    if isinstance(value, float):
        assert read["what"] is None or abs(read["what"] - value) <= 5e-5 * max(1, abs(value))
    else:
        assert read["what"] == (None if value == "" else value)


@given(st.floats(0, 86400))
def test_times_are_written_to_the_microsecond(time: float) -> None:
    written = row(Event("other", Stamp("a", 0, time, math.nan, (1, 1)), 0))["t"]

    assert written == pytest.approx(time, abs=0.51e-6)
    assert Decimal(repr(written)).as_tuple().exponent >= -6


@given(st.floats(0, 4e9))
def test_utc_is_read_back_to_the_millisecond(wall: float) -> None:
    text = utc(wall)

    assert text is not None
    assert datetime.fromisoformat(text).timestamp() == pytest.approx(wall, abs=0.000501)


def test_a_row_names_the_picture_it_is_about_and_none_in_a_film() -> None:
    still = replace(stamp(0), file="여름 1.jpg")

    rows = [json.loads(dumps(row(Event("other", when, 0)))) for when in (still, stamp(1))]

    assert [r["file"] for r in rows] == ["여름 1.jpg", None]


def test_an_unknown_clock_is_null() -> None:
    assert utc(math.nan) is None
