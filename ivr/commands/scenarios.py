"""`ekc scenarios`: check and try: dialogue scenarios in a terminal, without a call."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, with_site
from ivr.commands.output import Output, cell
from ivr.commands.scenario_files import FILE, Candidate, candidate, read, told, warn
from ivr.domain.errors import BadInput, StorageDown

if TYPE_CHECKING:
    from ivr.commands.site import Site
    from ivr.scenarios import Fault, Keyed, Result, Said, Scenario, Step

LONGEST_LINE = 400
"""Characters of an answer in `try`."""


@click.group(cls=EkcGroup)
def scenarios() -> None:
    """Dialogue scenarios: what the line asks, understands and answers, as data.

    FILE is a file of YAML, or the name of a scenario that comes with the program (consultation).
    """


@scenarios.command()
@FILE
@with_site
def check(site: Site, out: Output, file: str) -> None:
    """Everything that is wrong with a scenario, by file and line. Exit code 1 if anything is.

    What would keep it from being published here, or callers from being understood, is a warning.
    """
    found = candidate(file, read(file))
    faults = found.loaded.faults
    if out.as_json and faults:
        out.document(_checked(file, None, faults, ()))
    scenario, warnings = found.scenario, _warnings(site, found)
    warn(file, warnings)
    out.done(
        _checked(file, scenario, (), warnings),
        f"{file}: scenario {scenario.scenario} of {len(scenario.states)} states is in order.",
    )


def _checked(
    file: str, scenario: Scenario | None, faults: Sequence[Fault], warnings: Sequence[Fault]
) -> dict[str, object]:
    name, states = (None, None) if scenario is None else (scenario.scenario, len(scenario.states))
    return {
        "file": file,
        "scenario": name,
        "states": states,
        "faults": told(faults),
        "warnings": told(warnings),
    }


def _warnings(site: Site, found: Candidate) -> Sequence[Fault]:
    """What it meets at this site, if there is one already."""
    from ivr.scenarios import Fault
    from ivr.services import scenarios as service

    unknown = found.unknown_words(site)
    try:
        if site.copies().is_empty() or not site.database_is_current():
            return ()
        with site.store.transaction() as uow:
            fit = service.fit(uow, found.loaded, unknown)
    except StorageDown as error:
        return (Fault(line=1, what=f"it was not compared with the agencies of this site: {error}"),)
    return (*fit.faults, *fit.warnings)


@scenarios.command("try")
@FILE
@with_site
def try_(site: Site, out: Output, file: str) -> None:
    """Play a scenario: prints what the line says, reads from standard input what the caller says or keys."""
    scenario = candidate(file, read(file)).scenario
    turns = []
    for heard, step in _walk(scenario):
        turns.append({"heard": heard, "says": list(step.says), "state": step.at.state})
        if not out.as_json:
            _show(step)
    ended = _ended(step)
    out.done(
        {"scenario": scenario.scenario, "turns": turns, **ended},
        f"[{', '.join(f'{name}: {cell(value, out.zone)}' for name, value in ended.items() if value)}]",
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
