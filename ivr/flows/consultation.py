"""Consultation by topic: the caller's key leads to the agency and line that answer (§3в, §23)."""

from __future__ import annotations

from ivr.domain.errors import OperatorWanted
from ivr.domain.menu import Topic, group_topics
from ivr.flows.desk import Desk
from ivr.flows.queueing import hand_over
from ivr.ports import Call, Prompt


async def consultation(call: Call, desk: Desk) -> None:
    """Ask for a topic and hand over to its queue. Raises OperatorWanted for `0` and where there are none."""
    topic = await choose_topic(call, desk)
    await hand_over(call, desk, agency=topic.agency, line=topic.line, topic=topic.title)


async def choose_topic(call: Call, desk: Desk) -> Topic:
    """One topic, by one or two keys."""
    groups = {
        group.key: group
        for group in group_topics(await desk.ask_store(call, lambda uow: uow.agencies.topics()))
    }
    if not groups:
        raise OperatorWanted
    items = tuple((group.key, group.title) for group in groups.values())
    group = groups[await call.ask_choice(Prompt.of("topics", items=items), "".join(groups))]
    if group.single:
        return group.topics[0]
    topics = {topic.key[1]: topic for topic in group.topics}
    items = tuple((key, topic.title) for key, topic in topics.items())
    return topics[await call.ask_choice(Prompt.of("topics", items=items), "".join(topics))]
