"""`ekc queues`: list, show, set, announce."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, acting, with_site
from ivr.commands.output import Output
from ivr.domain.queue_rules import WIDENINGS, Instead

if TYPE_CHECKING:
    from ivr.commands.site import Site

COLUMNS = ("queue", "on_duty", "ready", "longest_wait_s", "no_operator", "all_paused", "too_long")
WAY = click.Choice([way.value.replace("_", "-") for way in Instead])
QUEUE = click.argument("queue", metavar="QUEUE")


@click.group(cls=EkcGroup)
def queues() -> None:
    """Queues: who serves them, what comes instead of waiting, announcements to everybody."""


@queues.command("list")
@with_site
def list_(site: Site, out: Output) -> None:
    """Every queue with its rules and the operators on duty."""
    from ivr.services import queues as service

    with site.store.transaction() as uow:
        rows = service.listed(uow, longest_wait=site.settings.queue_seconds)
    out.rows(rows, COLUMNS, empty="")


@queues.command()
@QUEUE
@with_site
def show(site: Site, out: Output, queue: str) -> None:
    """One queue: `general`, or an agency's first or second line as soc-1."""
    from ivr.services import queues as service

    with site.store.transaction() as uow:
        found = service.show(uow, queue, longest_wait=site.settings.queue_seconds)
    out.thing(found)


@queues.command("set")
@QUEUE
@click.option("--longest-wait", type=int, metavar="SECONDS", help="Then --too-long comes.")
@click.option("--too-long", type=WAY, help="Instead of waiting longer.")
@click.option("--no-operator", type=WAY, help="Where nobody is logged in.")
@click.option("--all-paused", type=WAY, help="Where everybody is on a pause for --paused seconds.")
@click.option("--paused", type=int, metavar="SECONDS", help="How long that is borne; wrap-up is no pause.")
@click.option("--topic", metavar="TITLE", help="A topic of the agency, with --penalty or --everybody.")
@click.option("--penalty", type=int, help="Only operators up to it are rung for the topic at first.")
@click.option("--everybody", is_flag=True, help="Everybody is rung for the topic.")
@click.option(
    "--widen", type=click.Choice([str(s) for s in WIDENINGS]), help="Seconds: then everybody is rung."
)
@with_site
def set_(site: Site, out: Output, /, queue: str, **options: object) -> None:
    """Change rules; in force with the next caller."""
    from ivr.services import queues as service

    fields = _fields(options)
    title, penalty, everybody = (options[name] for name in ("topic", "penalty", "everybody"))
    if (title is None) != (penalty is None and not everybody) or (penalty is not None and everybody):
        raise click.UsageError("give --topic TITLE with one of --penalty and --everybody")
    with site.store.transaction() as uow:
        if title is not None:
            fields["topics"] = service.with_topic(uow, queue, str(title), penalty)  # type: ignore[arg-type]
        service.change(uow, acting(site), queue, **fields)
        uow.commit()
        found = service.show(uow, queue, longest_wait=site.settings.queue_seconds)
    out.thing(found)


def _fields(options: dict[str, object]) -> dict[str, object]:
    """Fields of QueueRules from what was given."""
    numbers = {"longest_wait": "longest_wait_seconds", "paused": "paused_seconds", "widen": "widen_seconds"}
    fields: dict[str, object] = {
        field: int(str(options[name])) for name, field in numbers.items() if options[name] is not None
    }
    for name in ("too_long", "no_operator", "all_paused"):
        if options[name] is not None:
            fields[name] = Instead(str(options[name]).replace("-", "_"))
    return fields


@queues.command()
@click.option("--text", help="What is said, at most 400 characters.")
@click.option("--file", "file_", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="WAV")
@click.option("--until", metavar="TIME", help="2026-11-24T18:00; without it until it is taken back.")
@click.option("--off", is_flag=True, help="Take back what is in force.")
@with_site
def announce(
    site: Site, out: Output, text: str | None, file_: Path | None, until: str | None, off: bool
) -> None:
    """What every caller hears after the greeting, from the next call on."""
    if sum((text is not None, file_ is not None, off)) != 1:
        raise click.UsageError("give one of --text TEXT, --file WAV and --off")
    from ivr.services import announcements

    with site.store.transaction() as uow:
        if off:
            was = announcements.silence(uow, acting(site))
            uow.commit()
            out.done({"taken_back": was}, "Taken back." if was else "Nothing was in force.")
            return
        made = announcements.announce(
            uow,
            acting(site),
            text=text or "",
            recording=None if file_ is None else file_.read_bytes(),
            until=_until(site, until),
        )
        uow.commit()
    out.done(announcements.view(made), "In force from the next call on.")


def _until(site: Site, text: str | None) -> datetime | None:
    from ivr.commands.values import moment

    return None if text is None else moment(text, now=site.clock.now(), zone=site.settings.zone)
