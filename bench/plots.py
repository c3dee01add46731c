"""Pictures of what was measured: `python -m bench.plots build/bench docs/bench` (`pip install -e .[bench]`).

Only figures of a quiet machine are worth a picture: the benches do not know whether theirs was one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench.calls_report import ENGINE
from bench.deadair_report import AFTER_CODE

Document = Mapping[str, Any]
HOLDERS = {"Asterisk": "asterisk_mb", "of it what calls leave": "left_mb", "engine": "engine_mb"}
Points = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""Across and up, by the line's name."""


def points(document: Document, across: str, up: str, *, table: int = 0) -> Points:
    """Lines of one table by `what`; rows without the figure (failed ones) are left out."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for row in document["tables"][table]["rows"]:
        if row[up] is not None:
            xs, ys = found.setdefault(row["what"], ([], []))
            xs.append(row[across])
            ys.append(row[up])
    return found


def bars(
    document: Document,
    figure: str,
    *,
    table: int = 0,
    where: Mapping[str, object] = MappingProxyType({}),
    names: Sequence[str] = ("what",),
) -> Mapping[str, float]:
    """One figure by the columns `names`, of the rows in which all of `where` holds."""
    rows = document["tables"][table]["rows"]
    chosen = (row for row in rows if all(row[name] == value for name, value in where.items()))
    return {", ".join(row[name] for name in names): row[figure] for row in chosen if row[figure] is not None}


def _lines(axes: Any, lines: Points, across: str, up: str) -> None:
    for name, (xs, ys) in lines.items():
        axes.plot(xs, ys, marker="o", label=name)
    axes.set(xlabel=across, ylabel=up)
    axes.set_ylim(bottom=0)
    axes.legend()


def _bars(axes: Any, found: Mapping[str, float], across: str) -> None:
    axes.barh(list(found), list(found.values()))
    axes.set(xlabel=across)


def _cost(axes: Any, document: Document) -> None:
    _lines(axes, points(document, "rate", "asterisk_ms"), "new calls a second", "Asterisk's CPU, ms a call")


def _own(axes: Any, document: Document) -> None:
    _lines(
        axes, points(document, "rate", "own_ms"), "new calls a second", "the contestant's own CPU, ms a call"
    )


def _highest(axes: Any, document: Document) -> None:
    _bars(axes, bars(document, "highest", table=1), "calls a second, at least 99.9 % good")


def _commands(axes: Any, document: Document) -> None:
    found = bars(document, "per_second", where={"connections": 20})
    _bars(axes, found, "AGI commands a second, 20 connections")


def _deadair(axes: Any, document: Document) -> None:
    found = bars(document, "p99_ms", names=("what", "load"))
    keys = {name: value for name, value in found.items() if not name.startswith(AFTER_CODE)}
    _bars(axes, keys, "from a key to the next prompt, p99 in ms")


def _soak(axes: Any, document: Document) -> None:
    found = {name: points(document, "part", figure)[ENGINE] for name, figure in HOLDERS.items()}
    _lines(axes, found, "parts of the soak, one minute of calls each", "memory after it, MB")


PLOTS: Mapping[str, tuple[str, Callable[[Any, Document], None]]] = {
    "calls-asterisk": ("calls", _cost),
    "calls-own": ("calls", _own),
    "calls-highest": ("calls", _highest),
    "wire-commands": ("wire", _commands),
    "deadair": ("deadair", _deadair),
    "soak-memory": ("soak", _soak),
}
"""Name of the picture: the bench it is of, and what draws it."""


def draw(source: Path, target: Path) -> list[Path]:
    """The pictures that could be made of the documents in `source`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    target.mkdir(parents=True, exist_ok=True)
    made = []
    for name, (bench, paint) in PLOTS.items():
        path = source / f"{bench}.json"
        if not path.is_file():
            continue
        figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
        paint(axes, json.loads(path.read_text("utf-8")))
        made.append(target / f"{name}.png")
        figure.savefig(made[-1], dpi=120, metadata={"Software": None})
        pyplot.close(figure)
    return made


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.plots")
    parser.add_argument("source", type=Path, help="folder of the JSON documents")
    parser.add_argument("target", type=Path, help="folder for the pictures")
    given = parser.parse_args()
    for path in draw(given.source, given.target):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
