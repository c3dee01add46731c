"""Consultation by topic: the published scenario, else the imported topics by key (§3в, §23)."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.domain.errors import OperatorWanted
from ivr.domain.menu import Topic, group_topics
from ivr.domain.versions import Version
from ivr.flows.desk import Desk
from ivr.flows.queueing import hand_over
from ivr.flows.scenario import play
from ivr.ports import Call, Prompt, TraceEvent, UnitOfWork
from ivr.services.scenarios import CONSULTATION


async def consultation(call: Call, desk: Desk) -> None:
    """What is in force at this moment; the call keeps it to its end. Raises OperatorWanted."""
    version, topics = await desk.ask_store(call, lambda uow: _known(uow, call, desk))
    if version is not None:
        scenario = await call.during(desk.shelf.scenario(version), notice=Prompt.of("checking"))
        if scenario is not None:
            await play(call, desk, scenario, number=version.number)
            return
    topic = await choose_topic(call, topics)
    await hand_over(call, desk, agency=topic.agency, line=topic.line, topic=topic.title)


def _known(uow: UnitOfWork, call: Call, desk: Desk) -> tuple[Version | None, Sequence[Topic]]:
    """The trace tells by which version the call goes on."""
    version = uow.scenarios.in_force(CONSULTATION)
    if version is not None:
        at, outcome = desk.clock.now(), f"version {version.number}"
        uow.traces.add(
            [TraceEvent(call=call.id, at=at, kind="ask", id=f"scenario.{CONSULTATION}", outcome=outcome)]
        )
    return version, uow.agencies.topics()


async def choose_topic(call: Call, topics: Sequence[Topic]) -> Topic:
    """One topic, by one or two keys. Raises OperatorWanted for `0` and where there are none."""
    groups = {group.key: group for group in group_topics(topics)}
    if not groups:
        raise OperatorWanted
    items = tuple((group.key, group.title) for group in groups.values())
    group = groups[await call.ask_choice(Prompt.of("topics", items=items), "".join(groups))]
    if group.single:
        return group.topics[0]
    by_key = {topic.key[1]: topic for topic in group.topics}
    items = tuple((key, topic.title) for key, topic in by_key.items())
    return by_key[await call.ask_choice(Prompt.of("topics", items=items), "".join(by_key))]
