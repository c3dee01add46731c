"""An operator's transfer menu (`*2`, §23), and what is said when a transfer or a telephone fails.

The first operator's leg is in a bridge with the citizen, who hears music, or with the second operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.domain import transfer as rules
from ivr.domain.errors import CallerSilent, OperatorWanted, Unavailable
from ivr.domain.menu import Topic
from ivr.domain.transfer import Happening, Stage, Target, Transfer, Way
from ivr.flows.desk import Desk
from ivr.ports import Call, Channel, Prompt, UnitOfWork
from ivr.services.transfer_scene import Scene
from ivr.services.transfers import Transfers

TAKEN_SECONDS = 5.0
"""How long a leg waits to be bridged with the citizen."""
LAST_WORDS_SECONDS = 1.0
"""Between a sentence and the end of the call: a telephone that hangs up drops what it has not played yet."""
MOST_WRONG = 3
"""Numbers of topics that do not exist before the operator is back in the talk."""
_CANCELLED = (OperatorWanted, CallerSilent)
"""0, two stars, three wrong keys, or nothing for long: back to the talk."""
_DECISIONS = {"1": Happening.CONNECT, "2": Happening.JOIN_ALL, "3": Happening.TAKE_BACK}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the operator has chosen."""

    target: Target
    reason: str
    way: Way


@dataclass(frozen=True, kw_only=True)
class _Book:
    """What can be chosen."""

    topics: Mapping[str, Topic]
    """By key."""
    reasons: Mapping[str, str]


async def menu(call: Call, desk: Desk, transfers: Transfers) -> None:
    """`*2`. What cannot be done is said, and the talk goes on."""
    try:
        scene = await call.during(transfers.scene(call.id))
        if scene.transfer is not None:
            await _consulting(call, transfers, scene.transfer)
        elif scene.citizen is not None:
            await _talking(call, desk, transfers, scene)
        else:
            await call.say(Prompt.of("transfer.impossible"), whole=True)
    except Unavailable:
        await call.say(Prompt.of("transfer.impossible"), whole=True)


async def _talking(call: Call, desk: Desk, transfers: Transfers, scene: Scene) -> None:
    await call.during(transfers.choosing(scene, on=True))
    try:
        choice = await _choose(call, desk, transfers)
        if choice is not None:
            prompt = "transfer.sent" if choice.way is Way.BLIND else "transfer.calling"
            await call.say(Prompt.of(prompt))
            await call.during(transfers.begin(scene, choice.target, choice.reason, choice.way))
            return
    except _CANCELLED:
        pass  # the talk goes on, which is what the operator wanted
    except Unavailable:
        await call.say(Prompt.of("transfer.impossible"), whole=True)
    await call.during(transfers.choosing(scene, on=False))


async def _choose(call: Call, desk: Desk, transfers: Transfers) -> Choice | None:
    """None when nobody is there. Raises OperatorWanted, CallerSilent, StorageDown."""
    book = await desk.ask_store(call, _read)
    topic = await _topic(call, book.topics)
    line = int(await call.ask_choice(Prompt.of("transfer.line"), "12"))
    target = Target(agency=topic.agency, line=line, topic=topic.title)
    if not transfers.somebody_at(target.queue):
        await call.say(Prompt.of("transfer.nobody"), whole=True)
        return None
    reasons = Prompt.of("transfer.reason", items=tuple(book.reasons.items()))
    reason = book.reasons[await call.ask_choice(reasons, "".join(book.reasons))]
    way = await call.ask_choice(Prompt.of("transfer.way"), "12")
    return Choice(target=target, reason=reason, way=Way.BLIND if way == "1" else Way.ATTENDED)


def _read(uow: UnitOfWork) -> _Book:
    topics = {topic.key: topic for topic in uow.agencies.topics()}
    return _Book(topics=topics, reasons=uow.reasons.list(rules.DIRECTORY) or rules.REASONS)


async def _topic(call: Call, topics: Mapping[str, Topic]) -> Topic:
    """Raises OperatorWanted after MOST_WRONG keys that no topic has."""
    for _ in range(MOST_WRONG):
        key = await call.ask_digits(Prompt.of("transfer.topic"), most=2)
        if key in topics:
            return topics[key]
        await call.say(Prompt.of("no_match"))
    raise OperatorWanted


async def _consulting(call: Call, transfers: Transfers, transfer: Transfer) -> None:
    """The second operator hears music; anything but a decision leads back to the two of them."""
    if transfer.stage is Stage.GONE:
        return await call.say(Prompt.of("transfer.citizen_left"), whole=True)
    try:
        key = await call.ask_choice(Prompt.of("transfer.consult"), "".join(_DECISIONS))
    except _CANCELLED:
        return None
    return await call.during(transfers.decide(transfer, _DECISIONS[key]))


async def over(call: Call, channel: Channel, transfers: Transfers) -> None:
    """The first operator's call to the second one has ended: back to the citizen, if there is one."""
    if (transfer := transfers.of_first(call.id)) is not None and not transfer.over:
        ringing = transfer.stage is Stage.RINGING
        if transfer.stage is not Stage.RETURNING:
            await call.say(Prompt.of("transfer.no_answer" if ringing else "transfer.colleague_left"))
        await call.during(transfers.nobody_came(call.id))
    transfer = transfers.of_first(call.id)
    if transfer is not None and transfer.stage is Stage.RETURNED:
        await channel.wait_key(TAKEN_SECONDS)
    if transfer is not None and transfer.stage is Stage.GONE:
        await call.say(Prompt.of("transfer.citizen_left"), whole=True)
        await channel.wait_key(LAST_WORDS_SECONDS)
    await call.finish()


async def consulted(call: Call, channel: Channel, transfers: Transfers) -> None:
    """The first operator has hung up and left the second one: the citizen comes, if there is one."""
    if await call.during(transfers.left_with(call.id)):
        await channel.wait_key(TAKEN_SECONDS)
    await call.finish()


async def back(call: Call, transfers: Transfers) -> None:
    """To the citizen: nobody took the call, the operator is rung again."""
    await call.say(Prompt.of("transfer.back"), whole=True)
    await call.during(transfers.given_back(call.id))


async def lost(call: Call, channel: Channel, transfers: Transfers) -> None:
    """To the citizen: the operator's telephone died, or was put down in the menu."""
    extension = await transfers.patchboard.operator_of(channel)
    await call.say(Prompt.of("operator.lost"), whole=True)
    if extension is not None:
        await transfers.lost(call.id, extension)
