"""`ekc scenarios`: check, try: dialogue scenarios in a terminal, without a call."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, fail, with_site
from ivr.commands.output import Output, cell
from ivr.domain.errors import BadInput, NotFound

if TYPE_CHECKING:
    from ivr.commands.site import Site
    from ivr.scenarios import Keyed, Loaded, Result, Said, Scenario, Step

LONGEST_LINE = 400
"""Characters of an answer in `try`."""
FILE = click.argument("file", metavar="FILE")


@click.group(cls=EkcGroup)
def scenarios() -> None:
    """Dialogue scenarios: what the line asks, understands and answers, as data.

    FILE is a file of YAML, or the name of a scenario that comes with the program (consultation).
    """


@scenarios.command()
@FILE
@with_site
def check(site: Site, out: Output, file: str) -> None:
    """Everything that is wrong with a scenario, by file and line. Exit code 1 if anything is."""
    loaded = _loaded(file)
    faults = [{"line": fault.line, "what": fault.what} for fault in loaded.faults]
    scenario = loaded.scenario
    name, states = (scenario.scenario, len(scenario.states)) if scenario is not None else (None, None)
    if out.as_json:
        out.document({"file": file, "scenario": name, "states": states, "faults": faults})
    elif scenario is not None:
        click.echo(f"{file}: scenario {name} of {states} states is in order.")
    _refuse(file, loaded)


@scenarios.command("try")
@FILE
@with_site
def try_(site: Site, out: Output, file: str) -> None:
    """Play a scenario: prints what the line says, reads from standard input what the caller says or keys."""
    loaded = _loaded(file)
    if loaded.scenario is None:
        _refuse(file, loaded)
        return
    turns = []
    for heard, step in _walk(loaded.scenario):
        turns.append({"heard": heard, "says": list(step.says), "state": step.at.state})
        if not out.as_json:
            _show(step)
    ended = _ended(step)
    if out.as_json:
        out.document({"scenario": loaded.scenario.scenario, "turns": turns, **ended})
    else:
        click.echo(
            f"[{', '.join(f'{name}: {cell(value, out.zone)}' for name, value in ended.items() if value)}]"
        )


def _walk(scenario: Scenario) -> Iterator[tuple[str | None, Step]]:
    """Each step with the line that led to it, until the scenario or the input ends."""
    from ivr.scenarios import Ask, LookUp, answered, begin, looked_up

    step = begin(scenario)
    yield None, step
    while isinstance(step.state, Ask | LookUp):
        line = sys.stdin.readline(LONGEST_LINE)
        if not line:
            return
        heard = line.strip()
        if isinstance(step.state, LookUp):
            step = looked_up(scenario, step.at, _result(heard))
        else:
            step = answered(scenario, step.at, _answer(heard))
        yield heard, step


def _answer(heard: str) -> Keyed | Said:
    from ivr.scenarios import Keyed, Said

    return Keyed(key=heard) if heard in set("0123456789*#") else Said(text=heard)


def _result(heard: str) -> Result:
    from ivr.scenarios import Result

    try:
        return Result(heard)
    except ValueError:
        raise BadInput(f"a look-up is answered by one of {', '.join(Result)}; write one of them") from None


def _show(step: Step) -> None:
    from ivr.scenarios import LookUp, Result

    for said in step.says:
        click.echo(said)
    if isinstance(step.state, LookUp):
        what = f"look-up of {step.state.look_up}, level {step.state.level}"
        click.echo(f"[{what}: answer {', '.join(Result)}]")


def _ended(step: Step) -> dict[str, object]:
    """How the try ended, with what an operator would get."""
    from ivr.scenarios import End, HandOver

    state, at = step.state, {"state": step.at.state, "understood": list(step.at.understood)}
    if isinstance(state, HandOver):
        to = {"agency": state.agency, "line": state.line, "topic": state.topic}
        return {"ended": "hand_over", **at, **to}
    ended = "end" if isinstance(state, End) else "input"
    return {"ended": ended, **at, "agency": None, "line": None, "topic": None}


# --- files -----------------------------------------------------------------------------------------


def _loaded(file: str) -> Loaded:
    from ivr.scenarios import load

    return load(_read(file))


def _read(file: str) -> bytes:
    """At most one byte more than a scenario may have. Raises BadInput, NotFound."""
    from ivr.scenarios import shipped, shipped_names
    from ivr.scenarios.yaml_lines import LARGEST

    path = Path(file)
    if not path.exists():
        data = shipped(file)
        if data is None:
            ours = ", ".join(shipped_names())
            raise NotFound(f"there is no file {file}; the scenarios of the program are {ours}")
        return data
    try:
        with path.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from None


def _refuse(file: str, loaded: Loaded) -> None:
    """End with exit code 1 and a line for each fault, if there is any."""
    if loaded.faults:
        fail("\nekc: ".join(fault.at(file) for fault in loaded.faults))
