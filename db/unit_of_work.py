"""One transaction: all repositories over one connection."""

from __future__ import annotations

from db.access import Access
from db.repositories.agencies import SqlAgencies
from db.repositories.applications import SqlApplications
from db.repositories.appointments import SqlAgreements, SqlDeferred
from db.repositories.benefits import SqlNotices, SqlPayments
from db.repositories.callbacks import SqlCallbacks
from db.repositories.cards import SqlCards
from db.repositories.citizens import SqlCitizens
from db.repositories.guesses import SqlGuesses
from db.repositories.journal import SqlJournal
from db.repositories.operators import SqlOperators
from db.repositories.passages import SqlPassages
from db.repositories.queues import SqlQueues
from db.repositories.reasons import SqlReasons
from db.repositories.records import SqlAudit, SqlCalendarDays, SqlTraces
from db.repositories.scenarios import SqlScenarios
from db.repositories.standings import SqlStandings
from ivr import ports


class SqlUnitOfWork:
    """`ivr.ports.UnitOfWork`. What happens after `commit` needs another one."""

    def __init__(self, access: Access) -> None:
        self._connection = access.connection
        self.cards: ports.Cards = SqlCards(access)
        self.passages: ports.Passages = SqlPassages(access)
        self.callbacks: ports.Callbacks = SqlCallbacks(access)
        self.standings: ports.Standings = SqlStandings(access)
        self.deferred: ports.DeferredEnquiries = SqlDeferred(access)
        self.agreements: ports.Agreements = SqlAgreements(access)
        self.applications: ports.Applications = SqlApplications(access)
        self.agencies: ports.Agencies = SqlAgencies(access)
        self.operators: ports.Operators = SqlOperators(access)
        self.reasons: ports.Reasons = SqlReasons(access)
        self.queues: ports.Queues = SqlQueues(access)
        self.scenarios: ports.Scenarios = SqlScenarios(access)
        self.calendar: ports.CalendarDays = SqlCalendarDays(access)
        self.traces: ports.Traces = SqlTraces(access)
        self.audit: ports.Audit = SqlAudit(access)
        self.guesses: ports.Guesses = SqlGuesses(access)
        self.journal: ports.Journal = SqlJournal(access)
        self.citizens: ports.Citizens = SqlCitizens(access)
        self.payments: ports.Payments = SqlPayments(access)
        self.notices: ports.Notices = SqlNotices(access)

    def commit(self) -> None:
        """Make it last. Until then nobody else sees it, and leaving undoes it."""
        self._connection.commit()
