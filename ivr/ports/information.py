"""Where answers to citizens come from (§22)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from ivr.domain.benefits import PersonalRecords
from ivr.domain.enquiry import Application


class InformationResource(Protocol):
    """An agency's information resource (§22)."""

    async def applications(self, digits: str, accepted_on: date) -> Sequence[Application]:
        """By the receipt's number (digits only) and date. Raises ResourceDown."""
        ...

    async def personal(self, snils: str) -> PersonalRecords:
        """Everything of one citizen who was identified (§21). Raises ResourceDown."""
        ...
