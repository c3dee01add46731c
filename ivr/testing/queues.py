"""Rules of queues, turns and announcements in memory: `ivr.ports.Queues`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.queue_rules import QueueRules
from ivr.domain.waiting import Announcement, Turn
from ivr.testing.cards import MemoryCards
from ivr.testing.rows import Rows, aware


class MemoryQueues(Rows):
    """`ivr.ports.Queues`; it looks at the cards of its unit of work."""

    def __init__(self, cards: MemoryCards) -> None:
        self.stored: dict[str, QueueRules] = {}
        self.taken: dict[str, Turn] = {}
        self.said: list[tuple[Announcement, bytes | None]] = []
        self.cards = cards

    def rules(self) -> Mapping[str, QueueRules]:
        return dict(sorted(self.stored.items()))

    def set_rules(self, rules: QueueRules) -> None:
        self.stored[rules.queue] = rules

    def take_turn(self, turn: Turn) -> None:
        self.taken[turn.call] = turn

    def turns(self, calls: Iterable[str]) -> Mapping[str, Turn]:
        return {call: self.taken[call] for call in calls if call in self.taken}

    def earlier(self, number: str, *, besides: str, limit: int = 5) -> Sequence[tuple[str, Turn | None]]:
        ids = [c.id for c in self.cards.list() if c.number == number and c.id != besides][:limit]
        by_card = {turn.card: turn for turn in self.taken.values()}
        return [(id_, by_card.get(id_)) for id_ in ids]

    def handling(self, queue: str, *, since: datetime, limit: int = 50) -> Sequence[int]:
        calls = (self.cards.contact(turn.call) for turn in self.taken.values() if turn.queue == queue)
        served = [c for c in calls if c is not None and c.outcome is ContactOutcome.SERVED and c.at >= since]
        newest = sorted(served, key=lambda contact: contact.at, reverse=True)[:limit]
        return [contact.talking_s + contact.wrapup_s for contact in newest]

    def announce(self, announcement: Announcement, recording: bytes | None) -> None:
        aware(announcement.at, announcement.until)
        self.said.append((announcement, recording))

    def announcement(self, now: datetime) -> Announcement | None:
        newest = max((said for said, _ in self.said), key=lambda said: (said.at, said.id), default=None)
        return newest if newest is not None and newest.in_force(now) else None

    def recording(self, sound: str) -> bytes | None:
        return next((recording for said, recording in self.said if said.sound == sound), None)

    def silence(self, now: datetime) -> bool:
        current = self.announcement(now)
        self.said = [(replace(a, until=now) if a == current else a, sound) for a, sound in self.said]
        return current is not None
