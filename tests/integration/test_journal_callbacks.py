"""Attempts to call citizens, from Asterisk's journals to the callback and the card, in both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.domain.callback import Callback, Source, State, call_of
from ivr.domain.enquiry import Card, ContactOutcome, Outcome
from ivr.domain.operators import Operator
from ivr.ports import Store, UnitOfWork
from ivr.services import attempts, working_day
from ivr.services.audit import By
from ivr.services.calling_rules import CallingRules
from ivr.services.journal import JournalReader
from ivr.services.settlement import Rules
from ivr.testing import VirtualClock
from tests.integration.storing import do
from tests.journals import Journals
from tests.unit.calling import settings

ID = "01M88AQ4HKDJGHR6CN84YPZKG4"
CALL = call_of(ID, 1)
NUMBER = "+79123456789"
BEFORE = datetime.fromtimestamp(1795576980, UTC)
"""The journal of the talk begins then."""
AFTER = BEFORE + timedelta(minutes=5)
WRAPUP = 30.0
WAITED = timedelta(minutes=10)
SERVED = (Path(__file__).parents[1] / "fixtures" / "callbacks" / "served.txt").read_text("ascii")
LINES = SERVED.splitlines(keepends=True)[1:]


class Site:
    """A citizen is being dialled; what the journals tell of it comes in."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.journals = Journals(folder)
        self.clock = VirtualClock(AFTER)
        self.rules = CallingRules.of(settings())
        self.reader = self.another_reader()
        self.card_id = do(store, self._dialled)

    def another_reader(self) -> JournalReader:
        return JournalReader(
            self.store,
            self.journals.files,
            node="node1",
            clock=self.clock,
            rules=Rules(served=5.0, wrapup=WRAPUP),
            in_hand=lambda _call: False,
            calling=self.rules,
        )

    def _dialled(self, uow: UnitOfWork) -> str:
        card = uow.cards.open(call="node1-1.0", node="node1", number=NUMBER, at=BEFORE - WAITED)
        uow.cards.change_contact("node1-1.0", outcome=ContactOutcome.ABANDONED_QUEUE)
        uow.cards.close(card.id, outcome=Outcome.CALLBACK, at=BEFORE)
        callback = Callback(
            id=ID,
            card=card.id,
            number=NUMBER,
            source=Source.QUEUE,
            state=State.QUEUED,
            queue="general",
            arrived_at=BEFORE,
            due=BEFORE,
            leg=1,
        )
        attempts.dial(uow, uow.callbacks.request(callback), BEFORE, node="node1")
        return card.id

    async def journal(self, lines: list[str]) -> None:
        self.journals.append("cel", "".join(lines))
        await self.reader.poll()

    async def restart(self) -> None:
        """Asterisk is started anew: what was before is over."""
        at = int(AFTER.timestamp())
        self.journals.append("queue_log", f"{at}|NONE|NONE|NONE|QUEUESTART|\n")
        await self.reader.poll()

    @property
    def callback(self) -> Callback:
        return do(self.store, lambda uow: uow.callbacks.get(ID))

    @property
    def card(self) -> Card:
        return do(self.store, lambda uow: uow.cards.get(self.card_id))

    def outcomes(self) -> list[str | None]:
        return [c.outcome.value if c.outcome is not None else None for c in self.card.contacts]


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    yield Site(store, tmp_path)


async def test_a_talk_makes_the_callback_done_and_the_card_the_operators(site: Site) -> None:
    """Who completes it, or the end of the wrap-up, as here, makes it served."""
    await site.journal(LINES)
    assert (site.callback.state, [a.result for a in site.callback.attempts]) == (State.DONE, ["served"])
    assert site.outcomes() == ["abandoned_queue", "served"]
    assert (site.card.operator, site.card.contacts[1].talking_s) == ("201", 6)
    assert (site.card.outcome, site.card.contacts[1].wrapup_s) == (Outcome.SERVED, WRAPUP)


async def test_before_its_last_leg_is_gone_nothing_is_decided(site: Site) -> None:
    await site.journal(LINES[:-1])
    assert site.callback.state is State.DIALLING_CITIZEN
    assert site.outcomes() == ["abandoned_queue", None]
    await site.journal(LINES[-1:])
    assert site.callback.state is State.DONE


async def test_an_engine_that_starts_anew_settles_what_the_old_one_had_only_read(site: Site) -> None:
    """Its card was closed when the callback was promised."""
    await site.journal(LINES[:-1])
    site.journals.append("cel", LINES[-1])
    await site.another_reader().poll()
    assert site.callback.state is State.DONE
    again = site.another_reader()
    await again.poll()
    assert site.outcomes() == ["abandoned_queue", "served"]


async def test_an_attempt_that_asterisks_end_has_cut_off_counts_and_is_made_again(site: Site) -> None:
    cut = next(n for n, line in enumerate(LINES) if "BRIDGE_ENTER" in line and "trunk" in line)
    await site.journal(LINES[:cut])
    await site.restart()
    found = site.callback
    assert (found.state, [a.result for a in found.attempts]) == (State.RETRY, ["unknown"])
    assert found.due >= AFTER + timedelta(minutes=15)
    assert (site.outcomes()[1], site.card.outcome) == ("unknown", Outcome.CALLBACK)


async def test_the_answering_machine_that_is_told_of_in_the_talk_is_called_again(site: Site) -> None:
    do(site.store, lambda uow: uow.cards.change_contact(CALL, outcome=ContactOutcome.MACHINE))
    await site.journal(LINES)
    found = site.callback
    assert (found.state, [a.result for a in found.attempts]) == (State.RETRY, ["machine"])
    assert site.card.outcome is Outcome.CALLBACK


async def test_one_that_is_told_of_after_the_talk_has_another_callback(site: Site) -> None:
    """The attempts made so far count for it."""
    await site.journal(LINES)
    said = By(actor="201", at=AFTER)

    def work(uow: UnitOfWork) -> bool:
        uow.operators.note_talk("201", CALL)
        return working_day.not_reached(uow, said, "201", site.rules)

    do(site.store, _hired)
    assert do(site.store, work) is True
    assert site.callback.state is State.DONE
    [again] = do(site.store, lambda uow: uow.callbacks.list(open_only=True))
    assert (again.state, again.source, again.arrived_at) == (State.REQUESTED, Source.QUEUE, BEFORE)
    assert [a.result for a in again.attempts] == ["machine"]
    assert again.due >= AFTER + timedelta(minutes=15)
    assert (site.outcomes()[1], site.card.outcome) == ("machine", Outcome.CALLBACK)


def _hired(uow: UnitOfWork) -> None:
    uow.operators.add(Operator(extension="201", name="Анна", agency="soc", line=1, since=BEFORE), "0" * 32)
