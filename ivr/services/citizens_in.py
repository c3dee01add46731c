"""Brings citizens in, with their secret codes hashed (§21).

A hash is made slow on purpose (argon2, tens of milliseconds each), so codes take nearly all of the time; a
code that is stored already is verified instead of being hashed again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ivr.ports import CodeHashes, Store, UnitOfWork
from ivr.services import records_in
from ivr.services.records_in import CitizenRow, Fields

BATCH = 100
"""Rows in one transaction: what an interruption loses is some seconds of hashing."""
NICENESS = 10
"""Calls on this machine come first."""


class CodeBook(Protocol):
    """Makes and verifies the hashes of secret codes. Called from several threads at once."""

    def hashes(self, code: str, /) -> CodeHashes: ...

    def verify_exact(self, code: str, hashes: CodeHashes, /) -> bool:
        """Whether the exact form of the code is the one that was hashed."""
        ...


@dataclass(frozen=True, kw_only=True)
class Citizens:
    """`ivr.services.imports.Kind` of citizens."""

    codes: CodeBook
    check_code: Callable[[str], str]
    """The code in the form that is hashed; raises BadInput."""
    today: date
    """In the site's zone."""
    name: str = "citizens"
    columns: Sequence[str] = records_in.CITIZENS
    batch: int = BATCH

    def read(self, fields: Fields) -> CitizenRow:
        return records_in.citizen(fields, today=self.today, check_code=self.check_code)

    def identities(self, record: CitizenRow) -> Iterable[Hashable]:
        return (record.citizen.snils,)

    def admit(self, record: CitizenRow) -> None:
        """Every citizen stands for themselves."""

    def store(self, store: Store, records: Sequence[CitizenRow]) -> int:
        fresh = self._fresh(_stored_codes(store, records), records)
        with store.transaction() as uow:
            changed = _upsert(uow, records, fresh)
            uow.commit()
        return changed

    def _fresh(
        self, stored: Mapping[str, CodeHashes], records: Sequence[CitizenRow]
    ) -> Mapping[str, CodeHashes]:
        """Hashes of the codes that are not stored yet, by SNILS."""

        def hashed(record: CitizenRow) -> CodeHashes | None:
            known = stored.get(record.citizen.snils)
            if known is not None and self.codes.verify_exact(record.code, known):
                return None
            return self.codes.hashes(record.code)

        coded = [record for record in records if record.code]
        pool = ThreadPoolExecutor(cores(), thread_name_prefix="ekc-codes", initializer=_be_nice)
        try:
            found = list(pool.map(hashed, coded))
        finally:
            pool.shutdown(cancel_futures=True)
        return {r.citizen.snils: made for r, made in zip(coded, found, strict=True) if made is not None}


def cores() -> int:
    """How many processors this process may use: argon2 gains nothing from more threads."""
    return len(os.sched_getaffinity(0))


def _be_nice() -> None:
    """On Linux each thread has a niceness of its own (setpriority(2), "C library/kernel differences")."""
    os.nice(NICENESS)


def _stored_codes(store: Store, records: Iterable[CitizenRow]) -> Mapping[str, CodeHashes]:
    """The stored hashes by SNILS; read before the hashing, which no transaction waits for."""
    with store.transaction() as uow:
        found = {r.citizen.snils: uow.citizens.credentials(r.citizen.snils) for r in records if r.code}
    return {
        snils: known.code for snils, known in found.items() if known is not None and known.code is not None
    }


def _upsert(uow: UnitOfWork, records: Sequence[CitizenRow], fresh: Mapping[str, CodeHashes]) -> int:
    """How many citizens changed; one with another code did, whatever else is said of them."""
    recoded = [r.citizen for r in records if r.citizen.snils in fresh]
    uow.citizens.upsert(recoded)
    changed = uow.citizens.upsert(r.citizen for r in records if r.citizen.snils not in fresh)
    for snils, hashes in fresh.items():
        uow.citizens.set_code(snils, hashes)
    return len(recoded) + changed
