"""`ekc backup`: the database, the settings and, if asked for, the keys in one file, and back."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, acting, fail, with_site
from ivr.commands.output import Output
from ivr.domain.errors import EkcError

if TYPE_CHECKING:
    from ivr.commands.site import Site
    from ivr.services.backup import Looked

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=EkcGroup)
def backup() -> None:
    """Backups: made and verified while the system runs, restored while it does not."""


@backup.command()
@click.argument("file", type=_FILE)
@click.option("--with-keys", is_flag=True, help="The keys, too: whoever has the file can read everything.")
@with_site
def create(site: Site, out: Output, file: Path, with_keys: bool) -> None:
    """Write a backup into the new FILE (0600), whole or not at all."""
    from ivr.services import backup as backups

    copies = site.copies()
    kept = "with_keys" if with_keys else "without_keys"
    traced = not copies.is_empty() and site.database_is_current()
    if traced:  # an older one is not upgraded for the trace's sake: backups are made before that
        _note(site, "backup.create", f"begun, {kept}")
    made = backups.create(file, site.settings, copies, with_keys=with_keys, now=site.clock.now())
    if traced:
        _note(site, "backup.create", f"ok, {kept}")
    out.done({**_told(file, made), "audited": traced}, _made(site, file, made))


def _note(site: Site, action: str, result: str) -> None:
    with site.store.transaction() as uow:
        acting(site).note(uow, action, "backup", result=result)
        uow.commit()


def _made(site: Site, file: Path, made: Looked) -> str:
    parts = "the database and the settings" if "ekc.toml" in made.manifest.members else "the database"
    if made.manifest.keys:
        return (
            f"{file} holds {parts}, and the keys: whoever has it can read everything. "
            "Keep it where nobody else comes."
        )
    return (
        f"{file} holds {parts}, but NOT the keys, and without them the database cannot be read: "
        f"keep a copy of {site.settings.keys_dir} in another place."
    )


@backup.command()
@click.argument("file", type=_FILE)
@with_site
def verify(site: Site, out: Output, file: Path) -> None:
    """Read all of FILE: is it whole, and are the keys there? Exit code 1 if not."""
    from ivr.services import backup as backups

    found = backups.verify(file, site.copies(), site.settings.keys_dir)
    out.done(
        {**_told(file, found), "keys_missing": found.missing},
        f"{file} is whole: {found.manifest.database.backend}, revision {found.manifest.database.revision}, "
        f"of {found.manifest.created_at.astimezone(out.zone):%Y-%m-%d %H:%M:%S}; keys "
        + ("are in it." if found.manifest.keys else "are not in it."),
    )
    if found.missing:
        fail(
            f"keys are missing: {', '.join(found.missing)} is neither in the backup nor in "
            f"{site.settings.keys_dir}; without them it cannot be restored"
        )


def _told(file: Path, found: Looked) -> dict[str, object]:
    manifest = found.manifest
    return {
        "file": file,
        "size": found.size,
        "created_at": manifest.created_at,
        "program": manifest.program,
        "node": manifest.node,
        "backend": manifest.database.backend,
        "revision": manifest.database.revision,
        "members": list(manifest.members),
        "with_keys": bool(manifest.keys),
    }


@backup.command()
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Set aside what the state holds; never while the system runs.")
@with_site
def restore(site: Site, out: Output, file: Path, force: bool) -> None:
    """Make FILE the state: an empty one unless forced, nothing of it running; whole or not at all."""
    from ivr.services.restoring import restore as restored

    with site.at_rest():
        done = restored(file, site.settings.state, site.copies, force=force, now=site.clock.now())
        _take_up(site)
    manifest = done.manifest
    where = f" What was there before is in {done.set_aside}." if done.set_aside else ""
    out.done(
        {
            "created_at": manifest.created_at,
            "backend": manifest.database.backend,
            "members": list(manifest.members),
            "set_aside": done.set_aside,
        },
        f"The state is that of {manifest.created_at.astimezone(out.zone):%Y-%m-%d %H:%M:%S}.{where}",
    )


def _take_up(site: Site) -> None:
    """Bring the database to the program's revision, and leave the trace in it."""
    try:
        with closing(site.reopened()) as fresh:
            fresh.upgrade_database()
            _note(fresh, "backup.restore", "ok")
    except EkcError as error:
        fail(f"the backup is restored, but the database is not taken up: {error}; then run `ekc db upgrade`")
