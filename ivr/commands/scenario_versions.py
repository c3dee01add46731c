"""`ekc scenarios`: list, show, diff, publish, rollback: versions of dialogue scenarios (§9.3)."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcCommand, acting, with_site
from ivr.commands.output import Output
from ivr.commands.scenario_files import FILE, Candidate, candidate, read, refuse, told, warn

if TYPE_CHECKING:
    from ivr.commands.site import Site
    from ivr.domain.versions import Version

_COLUMNS = ("scenario", "version", "state", "saved_at", "published_at")
_NONE = (
    "Nothing is kept, and key 3 asks for the imported topics. "
    "`ekc scenarios publish consultation` takes the scenario of the program."
)
NAME = click.argument("name", metavar="NAME")


@click.command("list", cls=EkcCommand)
@with_site
def list_(site: Site, out: Output) -> None:
    """Every version of every scenario, and which are in force."""
    from ivr.services import scenarios as service

    with site.store.transaction() as uow:
        rows = [service.view(version) for version in uow.scenarios.list()]
    out.rows(rows, _COLUMNS, empty=_NONE)


@click.command(cls=EkcCommand)
@NAME
@click.option("--version", "number", type=int, metavar="N", help="Instead of the version in force.")
@with_site
def show(site: Site, out: Output, name: str, number: int | None) -> None:
    """The text of a version."""
    from ivr.services import scenarios as service

    with site.store.transaction() as uow:
        found = service.in_force(uow, name) if number is None else service.find(uow, name, number)
    out.done({**service.view(found), "text": found.text}, found.text.removesuffix("\n"))


@click.command(cls=EkcCommand)
@FILE
@click.option("--from", "old", type=int, metavar="N", help="A version, instead of the one in force.")
@click.option("--to", "new", type=int, metavar="N", help="A version; FILE is the scenario's name then.")
@with_site
def diff(site: Site, out: Output, file: str, old: int | None, new: int | None) -> None:
    """What would change, from the version in force to FILE."""
    from ivr.services import scenarios as service

    name, text = (file, "") if new is not None else _of_file(file)
    with site.store.transaction() as uow:
        if new is not None:
            text = service.find(uow, name, new).text
        before = uow.scenarios.in_force(name) if old is None else service.find(uow, name, old)
    was = "nothing in force" if before is None else f"version {before.number}"
    to = file if new is None else f"version {new}"
    old_lines = [] if before is None else before.text.splitlines()
    lines = list(unified_diff(old_lines, text.splitlines(), was, to, lineterm=""))
    result = {"scenario": name, "from": before and before.number, "to": new or file, "lines": lines}
    out.done(result, "\n".join(lines) or f"{to} says the same as {was}.")


def _of_file(file: str) -> tuple[str, str]:
    found = candidate(file, read(file))
    return found.scenario.scenario, found.text


@click.command(cls=EkcCommand)
@FILE
@click.option(
    "--version", "number", type=int, metavar="N", help="A version; FILE is the scenario's name then."
)
@click.option("--draft", is_flag=True, help="Keep it as a version, and publish nothing.")
@with_site
def publish(site: Site, out: Output, file: str, number: int | None, draft: bool) -> None:
    """Put FILE, or a version that is kept, into force with the next call; it is checked first.

    Calls that are in the scenario already go on by the version they began with.
    """
    from ivr.services import scenarios as service

    if draft and number is not None:
        raise click.UsageError("--draft keeps a file; --version publishes what is kept already")
    found = candidate(file, read(file)) if number is None else _kept(site, file, number)
    unknown = found.unknown_words(site)
    with site.store.transaction() as uow:
        fit = service.fit(uow, found.loaded, unknown)
        warnings = (*fit.faults, *fit.warnings) if draft else fit.warnings
        if not draft:
            refuse(found.where, fit.faults)
        version = service.keep(uow, acting(site), found.scenario.scenario, found.text)
        old = None if draft else service.publish(uow, acting(site), version)
        uow.commit()
    warn(found.where, warnings)
    result = {**_change(version, old), "draft": draft, "warnings": told(warnings)}
    out.done(result, _kept_sentence(version) if draft else _published_sentence(version, old))


def _kept(site: Site, name: str, number: int) -> Candidate:
    """Checked anew: another program may have kept it."""
    from ivr.services import scenarios as service

    with site.store.transaction() as uow:
        text = service.find(uow, name, number).text
    return candidate(f"{name}@{number}", text.encode())


def _change(version: Version, old: Version | None) -> dict[str, object]:
    return {
        "scenario": version.scenario,
        "version": version.number,
        "before": None if old is None else old.number,
    }


def _kept_sentence(version: Version) -> str:
    what = f"{version.scenario}: version {version.number} is kept"
    return (
        f"{what}. `ekc scenarios publish {version.scenario} --version {version.number}` puts it into force."
    )


def _published_sentence(version: Version, old: Version | None) -> str:
    from ivr.services.scenarios import CONSULTATION

    name, number = version.scenario, version.number
    if old is not None and old.number == number:
        return f"{name}: version {number} says just this and is in force already; nothing changes."
    if name != CONSULTATION:
        return f"{name}: version {number} is published; no key leads to it: calls play {CONSULTATION}."
    instead = "the imported topics" if old is None else f"version {old.number}"
    return (
        f"{name}: version {number} is in force with the next call, instead of {instead}. "
        f"`ekc scenarios rollback {name}` goes back."
    )


@click.command(cls=EkcCommand)
@NAME
@with_site
def rollback(site: Site, out: Output, name: str) -> None:
    """Take back the version in force: the one before it is in force with the next call."""
    from ivr.services import scenarios as service

    with site.store.transaction() as uow:
        taken, back = service.rollback(uow, acting(site), name)
        uow.commit()
    result = {"scenario": name, "from": taken.number, "to": None if back is None else back.number}
    now = (
        "no version is in force, and key 3 asks for the imported topics"
        if back is None
        else (f"version {back.number} is in force with the next call")
    )
    out.done(result, f"{name}: version {taken.number} is taken back; {now}.")


COMMANDS = (list_, show, diff, publish, rollback)
