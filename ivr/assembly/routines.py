"""What an engine does again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from ivr.assembly.callbacks import dialler, leg_watch
from ivr.assembly.journals import journal, reconciler
from ivr.assembly.parts import Parts
from ivr.bootstrap.journals import journal_files
from ivr.domain.figures import Limits
from ivr.engine import Routine
from ivr.services import queue_metrics
from ivr.services.board import BoardKeeper
from ivr.services.deferred_watch import DeferredWatch
from ivr.services.disk import DiskWatch, Room
from ivr.services.duty import LOOK_SECONDS
from ivr.services.holds import Holds
from ivr.services.queue_watch import QueueWatch
from ivr.services.reserve import Reserve
from ivr.services.scenario_prompts import Preparation
from ivr.services.silence import SilenceWatch
from ivr.services.spool import Spool

JOURNAL_SECONDS = 0.5
RECONCILE_SECONDS = 1.0
"""How often it is asked whether it is time to reconcile."""
RESOURCES_SECONDS = 5.0
QUEUES_SECONDS = 1.0
DIALLER_SECONDS = 1.0
LEGS_SECONDS = 5.0
DEFERRED_SECONDS = 5.0
CALENDAR_SECONDS = 5.0
DISK_SECONDS = 2.0
BOARD_SECONDS = 1.0
SILENCE_SECONDS = 0.5
SCENARIO_SECONDS = 5.0
SPOOL_SECONDS = 5.0
CHECK_SECONDS = 10.0
"""How often telephones, queues and operators' states are compared with each other."""
_BOTH = "`ekc status`: are Asterisk and the database there?"


def routines(parts: Parts) -> list[Routine]:
    """In the order in which they are begun."""
    reader = journal(parts)
    return [
        _every(JOURNAL_SECONDS, "journal", reader.poll, "`ekc doctor`, `ekc db check`"),
        _every(RECONCILE_SECONDS, "reconcile", reconciler(parts, reader).work, "see docs/reconciliation.md"),
        _every(
            SPOOL_SECONDS, "spool", _spool(parts).take, "see “When something is down” in docs/telephony.md"
        ),
        _every(LOOK_SECONDS, "duty", parts.duty.poll, _BOTH),
        _every(parts.duty.until_wrapup_ends, "wrapups", parts.duty.end_wrapups, _BOTH),
        _every(CHECK_SECONDS, "duty-check", parts.duty.check, _BOTH),
        _every(SILENCE_SECONDS, "silence", _silence_watch(parts).look, "`ekc doctor`, `ekc db check`"),
        _every(
            RESOURCES_SECONDS,
            "resources",
            partial(_watch_resources, parts),
            "see docs/information-resource.md",
        ),
        _every(BOARD_SECONDS, "board", _board(parts).write, "`ekc doctor`, `ekc db check`"),
        _every(DIALLER_SECONDS, "callbacks", dialler(parts).work, "see docs/callbacks.md"),
        _every(LEGS_SECONDS, "callback-legs", leg_watch(parts).look, "`ekc status`: is Asterisk there?"),
        _every(CALENDAR_SECONDS, "calendar", parts.known_days.refresh, "`ekc doctor`, `ekc db check`"),
        _every(DISK_SECONDS, "disk", _disk(parts).look, "make room: `ekc doctor` tells how much there is"),
        _every(DEFERRED_SECONDS, "deferred", _deferred(parts).look, "`ekc doctor`, `ekc db check`"),
        _every(
            SCENARIO_SECONDS,
            "scenarios",
            Preparation(parts.store, parts.office.desk.shelf, parts.prompts).work,
            "`ekc doctor`; of a version that cannot be used: `ekc scenarios rollback consultation`",
        ),
        _every(QUEUES_SECONDS, "queues", _queue_watch(parts).work, "`ekc doctor`, `ekc status`"),
    ]


def _every(
    seconds: float | Callable[[], float], name: str, work: Callable[[], Awaitable[object]], remedy: str
) -> Routine:
    return Routine(name=name, seconds=seconds, work=work, remedy=remedy)


def _disk(parts: Parts) -> DiskWatch:
    journals = [file.path for file in journal_files(parts.settings)]
    return DiskWatch(partial(Room.at, parts.settings.state), Reserve(journals).look)


def _deferred(parts: Parts) -> DeferredWatch:
    def show(counted: Mapping[str, int]) -> None:
        for urgency, count in counted.items():
            parts.metrics.deferred_open.labels(urgency=urgency).set(count)

    return DeferredWatch(parts.store, parts.site.clock, parts.alarms, parts.settings, on_counted=show)


def _silence_watch(parts: Parts) -> SilenceWatch:
    watch = SilenceWatch(
        parts.floor,
        parts.switchboard,
        parts.store,
        parts.site.clock,
        limit=parts.settings.silence_seconds,
        teller=parts.traces.teller,
        on_hold=parts.transfers.on_hold,
    )
    parts.floor.listen(watch.hear)
    parts.floor.on_rebuilt(watch.rebuilt)
    return watch


def _queue_watch(parts: Parts) -> QueueWatch:
    watch = QueueWatch(
        parts.floor,
        parts.switchboard,
        parts.store,
        parts.site.clock,
        parts.settings,
        waits=parts.waits,
        sounds=parts.prompts,
        on_estimate=parts.metrics.wait_estimate_error.observe,
    )
    parts.floor.listen(watch.listen)
    return watch


def _spool(parts: Parts) -> Spool:
    metrics = parts.metrics
    return Spool(
        parts.store,
        parts.site.spool_keys,
        parts.site.clock,
        parts.settings,
        on_taken=lambda taken: metrics.emergency_wishes.labels(result=taken.value).inc(),
        on_unreadable=metrics.spool_unreadable.set,
    )


def _board(parts: Parts) -> BoardKeeper:
    parts.floor.listen(Holds(parts.floor, parts.switchboard).note)
    settings = parts.settings
    return BoardKeeper(
        parts.floor,
        parts.store,
        parts.site.clock,
        run_dir=settings.run_dir,
        zone=settings.zone,
        limits=Limits(answer=settings.answer_seconds, short=settings.short_abandon_seconds),
        on_board=lambda board: queue_metrics.show(parts.metrics, board),
    )


async def _watch_resources(parts: Parts) -> None:
    """An alarm for each agency whose information resource fails (§25, §26)."""
    for health in parts.resources.health():
        key = f"resource.{health.agency}"
        if health.ok:
            parts.alarms.clear(key)
        else:
            since = health.failing_since or parts.site.clock.now()
            parts.alarms.set(key, health.what, health.remedy, since)
