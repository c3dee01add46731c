"""The order of tests and their sharing of workers: no name is outlived by its file."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.scheduling import FIRST, TOGETHER, in_order, unit_of

LINE = Path(__file__).resolve().parents[1] / "line"


def test_every_name_is_that_of_a_file() -> None:
    """A file that was renamed would begin last, or start a system that others have."""
    names = {name for unit in TOGETHER.values() for name in unit} | set(FIRST) - set(TOGETHER)
    assert names <= {path.stem.removeprefix("test_") for path in LINE.glob("test_*.py")}


def test_files_that_use_the_same_known_citizens_are_one_unit() -> None:
    """Each worker that had one of them would make the calls of all of them."""
    users = {
        path.stem.removeprefix("test_") for path in LINE.glob("test_*.py") if "Known" in path.read_text()
    }
    assert users == set(TOGETHER["identified"])


def test_the_longest_come_first_and_a_file_stays_whole() -> None:
    names = ["unit/test_a.py::test_1", "line/test_closed.py::test_2", "line/test_b.py::test_3"]
    names += ["line/test_emergency.py::test_4", "line/test_calls.py::test_5[x::y]", "unit/test_a.py::test_6"]
    items: list[Any] = [SimpleNamespace(nodeid=f"tests/{name}") for name in names]
    in_order(items)
    assert [unit_of(item.nodeid) for item in items] == [
        *("shared", "shared", "emergency", "tests/unit/test_a.py", "b", "tests/unit/test_a.py"),
    ]
