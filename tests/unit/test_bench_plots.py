"""Which figures a picture shows; the drawing itself is matplotlib's."""

from __future__ import annotations

from bench.plots import bars, points

ROWS = [
    {"what": "engine", "rate": 50, "ms": 1.5, "connections": 20},
    {"what": "engine", "rate": 100, "ms": None, "connections": 20},
    {"what": "plain", "rate": 50, "ms": 1.0, "connections": 1},
]
DOCUMENT = {"tables": [{"rows": ROWS}]}


def test_a_line_is_made_of_the_rows_of_one_name_that_have_the_figure() -> None:
    assert points(DOCUMENT, "rate", "ms") == {"engine": ([50], [1.5]), "plain": ([50], [1.0])}


def test_bars_are_made_of_the_rows_that_were_asked_for() -> None:
    assert bars(DOCUMENT, "ms", where={"connections": 20}) == {"engine": 1.5}
    assert bars(DOCUMENT, "ms") == {"engine": 1.5, "plain": 1.0}


def test_bars_have_the_names_of_all_columns_that_tell_them_apart() -> None:
    rows = [{"what": "engine", "load": load, "ms": ms} for load, ms in (("idle", 1.0), ("busy", 2.0))]
    found = bars({"tables": [{"rows": rows}]}, "ms", names=("what", "load"))
    assert found == {"engine, idle": 1.0, "engine, busy": 2.0}
