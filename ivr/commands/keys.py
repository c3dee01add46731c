"""`ekc keys`: new keys for the old ones, while calls go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, acting, fail, with_site
from ivr.commands.output import Output
from ivr.commands.progress import progress

if TYPE_CHECKING:
    from ivr.commands.site import Site
    from ivr.ports import KeyRotation


@click.group(cls=EkcGroup)
def keys() -> None:
    """The keys that personal values are sealed with."""


@keys.command()
@click.option("--pepper", is_flag=True, help="Also a new pepper, for secret codes that are set from now on.")
@with_site
def rotate(site: Site, out: Output, pepper: bool) -> None:
    """Seal and hash everything with new keys, then erase the old ones.

    Calls go on meanwhile. Interrupted, it goes on when run again. Backups made before need the old keys: keep
    a copy of them as long as the backups.
    """
    _note(site, "begun")
    with progress(out, "keys") as told:
        done = site.rotate_keys(pepper=pepper, progress=told)
    _note(site, "unreadable" if done.unreadable else "ok")
    _tell(out, done)


def _note(site: Site, result: str) -> None:
    with site.store.transaction() as uow:
        acting(site).note(uow, "keys.rotate", "keys", result=result)
        uow.commit()


def _tell(out: Output, done: KeyRotation) -> None:
    how = "The rotation that had been interrupted is finished" if done.resumed else "There are new keys"
    result = {
        "resumed": done.resumed,
        "rows": done.rows,
        "removed": done.removed,
        "kept": done.kept,
        "unreadable": done.unreadable,
    }
    sentence = (
        f"{how}. Rows sealed anew: {done.rows}; old keys erased: {done.removed}, still needed: {done.kept}."
    )
    out.done(result, sentence)
    if done.unreadable:
        fail(
            f"rows that do not open: {done.unreadable}, so the old keys stay; "
            "restore the database from a backup, or see `ekc db check`"
        )
