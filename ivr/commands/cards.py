"""`ekc cards`: list, show, edit, export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, acting, with_site
from ivr.commands.output import Output, as_csv, plain, write_private
from ivr.commands.values import LIMIT, REVEAL, SINCE, moment, shown, since_moment
from ivr.domain.enquiry import Outcome
from ivr.ports import CardSearch
from ivr.services import cards as service

if TYPE_CHECKING:
    from ivr.commands.site import Site

COLUMNS = ("registration_number", "registered_at", "number", "agency", "topics", "operator", "outcome")
ID = click.argument("card", metavar="ID")


@click.group(cls=EkcGroup)
def cards() -> None:
    """Cards of enquiries: list, show, edit, export.

    ID is a card's id, its registration number, or `last`.
    """


@cards.command("list")
@SINCE
@click.option("--until", metavar="TIME", help="Only before then, written as with --since.")
@click.option("--number", help="Of this telephone number, in any usual form; audited.")
@click.option("--snils", help="Of the citizen who was identified by it, as 112-233-445 95; audited.")
@click.option("--agency", metavar="CODE", help="Of this agency.")
@click.option("--topic", metavar="TITLE", help="With this topic: its whole title.")
@click.option("--operator", metavar="EXTENSION", help="Of this operator.")
@click.option("--outcome", type=click.Choice([outcome.value for outcome in Outcome]), help="That ended so.")
@LIMIT
@REVEAL
@with_site
def list_(site: Site, out: Output, /, limit: int | None, reveal: bool, **wanted: str | None) -> None:
    """Cards, newest first; with options those that all of them fit."""
    by, search = acting(site), _search(site, **wanted)
    with site.store.transaction() as uow:
        found = service.listed(uow, by, search, limit=limit, texts=out.as_json)
        if reveal:
            for card in found:
                by.note(uow, "cards.reveal", card.id)
        uow.commit()
    out.rows([shown(service.view(c), reveal=reveal) for c in found], COLUMNS, empty="There are no cards.")


def _search(
    site: Site,
    *,
    since: str | None,
    until: str | None,
    number: str | None,
    snils: str | None,
    outcome: str | None,
    **same: str | None,
) -> CardSearch:
    from ivr.domain import phone
    from ivr.domain import snils as numbers

    return CardSearch(
        since=since_moment(site, since),
        until=since_moment(site, until),
        number=None if number is None else phone.normalise(number),
        snils=None if snils is None else numbers.parse(snils),
        outcome=None if outcome is None else Outcome(outcome),
        **same,
    )


@cards.command()
@ID
@REVEAL
@with_site
def show(site: Site, out: Output, card: str, reveal: bool) -> None:
    """One card with its texts; audited."""
    by = acting(site)
    with site.store.transaction() as uow:
        found = service.show(uow, by, card)
        if reveal:
            by.note(uow, "cards.reveal", found.id)
        uow.commit()
    out.thing(shown(service.view(found), reveal=reveal))


@cards.command()
@ID
@click.option("--questions", metavar="TEXT", help="What the citizen asked.")
@click.option("--comment", metavar="TEXT", help="A comment.")
@click.option("--answer", metavar="TEXT", help="The answer, or a short comment to it.")
@click.option("--answer-source", metavar="TEXT", help="Where the answer comes from.")
@click.option("--topic", "topics", multiple=True, metavar="AGENCY:TITLE", help="Add a topic; repeatable.")
@click.option(
    "--confirmed/--not-confirmed", default=None, help="Did the citizen confirm a satisfactory answer?"
)
@click.option(
    "--callback-at", metavar="TIME", help="The time agreed for an outbound call (§13): 2026-11-24T10:00."
)
@click.option("--defer", is_flag=True, help="The answer takes time: a deferred enquiry (§14).")
@click.option("--complete", is_flag=True, help="The card is complete: close it, the wrap-up ends.")
@with_site
def edit(
    site: Site,
    out: Output,
    card: str,
    questions: str | None,
    comment: str | None,
    answer: str | None,
    answer_source: str | None,
    topics: tuple[str, ...],
    confirmed: bool | None,
    callback_at: str | None,
    defer: bool,
    complete: bool,
) -> None:
    """Change a card; everything or, if a value is wrong, nothing."""
    by, settings = acting(site), site.settings
    change = service.Edit(
        questions=questions,
        comment=comment,
        answer=answer,
        answer_source=answer_source,
        topics=tuple(_topic(text) for text in topics),
        confirmed=confirmed,
        callback_at=moment(callback_at, now=by.at, zone=settings.zone) if callback_at else None,
        defer=defer,
        complete=complete,
    )
    with site.store.transaction() as uow:
        edited = service.edit(uow, by, card, change, settings)
        uow.commit()
    view = shown(service.view(edited), reveal=False)
    out.done(view, f"Card {edited.registration_number} changed: {', '.join(change.names())}.")


@cards.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@SINCE
@click.option("--csv", "csv_", is_flag=True, help="CSV (the default unless --json).")
@REVEAL
@with_site
def export(site: Site, out: Output, file: Path | None, since: str | None, csv_: bool, reveal: bool) -> None:
    """Cards with their texts to FILE (made 0600) or stdout: CSV or, with --json, one JSON array; audited."""
    if csv_ and out.as_json:
        raise click.UsageError("choose one of --csv and --json")
    by, start = acting(site), since_moment(site, since)
    with site.store.transaction() as uow:
        found = service.exported(uow, by, since=start)
        if reveal:
            for card in found:
                by.note(uow, "cards.reveal", card.id)
        uow.commit()
    rows = [shown(service.view(card), reveal=reveal) for card in found]
    text = (
        json.dumps(plain(rows, out.zone), ensure_ascii=False, indent=2) + "\n"
        if out.as_json
        else _csv(rows, out)
    )
    if file is None or str(file) == "-":
        click.echo(text, nl=False)
        return
    write_private(file, text)
    out.done({"file": file, "cards": len(rows)}, f"{len(rows)} cards written to {file}.")


def _csv(rows: list[dict[str, object]], out: Output) -> str:
    return as_csv(rows, service.KEYS, out.zone)


def _topic(text: str) -> tuple[str, str]:
    agency, colon, title = text.partition(":")
    if not colon or not agency.strip() or not title.strip():
        raise click.BadParameter(f"{text!r} is no topic; write it as AGENCY:TITLE")
    return agency.strip(), title.strip()
