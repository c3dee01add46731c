"""The journal reader on real journals, with every store: from files to contacts, traces and cards."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from ivr.domain.enquiry import Card, Contact, ContactOutcome, Outcome
from ivr.domain.errors import StorageDown, Unavailable
from ivr.ports import Store, TraceEvent, UnitOfWork
from ivr.services import cards
from ivr.services.audit import By
from ivr.services.journal import JournalReader
from ivr.services.journal_lines import ARRIVALS, CEL, QUEUE_LOG
from ivr.services.settlement import Rules
from ivr.services.settling import LOOK_AROUND_SECONDS
from ivr.settings import Settings
from ivr.testing import MemoryStore, VirtualClock
from tests.integration.storing import a_callback, do
from tests.journals import NUMBER, Journals, captured, story

T = TypeVar("T")
AFTER = datetime.fromtimestamp(1795558530, UTC)
"""When the last of the journals had been written."""
RULES = Rules(served=5.0, wrapup=30.0)
ANSWERED = [
    ("queue", "general", "entered"),
    ("queue", "general", "left:connected"),
    ("bridge", "201", "joined"),
    ("bridge", "201", "left"),
    ("end", "call", "served"),
]


class Site:
    """Journals, a store, a clock, and readers that come and go as engines do."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.journals = Journals(folder)
        self.clock = VirtualClock(AFTER)
        self.talking: set[str] = set()
        """Calls that the engine still has."""
        self.told: list[TraceEvent] = []
        """What conversations have told and nobody has written down yet."""
        self.ended: list[str] = []
        self.lags: list[float] = []
        self.reader = self.another_reader()

    def another_reader(self) -> JournalReader:
        return JournalReader(
            self.store,
            self.journals.files,
            node="node1",
            clock=self.clock,
            rules=RULES,
            in_hand=lambda call: call in self.talking,
            first=self.write_down,
            on_lag=self.lags.append,
            on_ended=lambda outcome: self.ended.append(outcome.value),
        )

    async def write_down(self) -> None:
        """As TraceLog.flush."""
        told, self.told = self.told, []
        await self.store.run(lambda uow: uow.traces.add(told))

    async def play(self, name: str) -> str:
        """All of a capture at once; its (first) call."""
        self.journals.play(name)
        await self.reader.poll()
        return story(name)[0]

    def card(self, call: str) -> Card:
        found = do(self.store, lambda uow: uow.cards.of_call(call))
        assert found is not None
        return found

    def contact(self, call: str) -> Contact:
        [found] = self.card(call).contacts
        return found

    def trace(self, call: str) -> list[tuple[str, str, str]]:
        found = do(self.store, lambda uow: uow.traces.of_call(call))
        return [(event.kind, event.id, event.outcome) for _, event in found]

    def record(self, call: str, outcome: ContactOutcome) -> None:
        """What the engine writes down when a conversation with it is over."""
        do(self.store, lambda uow: uow.cards.change_contact(call, outcome=outcome))

    def everything(self) -> list[object]:
        """All cards and traces, without the ids that chance makes."""
        found: list[object] = []
        for card in do(self.store, lambda uow: uow.cards.list()):
            [contact] = card.contacts
            texts = (card.number, card.operator, card.outcome, card.closed_at)
            found.append((contact, texts, do(self.store, lambda uow, c=contact.call: uow.traces.of_call(c))))
        return found


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Site:
    return Site(store, tmp_path)


@pytest.fixture
def memory(tmp_path: Path) -> Site:
    return Site(MemoryStore(), tmp_path)


# --- what becomes of calls -------------------------------------------------------------------------


async def test_a_served_citizen_has_a_card_with_number_operator_times_and_trace(site: Site) -> None:
    site.journals.play("answered")
    site.clock = VirtualClock(datetime.fromtimestamp(1795558470, UTC))
    site.reader = site.another_reader()
    lines = sum(text.count("\n") for text in captured("answered").values())
    assert await site.reader.poll() == lines
    call, _ = story("answered")
    card, contact = site.card(call), site.contact(call)
    assert (card.number, card.operator, card.outcome, card.closed_at) == (NUMBER, "201", None, None)
    assert card.registered_at == datetime(2026, 11, 24, 22, 14, 15, 829000, tzinfo=UTC)
    assert (contact.outcome, contact.waiting_s, contact.talking_s) == (ContactOutcome.SERVED, 0, 8)
    assert site.trace(call) == ANSWERED
    assert await site.reader.poll() == 0
    assert site.trace(call) == ANSWERED
    assert site.ended == ["served"]


@pytest.mark.parametrize(
    ("name", "contact", "card"),
    [
        ("abandoned", ContactOutcome.ABANDONED_QUEUE, Outcome.ABANDONED),
        ("too_short", ContactOutcome.TOO_SHORT, Outcome.ABANDONED),
        ("hangup_in_agi", ContactOutcome.ABANDONED_IVR, Outcome.ABANDONED),
        ("nobody_logged_in", ContactOutcome.LOST_BY_CRASH, Outcome.LOST_BY_CRASH),
    ],
)
async def test_a_card_of_a_call_that_was_not_served_is_closed_at_its_end(
    site: Site, name: str, contact: ContactOutcome, card: Outcome
) -> None:
    call = await site.play(name)
    end = next(line.at for line in story(name)[1] if (line.event, line.call) == ("CHAN_END", call))
    assert site.contact(call).outcome is contact
    assert (site.card(call).outcome, site.card(call).closed_at) == (card, end)
    assert site.trace(call)[-1] == ("end", "call", contact.value)


async def test_an_open_callback_makes_the_card_of_an_abandoned_call_a_callback(site: Site) -> None:
    call, _ = story("abandoned")
    card = do(site.store, lambda uow: uow.cards.open(call=call, node="node1", number=NUMBER, at=AFTER))
    do(site.store, lambda uow: uow.callbacks.request(a_callback(card.id)))
    await site.play("abandoned")
    assert site.contact(call).outcome is ContactOutcome.ABANDONED_QUEUE
    assert site.card(call).outcome is Outcome.CALLBACK


async def test_an_operators_own_call_has_no_card_and_no_trace(site: Site) -> None:
    site.journals.play("operator_logs_in")
    assert await site.reader.poll() == 6
    assert do(site.store, lambda uow: uow.cards.list()) == []
    assert site.trace("node1-1795558437.1") == []


async def test_a_start_of_asterisk_ends_the_calls_it_had_before(site: Site) -> None:
    site.journals.play("killed_in_talk")
    await site.reader.poll()
    assert site.ended == ["lost_by_crash"] * 3
    talked, _ = story("killed_in_talk", 0)
    assert (site.card(talked).operator, site.card(talked).outcome) == ("201", Outcome.LOST_BY_CRASH)
    assert site.trace(talked)[-1] == ("end", "call", "lost_by_crash")


# --- while the call goes on ------------------------------------------------------------------------


async def test_the_card_names_the_operator_as_soon_as_the_bridge_begins(site: Site) -> None:
    call, _ = story("answered")
    texts = captured("answered")
    site.journals.append(ARRIVALS, texts[ARRIVALS])
    site.journals.append(QUEUE_LOG, "".join(texts[QUEUE_LOG].splitlines(keepends=True)[:2]))
    cel = texts[CEL].splitlines(keepends=True)
    site.journals.append(CEL, "".join(cel[:5]))
    await site.reader.poll()
    assert site.card(call).operator is None
    site.journals.append(CEL, cel[5])
    await site.reader.poll()
    assert site.card(call).operator == "201"
    assert site.trace(call) == ANSWERED[:3]
    assert site.contact(call).outcome is None


async def test_a_call_the_engine_has_in_hand_is_settled_once_it_has_let_go(site: Site) -> None:
    call, _ = story("hangup_in_agi")
    site.talking.add(call)
    await site.play("hangup_in_agi")
    assert site.contact(call).outcome is None
    site.record(call, ContactOutcome.SELF_SERVICE)
    site.talking.clear()
    await site.reader.poll()
    assert site.card(call).outcome is Outcome.SELF_SERVICE
    assert site.trace(call) == [("end", "call", "self_service")]
    site.record(call, ContactOutcome.SERVED)
    await site.another_reader().poll()
    assert site.trace(call) == [("end", "call", "self_service")]


async def test_who_was_answered_by_the_machine_and_then_talked_was_served(site: Site) -> None:
    call, _ = story("answered")
    do(site.store, lambda uow: uow.cards.open(call=call, node="node1", number=None, at=AFTER))
    site.record(call, ContactOutcome.SELF_SERVICE)
    await site.play("answered")
    assert site.contact(call).outcome is ContactOutcome.SERVED
    assert site.card(call).number == NUMBER


async def test_the_engines_card_is_the_arrivals_card(site: Site) -> None:
    call, _ = story("abandoned")
    opened = do(site.store, lambda uow: uow.cards.open(call=call, node="node1", number=NUMBER, at=AFTER))
    await site.play("abandoned")
    assert [card.id for card in do(site.store, lambda uow: uow.cards.list())] == [opened.id]


@pytest.mark.parametrize("name", ["answered", "timeout"])
async def test_read_line_by_line_the_story_is_the_same_as_at_once(
    site: Site, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As Asterisk writes it: by time, the arrival first, CEL last."""
    at_once = Site(MemoryStore(), tmp_path_factory.mktemp("at-once"))
    await at_once.play(name)
    texts = {journal: text.splitlines(keepends=True) for journal, text in captured(name).items()}
    for journal, lines in texts.items():
        for line in lines:
            site.journals.append(journal, line[: len(line) // 2])
            await site.reader.poll()
            site.journals.append(journal, line[len(line) // 2 :])
            await site.reader.poll()
    await site.reader.poll()
    call, _ = story(name)
    assert (site.contact(call), site.trace(call)) == (at_once.contact(call), at_once.trace(call))


# --- wrap-up ---------------------------------------------------------------------------------------


async def wrapping_up(site: Site) -> tuple[str, datetime]:
    """A call that was just served, and the end of its talk."""
    _, of = story("answered")
    talked_until = next(line.at for line in of if line.event == "BRIDGE_EXIT")
    site.clock = VirtualClock(talked_until + timedelta(seconds=1))
    site.reader = site.another_reader()
    return await site.play("answered"), talked_until


async def test_a_served_card_completes_itself_when_the_wrap_up_is_over(site: Site) -> None:
    call, talked_until = await wrapping_up(site)
    site.clock.forward(28.9)
    await site.reader.poll()
    assert site.card(call).outcome is None
    site.clock.forward(0.1)
    await site.reader.poll()
    card = site.card(call)
    assert (card.outcome, card.closed_at) == (Outcome.SERVED, talked_until + timedelta(seconds=30))
    assert site.contact(call).wrapup_s == 30
    assert site.ended == ["served"]


async def test_a_card_that_its_operator_completed_stays_as_it_is(site: Site) -> None:
    call, _ = await wrapping_up(site)
    site.clock.forward(9)
    by = By(actor="201", at=site.clock.now())
    edit = cards.Edit(answer="Разъяснено", complete=True)
    id_ = site.card(call).id
    do(site.store, lambda uow: cards.edit(uow, by, id_, edit, Settings()))
    before = site.card(call)
    assert before.contacts[0].wrapup_s == 10
    site.clock.forward(60)
    await site.reader.poll()
    assert site.card(call) == before


async def test_a_new_engine_finds_the_wrap_ups_of_the_old_one(site: Site) -> None:
    call, talked_until = await wrapping_up(site)
    site.reader = site.another_reader()
    await site.reader.poll()
    assert site.card(call).outcome is None
    site.clock.forward(3600)
    await site.reader.poll()
    assert site.card(call).closed_at == talked_until + timedelta(seconds=30)


# --- failures --------------------------------------------------------------------------------------


async def test_a_new_engine_settles_what_the_old_one_only_read(site: Site) -> None:
    call, _ = story("abandoned")
    site.talking.add(call)
    await site.play("abandoned")
    site.talking.clear()
    assert site.contact(call).outcome is None
    assert await site.another_reader().poll() == 0
    assert site.contact(call).outcome is ContactOutcome.ABANDONED_QUEUE


async def test_what_another_program_left_undone_is_found_after_a_while(memory: Site) -> None:
    """The lines are stored, and this reader has never seen them."""
    call, _ = story("abandoned")
    await memory.reader.poll()
    memory.talking.add(call)
    memory.journals.play("abandoned")
    await memory.another_reader().poll()
    memory.talking.clear()
    memory.clock.forward(LOOK_AROUND_SECONDS)
    with suppress(Unavailable):
        await memory.reader.poll()
    await memory.reader.poll()
    assert memory.contact(call).outcome is ContactOutcome.ABANDONED_QUEUE


async def test_a_second_reader_is_told_and_doubles_nothing(site: Site) -> None:
    second = site.another_reader()
    await second.poll()
    call = await site.play("answered")
    with pytest.raises(Unavailable, match="another program reads"):
        await second.poll()
    assert await second.poll() == 0
    assert site.trace(call) == ANSWERED


async def test_rubbish_between_lines_is_counted_and_passed_by(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    for journal in (ARRIVALS, QUEUE_LOG, CEL):
        site.journals.append(journal, "Ivanov 79998887766\n")
    call = await site.play("answered")
    assert site.reader.garbage == 3
    assert site.contact(call).outcome is ContactOutcome.SERVED
    assert "journal_garbage" in caplog.text
    assert "79998887766" not in caplog.text


async def test_the_lag_is_the_age_of_the_newest_line(site: Site) -> None:
    await site.reader.poll()
    assert site.lags == []
    _, of = story("abandoned")
    await site.play("abandoned")
    assert site.lags == [pytest.approx((AFTER - max(line.at for line in of)).total_seconds())]


class Losing(MemoryStore):
    """Commits the transaction of this number, then says it did not."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._left = number

    async def run(self, work: Callable[[UnitOfWork], T]) -> T:
        result = await super().run(work)
        self._left -= 1
        if self._left == 0:
            raise StorageDown
        return result


CRASHES = ("answered", "killed_in_talk", "abandoned")


async def whole(store: MemoryStore, folder: Path, name: str, *, restarts: bool) -> tuple[list[object], bool]:
    """(everything stored, whether a poll failed) after reading a capture; a failed poll is tried again."""
    site, failed = Site(store, folder), False
    site.journals.play(name)
    for _ in range(6):
        try:
            await site.reader.poll()
        except StorageDown:
            failed, store.down, store.failing_after = True, False, None
            if restarts:
                site.reader = site.another_reader()
        site.clock.forward(20)
    store.failing_after = None
    return site.everything(), failed


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("name", CRASHES)
async def test_whichever_transaction_fails_nothing_is_lost_or_doubled(
    tmp_path_factory: pytest.TempPathFactory, name: str, restarts: bool
) -> None:
    """Each transaction in turn: not begun, or committed without the reader's hearing of it."""
    right, _ = await whole(MemoryStore(), tmp_path_factory.mktemp("right"), name, restarts=restarts)
    assert right
    tried = 0
    for kind in ("refused", "unheard"):
        for number in range(1, 50):
            store = Losing(number) if kind == "unheard" else MemoryStore()
            store.failing_after = number - 1 if kind == "refused" else None
            folder = tmp_path_factory.mktemp(kind)
            found, failed = await whole(store, folder, name, restarts=restarts)
            assert found == right
            if not failed:
                break
            tried += 1
    assert tried >= 6


async def test_a_backlog_is_read_in_batches_before_anything_is_settled(
    memory: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a backlog CEL may tell of an end whose queue lines are still to come."""
    monkeypatch.setattr("ivr.services.journal_files.CHUNK", 600)
    for name in ("abandoned", "timeout", "answered", "too_short"):
        memory.journals.play(name)
    await memory.reader.poll()
    assert memory.trace(story("answered")[0]) == ANSWERED
    assert memory.contact(story("timeout")[0]).waiting_s == 6
    assert len(memory.ended) == 4


async def test_what_a_conversation_has_told_stands_before_what_the_journals_tell(site: Site) -> None:
    """queue_log knows whole seconds only: the caller asked for the queue first, and entered it afterwards."""
    call, lines = story("answered")
    entered = next(line.at for line in lines if line.event == "ENTERQUEUE")
    asked = entered.replace(microsecond=400_000)
    site.told.append(TraceEvent(call=call, at=asked, kind="queue", id="general", outcome="asked"))
    await site.play("answered")
    queue = [(kind, outcome) for kind, _, outcome in site.trace(call) if kind == "queue"]
    assert queue == [("queue", "asked"), ("queue", "entered"), ("queue", "left:connected")]
