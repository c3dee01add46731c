"""A transfer (§23): how a citizen gets from one operator to another, and back when that fails.

A transfer is blind (the citizen waits for the second operator) or attended (the citizen is on hold while the
first operator talks with the second). Whatever happens, the table says where it leads and what is to be done
for the citizen; nothing else changes the stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from ivr.domain.operators import agency_queue

REASONS: Mapping[str, str] = {
    "1": "вопрос другого ведомства",
    "2": "нужна вторая линия",
    "3": "просьба заявителя",
    "9": "другая причина",
}
"""The directory of reasons (§23) as long as the site has none of its own."""
DIRECTORY = "transfer"
"""The kind of this directory (ports.Reasons)."""


class Way(StrEnum):
    """How the citizen is handed over."""

    BLIND = "blind"
    ATTENDED = "attended"


class Stage(StrEnum):
    """How far it has come."""

    OFFERED = "offered"  # the citizen waits for the second operator, the first is gone
    RINGING = "ringing"  # the first waits for the second, the citizen is on hold
    CONSULTING = "consulting"  # the operators talk, the citizen is on hold
    CONFERENCE = "conference"  # all three talk
    RETURNING = "returning"  # the second is asked to leave, the citizen is on hold
    CONNECTED = "connected"  # over: the second talks with the citizen
    RETURNED = "returned"  # over: the first talks with the citizen again
    RECALLED = "recalled"  # over: the citizen rings the first again, then goes to the head of the queue
    GONE = "gone"  # over: the citizen has hung up


OVER = frozenset({Stage.CONNECTED, Stage.RETURNED, Stage.RECALLED, Stage.GONE})
ON_HOLD = frozenset({Stage.RINGING, Stage.CONSULTING, Stage.RETURNING})
"""The citizen hears music and talks with nobody."""


class Happening(StrEnum):
    """What may happen to it."""

    ANSWERED = "answered"  # the second operator took the call
    NOBODY = "nobody"  # nobody did: no one is there, all refused, or the time is over
    CONNECT = "connect"  # the first wants the two others to talk
    JOIN_ALL = "join_all"  # the first wants all three to talk
    TAKE_BACK = "take_back"  # the first wants the citizen back
    FIRST_LEFT = "first_left"  # the first operator's leg is gone
    SECOND_LEFT = "second_left"
    CITIZEN_LEFT = "citizen_left"


class Deed(StrEnum):
    """What is to be done then."""

    NOTHING = "nothing"
    OFFER = "offer"  # the citizen goes into the second operator's queue
    BRIDGE_SECOND = "bridge_second"  # the citizen into one bridge with the second
    BRIDGE_FIRST = "bridge_first"  # and with the first
    ADD = "add"  # the citizen into the bridge of both
    SEND_AWAY = "send_away"  # the second operator's leg ends
    STOP = "stop"  # the first need not wait any longer
    RING_FIRST = "ring_first"  # the citizen rings the first again


class Step(NamedTuple):
    """Where a happening leads."""

    stage: Stage
    deed: Deed


_TABLE: Mapping[tuple[Stage, Happening], Step] = {
    (Stage.OFFERED, Happening.ANSWERED): Step(Stage.CONNECTED, Deed.NOTHING),
    (Stage.OFFERED, Happening.NOBODY): Step(Stage.RECALLED, Deed.RING_FIRST),
    (Stage.OFFERED, Happening.CITIZEN_LEFT): Step(Stage.GONE, Deed.NOTHING),
    (Stage.RINGING, Happening.ANSWERED): Step(Stage.CONSULTING, Deed.NOTHING),
    (Stage.RINGING, Happening.NOBODY): Step(Stage.RETURNED, Deed.BRIDGE_FIRST),
    # who hangs up while it rings has handed the citizen over
    (Stage.RINGING, Happening.FIRST_LEFT): Step(Stage.OFFERED, Deed.OFFER),
    (Stage.RINGING, Happening.CITIZEN_LEFT): Step(Stage.GONE, Deed.STOP),
    (Stage.CONSULTING, Happening.CONNECT): Step(Stage.CONNECTED, Deed.BRIDGE_SECOND),
    (Stage.CONSULTING, Happening.JOIN_ALL): Step(Stage.CONFERENCE, Deed.ADD),
    (Stage.CONSULTING, Happening.TAKE_BACK): Step(Stage.RETURNING, Deed.SEND_AWAY),
    (Stage.CONSULTING, Happening.FIRST_LEFT): Step(Stage.CONNECTED, Deed.BRIDGE_SECOND),
    (Stage.CONSULTING, Happening.SECOND_LEFT): Step(Stage.RETURNED, Deed.BRIDGE_FIRST),
    (Stage.CONSULTING, Happening.CITIZEN_LEFT): Step(Stage.GONE, Deed.NOTHING),
    (Stage.RETURNING, Happening.SECOND_LEFT): Step(Stage.RETURNED, Deed.BRIDGE_FIRST),
    (Stage.RETURNING, Happening.FIRST_LEFT): Step(Stage.RECALLED, Deed.RING_FIRST),
    (Stage.RETURNING, Happening.CITIZEN_LEFT): Step(Stage.GONE, Deed.NOTHING),
    (Stage.CONFERENCE, Happening.FIRST_LEFT): Step(Stage.CONNECTED, Deed.NOTHING),
    (Stage.CONFERENCE, Happening.SECOND_LEFT): Step(Stage.RETURNED, Deed.NOTHING),
    (Stage.CONFERENCE, Happening.CITIZEN_LEFT): Step(Stage.GONE, Deed.NOTHING),
}


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where the citizen is to go."""

    agency: str
    line: int
    """1 or 2."""
    topic: str
    """Title of the topic that the operator chose."""

    @property
    def queue(self) -> str:
        return agency_queue(self.agency, self.line)


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """One transfer. Calls are uniqueids of legs, operators are extensions."""

    citizen: str
    """Call of the citizen's leg."""
    first: str
    """Extension of the operator who transfers."""
    first_call: str
    target: Target
    reason: str
    stage: Stage
    second: str = ""
    """Extension of the one who took the call; empty before."""
    refused: frozenset[str] = field(default=frozenset())
    """Extensions that rang in vain."""

    @classmethod
    def begin(
        cls, *, citizen: str, first: str, first_call: str, target: Target, reason: str, way: Way
    ) -> Transfer:
        stage = Stage.OFFERED if way is Way.BLIND else Stage.RINGING
        return cls(
            citizen=citizen, first=first, first_call=first_call, target=target, reason=reason, stage=stage
        )

    @property
    def over(self) -> bool:
        return self.stage in OVER

    @property
    def caller(self) -> str | None:
        """Call of the leg that looks for the second operator; None when nobody does."""
        return {Stage.OFFERED: self.citizen, Stage.RINGING: self.first_call}.get(self.stage)

    def after(self, happening: Happening, *, second: str = "") -> tuple[Transfer, Deed]:
        """The transfer when this has happened, and what is to be done.

        A happening that means nothing in this stage (two of them crossed each other) changes nothing.
        """
        step = _TABLE.get((self.stage, happening))
        if step is None:
            return self, Deed.NOTHING
        return replace(self, stage=step.stage, second=second or self.second), step.deed

    def without(self, extension: str) -> Transfer:
        """This operator's telephone rang in vain, or the call was refused."""
        return replace(self, refused=self.refused | {extension})

    def note(self) -> str:
        """The line that the card gets (§23): where to and why."""
        where = f"{self.target.agency}, {self.target.line}-я линия, тема «{self.target.topic}»"
        return f"Передано: {where}. Причина: {self.reason}."


def failed_note(transfer: Transfer) -> str:
    """The line that the card gets when nobody took the citizen over."""
    return f"Перевод не состоялся: {transfer.target.queue}, никто не ответил."
