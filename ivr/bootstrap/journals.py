"""A site's journals for the command line: where they are, who is on the line, what follows a contact."""

from __future__ import annotations

from collections.abc import Callable, Set

from ivr.asterisk.layout import Layout
from ivr.asterisk.node import Node
from ivr.bootstrap.clock import SystemClock
from ivr.domain.errors import NotRunning, Unavailable
from ivr.ports import Store
from ivr.services.calling_rules import CallingRules
from ivr.services.journal import JournalReader
from ivr.services.journal_files import JournalFile
from ivr.services.journal_keeping import Keeping
from ivr.services.probes import pid_from
from ivr.services.reconcile import Auditor
from ivr.services.settlement import Rules
from ivr.services.unasked import Unasked
from ivr.settings import Settings


def journal_files(settings: Settings) -> tuple[JournalFile, ...]:
    layout = Layout.of(settings)
    return (
        JournalFile(journal="arrivals", path=layout.arrivals),
        JournalFile(journal="queue_log", path=layout.queue_log),
        JournalFile(journal="cel", path=layout.cel),
    )


def dialable(settings: Settings) -> Callable[[str], bool]:
    """Whether a number (E.164) may be called back."""
    numbers = CallingRules.of(settings).numbers
    return lambda number: numbers.refusal(number) is None


def settlement_rules(settings: Settings) -> Rules:
    return Rules(served=settings.served_seconds, wrapup=settings.wrapup_seconds)


def keeping(settings: Settings, store: Store, node: Node, clock: SystemClock) -> Keeping:
    """For a program that is no engine."""
    may_call = dialable(settings)

    async def live() -> Set[str] | None:
        try:
            return node.live_calls()
        except NotRunning:
            return frozenset()
        except Unavailable:
            return None

    return Keeping(
        store=store,
        files=journal_files(settings),
        node=settings.node,
        clock=clock,
        auditor=Auditor(store, Layout.of(settings).arrivals, live=live, dialable=may_call),
        reader=lambda: JournalReader(
            store,
            journal_files(settings),
            node=settings.node,
            clock=clock,
            rules=settlement_rules(settings),
            in_hand=lambda _call: False,
            unasked=Unasked.of(settings, may_call),
            calling=CallingRules.of(settings),
            live=live,
        ),
        engine_runs=lambda: pid_from(settings.run_dir / "engine.pid") is not None,
    )
