"""Supervisors who listen (§9.1): who may, what is written down, and what the telephone says."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from ivr.domain.operators import Operator, OperatorState
from ivr.domain.supervision import Refusal, refusal
from ivr.flows.supervising import listen_in
from ivr.ports import Leg
from ivr.services.floor import View
from ivr.services.supervision import Heard, Supervision, talk_of
from ivr.testing import START, FakeChannel, MemoryStore, VirtualClock
from tests.unit.scripted import ScriptedCall, a_desk

BOSS = Operator(extension="301", name="Борис", agency="soc", line=1, since=START, supervisor=True)
ANNA = Operator(extension="201", name="Анна", agency="soc", line=1, since=START)
STRANGER = Operator(extension="202", name="Вера", agency="szn", line=1, since=START)
CITIZEN = Leg(name="PJSIP/line-1", call="node1-1.1", linked="node1-1.1", extension=None, bridge="b1")
HERS = Leg(name="PJSIP/201-1", call="node1-1.2", linked="node1-1.1", extension="201", bridge="b1")


def view(*legs: Leg) -> View:
    return View(legs={leg.call: leg for leg in legs})


@pytest.mark.parametrize(
    ("who", "whom", "talking", "refused"),
    [
        (BOSS, ANNA, True, None),
        (BOSS, ANNA, False, Refusal.NOT_TALKING),
        (BOSS, STRANGER, True, Refusal.NO_OPERATOR),
        (BOSS, None, True, Refusal.NO_OPERATOR),
        (BOSS, BOSS, True, Refusal.NO_OPERATOR),
        (ANNA, BOSS, True, Refusal.NO_SUPERVISOR),
        (ANNA, None, False, Refusal.NO_SUPERVISOR),
        (None, ANNA, True, Refusal.NO_SUPERVISOR),
        (replace(BOSS, state=OperatorState.DISABLED), ANNA, True, Refusal.NO_SUPERVISOR),
    ],
)
def test_a_supervisor_may_listen_to_talks_of_the_own_agencys_operators(
    who: Operator | None, whom: Operator | None, talking: bool, refused: Refusal | None
) -> None:
    assert refusal(who, whom, talking=talking) is refused


@pytest.mark.parametrize(
    ("legs", "found"),
    [
        ((CITIZEN, HERS), Heard(leg=HERS.name, call=CITIZEN.call)),
        ((HERS,), None),
        ((replace(CITIZEN, bridge=""), replace(HERS, bridge="")), None),
        ((replace(CITIZEN, bridge="b2"), HERS), None),
        ((HERS, replace(HERS, call="node1-1.3", extension="202")), None),
    ],
)
def test_a_talk_is_an_operators_leg_in_one_bridge_with_a_citizens(
    legs: tuple[Leg, ...], found: Heard | None
) -> None:
    """Waiting, ringing and operators among themselves are none."""
    assert talk_of(view(*legs), "201") == found


class Phone:
    """A supervisor's telephone, and a database with three people in it."""

    def __init__(self, *legs: Leg) -> None:
        self.desk, self.call = a_desk(), ScriptedCall()
        self.channel = FakeChannel(VirtualClock(START))
        self.store = cast(MemoryStore, self.desk.store)
        with self.store.transaction() as uow:
            for operator in (BOSS, ANNA, STRANGER):
                uow.operators.add(operator, "0" * 32)
            uow.commit()
        self.supervision = Supervision(view(*legs), self.desk.clock)

    async def dials(self, who: str, whom: str, *, whisper: bool = False) -> Phone:
        await listen_in(
            self.call, self.channel, self.desk, self.supervision, who=who, whom=whom, whisper=whisper
        )
        return self

    @property
    def audit(self) -> list[tuple[str, str, str, str | None, str]]:
        rows = self.store.rows.audit.rows
        return [(row.actor, row.action, row.subject, row.call, row.result) for row in rows]

    @property
    def trace(self) -> list[tuple[str, str, str]]:
        """Of the citizen's call."""
        with self.store.transaction() as uow:
            return [(event.kind, event.id, event.outcome) for _, event in uow.traces.of_call(CITIZEN.call)]


@pytest.mark.parametrize(
    ("whisper", "action", "traced"),
    [(False, "talks.listen", "listens"), (True, "talks.whisper", "whispers")],
)
async def test_a_supervisor_hears_the_operators_leg_to_its_end(
    whisper: bool, action: str, traced: str
) -> None:
    """Who listened is in the audit and in the trace of the call."""
    phone = await Phone(CITIZEN, HERS).dials("301", "201", whisper=whisper)
    assert phone.channel.listened == [(HERS.name, whisper)]
    assert phone.call.said == ["supervisor.over"]
    assert phone.call.finished
    assert phone.audit == [("301", action, "201", CITIZEN.call, "ok")]
    assert phone.trace == [("supervisor", "301", traced)]


@pytest.mark.parametrize(
    ("who", "whom", "said", "subject"),
    [
        ("201", "301", "no_supervisor", "301"),
        ("999", "201", "no_supervisor", "201"),
        ("301", "202", "no_operator", "202"),
        ("301", "112", "no_operator", "-"),
    ],
)
async def test_a_refusal_is_said_and_written_down(who: str, whom: str, said: str, subject: str) -> None:
    """What was dialled and is no extension of ours is not repeated: it may be anything."""
    phone = await Phone(CITIZEN, HERS).dials(who, whom)
    assert phone.channel.listened == []
    assert phone.call.said == [f"supervisor.{said}"]
    assert phone.audit == [(who, "talks.listen", subject, None, said)]
    assert phone.trace == []


async def test_nobody_listens_to_an_operator_who_talks_with_nobody() -> None:
    phone = await Phone(HERS).dials("301", "201")
    assert phone.channel.listened == []
    assert phone.call.said == ["supervisor.not_talking"]


async def test_without_a_database_nobody_listens() -> None:
    """For it could not be written down."""
    phone = Phone(CITIZEN, HERS)
    phone.store.down = True
    await phone.dials("301", "201")
    assert phone.channel.listened == []
    assert phone.call.said == ["supervisor.later"]
    assert phone.call.finished
