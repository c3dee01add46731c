"""What callers asked for without an engine becomes callbacks: once, whatever else lies in the spool."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from agi_scripts import emergency
from db.keys import KeyKind, KeyRing
from db.spool_keys import SpoolKeys
from ivr.domain.callback import Callback, Source, State
from ivr.domain.enquiry import Outcome
from ivr.domain.errors import BadInput, StorageDown, Unavailable
from ivr.services.spool import ARCHIVE, AT_ONCE, Spool, Taken, _parsed
from ivr.settings import Settings
from ivr.testing import START, MemoryStore, VirtualClock

CALL, NUMBER = "node1-1795514400.17", "+79123456789"
ARRIVED = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)


@dataclass
class Desk:
    """A spool with its folders and keys, and what the engine makes of it."""

    top: Path
    clock: VirtualClock = field(default_factory=VirtualClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    taken: list[Taken] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = Settings(state=self.top)
        self.folder = self.settings.emergency_spool
        (self.folder / ARCHIVE).mkdir(parents=True)
        self.keys = SpoolKeys(self.settings.keys_dir, self.settings.emergency_public_key)
        self.keys.ensure()
        self.spool = Spool(
            self.store,
            self.keys,
            self.clock,
            self.settings,
            on_taken=self.taken.append,
            on_unreadable=self.unreadable.append,
        )

    def keep(self, call: str = CALL, number: str = NUMBER) -> None:
        """As the script keeps it."""
        places = emergency.Places(self.folder, self.top / "prompts", 1.0)
        emergency.keep(emergency.Caller(call, number, int(ARRIVED.timestamp())), places)
        self.age(self.folder / f"{call}.sealed", 0)

    def age(self, path: Path, seconds: float) -> None:
        """Have a file look as if it had been written so long ago."""
        at = self.clock.now().timestamp() - seconds
        os.utime(path, (at, at))

    def seal(self, name: str, text: bytes) -> None:
        public = self.settings.emergency_public_key.read_text()
        (self.folder / f"{name}.sealed").write_bytes(emergency.seal(text, public))

    def waiting(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.is_file())

    def archived(self) -> list[str]:
        return sorted(path.name for path in (self.folder / ARCHIVE).iterdir())

    def callbacks(self) -> list[Callback]:
        with self.store.transaction() as uow:
            return list(uow.callbacks.list())

    def of_card(self, call: str = CALL) -> Any:
        with self.store.transaction() as uow:
            return uow.cards.of_call(call)

    def change(self, work: Callable[[Any], None]) -> None:
        with self.store.transaction() as uow:
            work(uow)
            uow.commit()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_file_becomes_a_callback_at_the_place_of_its_arrival(desk: Desk) -> None:
    """Its card is opened if the journals have not come to it yet; the file goes into the archive."""
    desk.keep()
    assert await desk.spool.take() == 1
    [callback] = desk.callbacks()
    assert (callback.source, callback.number, callback.queue) == (Source.EMERGENCY, NUMBER, "general")
    assert (callback.arrived_at, callback.due, callback.state) == (ARRIVED, START, State.REQUESTED)
    card = desk.of_card()
    assert (card.id, card.number, card.registered_at) == (callback.card, NUMBER, ARRIVED)
    assert (desk.waiting(), desk.archived()) == ([], [f"{CALL}.sealed"])
    assert (desk.taken, desk.unreadable) == ([Taken.CALLBACK], [0])


async def test_what_was_asked_while_the_line_was_closed_is_due_when_it_opens(desk: Desk) -> None:
    """The script knows no calendar (§12): Tuesday night, Wednesday nine o'clock in Yekaterinburg."""
    desk.clock.forward(8 * 3600)
    desk.keep()
    await desk.spool.take()
    [callback] = desk.callbacks()
    assert callback.due == datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


async def test_the_trace_tells_that_the_caller_was_asked_and_the_audit_who_promised(desk: Desk) -> None:
    desk.keep()
    await desk.spool.take()
    with desk.store.transaction() as uow:
        [(_, event)] = uow.traces.of_call(CALL)
        [row] = uow.audit.list()
    assert (event.kind, event.id, event.outcome) == ("ask", "emergency.callback", "answered")
    assert (row.actor, row.action, row.call, row.result) == (
        "emergency",
        "callbacks.request",
        CALL,
        "emergency",
    )


async def test_a_crash_between_transaction_and_archive_doubles_nothing(desk: Desk) -> None:
    """Even when the citizen has been called back before the file is met again."""
    desk.keep()
    (desk.folder / ARCHIVE).rmdir()
    with pytest.raises(OSError, match=ARCHIVE):
        await desk.spool.take()
    [callback] = desk.callbacks()
    desk.change(lambda uow: uow.callbacks.save(replace(callback, state=State.DONE)))
    (desk.folder / ARCHIVE).mkdir()
    assert await desk.spool.take() == 1
    assert [one.state for one in desk.callbacks()] == [State.DONE]
    assert (desk.taken, desk.archived()) == ([Taken.AGAIN], [f"{CALL}.sealed"])


async def test_without_a_database_files_stay_where_they_are(desk: Desk) -> None:
    desk.keep()
    desk.store.down = True
    with pytest.raises(StorageDown):
        await desk.spool.take()
    assert desk.waiting() == [f"{CALL}.sealed"]
    desk.store.down = False
    await desk.spool.take()
    assert len(desk.callbacks()) == 1


async def test_two_calls_of_one_number_are_one_callback(desk: Desk) -> None:
    for call in ("node1-1.1", "node1-2.2"):
        desk.keep(call)
    assert await desk.spool.take() == 2
    assert len(desk.callbacks()) == 1
    assert desk.of_card("node1-2.2") is not None


async def test_a_wish_for_which_an_earlier_card_has_a_callback_is_linked_by_its_outcome(desk: Desk) -> None:
    """The later call was settled as lost; its citizen is called for both."""
    desk.keep("node1-1.1")
    await desk.spool.take()

    def settle(uow: Any) -> None:
        card = uow.cards.open(call="node1-2.2", node="node1", number=NUMBER, at=ARRIVED)
        uow.cards.close(card.id, outcome=Outcome.LOST_BY_CRASH, at=ARRIVED)

    desk.change(settle)
    desk.keep("node1-2.2")
    await desk.spool.take()
    assert desk.of_card("node1-2.2").outcome is Outcome.CALLBACK
    assert [callback.card for callback in desk.callbacks()] == [desk.of_card("node1-1.1").id]


@pytest.mark.parametrize(
    ("source", "becomes"),
    [
        (Source.CRASH, Source.EMERGENCY),
        (Source.ABANDONED, Source.EMERGENCY),
        (Source.QUEUE, Source.QUEUE),
        (Source.AGREED, Source.AGREED),
    ],
)
async def test_a_callback_that_nobody_had_asked_for_is_now_one_that_was(
    desk: Desk, source: Source, becomes: Source
) -> None:
    """Reconciliation may have been quicker than the spool; what was asked for or agreed keeps its name."""

    def reconcile(uow: Any) -> None:
        card = uow.cards.open(call=CALL, node="node1", number=NUMBER, at=ARRIVED)
        uow.callbacks.request(
            Callback(
                id="cb",
                card=card.id,
                number=NUMBER,
                source=source,
                queue="general",
                arrived_at=ARRIVED,
                due=START,
            )
        )

    desk.change(reconcile)
    desk.keep()
    await desk.spool.take()
    [callback] = desk.callbacks()
    assert (callback.id, callback.source) == ("cb", becomes)


@pytest.mark.parametrize(
    ("outcome", "becomes"),
    [
        (Outcome.LOST_BY_CRASH, Outcome.CALLBACK),
        (Outcome.ABANDONED, Outcome.CALLBACK),
        (Outcome.SERVED, Outcome.SERVED),
    ],
)
async def test_a_card_that_was_settled_before_says_callback(
    desk: Desk, outcome: Outcome, becomes: Outcome
) -> None:
    def settle(uow: Any) -> None:
        card = uow.cards.open(call=CALL, node="node1", number=NUMBER, at=ARRIVED)
        uow.cards.close(card.id, outcome=outcome, at=ARRIVED)

    desk.change(settle)
    desk.keep()
    await desk.spool.take()
    assert desk.of_card().outcome is becomes


async def test_who_has_no_number_that_can_be_dialled_has_a_card_and_no_callback(desk: Desk) -> None:
    desk.keep(number="201")
    assert await desk.spool.take() == 1
    assert (desk.callbacks(), desk.taken) == ([], [Taken.UNREACHABLE])
    assert desk.of_card().number is None
    assert desk.archived() == [f"{CALL}.sealed"]


# --- what is wrong with the spool ---


def other(desk: Desk) -> bytes:
    """A whole file of another call."""
    desk.keep("x")
    path = desk.folder / "x.sealed"
    sealed = path.read_bytes()
    path.unlink()
    return sealed


GARBAGE: dict[str, Callable[[Desk, Path], object]] = {
    "nothing": lambda _desk, path: path.touch(),
    "noise": lambda _desk, path: path.write_bytes(os.urandom(200)),
    "half": lambda desk, path: path.write_bytes(other(desk)[:99]),
    "of another call": lambda desk, path: path.write_bytes(other(desk)),
    "a folder": lambda _desk, path: path.mkdir(),
    "no wish": lambda desk, path: desk.seal(path.stem, b'{"call": "b"}'),
    "no text": lambda desk, path: desk.seal(path.stem, b"\xff\xfe"),
    "of no time": lambda desk, path: desk.seal(
        path.stem, b'{"call": "b", "number": "+79123456789", "arrived": 1e99, "at": -1}'
    ),
}


@pytest.mark.parametrize("what", GARBAGE)
async def test_a_file_that_cannot_be_read_is_an_alarm_and_keeps_nobody_waiting(desk: Desk, what: str) -> None:
    """It stays where it is, before and behind others that are taken."""
    GARBAGE[what](desk, desk.folder / "b.sealed")
    for call in ("a", "c"):
        desk.keep(call, f"+7912345670{ord(call) % 10}")
    with pytest.raises(Unavailable, match=r"^1 wishes for a callback cannot be read, b\.sealed: .") as caught:
        await desk.spool.take()
    assert NUMBER not in str(caught.value)
    assert (len(desk.callbacks()), desk.unreadable) == (2, [1])
    assert (desk.folder / "b.sealed").exists()


async def test_a_heap_of_garbage_starves_nobody(desk: Desk) -> None:
    for n in range(AT_ONCE + 1):
        (desk.folder / f"a{n}.sealed").touch()
    desk.keep("z")
    with pytest.raises(Unavailable, match=f"^{AT_ONCE + 1} wishes"):
        await desk.spool.take()
    assert len(desk.callbacks()) == 1


async def test_a_file_whose_key_is_missing_is_taken_when_the_key_is_back(desk: Desk) -> None:
    desk.keep()
    [key] = desk.settings.keys_dir.glob("spool-*.key")
    key.rename(desk.top / "elsewhere")
    with pytest.raises(Unavailable, match=f"{key.name} is missing.*restore it"):
        await desk.spool.take()
    (desk.top / "elsewhere").rename(key)
    await desk.spool.take()
    assert len(desk.callbacks()) == 1


async def test_a_spool_that_cannot_be_written_is_an_alarm(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk; what is there already is taken all the same."""
    desk.keep()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match=r"cannot be written \(No space left"):
        await desk.spool.take()
    assert len(desk.callbacks()) == 1
    monkeypatch.undo()
    assert await desk.spool.take() == 0
    assert desk.waiting() == []


async def test_a_wish_that_could_not_be_kept_is_an_alarm_until_its_note_is_removed(desk: Desk) -> None:
    note = desk.settings.emergency_failed
    note.touch()
    desk.age(note, 0)
    with pytest.raises(Unavailable, match=r"2026-11-24T15:00:00\+05:00.*`ekc reconcile`.*remove"):
        await desk.spool.take()
    note.unlink()
    assert await desk.spool.take() == 0


async def test_a_spool_that_is_gone_is_an_alarm(desk: Desk) -> None:
    (desk.folder / ARCHIVE).rmdir()
    desk.folder.rmdir()
    with pytest.raises(FileNotFoundError):
        await desk.spool.take()


async def test_old_files_of_the_archive_and_unfinished_drafts_are_erased(desk: Desk) -> None:
    """Thirty days, by default; a draft that the script is writing now stays."""
    day = 86400
    ages = {f"{ARCHIVE}/old.sealed": 31 * day, f"{ARCHIVE}/new.sealed": 29 * day, ".x.1": 3700, ".y.1": 60}
    for name, age in ages.items():
        (desk.folder / name).touch()
        desk.age(desk.folder / name, age)
    await desk.spool.take()
    assert (desk.archived(), desk.waiting()) == (["new.sealed"], [".y.1"])


@given(
    text=st.one_of(
        st.binary(max_size=80),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["call", "number", "arrived", "at"]), inner, max_size=4)
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_text_is_a_wish_or_bad_input(text: bytes) -> None:
    try:
        wish = _parsed(text, CALL)
    except BadInput:
        return
    assert wish.call == CALL and wish.arrived_at.tzinfo is not None


# --- keys ---


def test_the_pair_is_made_once_and_private(desk: Desk) -> None:
    """`keys/spool-….key`, mode 0600; the public half is a line that the script may read."""
    before = desk.settings.emergency_public_key.read_text()
    desk.keys.ensure()
    [key] = desk.settings.keys_dir.iterdir()
    assert (key.name[:6], key.stat().st_mode & 0o777, len(key.read_bytes())) == ("spool-", 0o600, 32)
    assert desk.settings.emergency_public_key.read_text() == before
    assert key.read_bytes().hex() not in before


def test_a_lost_public_half_is_made_again_from_the_private_one(desk: Desk) -> None:
    before = desk.settings.emergency_public_key.read_text()
    desk.settings.emergency_public_key.unlink()
    desk.keys.ensure()
    assert desk.settings.emergency_public_key.read_text() == before


async def test_a_newer_pair_is_used_and_the_older_one_still_opens(desk: Desk) -> None:
    desk.keep("a")
    desk.settings.keys_dir.joinpath("spool-ZZZZZZZZZZ.key").write_bytes(os.urandom(32))
    desk.keys.ensure()
    desk.keep("b", "+79123456780")
    assert desk.settings.emergency_public_key.read_text().startswith("ZZZZZZZZZZ ")
    assert await desk.spool.take() == 2


def test_the_key_ring_leaves_the_pair_alone(desk: Desk) -> None:
    """`ekc keys rotate` works on its own kinds: it neither counts nor erases this one."""
    ring = KeyRing(desk.settings.keys_dir)
    ring.create_missing()
    desk.keep()
    for kind in KeyKind:
        [id_] = ring.ids(kind)
        ring.erase(kind, id_)
    [path] = desk.folder.glob("*.sealed")
    assert json.loads(desk.keys.open(path.read_bytes()))["call"] == CALL
