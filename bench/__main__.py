"""The command line of the measurements."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from bench import calls, deadair, flow, identification, media, soak, speech, storage, waiting, wire
from bench.options import Effort, Options
from bench.report import Report
from bench.showing import say, show

BENCHES: Mapping[str, ModuleType] = {
    "calls": calls,
    "deadair": deadair,
    "flow": flow,
    "wire": wire,
    "identification": identification,
    "storage": storage,
    "media": media,
    "speech": speech,
    "waiting": waiting,
    "soak": soak,
}
ALL = "all"
QUICK = ("calls", "deadair", "wire", "identification")
"""What there is time for in two minutes; the others are worth nothing without longer ones."""
ALONE = ("soak",)
"""Half an hour, and a target of its own."""
LEAST_SECONDS = 0.1
SHARE = {Effort.QUICK: 0.2, Effort.NORMAL: 1.0, Effort.FULL: 3.0}
"""Of a bench's rounds."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.rounds is not None and given.rounds < 1:
        parser.error("--rounds: at least one")
    if given.seconds is not None and not given.seconds >= LEAST_SECONDS:
        parser.error(f"--seconds: at least {LEAST_SECONDS}")
    if given.name == ALL:
        return _all(given)
    _one(given.name, given, given.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("name", choices=[ALL, *BENCHES])
    parser.add_argument("--effort", type=Effort, choices=list(Effort), default=Effort.NORMAL)
    defaults = ", ".join(f"{name} {bench.ROUNDS}" for name, bench in BENCHES.items())
    parser.add_argument("--rounds", type=int, help=f"how often each is measured (default: {defaults})")
    parser.add_argument("--seconds", type=float, help="of each in one round (default: 0.7; quick 0.3)")
    parser.add_argument(
        "--half-rate",
        type=float,
        help="half of the engine's highest rate, calls a second (default: measured before)",
    )
    parser.add_argument("--size", type=int, help="cards of “storage” (default: by effort)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="of “storage” (default: both)")
    where = "for the JSON document (default: stdout); a folder with “all”"
    parser.add_argument("--json", type=Path, metavar="FILE", help=where)
    return parser


def options_of(bench: ModuleType, given: argparse.Namespace) -> Options:
    effort: Effort = given.effort
    seconds = given.seconds if given.seconds is not None else (0.3 if effort is Effort.QUICK else 0.7)
    rounds = given.rounds if given.rounds is not None else max(1, round(bench.ROUNDS * SHARE[effort]))
    return Options(
        rounds=rounds,
        seconds=seconds,
        effort=effort,
        half_rate=given.half_rate,
        size=given.size,
        database=given.database,
    )


def _all(given: argparse.Namespace) -> int:
    """One that fails keeps none of the others from its turn. 1 when one has failed."""
    folder = given.json or Path("build/bench")
    failed = []
    for name in QUICK if given.effort is Effort.QUICK else [name for name in BENCHES if name not in ALONE]:
        try:
            report = _one(name, given, folder / f"{name}.json")
            if name == "calls" and (top := calls.highest_of_engine(report)):
                given.half_rate = top / 2
        except Exception:  # noqa: BLE001 - told, and by the exit code too
            traceback.print_exc()
            failed.append(name)
    if failed:
        say(f"not measured: {', '.join(failed)}")
    return 1 if failed else 0


def _one(name: str, given: argparse.Namespace, path: Path | None) -> Report:
    bench = BENCHES[name]
    options = options_of(bench, given)
    begin = time.monotonic()
    report: Report = bench.run(options)
    show(report)
    say(f"{name}: {time.monotonic() - begin:.0f} s")
    write(json.dumps(document(name, options, report), ensure_ascii=False) + "\n", path)
    return report


def document(name: str, options: Options, report: Report) -> dict[str, object]:
    """As it stands in JSON."""
    return {
        "bench": name,
        "effort": options.effort.value,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "tables": [{"title": t.title, "rows": list(t.rows)} for t in report.tables],
        "targets": [vars(target) for target in report.targets],
        **report.extra,
    }


def write(text: str, path: Path | None) -> None:
    if path is None:
        sys.stdout.write(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
