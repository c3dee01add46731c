"""Consultation by topic: the published scenario, else the imported topics by key (§3в, §23)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from ivr import grammars
from ivr.domain.errors import OperatorWanted
from ivr.domain.menu import Topic, group_topics, said_as
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
    """One topic, by one or two keys or by its name. Raises OperatorWanted for `0` and where there is none."""
    groups = {group.key: group for group in group_topics(topics)}
    if not groups:
        raise OperatorWanted
    by_key = {topic.key: topic for topic in topics}
    names = {group.key: group.title for group in groups.values()}
    alone = {group.key: "" for group in groups.values() if len(group.topics) == 1}
    chosen = await _ask(call, names, names | alone | {topic.key: topic.title for topic in topics})
    if chosen in by_key:
        return by_key[chosen]
    of_group = {topic.key[1]: topic for topic in groups[chosen].topics}
    names = {key: topic.title for key, topic in of_group.items()}
    return of_group[await _ask(call, names, names)]


async def _ask(call: Call, items: Mapping[str, str], named: Mapping[str, str]) -> str:
    """A key of `items`, or what else may be named: titles by answer."""
    prompt = Prompt.of("topics", items=tuple(items.items()))
    phrases = said_as(named)
    name = hashlib.sha256(repr(sorted(phrases.items())).encode()).hexdigest()[:8]
    spoken = grammars.choice(f"topics-{name}", prompt.voiced, phrases, family="topics")
    return await call.ask_choice(prompt, "".join(items), spoken)
