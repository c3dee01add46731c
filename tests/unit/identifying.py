"""An identification service on a store in memory, and people to identify."""

from __future__ import annotations

from typing import Any

from ivr.domain.benefits import Citizen
from ivr.ports import CodeHashes
from ivr.services.audit import By
from ivr.services.identification import Attempt, Caller, Identification, Ticket
from ivr.settings import IdentificationRules, Settings
from ivr.testing import START, MemoryStore, VirtualClock

SNILS, OTHER_SNILS, UNKNOWN_SNILS = "11223344595", "08765430300", "00100199800"
MINE, STRANGE, THIRD = "+79123456789", "+79990000000", "+79991111111"
CODE, DOCUMENT = "52521", "5604123456"
WRONG = "00000"
BY = By(actor="cli:anna", at=START)
HASHES = CodeHashes(keypad=f"hash of {CODE}", exact="hash of мама1")


class Codes:
    """Compares without hashing, and counts."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        """Whether there was a code to compare with."""
        self.error: BaseException | None = None

    async def keypad_matches(self, digits: str, code: CodeHashes | None) -> bool:
        self.asked.append(code is not None)
        if self.error is not None:
            raise self.error
        return code is not None and code.keypad == f"hash of {digits}"


class Alarms:
    def __init__(self) -> None:
        self.standing: dict[str, str] = {}

    def set(self, key: str, what: str, remedy: str, now: object) -> None:
        self.standing[key] = f"{what}; {remedy}"

    def clear(self, key: str) -> None:
        self.standing.pop(key, None)


class Desk:
    """An identification service with what it works on."""

    def __init__(self, **rules: Any) -> None:
        self.store = MemoryStore()
        self.clock = VirtualClock()
        self.codes = Codes()
        self.alarms = Alarms()
        self.slept: list[float] = []
        settings = Settings(identification=IdentificationRules(**rules))
        self.service = Identification.of(settings, self.store, self.codes, self.clock, self.alarms)
        self.service._sleep = self._sleep
        with self.store.transaction() as uow:
            person = Citizen(snils=SNILS, phone=MINE, document_series="5604", document_number="123456")
            no_code = Citizen(snils=OTHER_SNILS, phone=STRANGE, document_number="1")
            uow.citizens.upsert([person, no_code])
            uow.citizens.set_code(SNILS, HASHES)
            uow.commit()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def ticket(self, number: str | None = MINE, snils: str = SNILS) -> Ticket | None:
        return await self.service.choose_path(Caller(call="1.1", card="card", number=number), snils)

    async def attempt(
        self,
        number: str | None = MINE,
        snils: str = SNILS,
        *,
        code: str = WRONG,
        document: str = "",
    ) -> Attempt | None:
        """A call with one attempt; None: locked before anything was asked."""
        ticket = await self.ticket(number, snils)
        if ticket is None:
            return None
        return await self.service.check(ticket, code=code, document=document)

    async def fail(self, times: int, number: str | None = MINE, snils: str = SNILS) -> list[bool | None]:
        """Whether each of so many wrong attempts was followed by a lock; None: it was refused."""
        attempts = [await self.attempt(number, snils) for _ in range(times)]
        return [None if attempt is None else attempt.locked for attempt in attempts]

    def results(self) -> list[str]:
        return [row.result for row in self.store.rows.audit.rows]
