"""`python -m tests.chaos --seed 1 --seconds 60 [--json]`: exit 0 when nobody was lost, else 1."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.chaos.report import table
from tests.chaos.run import Order, run


def _order(arguments: list[str]) -> tuple[Order, bool]:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed deals the same blows")
    parser.add_argument("--seconds", type=float, default=60.0, help="900 deal ten blows of each kind")
    parser.add_argument(
        "--database",
        choices=("sqlite", "postgresql"),
        help="default: sqlite for odd seeds",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs, journals and the database here")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    given = parser.parse_args(arguments)
    if given.seconds <= 0:
        parser.error("--seconds must be more than 0")
    postgresql = given.seed % 2 == 0 if given.database is None else given.database == "postgresql"
    order = Order(seed=given.seed, seconds=given.seconds, postgresql=postgresql, keep=given.keep)
    return order, given.json


def main() -> int:
    order, as_json = _order(sys.argv[1:])
    found = run(order)
    sys.stdout.write((json.dumps(found, ensure_ascii=False) if as_json else table(found)) + "\n")
    return 0 if found["clean"] else 1


if __name__ == "__main__":
    sys.exit(main())
