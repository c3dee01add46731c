"""The parts of an engine that call citizens: the dialler and the watch over its legs."""

from __future__ import annotations

from datetime import datetime

from ivr.assembly.parts import Parts
from ivr.domain.callback import Source
from ivr.ports import CallbackCounts
from ivr.services.called import Calling
from ivr.services.dialler import Dialler
from ivr.services.legs import LegWatch


def dialler(parts: Parts) -> Dialler:
    """Begins legs while what happens in the queues is known."""
    return Dialler(
        parts.store,
        parts.outbound,
        parts.floor.view,
        parts.site.clock,
        parts.calling,
        node=parts.settings.node,
        trusted=lambda: bool(parts.ami.connected) and parts.floor.rebuilt_at is not None,
        on_begun=parts.metrics.callback_lateness.observe,
    )


def calling(parts: Parts) -> Calling:
    """What the dialplan asks about a leg."""
    return Calling(
        store=parts.store,
        callers_store=parts.callers_store,
        clock=parts.site.clock,
        rules=parts.calling,
        whispers=parts.whispers,
        node=parts.settings.node,
    )


def leg_watch(parts: Parts) -> LegWatch:
    """Hears what happens to legs, and compares them."""
    watch = LegWatch(
        parts.store,
        parts.outbound,
        parts.site.clock,
        parts.calling,
        node=parts.settings.node,
        on_counts=lambda counts, now: _show(parts, counts, now),
    )
    parts.floor.listen(watch.hear)
    return watch


def _show(parts: Parts, counts: CallbackCounts, now: datetime) -> None:
    for source in Source:
        parts.metrics.callbacks_open.labels(source=source.value).set(counts.by_source.get(source.value, 0))
    late = 0.0 if counts.oldest_due is None else (now - counts.oldest_due).total_seconds()
    parts.metrics.callbacks_late.set(late)
