"""`ekc agencies|applications|citizens|payments|notices import FILE`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from ivr.commands.common import EkcGroup, acting, fail, with_site
from ivr.commands.output import Output
from ivr.domain.errors import BadInput

if TYPE_CHECKING:
    from ivr.commands.rejects import Rejects
    from ivr.commands.site import Site
    from ivr.services.imports import Counts, Kind
    from ivr.services.rows import Table

FILE = click.argument("file", type=click.Path(path_type=Path))
REJECTS = click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where rejected rows go, each with its line and the reason; readable by its owner only.",
)


def _group(name: str, help_: str, kind_of: Callable[[Site], Kind[Any]]) -> click.Group:
    group = EkcGroup(name, help=help_)

    @group.command("import")
    @FILE
    @REJECTS
    @with_site
    def import_(site: Site, out: Output, file: Path, rejects: Path | None) -> None:
        """Bring in a file: CSV with a header, or JSON lines. Exit code 1 when rows were rejected."""
        counts = _import(site, out, kind_of(site), file, rejects)
        if name == "agencies" and counts.changed:
            site.apply_operators()  # their queues are there at once
        _tell(out, counts, rejects)

    return group


def _import(site: Site, out: Output, kind: Kind[Any], path: Path, rejects: Path | None) -> Counts:
    from ivr.services.files_in import open_table
    from ivr.services.imports import bring_in

    with _opened(path) as file:
        table = open_table(file, kind.columns)
        with _progress(out, kind.name, file) as stored, _rejects(rejects, table, file) as kept:
            return bring_in(
                site.store,
                acting(site),
                kind,
                table,
                refuse=kept.add if kept is not None else lambda _: None,
                stored=stored,
            )


def _rejects(path: Path | None, table: Table, file: BinaryIO) -> Rejects | nullcontext[None]:
    from ivr.commands.rejects import Rejects

    return nullcontext() if path is None else Rejects(path, table, source=file)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    with file:
        yield file


@contextmanager
def _progress(out: Output, name: str, file: BinaryIO) -> Iterator[Callable[[], None]]:
    """What is called after each batch: moves a bar on a terminal, says nothing elsewhere."""
    if out.as_json or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=os.fstat(file.fileno()).st_size)
        yield lambda: bar.update(task, completed=file.tell())


def _tell(out: Output, counts: Counts, rejects: Path | None) -> None:
    result = {"accepted": counts.accepted, "changed": counts.changed, "rejected": counts.rejected}
    out.done(result, f"Rows accepted: {counts.accepted}, of which changed something: {counts.changed}.")
    if counts.first is None:
        return
    where = f"mend them in {rejects} and import it" if rejects else "see them all with --rejects FILE"
    first = f"the first on line {counts.first.number}: {counts.first.reason}"
    fail(f"rows rejected: {counts.rejected}, {first}; {where}")


# --- what a file is about --------------------------------------------------------------------------


def _today(site: Site) -> date:
    return site.clock.now().astimezone(site.settings.zone).date()


def _agencies(site: Site) -> Kind[Any]:
    from ivr.services import imports

    return imports.agencies(site.store)


def _applications(site: Site) -> Kind[Any]:
    from ivr.services import imports

    return imports.applications(site.store, today=_today(site))


def _payments(site: Site) -> Kind[Any]:
    from ivr.services import imports

    return imports.payments(site.store)


def _notices(site: Site) -> Kind[Any]:
    from ivr.services import imports

    return imports.notices(site.store)


def citizens_of(site: Site) -> Kind[Any]:
    from ivr.services import codes
    from ivr.services.citizens_in import Citizens

    return Citizens(codes=site.code_book(), check_code=codes.normalise, today=_today(site))


agencies = _group("agencies", "Agencies with the topics they answer for.", _agencies)
applications = _group("applications", "Applications for social measures.", _applications)
citizens = _group("citizens", "Citizens, with the secret codes they are identified by.", citizens_of)
payments = _group("payments", "Payments to citizens.", _payments)
notices = _group("notices", "Notices of entitlement.", _notices)
