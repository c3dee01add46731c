"""The command line of the measurements."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from rich.console import Console
from rich.table import Table

from bench import identification

BENCHES: Mapping[str, ModuleType] = {"identification": identification}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("name", choices=sorted(BENCHES))
    parser.add_argument("--rounds", type=int, default=40, help="how often each is measured (default: 40)")
    given = parser.parse_args(arguments)
    if given.rounds < 1:
        parser.error("--rounds: at least one")
    bench = BENCHES[given.name]
    rows: Sequence[Mapping[str, object]] = bench.run(given.rounds)
    show(bench.SUMMARY, rows)
    json.dump({"bench": given.name, "rounds": given.rounds, "rows": rows}, sys.stdout, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


def show(summary: str, rows: Sequence[Mapping[str, object]]) -> None:
    """A table on stderr, so that stdout stays one JSON document."""
    table = Table(title=summary, title_justify="left", box=None)
    for column in rows[0]:
        table.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(stderr=True).print(table)


if __name__ == "__main__":
    sys.exit(main())
