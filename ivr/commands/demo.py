"""`ekc demo-data`: invented people, loaded and printed in clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcCommand, acting, with_site
from ivr.commands.imports import citizens_of
from ivr.commands.output import Output
from ivr.domain.snils import groups

if TYPE_CHECKING:
    from ivr.commands.site import Site
    from ivr.services.demo_data import Person

MOST = 5000


@click.command("demo-data", cls=EkcCommand)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, the same people.")
@click.option("--count", type=click.IntRange(1, MOST), default=20, show_default=True, help="How many people.")
@with_site
def demo_data(site: Site, out: Output, seed: int, count: int) -> None:
    """Load invented people and print them in clear. For demonstrations and tests; nobody real is meant."""
    from ivr.services import demo_data as service

    today = site.clock.now().astimezone(out.zone).date()
    people = service.invent(seed=seed, count=count, today=today)
    changed = service.load(site.store, acting(site), people, citizens=citizens_of(site), today=today)
    if changed:
        site.apply_operators()  # the agencies' queues are there at once
    if out.as_json:
        out.document([person.view() for person in people])
        return
    for person in people:
        _print(person)


def _print(person: Person) -> None:
    who = person.citizen
    name = " ".join(filter(None, (who["last_name"], who["first_name"], who["patronymic"])))
    number = "{}-{}-{} {}".format(*groups(who["snils"]))
    document = f"{who['document_series']} {who['document_number']}"
    click.echo(
        f"{name}: SNILS {number}, phone {who['phone']}, code {who['secret_code']}, document {document}"
    )
    for application in person.applications:
        words = (application[column] for column in ("agency", "service", "status", "decision"))
        receipt = f"{application['number']} of {application['accepted_on']}"
        click.echo(f"  receipt {receipt}: {', '.join(filter(None, words))}")
