"""The command line of the measurements."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.table import Table

from bench import identification, wire
from bench.options import Options

BENCHES: Mapping[str, ModuleType] = {"identification": identification, "wire": wire}
LEAST_SECONDS = 0.1
BELOW = ("failed", "note")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    bench = BENCHES[given.name]
    options = Options(
        rounds=bench.ROUNDS if given.rounds is None else given.rounds,
        seconds=given.seconds,
    )
    if options.rounds < 1:
        parser.error("--rounds: at least one")
    if not options.seconds >= LEAST_SECONDS:
        parser.error(f"--seconds: at least {LEAST_SECONDS}")
    rows: Sequence[Mapping[str, object]] = bench.run(options)
    show(bench, rows)
    document = {"bench": given.name, "rounds": options.rounds, "seconds": options.seconds, "rows": rows}
    write(json.dumps(document, ensure_ascii=False) + "\n", given.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("name", choices=sorted(BENCHES))
    defaults = ", ".join(f"{name} {bench.ROUNDS}" for name, bench in BENCHES.items())
    parser.add_argument("--rounds", type=int, help=f"how often each is measured (default: {defaults})")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each on the wire (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="for the JSON document (default: stdout)")
    return parser


def write(document: str, path: Path | None) -> None:
    if path is None:
        sys.stdout.write(document)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document, "utf-8")


def show(bench: ModuleType, rows: Sequence[Mapping[str, object]]) -> None:
    """A table on stderr, so that stdout stays one JSON document; what is said of single rows below."""
    table = Table(title=bench.SUMMARY, title_justify="left", box=None, pad_edge=False, collapse_padding=True)
    columns = [column for column in rows[0] if column not in BELOW]
    for column in columns:
        name = column == "what"
        heading = bench.HEADINGS.get(column, column)
        table.add_column(heading, justify="left" if name else "right", no_wrap=name)
    for row in rows:
        missing = "FAILED" if row.get("failed") else "–"
        table.add_row(*(missing if row[column] is None else str(row[column]) for column in columns))
    console = Console(stderr=True)
    console.print(table)
    for row in rows:
        if row.get("note"):
            console.print(f"{row['what']}, {row['connections']} connections: {row['note']}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
