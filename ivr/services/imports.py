"""Brings files of rows in: in batches, each a transaction of its own, good rows stay whatever the others are.

Importing the same file twice changes nothing: what is there already is recognised, secret codes by verifying
them with the hash that is stored. So an import that was interrupted is simply started again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, Protocol, TypeVar

from ivr.domain.benefits import Notice, Payment
from ivr.domain.enquiry import Application
from ivr.domain.errors import BadInput, StorageDown
from ivr.domain.menu import Topic, check_topics
from ivr.domain.receipt import digits_of
from ivr.ports import Store, UnitOfWork
from ivr.services import records_in
from ivr.services.audit import By
from ivr.services.records_in import Fields
from ivr.services.rows import Line, Refused

BATCH = 500
"""Rows in one transaction: on SQLite it holds the only right to write, and calls need it, too."""

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


class Kind(Protocol[R]):
    """What a file is about."""

    @property
    def name(self) -> str:
        """`citizens`, `applications` …"""
        ...

    @property
    def columns(self) -> Sequence[str]: ...

    @property
    def batch(self) -> int:
        """Rows in one transaction."""
        ...

    def read(self, fields: Fields) -> R:
        """Raises BadInput."""
        ...

    def identities(self, record: R) -> Iterable[Hashable]:
        """By which the same thing is recognised: a file says each of them once."""
        ...

    def admit(self, record: R) -> None:
        """Raises BadInput when the record does not go with those that were admitted before."""
        ...

    def store(self, store: Store, records: Sequence[R]) -> int:
        """Put records into the database and commit; how many really changed. Raises StorageDown."""
        ...


@dataclass(kw_only=True)
class Counts:
    """How an import went."""

    accepted: int = 0
    changed: int = 0
    """Of the accepted: those that were not there before, or were otherwise."""
    rejected: int = 0
    first: Refused | None = None
    """The first that was rejected."""

    def __str__(self) -> str:
        return f"accepted {self.accepted}, changed {self.changed}, rejected {self.rejected}"


def bring_in(
    store: Store,
    by: By,
    kind: Kind[R],
    rows: Iterable[Line | Refused],
    *,
    subject: str = "file",
    refuse: Callable[[Refused], None] = lambda _: None,
    stored: Callable[[], None] = lambda: None,
) -> Counts:
    """Store every good row, tell `refuse` of every other; the audit knows how many, not whose.

    stored: called after each batch. Raises StorageDown; what was stored until then stays.
    """
    intake = _Intake(store=store, kind=kind, refuse=refuse, stored=stored)
    try:
        for row in rows:
            intake.take(row)
        intake.flush()
    except BaseException:
        with suppress(StorageDown):  # the first error is the one to tell
            _note(store, by, kind.name, subject, f"interrupted; {intake.counts}")
        raise
    _note(store, by, kind.name, subject, str(intake.counts))
    return intake.counts


def _note(store: Store, by: By, name: str, subject: str, result: str) -> None:
    with store.transaction() as uow:
        by.note(uow, f"{name}.import", subject, result=result)
        uow.commit()


@dataclass(kw_only=True)
class _Intake(Generic[R]):
    """One import on its way."""

    store: Store
    kind: Kind[R]
    refuse: Callable[[Refused], None]
    stored: Callable[[], None]
    counts: Counts = field(default_factory=Counts)
    waiting: list[R] = field(default_factory=list)
    seen: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By the hash of an identity: line and hash of the record. (The records would be too many to keep.)"""

    def take(self, row: Line | Refused) -> None:
        if isinstance(row, Refused):
            self._reject(row)
            return
        try:
            record = self.kind.read(Fields(row.values))
            repeated = self._repeated(record)
            self.kind.admit(record)
        except BadInput as error:
            self._reject(Refused(number=row.number, reason=str(error), raw=row.raw))
            return
        if repeated:
            self.counts.accepted += 1
            return
        self._remember(record, row.number)
        self.waiting.append(record)
        if len(self.waiting) >= self.kind.batch:
            self.flush()

    def flush(self) -> None:
        """Store what waits."""
        self.counts.changed += self.kind.store(self.store, self.waiting) if self.waiting else 0
        self.counts.accepted += len(self.waiting)
        self.waiting.clear()
        self.stored()

    def _reject(self, refused: Refused) -> None:
        self.counts.rejected += 1
        self.counts.first = self.counts.first or refused
        self.refuse(refused)

    def _repeated(self, record: R) -> bool:
        """Whether the file has said the same before. Raises BadInput when it has said otherwise."""
        for identity in self.kind.identities(record):
            line, before = self.seen.get(hash(identity), (0, 0))
            if line and before != hash(record):
                raise BadInput(
                    f"the row is about the same as line {line}, with other values; keep one of them"
                )
            if line:
                return True
        return False

    def _remember(self, record: R, line: int) -> None:
        for identity in self.kind.identities(record):
            self.seen[hash(identity)] = (line, hash(record))


# --- the kinds -------------------------------------------------------------------------------------


class _Repository(Protocol[R_contra]):
    def upsert(self, records: Iterable[R_contra], /) -> int: ...


@dataclass(frozen=True, kw_only=True)
class _Records(Generic[R]):
    """A kind whose rows are stored one beside the other."""

    name: str
    columns: Sequence[str]
    reading: Callable[[Fields], R]
    identity: Callable[[R], Hashable]
    repository: Callable[[UnitOfWork], _Repository[R]]
    batch: int = BATCH

    def read(self, fields: Fields) -> R:
        return self.reading(fields)

    def identities(self, record: R) -> Iterable[Hashable]:
        return (self.identity(record),)

    def admit(self, record: R) -> None:
        """Every row stands for itself."""

    def store(self, store: Store, records: Sequence[R]) -> int:
        with store.transaction() as uow:
            changed = self.repository(uow).upsert(records)
            uow.commit()
        return changed


def applications(store: Store, *, today: date) -> Kind[Application]:
    """today: in the site's zone."""
    agencies = known_agencies(store)
    return _Records(
        name="applications",
        columns=records_in.APPLICATIONS,
        reading=lambda fields: records_in.application(fields, today=today, agencies=agencies),
        identity=lambda a: (a.agency, digits_of(a.number), a.snils),
        repository=lambda uow: uow.applications,
    )


def payments(store: Store) -> Kind[Payment]:
    agencies = known_agencies(store)
    return _Records(
        name="payments",
        columns=records_in.PAYMENTS,
        reading=lambda fields: records_in.payment(fields, agencies=agencies),
        identity=lambda p: (p.snils, p.agency, p.title, p.date, p.amount),
        repository=lambda uow: uow.payments,
    )


def notices(store: Store) -> Kind[Notice]:
    agencies = known_agencies(store)
    return _Records(
        name="notices",
        columns=records_in.NOTICES,
        reading=lambda fields: records_in.notice(fields, agencies=agencies),
        identity=lambda n: (n.snils, n.agency, n.event, n.measure),
        repository=lambda uow: uow.notices,
    )


def known_agencies(store: Store) -> frozenset[str]:
    with store.transaction() as uow:
        return frozenset(uow.agencies.codes())


class AgencyTopics:
    """Agencies with their topics, which together must make a menu that a caller can use."""

    name = "agencies"
    columns = records_in.AGENCIES
    batch = BATCH

    def __init__(self, menu: Iterable[Topic]) -> None:
        """menu: the topics that are there."""
        self._menu = {topic.key: topic for topic in menu}
        self._names: dict[str, str] = {}

    def read(self, fields: Fields) -> Topic:
        return records_in.topic(fields)

    def identities(self, record: Topic) -> Iterable[Hashable]:
        return (record.key, (record.agency, record.title))

    def admit(self, record: Topic) -> None:
        """A topic takes its key from whatever had it, and leaves the key it had."""
        if self._names.get(record.agency, record.agency_name) != record.agency_name:
            raise BadInput("name is not the one that the file gave this agency before")
        title = (record.agency, record.title)
        menu = {key: topic for key, topic in self._menu.items() if (topic.agency, topic.title) != title}
        menu[record.key] = record
        check_topics(menu.values())
        self._menu = menu
        self._names[record.agency] = record.agency_name

    def store(self, store: Store, records: Sequence[Topic]) -> int:
        with store.transaction() as uow:
            changed = uow.agencies.upsert(records)
            uow.commit()
        return changed


def agencies(store: Store) -> Kind[Topic]:
    with store.transaction() as uow:
        return AgencyTopics(uow.agencies.topics())
