"""Operators and the secrets of their telephones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select

from db.access import Access, Row
from db.tables import cards, contacts, operator_places, operator_states, operators
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import BadInput, NotFound
from ivr.domain.operators import Operator, OperatorState, Place, SipAccount, StateChange, usual_places


class SqlOperators:
    """`ivr.ports.Operators`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def add(self, operator: Operator, ha1: str) -> None:
        self._db.serialise("operators")
        if self._row(operator.extension) is not None:
            raise BadInput(f"extension {operator.extension} is taken")
        row = {
            "extension": operator.extension,
            "name": operator.name,
            "agency": operator.agency,
            "line": operator.line,
            "state": operator.state.value,
            "reason": operator.reason,
            "since": operator.since,
            "supervisor": operator.supervisor,
            **self._sealed(operator.extension, ha1),
        }
        self._db.insert(operators, [row])
        self._put_places(operator.extension, usual_places(operator.agency, operator.line))

    def get(self, extension: str) -> Operator:
        row = self._row(extension)
        if row is None:
            raise NotFound(f"there is no operator {extension}")
        return _to_operator(row)

    def list(self, *, today: datetime | None = None) -> Sequence[Operator]:
        """By extension; without `today` nobody's calls are counted."""
        served = {} if today is None else self._served(today)
        rows = self._db.rows(select(operators).order_by(operators.c.extension))
        return [_to_operator(row, served.get(row["extension"], 0)) for row in rows]

    def _served(self, since: datetime) -> Mapping[str, int]:
        """Contacts that ended as served on the operator's cards, by extension."""
        statement = (
            select(cards.c.operator, func.count().label("calls"))
            .join(contacts, contacts.c.card == cards.c.id)
            .where(contacts.c.at >= since, contacts.c.outcome == ContactOutcome.SERVED.value)
            .group_by(cards.c.operator)
        )
        return {row["operator"]: row["calls"] for row in self._db.rows(statement)}

    def set_state(self, extension: str, state: OperatorState, *, reason: str, at: datetime) -> None:
        """See the port. Raises NotFound."""
        self._change(extension, {"state": state.value, "reason": reason, "since": at})
        change = {"extension": extension, "state": state.value, "reason": reason, "at": at}
        self._db.insert(operator_states, [change])

    def history(self, *, since: datetime) -> Sequence[StateChange]:
        """See the port."""
        table = operator_states.c
        before = select(func.max(table.id)).where(table.at < since).group_by(table.extension)
        wanted = or_(table.at >= since, table.id.in_(before))
        rows = self._db.rows(select(operator_states).where(wanted).order_by(table.at, table.id))
        return [
            StateChange(
                extension=row["extension"],
                state=OperatorState(row["state"]),
                reason=row["reason"],
                at=row["at"],
            )
            for row in rows
        ]

    def assign(self, extension: str, *, agency: str, line: int) -> None:
        """See the port. Raises NotFound."""
        self._change(extension, {"agency": agency, "line": line})

    def appoint(self, extension: str, *, supervisor: bool) -> None:
        """See the port. Raises NotFound."""
        self._change(extension, {"supervisor": supervisor})

    def places(self) -> Mapping[str, Sequence[Place]]:
        """See the port."""
        table, found = operator_places.c, dict[str, list[Place]]()
        for row in self._db.rows(select(operator_places).order_by(table.extension, table.queue)):
            place = Place(queue=row["queue"], penalty=row["penalty"])
            found.setdefault(row["extension"], []).append(place)
        return found

    def set_places(self, extension: str, places: Iterable[Place]) -> None:
        """See the port. Raises NotFound."""
        self.get(extension)
        self._db.run(operator_places.delete().where(operator_places.c.extension == extension))
        self._put_places(extension, places)

    def _put_places(self, extension: str, places: Iterable[Place]) -> None:
        rows = [{"extension": extension, "queue": p.queue, "penalty": p.penalty} for p in places]
        self._db.insert(operator_places, rows)

    def note_talk(self, extension: str, call: str) -> None:
        """See the port. Raises NotFound."""
        self._change(extension, {"last_call": call, "missed": 0})

    def note_missed(self, extension: str, missed: int) -> None:
        """See the port. Raises NotFound."""
        self._change(extension, {"missed": missed})

    def set_ha1(self, extension: str, ha1: str) -> None:
        """See the port. Raises NotFound."""
        self._change(extension, self._sealed(extension, ha1))

    def sip_accounts(self) -> Sequence[SipAccount]:
        """By extension."""
        enabled = operators.c.state != OperatorState.DISABLED.value
        rows = self._db.rows(select(operators).where(enabled).order_by(operators.c.extension))
        opened = (self._db.vault.open_row(operators, row) for row in rows)
        return [SipAccount(extension=row["extension"], name=row["name"], ha1=row["ha1"]) for row in opened]

    def _row(self, extension: str) -> Row | None:
        return self._db.first(select(operators).where(operators.c.extension == extension))

    def _change(self, extension: str, values: Row) -> None:
        if not self._db.run(operators.update().where(operators.c.extension == extension).values(values)):
            raise NotFound(f"there is no operator {extension}")

    def _sealed(self, extension: str, ha1: str) -> Row:
        return self._db.vault.seal_row(operators, {"ha1": ha1}, row=extension)


def _to_operator(row: Row, calls_today: int = 0) -> Operator:
    return Operator(
        extension=row["extension"],
        name=row["name"],
        agency=row["agency"],
        line=row["line"],
        state=OperatorState(row["state"]),
        reason=row["reason"],
        since=row["since"],
        calls_today=calls_today,
        last_call=row["last_call"] or "",
        missed=row["missed"],
        supervisor=row["supervisor"],
    )
