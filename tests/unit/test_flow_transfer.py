"""The operator's transfer menu (`*2`, §23): what is asked, what is said, and what leads back to the talk."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ivr.domain.errors import CallerSilent, CallOver, OperatorWanted, Unavailable
from ivr.domain.menu import Topic
from ivr.domain.transfer import Happening, Stage, Target, Transfer, Way
from ivr.flows import transfer
from ivr.ports import Channel, Leg
from ivr.services.transfer_scene import Scene
from ivr.services.transfers import Transfers
from ivr.testing import FakeChannel, VirtualClock
from ivr.testing.patchboard import FakePatchboard
from tests.unit.scripted import Answer, ScriptedCall, a_desk

TOPIC = Topic(agency="szn", agency_name="Центр занятости", key="13", title="Обучение", line=1)
TARGET = Target(agency="szn", line=2, topic="Обучение")
ME = Leg(name="first", call="n-2", linked="n-1", extension="211", bridge="b")
CITIZEN = Leg(name="citizen", call="n-1", linked="n-1", extension=None, bridge="b")
ANSWERS: tuple[Answer, ...] = (
    ("transfer.topic", "13"),
    ("transfer.line", "2"),
    ("transfer.reason", "3"),
    ("transfer.way", "1"),
)


def at(stage: Stage) -> Transfer:
    return Transfer(
        citizen="n-1", first="211", first_call="n-2", target=TARGET, reason="другая причина", stage=stage
    )


@dataclass
class Asked:
    """`services.transfers.Transfers` that notes what it was told."""

    found: Transfer | None = None
    citizen: Leg | None = CITIZEN
    there: bool = True
    down: bool = False
    comes: bool = True
    patchboard: FakePatchboard = field(default_factory=FakePatchboard)
    told: list[tuple[object, ...]] = field(default_factory=list)

    async def scene(self, call: str) -> Scene:
        if self.down:
            raise Unavailable
        return Scene(me=ME, citizen=self.citizen, transfer=self.found)

    async def choosing(self, scene: Scene, *, on: bool) -> None:
        self.told.append(("choosing", on))

    def somebody_at(self, queue: str) -> bool:
        return self.there

    async def begin(self, scene: Scene, target: Target, reason: str, way: Way) -> None:
        if self.down:
            raise Unavailable
        self.told.append(("begin", target, reason, way))

    async def decide(self, transfer: Transfer, happening: Happening) -> None:
        self.told.append(("decide", happening))

    def of_first(self, call: str) -> Transfer | None:
        return self.found

    async def nobody_came(self, call: str) -> None:
        self.told.append(("nobody_came",))
        self.found = at(Stage.RETURNED) if self.comes else at(Stage.GONE)

    async def left_with(self, call: str) -> bool:
        return self.comes

    async def given_back(self, citizen: str) -> None:
        self.told.append(("given_back", citizen))

    async def lost(self, citizen: str, extension: str) -> None:
        self.told.append(("lost", extension))


def as_transfers(asked: Asked) -> Transfers:
    return asked  # type: ignore[return-value]


async def menu(asked: Asked, *answers: Answer, storage: bool = True) -> ScriptedCall:
    call, desk = ScriptedCall(*answers), a_desk()
    with desk.store.transaction() as uow:
        uow.agencies.upsert([TOPIC])
        uow.commit()
    if not storage:
        desk.store.down = True  # type: ignore[attr-defined]
    await transfer.menu(call, desk, as_transfers(asked))
    return call


def a_channel() -> Channel:
    return FakeChannel(VirtualClock(), call="n-2")


async def test_topic_line_reason_and_way_are_asked_and_it_begins() -> None:
    """The topic tells the agency, the directory the reason; what is chosen is done, not asked again."""
    asked = Asked()
    call = await menu(asked, *ANSWERS)
    assert call.said[-1] == "transfer.sent"
    assert asked.told == [("choosing", True), ("begin", TARGET, "просьба заявителя", Way.BLIND)]


async def test_who_wants_to_talk_first_is_told_what_the_citizen_hears() -> None:
    asked = Asked()
    call = await menu(asked, *ANSWERS[:3], ("transfer.way", "2"))
    assert call.said[-1] == "transfer.calling"
    assert asked.told[-1][-1] is Way.ATTENDED


@pytest.mark.parametrize("ending", [OperatorWanted, CallerSilent])
@pytest.mark.parametrize("answered", range(len(ANSWERS)))
async def test_from_every_question_a_way_leads_back_to_the_talk(
    ending: type[CallOver], answered: int
) -> None:
    """0, two stars, three wrong keys or silence: nobody has moved, the talk goes on."""
    asked = Asked()
    question = ANSWERS[answered][0]
    await menu(asked, *ANSWERS[:answered], (question, ending))
    assert asked.told == [("choosing", True), ("choosing", False)]


async def test_where_nobody_is_it_is_said_before_the_reason_is_asked() -> None:
    asked = Asked(there=False)
    call = await menu(asked, *ANSWERS[:2])
    assert call.said[-1] == "transfer.nobody"
    assert asked.told[-1] == ("choosing", False)


async def test_three_topics_that_do_not_exist_lead_back() -> None:
    asked = Asked()
    call = await menu(asked, *[("transfer.topic", "99")] * 3)
    assert call.said.count("no_match") == 3
    assert asked.told[-1] == ("choosing", False)


async def test_without_the_database_there_is_no_transfer() -> None:
    """Nobody knows the topics then; it is said, and the talk goes on."""
    asked = Asked()
    call = await menu(asked, storage=False)
    assert call.said == ["transfer.impossible"]
    assert asked.told[-1] == ("choosing", False)


@pytest.mark.parametrize("asked", [Asked(down=True), Asked(citizen=None)])
async def test_without_a_citizen_or_a_view_of_the_talk_there_is_no_menu(asked: Asked) -> None:
    call = await menu(asked)
    assert (call.said, asked.told) == (["transfer.impossible"], [])


@pytest.mark.parametrize(
    ("key", "happening"),
    [("1", Happening.CONNECT), ("2", Happening.JOIN_ALL), ("3", Happening.TAKE_BACK)],
)
async def test_in_a_consultation_it_is_another_menu(key: str, happening: Happening) -> None:
    asked = Asked(found=at(Stage.CONSULTING), citizen=None)
    await menu(asked, ("transfer.consult", key))
    assert asked.told == [("decide", happening)]


async def test_zero_leads_back_to_the_colleague() -> None:
    asked = Asked(found=at(Stage.CONSULTING), citizen=None)
    await menu(asked, ("transfer.consult", OperatorWanted))
    assert asked.told == []


async def test_a_citizen_who_is_gone_is_told_in_the_consultation() -> None:
    call = await menu(Asked(found=at(Stage.GONE), citizen=None))
    assert call.said == ["transfer.citizen_left"]


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (Stage.RINGING, ["transfer.no_answer"]),
        (Stage.CONSULTING, ["transfer.colleague_left"]),
        (Stage.RETURNING, []),
    ],
)
async def test_the_first_operator_hears_why_the_citizen_is_back(stage: Stage, said: list[str]) -> None:
    """And waits to be bridged."""
    call, asked = ScriptedCall(), Asked(found=at(stage))
    await transfer.over(call, a_channel(), as_transfers(asked))
    assert (call.said, asked.told) == (said, [("nobody_came",)])


async def test_a_citizen_who_leaves_meanwhile_is_told_too() -> None:
    call, asked = ScriptedCall(), Asked(found=at(Stage.RINGING), comes=False)
    await transfer.over(call, a_channel(), as_transfers(asked))
    assert call.said[-1] == "transfer.citizen_left"
    assert call.finished


@pytest.mark.parametrize("found", [None, at(Stage.CONNECTED)])
async def test_who_has_connected_is_let_go(found: Transfer | None) -> None:
    call, asked = ScriptedCall(), Asked(found=found)
    await transfer.over(call, a_channel(), as_transfers(asked))
    assert (call.said, asked.told, call.finished) == ([], [], True)


@pytest.mark.parametrize("comes", [True, False])
async def test_the_second_leg_waits_for_its_citizen_or_ends(comes: bool) -> None:
    """If it was not bridged in five seconds, it ends, too."""
    call, channel = ScriptedCall(), a_channel()
    await transfer.consulted(call, channel, as_transfers(Asked(comes=comes)))
    assert call.finished


async def test_the_citizen_hears_that_nobody_took_the_call() -> None:
    call, asked = ScriptedCall(), Asked()
    await transfer.back(call, as_transfers(asked))
    assert (call.said, asked.told) == (["transfer.back"], [("given_back", call.id)])


@pytest.mark.parametrize(("operators", "told"), [({"n-2": "211"}, [("lost", "211")]), ({}, [])])
async def test_a_citizen_whose_operator_is_lost_hears_a_sentence(
    operators: dict[str, str], told: list[tuple[object, ...]]
) -> None:
    """Also when it is not known who that was: then the queue has somebody else."""
    call, asked = ScriptedCall(), Asked()
    asked.patchboard.operators = operators
    await transfer.lost(call, a_channel(), as_transfers(asked))
    assert (call.said, asked.told) == (["operator.lost"], told)
