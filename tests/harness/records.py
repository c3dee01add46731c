"""What a system has written down of its calls, read as the commands read it, but in this process.

A command takes a second or two to start; here a test may ask twenty times a second. What the commands
themselves print is for tests of the commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivr.bootstrap import LocalSite
from ivr.domain.callback import Callback
from ivr.domain.enquiry import Contact
from ivr.domain.errors import StorageDown
from ivr.ports import AuditRow, Store, TraceEvent
from ivr.services import cards
from ivr.settings import Settings
from tests.harness.closing import Closing


@dataclass(frozen=True, kw_only=True)
class Lived:
    """A call that is over: its card, its contact and what the caller lived through."""

    call: str
    card: dict[str, Any]
    """The keys of the outer interface; numbers in clear."""
    contact: Contact
    trace: tuple[TraceEvent, ...]

    @property
    def steps(self) -> list[str]:
        """`kind id outcome` of each event, in order."""
        return [step(event) for event in self.trace]

    def of(self, kind: str, id_: str) -> list[str]:
        """The outcomes of all events of this kind and id, in order."""
        return [event.outcome for event in self.trace if (event.kind, event.id) == (kind, id_)]

    @property
    def ended(self) -> tuple[str | None, str | None]:
        """Outcome of the card and of the contact."""
        contact = self.contact.outcome.value if self.contact.outcome else None
        return (self.card["outcome"], contact)

    def seconds(self, first: str, last: str) -> float:
        """From the first event that begins like `first` to the first later one that begins like `last`."""
        begin = next(e for e in self.trace if step(e).startswith(first))
        end = next(e for e in self.trace if e.at >= begin.at and step(e).startswith(last))
        return (end.at - begin.at).total_seconds()


def step(event: TraceEvent) -> str:
    return f"{event.kind} {event.id} {event.outcome}"


class Records(Closing):
    """The database of one state, open for reading."""

    def __init__(self, state: Path, **settings: Any) -> None:
        self._site = LocalSite(Settings(state=state, **settings))

    @property
    def store(self) -> Store:
        """The database itself, for what a test puts there by hand."""
        return self._site.closed_store()

    def trace(self, call: str) -> tuple[TraceEvent, ...]:
        """So far."""
        with self._site.closed_store().transaction() as uow:
            return tuple(event for _, event in uow.traces.of_call(call))

    def has(self, call: str) -> bool:
        """Whether the call has its card."""
        with self._site.closed_store().transaction() as uow:
            return uow.cards.contact(call) is not None

    def calls_of(self, number: str | None) -> list[str]:
        """The calls from this number (E.164; None: unknown), oldest first."""
        with self._site.closed_store().transaction() as uow:
            return [row.call for row in reversed(uow.cards.calls()) if row.number == number]

    def level(self, call: str) -> str | None:
        """What the caller may be told, as the card says now."""
        with self._site.closed_store().transaction() as uow:
            card = uow.cards.of_call(call)
            return card.level.value if card is not None else None

    def callbacks(self, card: str) -> list[Callback]:
        """Promised on this card (its id)."""
        with self._site.closed_store().transaction() as uow:
            return [callback for callback in uow.callbacks.list() if callback.card == card]

    def promised(self, number: str) -> list[Callback]:
        """To this number (E.164), oldest first."""
        with self._site.closed_store().transaction() as uow:
            found = [callback for callback in uow.callbacks.list() if callback.number == number]
        return sorted(found, key=lambda callback: callback.id)

    def audited(self, action: str) -> list[AuditRow]:
        """The audit rows of this action, oldest first."""
        with self._site.closed_store().transaction() as uow:
            return [row for row in reversed(uow.audit.list()) if row.action == action]

    def lived(self, call: str, *, closed: bool) -> Lived | None:
        """The call once it is over, and with `closed` once its card is; None before that.

        Also while somebody holds the database: the next look may find it free.
        """
        try:
            with self._site.closed_store().transaction() as uow:
                card, contact = uow.cards.of_call(call), uow.cards.contact(call)
                events = tuple(event for _, event in uow.traces.of_call(call))
        except StorageDown:
            return None
        if card is None or contact is None or not any(event.kind == "end" for event in events):
            return None
        if closed and card.outcome is None:
            return None
        return Lived(call=call, card=cards.view(card), contact=contact, trace=events)

    def close(self) -> None:
        self._site.close()
