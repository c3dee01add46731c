"""What an engine does with the journals: reads them, settles contacts, looks for lost citizens."""

from __future__ import annotations

from collections.abc import Set
from functools import partial

from ivr.assembly.parts import Parts
from ivr.asterisk.layout import Layout
from ivr.bootstrap.journals import dialable, journal_files, settlement_rules
from ivr.domain.errors import Unavailable
from ivr.domain.reconciliation import Account
from ivr.services import queue_metrics
from ivr.services.journal import JournalReader
from ivr.services.reconcile import Auditor, Reconciler
from ivr.services.unasked import Unasked


def journal(parts: Parts) -> JournalReader:
    settings = parts.settings
    return JournalReader(
        parts.store,
        journal_files(settings),
        node=settings.node,
        clock=parts.site.clock,
        rules=settlement_rules(settings),
        in_hand=parts.office.in_hand,
        first=parts.traces.written,
        on_lag=parts.metrics.journal_lag.set,
        on_ended=lambda outcome: parts.metrics.calls.labels(outcome=outcome.value).inc(),
        on_passages=lambda found: queue_metrics.count(parts.metrics, found),
        unasked=Unasked.of(settings, dialable(settings)),
        calling=parts.calling,
        live=partial(_live, parts),
    )


def reconciler(parts: Parts, reader: JournalReader) -> Reconciler:
    settings, may_call = parts.settings, dialable(parts.settings)
    live = partial(_live, parts)
    return Reconciler(
        parts.store,
        Auditor(parts.store, Layout.of(settings).arrivals, live=live, dialable=may_call),
        reader,
        parts.site.clock,
        unasked=Unasked.of(settings, may_call),
        seconds=settings.reconcile_seconds,
        on_account=partial(_tell, parts),
        on_lost=parts.metrics.arrivals_lost.inc,
    )


async def _live(parts: Parts) -> Set[str] | None:
    """Uniqueids of the channels that are up; None while Asterisk runs and does not say."""
    try:
        return {leg.call for leg in (await parts.switchboard.snapshot()).legs}
    except Unavailable:
        return frozenset() if parts.site.node.pid() is None else None


def _tell(parts: Parts, found: Account) -> None:
    parts.metrics.arrivals_unreachable.set(len(found.unreachable))
    parts.metrics.arrivals_doubled.set(len(found.doubled))
