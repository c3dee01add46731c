"""The embedded information resource (§22): our own tables, filled by `ekc … import`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ivr.domain.benefits import PersonalRecords
from ivr.domain.enquiry import Application
from ivr.ports import Store, UnitOfWork


class EmbeddedResource:
    """`ivr.ports.InformationResource` of every agency that has no service of its own.

    A database that does not answer stays StorageDown: the remedy is ours, not a participant's.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def applications(self, digits: str, accepted_on: date) -> Sequence[Application]:
        """See the port. Raises StorageDown."""
        return await self._store.run(lambda uow: uow.applications.by_receipt(digits, accepted_on))

    async def personal(self, snils: str) -> PersonalRecords:
        """See the port. One transaction, so that its parts belong together. Raises StorageDown."""

        def read(uow: UnitOfWork) -> PersonalRecords:
            return PersonalRecords(
                payments=tuple(uow.payments.of(snils)),
                applications=tuple(uow.applications.of(snils)),
                notices=tuple(uow.notices.of(snils)),
            )

        return await self._store.run(read)
