"""`ekc backup`: what comes back is what was there, from a whole file only, and never half of it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from alembic import command
from click.testing import CliRunner

import cli
from db import schema
from db.engine import connect
from tests.harness.commands import PROJECT, Result
from tests.harness.postgres import Postgres
from tests.integration.conftest import BACKENDS, Database
from tests.integration.filling import MARKERS, fill, read
from tests.integration.storing import AT, do

CONFIG = 'opens = "08:00"\ncloses = "20:00"\n'


@dataclass(kw_only=True)
class Site:
    """A state directory and, where it has one, its database on a server."""

    state: Path
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {"EKC_STATE": str(self.state), "EKC_DATABASE_URL": self.url}

    def ekc(self, *arguments: str | Path) -> Result:
        """A command, in this process: starting one for each takes most of the time."""
        words = tuple(map(str, arguments))
        done = CliRunner(env={name: None for name in os.environ if name.startswith("EKC_")}).invoke(
            cli.ekc, words, env=self.environment
        )
        return Result(argv=words, code=done.exit_code, out=done.stdout, err=done.stderr)

    def process(self, *arguments: str | Path, limit: int | None = None) -> Result:
        """A command as a process. limit: bytes that it may write into one file."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("EKC_")}

        def limited() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        done = subprocess.run(
            [sys.executable, "-m", "cli", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=PROJECT,
            env=mine | self.environment,
            preexec_fn=limited,
            timeout=120,
            check=False,
        )
        return Result(argv=tuple(map(str, arguments)), code=done.returncode, out=done.stdout, err=done.stderr)

    def json(self, *arguments: str | Path) -> object:
        result = self.ekc(*arguments, "--json")
        assert (result.code, result.err) == (0, ""), result.err
        return result.json

    def database(self) -> Database:
        return Database(url=self.url or f"sqlite:///{self.state / 'ekc.db'}", keys=self.state / "keys")

    def calls_and_cards(self) -> list[object]:
        return [
            self.json("calls", "list"),
            self.json("cards", "export"),
            self.json("callbacks", "list"),
            self.json("operators", "list"),
        ]

    def kept(self) -> set[str]:
        """Files in it, but for the lock that every restore leaves."""
        files = (path for path in self.state.rglob("*") if path.is_file()) if self.state.exists() else ()
        return {str(path.relative_to(self.state)) for path in files if path.parent.name != "run"}


Make = Callable[..., Site]


@pytest.fixture
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """make(backend, name): a site without state and with an empty database."""
    names: list[str] = []

    def made(backend: str, name: str) -> Site:
        if backend == "sqlite":
            return Site(state=tmp_path / name)
        server: Postgres = request.getfixturevalue("postgres")
        names.append(server.create())
        return Site(state=tmp_path / name, url=server.url(names[-1]))

    yield made
    for name in names:
        request.getfixturevalue("postgres").drop(name)


def filled(site: Site) -> Site:
    """With settings, a key file of another part, and something of everything in its database."""
    site.state.mkdir(mode=0o700)
    (site.state / "ekc.toml").write_text(CONFIG)
    database = site.database()
    store = database.open()
    store.upgrade()
    fill(store)
    database.close()
    (site.state / "keys" / "ami.secret").write_text("this machine's")
    return site


@pytest.fixture
def source(make: Make) -> Site:
    return filled(make("sqlite", "source"))


@pytest.fixture
def file(source: Site, tmp_path: Path) -> Path:
    """A backup of `source` with its keys."""
    source.json("backup", "create", tmp_path / "backup.tar", "--with-keys")
    return tmp_path / "backup.tar"


def everything(site: Site) -> dict[str, object]:
    database = site.database()
    try:
        return read(database.open())
    finally:
        database.close()


def modes(site: Site) -> Mapping[str, int]:
    """Permissions of everything in a state, itself included."""
    paths = [site.state, *site.state.rglob("*")]
    return {str(path.relative_to(site.state)): stat.S_IMODE(path.stat().st_mode) for path in paths}


def unpacked(file: Path) -> dict[str, bytes]:
    """By Python's own tar reader: any tar can read a backup."""
    with tarfile.open(file) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar.getmembers()}  # type: ignore[union-attr]


# --- there and back --------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_on_an_empty_machine_all_is_as_it_was_when_the_backup_was_made(
    make: Make, backend: str, tmp_path: Path
) -> None:
    source, target, file = filled(make(backend, "source")), make(backend, "target"), tmp_path / "b.tar"
    before, read_before = source.calls_and_cards(), everything(source)
    source.json("backup", "create", file, "--with-keys")
    database = source.database()
    do(database.open(), lambda uow: uow.cards.open(call="node1-9.9", node="node1", number=None, at=AT))
    database.close()
    target.json("backup", "restore", file)
    assert target.calls_and_cards() == before
    assert everything(target) == read_before
    assert len(source.calls_and_cards()[0]) > len(before[0])  # type: ignore[arg-type]
    assert (target.state / "ekc.toml").read_text() == CONFIG
    assert target.ekc("db", "check").code == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_making_and_restoring_are_in_the_audit_of_the_database_they_concern(
    make: Make, backend: str, tmp_path: Path
) -> None:
    source, target = filled(make(backend, "source")), make(backend, "target")
    source.json("backup", "create", tmp_path / "b.tar", "--with-keys")
    target.json("backup", "restore", tmp_path / "b.tar")

    def deeds(site: Site) -> list[tuple[str, str]]:
        rows = site.json("audit", "list")
        assert isinstance(rows, list)
        return [(row["action"], row["result"]) for row in rows if row["action"].startswith("backup.")]

    assert deeds(source) == [("backup.create", "ok, with_keys"), ("backup.create", "begun, with_keys")]
    assert deeds(target) == [("backup.restore", "ok"), ("backup.create", "begun, with_keys")]


def test_what_is_restored_can_be_read_by_its_owner_only(make: Make, file: Path) -> None:
    target = make("sqlite", "target")
    target.json("backup", "restore", file)
    found = modes(target)
    assert {"ekc.db", "ekc.toml", "keys"} <= found.keys() and len([n for n in found if "-" in n]) >= 3
    assert {name for name, mode in found.items() if mode & 0o077} == set()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_backup_is_one_moment_of_a_database_that_is_being_written(source: Site, tmp_path: Path) -> None:
    """Card and callback are written together; a copy never has one without the other."""
    database = source.database()
    store = database.open()
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(source.state)], cwd=PROJECT, stdout=-1)
    assert writer.stdout is not None
    try:
        assert writer.stdout.readline() == b"writing\n"
        begun = len(do(store, lambda uow: uow.cards.list()))
        source.json("backup", "create", tmp_path / "b.tar", "--with-keys")
        ended = len(do(store, lambda uow: uow.cards.list()))
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
        database.close()
    target = Site(state=tmp_path / "target")
    target.json("backup", "restore", tmp_path / "b.tar")
    database = target.database()
    cards, callbacks = do(database.open(), lambda uow: (uow.cards.list(), uow.callbacks.list()))
    database.close()
    assert begun <= len(cards) <= ended and begun < ended
    assert len(cards) == len(callbacks) + 1  # `fill` opens one card without a callback


_WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.integration.conftest import Database
from tests.integration.storing import AT, a_callback
state = Path(sys.argv[1])
store = Database(url=f"sqlite:///{state / 'ekc.db'}", keys=state / "keys").open()
for number in range(10**6):
    with store.transaction() as uow:
        card = uow.cards.open(call=f"node1-{number}.5", node="node1", number=None, at=AT)
        uow.callbacks.request(a_callback(card.id, number=f"+7913{number:07}"))
        uow.commit()
    if number == 5:
        print("writing", flush=True)
"""


def test_a_backup_can_be_listed_by_any_tar_and_tells_what_it_is_of(file: Path) -> None:
    members = unpacked(file)
    manifest = json.loads(members["manifest.json"])
    assert (manifest["format"], manifest["database"]["backend"]) == (1, "sqlite")
    assert manifest["database"]["revision"] and manifest["program"] and manifest["created_at"]
    assert members["manifest.sha256"].split() == [
        sha256(members["manifest.json"]).hexdigest().encode(),
        b"manifest.json",
    ]
    assert manifest["members"] == {
        name: {"size": len(content), "sha256": sha256(content).hexdigest()}
        for name, content in members.items()
        if not name.startswith("manifest.")
    }
    assert "keys/ami.secret" not in members
    content = file.read_bytes()
    assert [marker for marker in MARKERS if marker.encode() in content] == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_older_database_is_copied_as_it_is_and_upgraded_when_it_is_restored(
    make: Make, backend: str, tmp_path: Path
) -> None:
    source, target, file = filled(make(backend, "source")), make(backend, "target"), tmp_path / "b.tar"
    before = everything(source)
    engine = connect(source.database().url)
    with engine.begin() as connection:
        command.downgrade(schema.migration_config(connection), "0004")
    made = source.json("backup", "create", file, "--with-keys")
    assert (made["revision"], made["audited"]) == ("0004", False)  # type: ignore[index]
    with engine.connect() as connection:
        assert schema.revision(connection) == "0004"
    engine.dispose()
    target.json("backup", "restore", file)
    assert everything(target) == {**before, "scenarios": [], "by SNILS": []}  # 0004 had none
    assert target.ekc("db", "check").code == 0


# --- keys ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_keys_it_says_so_and_verify_and_restore_name_the_missing_ones(
    make: Make, backend: str, tmp_path: Path
) -> None:
    source, target, file = filled(make(backend, "source")), make(backend, "target"), tmp_path / "b.tar"
    made = source.ekc("backup", "create", file)
    assert made.code == 0 and "NOT the keys" in made.out
    assert [name for name in unpacked(file) if name.startswith("keys/")] == []
    names = sorted(path.name for path in (source.state / "keys").glob("*.key"))
    assert source.json("backup", "verify", file)["keys_missing"] == []  # type: ignore[index]
    elsewhere = target.ekc("backup", "verify", file, "--json")
    assert (elsewhere.code, elsewhere.json["keys_missing"]) == (1, names)
    refused = target.ekc("backup", "restore", file)
    assert refused.code == 1 and all(name in refused.err for name in names) and target.kept() == set()
    shutil.copytree(source.state / "keys", target.state / "keys")
    target.json("backup", "restore", file)
    assert everything(target) == everything(source)


def test_another_key_under_the_name_of_a_needed_one_counts_as_missing(source: Site, tmp_path: Path) -> None:
    source.json("backup", "create", tmp_path / "b.tar")
    key = next((source.state / "keys").glob("data-*.key"))
    key.write_bytes(bytes(32))
    found = source.ekc("backup", "verify", tmp_path / "b.tar", "--json")
    assert (found.code, found.json["keys_missing"]) == (1, [key.name])


def test_a_backup_with_keys_is_not_made_where_one_is_lost(source: Site, tmp_path: Path) -> None:
    next((source.state / "keys").glob("pepper-*.key")).unlink()
    (source.state / "ekc.toml").unlink()
    made = source.ekc("backup", "create", tmp_path / "b.tar", "--with-keys")
    assert made.code == 1 and "pepper-" in made.err
    assert list(tmp_path.glob("*b.tar*")) == []


# --- what is refused -------------------------------------------------------------------------------


def test_every_byte_of_a_backup_is_watched(file: Path, tmp_path: Path, source: Site) -> None:
    """One changed byte in each header, in each member, between members and at the end; cut and lengthened."""
    from db.dump import open_copies
    from ivr.domain.errors import BadInput
    from ivr.services.backup import verify

    whole, copies = file.read_bytes(), open_copies(f"sqlite:///{source.state / 'ekc.db'}")
    assert verify(file, copies, source.state / "keys").missing == ()
    with tarfile.open(file) as tar:
        places = [m.offset + at for m in tar.getmembers() for at in (0, 105, 130, 150, 156, 200, 300, 512)]
        ends = [m.offset_data + m.size - 1 for m in tar.getmembers()]
    changed = [_flip(whole, at) for at in (*places, *ends, ends[0] + 1, len(whole) - 1)]
    broken = tmp_path / "broken.tar"
    for content in (*changed, whole[:-1], whole[: len(whole) // 2], whole[:700], b"", whole + bytes(10240)):
        broken.write_bytes(content)
        with pytest.raises(BadInput):
            verify(broken, copies, source.state / "keys")


def _flip(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_a_damaged_backup_is_refused_in_one_sentence_and_restores_nothing(make: Make, file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(_flip(content, len(content) // 2))
    target = make("sqlite", "target")
    for verb in ("verify", "restore"):
        result = target.ekc("backup", verb, file)
        assert result.code == 1
        assert result.err == "ekc: the backup is damaged: ekc.db is not what was written; take another one\n"
    assert target.kept() == set()


def a_tar(*members: tuple[tarfile.TarInfo, bytes], format: int = tarfile.GNU_FORMAT) -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, BytesIO(content))
    return out.getvalue()


def _named(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o600) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, link, mode
    return member


HOSTILE = {
    "a path upwards": a_tar((_named("../ekc.toml"), b"x")),
    "a path upwards in keys": a_tar((_named("keys/../../x.key"), b"x")),
    "an absolute path": a_tar((_named("/etc/passwd"), b"x")),
    "a symbolic link": a_tar((_named("ekc.db", tarfile.SYMTYPE, "/etc/passwd"), b"")),
    "a hard link": a_tar((_named("ekc.db", tarfile.LNKTYPE, "/etc/passwd"), b"")),
    "a device": a_tar((_named("ekc.db", tarfile.BLKTYPE), b"")),
    "a folder": a_tar((_named("keys", tarfile.DIRTYPE), b"")),
    "a set-uid file": a_tar((_named("manifest.json", mode=0o4755), b"{}")),
    "a long name": a_tar((_named("k" * 200), b"")),
    "an extended header": a_tar((_named("ключ"), b""), format=tarfile.PAX_FORMAT),
    "one name twice": a_tar((_named("manifest.json"), b"{}"), (_named("manifest.json"), b"{}")),
    "no manifest": a_tar((_named("ekc.db"), b"")),
    "text": b"hello" * 500,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_that_we_would_not_have_written_is_refused_by_its_form(
    source: Site, tmp_path: Path, content: bytes
) -> None:
    from db.dump import open_copies
    from ivr.services.archive import Damaged
    from ivr.services.backup import verify

    (tmp_path / "hostile.tar").write_bytes(content)
    copies = open_copies(f"sqlite:///{source.state / 'ekc.db'}")
    with pytest.raises(Damaged):
        verify(tmp_path / "hostile.tar", copies, source.state / "keys")


def test_a_size_beyond_the_file_is_refused_before_anything_is_read(source: Site, tmp_path: Path) -> None:
    from db.dump import open_copies
    from ivr.services.archive import Damaged
    from ivr.services.backup import verify

    member = _named("manifest.json")
    member.size = 1 << 50
    (tmp_path / "huge.tar").write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 16))
    with pytest.raises(Damaged, match="more than a backup"):
        verify(tmp_path / "huge.tar", open_copies(f"sqlite:///{source.state / 'ekc.db'}"), source.state)


def forged(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The backup with other members, all hashes right: what an attacker or another version would write."""
    from ivr.services.archive import digest_of, write

    members = unpacked(file)
    change(members)
    manifest = json.loads(members.pop("manifest.json"))
    members.pop("manifest.sha256")
    manifest["members"] = {n: {"size": len(c), "sha256": sha256(c).hexdigest()} for n, c in members.items()}
    manifest |= json.loads(members.pop("more", b"{}"))
    manifest["members"].pop("more", None)
    told = json.dumps(manifest).encode()
    summed = f"{sha256(told).hexdigest()}  manifest.json\n".encode()
    parts = {"manifest.json": told, "manifest.sha256": summed, **members}
    other = file.with_name("forged.tar")
    other.unlink(missing_ok=True)
    write(other, {name: (content, digest_of(content)) for name, content in parts.items()})
    return other


def test_a_backup_of_a_newer_program_is_refused_with_what_to_do(make: Make, file: Path) -> None:
    result = make("sqlite", "target").ekc(
        "backup", "restore", forged(file, lambda m: m.update(more=b'{"format": 2}'))
    )
    assert (result.code, "install that version" in result.err) == (1, True)


def test_a_database_with_more_than_tables_is_refused(make: Make, file: Path, tmp_path: Path) -> None:
    """A trigger would run inside our own program at its next write."""
    import sqlite3
    from contextlib import closing

    def plant(members: dict[str, bytes]) -> None:
        path = tmp_path / "planted.db"
        path.write_bytes(members["ekc.db"])
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("CREATE TRIGGER t AFTER INSERT ON cards BEGIN DELETE FROM audit; END")
            connection.commit()
        members["ekc.db"] = path.read_bytes()

    target = make("sqlite", "target")
    result = target.ekc("backup", "restore", forged(file, plant))
    assert (result.code, "t is none of ours" in result.err) == (1, True)
    assert target.kept() == set()


def test_settings_that_the_program_does_not_take_are_not_restored(make: Make, file: Path) -> None:
    target = make("sqlite", "target")
    bad = forged(file, lambda members: members.update({"ekc.toml": b'timezone = "Nowhere"\n'}))
    result = target.ekc("backup", "restore", bad)
    assert (result.code, "timezone" in result.err, target.kept()) == (1, True, set())


def test_a_backup_of_one_database_is_not_restored_into_the_other(
    make: Make, file: Path, postgres: Postgres
) -> None:
    target = make("postgresql", "target")
    result = target.ekc("backup", "restore", file)
    assert (result.code, "EKC_DATABASE_URL" in result.err, target.kept()) == (1, True, set())


# --- into what it is restored ----------------------------------------------------------------------


def test_a_state_that_holds_something_is_left_alone_unless_forced_and_then_kept(
    make: Make, file: Path, source: Site
) -> None:
    target = filled(make("sqlite", "target"))
    (target.state / "ekc.toml").write_text('opens = "10:00"\n')
    database = target.database()
    do(database.open(), lambda uow: uow.cards.open(call="node1-9.9", node="node1", number=None, at=AT))
    database.close()
    before, mine = target.calls_and_cards(), target.kept()
    refused = target.ekc("backup", "restore", file)
    assert refused.code == 1 and "ekc.db, ekc.toml" in refused.err and "--force" in refused.err
    assert (target.calls_and_cards(), target.kept()) == (before, mine)
    done = target.json("backup", "restore", file, "--force")
    assert target.calls_and_cards() == source.calls_and_cards() != before
    aside = Path(done["set_aside"])  # type: ignore[index]
    assert (aside / "ekc.toml").read_text() == 'opens = "10:00"\n'
    assert stat.S_IMODE(aside.stat().st_mode) == 0o700
    old = Database(url=f"sqlite:///{aside / 'ekc.db'}", keys=target.state / "keys")
    assert len(do(old.open(), lambda uow: uow.cards.list())) == 3
    old.close()


def test_a_database_on_a_server_that_has_tables_is_never_overwritten(make: Make, tmp_path: Path) -> None:
    source, target = filled(make("postgresql", "source")), filled(make("postgresql", "target"))
    before = everything(target)
    source.json("backup", "create", tmp_path / "b.tar", "--with-keys")
    (target.state / "ekc.toml").write_text('opens = "10:00"\n')
    result = target.ekc("backup", "restore", tmp_path / "b.tar", "--force")
    assert (result.code, "has tables already" in result.err) == (1, True)
    assert everything(target) == before
    assert (target.state / "ekc.toml").read_text() == 'opens = "10:00"\n'
    assert [path.name for path in target.state.glob("*restore*")] == []


@pytest.mark.parametrize("part", ["engine", "asterisk"])
def test_beside_a_running_part_nothing_is_restored_even_if_forced(make: Make, file: Path, part: str) -> None:
    target = make("sqlite", "target")
    (target.state / "run").mkdir(parents=True)
    (target.state / "run" / f"{part}.pid").write_text(f"{os.getpid()}\n")
    result = target.ekc("backup", "restore", file, "--force")
    assert result.code == 1 and f"the {part} of this state runs (pid {os.getpid()})" in result.err
    assert target.kept() == set()


def test_beside_a_running_supervisor_nothing_is_restored(make: Make, file: Path) -> None:
    from ivr.supervisor.supervisor import only_one

    target = make("sqlite", "target")
    with only_one(target.state / "run"):
        result = target.ekc("backup", "restore", file, "--force")
    assert result.code == 1 and f"pid {os.getpid()}" in result.err
    assert target.kept() == set()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_restore_that_was_killed_before_the_database_is_simply_run_again(
    make: Make, backend: str, tmp_path: Path
) -> None:
    source, target, file = filled(make(backend, "source")), make(backend, "target"), tmp_path / "b.tar"
    source.json("backup", "create", file, "--with-keys")
    members = unpacked(file)
    (target.state / "keys").mkdir(parents=True)
    (target.state / ".restore-left").mkdir()
    for name, content in members.items():
        if name.startswith("keys/"):
            (target.state / name).write_bytes(content)
    target.json("backup", "restore", file)
    assert everything(target) == everything(source)
    assert list(target.state.glob(".restore-*")) == []


def test_what_fails_at_the_last_step_leaves_the_state_as_it_was(
    make: Make, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    from db.dump import SqliteCopies, open_copies
    from ivr.domain.errors import StorageDown
    from ivr.services.restoring import restore

    target = filled(make("sqlite", "target"))
    (target.state / "ekc.toml").write_text('opens = "10:00"\n')
    before, mine = everything(target), target.kept()

    def broken(self: SqliteCopies, file: Path) -> None:
        raise StorageDown("no room")

    monkeypatch.setattr(SqliteCopies, "load", broken)
    with pytest.raises(StorageDown):
        restore(
            file, target.state, lambda s: open_copies(s.sqlalchemy_url), force=True, now=datetime.now(UTC)
        )
    assert target.kept() == mine
    assert everything(target) == before
    assert (target.state / "ekc.toml").read_text() == 'opens = "10:00"\n'


# --- no room ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("short_of", ["the copy", "the archive"])
def test_where_there_is_no_room_a_backup_is_not_made_and_nothing_is_left(
    make: Make, tmp_path: Path, backend: str, short_of: str
) -> None:
    """No file may grow to the size of the database's copy; or to that of the archive, which holds it. A
    limit, unlike a full disk, kills pg_dump, and then that is all that is known."""
    source, folder, whole = filled(make(backend, "source")), tmp_path / "small", tmp_path / "whole.tar"
    source.json("backup", "create", whole)
    copy, archive = max(map(len, unpacked(whole).values())), whole.stat().st_size
    folder.mkdir()
    limit = copy // 2 if short_of == "the copy" else (copy + archive) // 2
    result = source.process("backup", "create", folder / "b.tar", limit=limit)
    why = "pg_dump failed" if (backend, short_of) == ("postgresql", "the copy") else "room"
    assert (result.code, result.err.count("\n"), why in result.err) == (1, 1, True), result.err
    assert list(folder.iterdir()) == []


def test_a_restore_that_finds_no_room_leaves_nothing(make: Make, file: Path) -> None:
    target = make("sqlite", "target")
    result = target.process("backup", "restore", file, limit=128 * 1024)
    assert (result.code, "make room" in result.err, target.kept()) == (1, True, set())


def test_an_existing_file_is_never_overwritten(source: Site, file: Path) -> None:
    before = file.read_bytes()
    result = source.ekc("backup", "create", file)
    assert (result.code, "is there already" in result.err) == (1, True)
    assert file.read_bytes() == before


def test_where_there_is_no_database_there_is_no_backup_and_none_is_made(make: Make, tmp_path: Path) -> None:
    site = make("sqlite", "source")
    result = site.ekc("backup", "create", tmp_path / "b.tar")
    assert (result.code, "no database yet" in result.err) == (1, True)
    assert site.kept() == set() and not (tmp_path / "b.tar").exists()
