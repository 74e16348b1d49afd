"""How the cost of many cameras is counted."""

import time

import pytest

from benchmarks import streams
from benchmarks.streams import Cost, lines, run


def test_each_camera_is_counted_and_the_slowest_is_named(monkeypatch) -> None:
    monkeypatch.setattr(streams, "WARM", 0.2)

    def reader(address, count, going) -> None:
        nth = 0
        while going():
            nth += 1
            if address == "fast" or nth % 4 == 0:
                count()
            time.sleep(0.01)

    slow = run(reader, ["fast", "slow"], 0.5).slowest
    fast = run(reader, ["fast"], 0.5).slowest

    assert fast / slow == pytest.approx(4, rel=0.3)


def test_the_table_compares_medians_with_one_camera_read_by_pyav() -> None:
    found = {
        (1, "PyAV"): [Cost(1.0, 10), Cost(2.0, 10), Cost(9.0, 10)],
        (16, "ours"): [Cost(3.0, 9)] * 3,
    }

    _, first, last = lines(found)

    assert first.split() == ["1", "PyAV", "2.00", "1.00", "10.0"]
    assert last.split() == ["16", "ours", "3.00", "1.50", "9.0"]
