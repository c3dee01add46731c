"""`ekc backup create` and `verify`: the database, the settings and, if asked for, the keys in one file.

Its hashes tell of damage, not of forgery: who can write the file can write the hashes, too. Journals need
nothing: how far they were read stands in the database.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ivr.domain.errors import BadInput
from ivr.files import sync
from ivr.ports import Backend, CopyFacts, DatabaseCopies, KeyNeed
from ivr.services.archive import Archive, Damaged, Digest, Part, digest_of, is_name, write
from ivr.settings import Settings

FORMAT = 1
MANIFEST, MANIFEST_SUM, CONFIG, KEYS = "manifest.json", "manifest.sha256", "ekc.toml", "keys/"
DATABASE: Mapping[Backend, str] = {"sqlite": "ekc.db", "postgresql": "ekc.dump"}
_NOT_KEYS = ("ami.secret",)
"""Each machine makes its own."""
_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


# --- what is in it ---------------------------------------------------------------------------------


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Member(_Model):
    size: Annotated[int, Field(ge=0)]
    sha256: _Hex


class _Key(_Model):
    file: Annotated[str, Field(pattern=r"^[a-z]+-[0-9A-Z]+\.key$")]
    mark: _Hex


class _Database(_Model):
    backend: Backend
    revision: str
    keys: list[_Key]


class Manifest(_Model):
    """What a backup says of itself, in the form of `manifest.json`."""

    format: Literal[1]
    program: str
    """Its version."""
    node: str
    created_at: AwareDatetime
    database: _Database
    members: dict[str, _Member]

    @property
    def facts(self) -> CopyFacts:
        keys = tuple(KeyNeed(file=k.file, mark=bytes.fromhex(k.mark)) for k in self.database.keys)
        return CopyFacts(backend=self.database.backend, revision=self.database.revision, keys=keys)

    @property
    def database_member(self) -> str:
        return DATABASE[self.database.backend]

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the key files in it."""
        return tuple(name.removeprefix(KEYS) for name in self.members if name.startswith(KEYS))

    def digest(self, name: str) -> Digest:
        return Digest(**self.members[name].model_dump())


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was found in a backup that is whole."""

    manifest: Manifest
    size: int
    """Of the file, in bytes."""
    missing: tuple[str, ...]
    """Keys that the database needs and that are neither in it nor in the key directory."""


# --- create ----------------------------------------------------------------------------------------


def create(
    file: Path, settings: Settings, copies: DatabaseCopies, *, with_keys: bool, now: datetime
) -> Looked:
    """Write a backup, whole or not at all, while the system runs.

    Raises BadInput when the file is there already or cannot be written, StorageDown.
    """
    if file.exists() or file.is_symlink():
        raise BadInput(f"{file} is there already; name a new file, or remove that one first")
    if copies.is_empty():
        raise BadInput("there is no database yet; start the system with `ekc up` first")
    with _writing(file), tempfile.TemporaryDirectory(prefix=".ekc-backup-", dir=file.parent) as folder:
        copy = Path(folder) / DATABASE[copies.backend]
        facts = copies.write(copy)
        parts: dict[str, Part] = {copy.name: copy, **_config(settings)}
        if with_keys:
            parts |= _keys(settings, facts, copies)
        manifest = _manifest(settings, facts, {name: digest_of(part) for name, part in parts.items()}, now)
        draft = Path(folder) / "draft"
        write(draft, _members(manifest, parts))
        size = draft.stat().st_size
        draft.rename(file)
        sync(file.parent)
    return Looked(manifest=manifest, size=size, missing=_missing(facts, copies, settings.keys_dir, {}))


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInput(
            f"{file} cannot be written ({error.strerror}); "
            "make room, or name a file in a folder you may write to"
        ) from None


def _config(settings: Settings) -> Mapping[str, Part]:
    path = settings.state / CONFIG
    return {CONFIG: path.read_bytes()} if path.is_file() else {}


def _keys(settings: Settings, facts: CopyFacts, copies: DatabaseCopies) -> Mapping[str, Part]:
    """All key files. Raises BadInput when one that the copy needs is not among them."""
    found = {path.name: path.read_bytes() for path in key_files(settings.keys_dir)}
    lost = [need.file for need in facts.keys if not copies.is_key(found.get(need.file, b""), need)]
    if lost:
        raise BadInput(
            f"{', '.join(lost)} is not in {settings.keys_dir}; if `ekc keys rotate` runs, wait for its end, "
            "else restore the keys first"
        )
    return {KEYS + name: content for name, content in found.items()}


def key_files(directory: Path) -> list[Path]:
    """What belongs into a backup of a key directory: no drafts, nothing that a machine makes for itself."""
    paths = sorted(directory.iterdir()) if directory.is_dir() else []
    regular = (path for path in paths if stat.S_ISREG(path.lstat().st_mode))
    return [p for p in regular if is_name(KEYS + p.name) and p.suffix != ".new" and p.name not in _NOT_KEYS]


def _manifest(settings: Settings, facts: CopyFacts, digests: Mapping[str, Digest], now: datetime) -> Manifest:
    keys = [_Key(file=need.file, mark=need.mark.hex()) for need in facts.keys]
    return Manifest(
        format=1,
        program=version("ekc"),
        node=settings.node,
        created_at=now,
        database=_Database(backend=facts.backend, revision=facts.revision, keys=keys),
        members={name: _Member(size=d.size, sha256=d.sha256) for name, d in digests.items()},
    )


def _members(manifest: Manifest, parts: Mapping[str, Part]) -> Mapping[str, tuple[Part, Digest]]:
    told = manifest.model_dump_json(indent=1).encode()
    head = {MANIFEST: told, MANIFEST_SUM: _sum(told)}
    return {name: (part, digest_of(part)) for name, part in head.items()} | {
        name: (part, manifest.digest(name)) for name, part in parts.items()
    }


def _sum(manifest: bytes) -> bytes:
    """As sha256sum writes it."""
    return f"{digest_of(manifest).sha256}  {MANIFEST}\n".encode("ascii")


# --- read ------------------------------------------------------------------------------------------


class Backup:
    """An open backup that came from anywhere, in good form; its members are checked as they are read."""

    def __init__(self, archive: Archive) -> None:
        """Raises Damaged, and BadInput for a newer form."""
        told = archive.small(MANIFEST)
        if archive.small(MANIFEST_SUM) != _sum(told):
            raise Damaged(f"{MANIFEST} is not what was written")
        self.manifest = _understood(told)
        self._archive = archive
        self._require_members()

    def _require_members(self) -> None:
        members = self.manifest.members.keys()
        if archived := self._archive.names ^ {MANIFEST, MANIFEST_SUM, *members}:
            raise Damaged(f"{min(archived)} is there without the other")
        allowed = {self.manifest.database_member, CONFIG}
        strange = [name for name in members if name not in allowed and not name.startswith(KEYS)]
        if strange or self.manifest.database_member not in members:
            raise Damaged("it does not hold what a backup holds")

    def small_parts(self) -> Mapping[str, bytes]:
        """The settings and the keys, by the names of their members. Raises Damaged."""
        names = (name for name in self.manifest.members if name != self.manifest.database_member)
        return {name: self._archive.bytes_of(name, self.manifest.digest(name)) for name in names}

    def database(self, folder: Path, copies: DatabaseCopies) -> Path:
        """The database as a new file in this folder, examined. Raises BadInput with why it is of no use."""
        manifest = self.manifest
        path = folder / manifest.database_member
        self._archive.extract(path.name, manifest.digest(path.name), path)
        if copies.examine(path, manifest.database.backend) != manifest.facts:
            raise Damaged("its database is not the one it was made of")
        return path

    def missing(self, copies: DatabaseCopies, keys: Path) -> tuple[str, ...]:
        """The needed keys that are neither in it nor in this directory."""
        return _missing(self.manifest.facts, copies, keys, self.small_parts())


def _understood(told: bytes) -> Manifest:
    try:
        form = json.loads(told)
        if isinstance(form, dict) and isinstance(form.get("format"), int) and form["format"] > FORMAT:
            raise BadInput("the backup was made by a newer version of the program; install that version")
        return Manifest.model_validate_json(told)
    except (ValueError, ValidationError, RecursionError):
        raise Damaged(f"{MANIFEST} cannot be understood") from None


def _missing(
    facts: CopyFacts, copies: DatabaseCopies, directory: Path, parts: Mapping[str, bytes]
) -> tuple[str, ...]:
    def is_there(need: KeyNeed) -> bool:
        kept = directory / need.file
        there = parts.get(KEYS + need.file) or (kept.read_bytes() if kept.is_file() else b"")
        return copies.is_key(there, need)

    return tuple(need.file for need in facts.keys if not is_there(need))


@contextmanager
def opened(file: Path) -> Iterator[Backup]:
    """Raises BadInput when it cannot be read or is no backup."""
    try:
        source = file.open("rb")
    except OSError as error:
        raise BadInput(
            f"{file} cannot be read ({error.strerror}); name a file of `ekc backup create`"
        ) from None
    with source:
        if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
            raise BadInput(f"{file} is no file; name a file of `ekc backup create`")
        yield Backup(Archive(source))


def verify(file: Path, copies: DatabaseCopies, keys: Path) -> Looked:
    """Read all of a backup. keys: where needed keys may be that are not in it. Raises BadInput, Damaged."""
    with opened(file) as backup, _room(), tempfile.TemporaryDirectory(prefix="ekc-verify-") as folder:
        backup.database(Path(folder), copies)
        missing = backup.missing(copies, keys)
        return Looked(manifest=backup.manifest, size=file.stat().st_size, missing=missing)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInput(
            f"the backup cannot be unpacked in {tempfile.gettempdir()} ({error.strerror}); "
            "make room there, or name another folder by TMPDIR"
        ) from None
