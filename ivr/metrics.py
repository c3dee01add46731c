"""What /metrics shows; each name and meaning stands in docs/metrics.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """What /metrics shows; one object for each engine, handed to whoever counts."""

    registry: CollectorRegistry
    calls: Counter
    """Ended calls, labelled by contact outcome."""
    calls_active: Gauge
    """Conversations that the engine leads now; who waits in a queue or talks is not among them."""
    agi_connections: Gauge
    agi_refused: Counter
    """Connections refused because `agi_connections` was reached."""
    flows_broken: Counter
    """Flows ended by an error of ours: the dialplan's own path took over."""
    routines_broken: Counter
    """Work of the engine's own that failed by an error of ours, by routine; it is tried again."""
    resource_questions: Counter
    """To participants' information resources, by agency and result: answered, silent, wrong, not_asked."""
    duty_mended: Counter
    """Changes of queues' members behind our back that were put right, by deed; `view`: of our own view."""
    journal_lag: Gauge
    arrivals_lost: Counter
    arrivals_doubled: Gauge
    arrivals_unreachable: Gauge
    """Seconds between a journal line and its being stored."""
    ami_connected: Gauge
    ami_lag: Histogram
    """Age of an event of the manager interface when it had been handled, seconds."""
    heartbeat: Gauge
    """When the event loop last beat, seconds since the epoch."""
    loop_lag: Gauge
    """Seconds by which the last heartbeat was late."""
    queue_answered: Counter
    """Of settled calls, by queue."""
    queue_abandoned: Counter
    queue_wait: Histogram
    """Seconds until the answer, by queue."""
    queue_waiting: Gauge
    queue_operators: Gauge
    """Members of a queue by what they are doing (services/board.py)."""
    service_level: Gauge
    """Of today, by queue; 0 to 1."""
    emergency_wishes: Counter
    """Files of the emergency path that were taken, by result: callback, again, unreachable."""
    spool_unreadable: Gauge
    """Files of the emergency path that cannot be read now."""
    callbacks_open: Gauge
    """Callbacks that are still to be kept, by source."""
    callbacks_late: Gauge
    """Seconds since the oldest callback that has no leg was due; 0: none is late."""
    callback_lateness: Histogram
    """Seconds from due to the beginning of a leg."""
    deferred_open: Gauge
    """Deferred enquiries whose answer is owed, by urgency: calm, soon, late."""
    speech_streams: Gauge
    """Conversations that are listened to now."""
    speech_refused: Counter
    """Conversations that were led by keys alone because no stream was free."""
    speech_deaths: Counter
    """Recognition processes that ended by themselves."""
    speech_turns: Counter
    """What callers said, by grammar and result: recognised, unsure, failed, lost."""
    wait_estimate_error: Histogram
    """Actual wait of a caller less the first one announced, seconds: above zero somebody waited longer."""

    @classmethod
    def create(cls) -> Metrics:
        """Fresh metrics on a registry of their own."""
        make = _Maker(CollectorRegistry())
        parts = (_of_the_engine(make), _of_queues(make), _of_callbacks(make), _of_speech(make))
        return cls(
            registry=make.registry, **{name: metric for part in parts for name, metric in part.items()}
        )

    def render(self) -> bytes:
        """The Prometheus text format, version 0.0.4."""
        return generate_latest(self.registry)


@dataclass(frozen=True)
class _Maker:
    """Makes metrics of ours on one registry."""

    registry: CollectorRegistry

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"ekc_{name}", text, labels, registry=self.registry)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"ekc_{name}", text, labels, registry=self.registry)

    def histogram(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(f"ekc_{name}", text, labels, buckets=buckets, registry=self.registry)


def _of_the_engine(make: _Maker) -> dict[str, Any]:
    """Fields of Metrics: calls, and the health of what handles them."""
    return {
        "calls": make.counter("calls_total", "Ended calls by contact outcome", "outcome"),
        "calls_active": make.gauge("calls_active", "Calls in the hands of the engine"),
        "agi_connections": make.gauge("agi_connections", "Open FastAGI connections"),
        "agi_refused": make.counter("agi_refused_total", "FastAGI connections refused at the limit"),
        "flows_broken": make.counter("flows_broken_total", "Flows ended by an error"),
        "routines_broken": make.counter(
            "routines_broken_total", "Routines that failed by an error", "routine"
        ),
        "resource_questions": make.counter(
            "resource_questions_total", "Questions to participants by result", "agency", "result"
        ),
        "duty_mended": make.counter("duty_mended_total", "Members of queues put right, by deed", "deed"),
        "journal_lag": make.gauge("journal_lag_seconds", "Age of the newest journal line when stored"),
        "arrivals_lost": make.counter(
            "arrivals_lost_total", "Lost citizens that reconciliation brought back"
        ),
        "arrivals_doubled": make.gauge("arrivals_doubled", "Arrivals on two cards or with two callbacks"),
        "arrivals_unreachable": make.gauge("arrivals_unreachable", "Unserved citizens nobody can call back"),
        "ami_connected": make.gauge("ami_connected", "1 while the AMI connection is up"),
        "ami_lag": make.histogram(
            "ami_lag_seconds",
            "Age of an event of the manager interface when it had been handled",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        ),
        "heartbeat": make.gauge("heartbeat_timestamp_seconds", "When the event loop last beat"),
        "loop_lag": make.gauge("event_loop_lag_seconds", "Lateness of the last heartbeat"),
        "emergency_wishes": make.counter(
            "emergency_wishes_total",
            "Callbacks asked for without an engine, by what became of them",
            "result",
        ),
        "spool_unreadable": make.gauge("spool_unreadable", "Files of the emergency path that cannot be read"),
    }


def _of_queues(make: _Maker) -> dict[str, Any]:
    """Fields of Metrics: queues, and what was said of them."""
    return {
        "queue_answered": make.counter(
            "queue_answered_total", "Turns in a queue that were answered", "queue"
        ),
        "queue_abandoned": make.counter("queue_abandoned_total", "Turns given up by hanging up", "queue"),
        "queue_wait": make.histogram(
            "queue_wait_seconds",
            "Wait of who was answered",
            (5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1800),
            "queue",
        ),
        "queue_waiting": make.gauge("queue_waiting", "Callers in a queue now", "queue"),
        "queue_operators": make.gauge("queue_operators", "Members of a queue now", "queue", "state"),
        "service_level": make.gauge("queue_service_level", "Answered in time / offered, today", "queue"),
        "wait_estimate_error": make.histogram(
            "wait_estimate_error_seconds",
            "Actual wait less the first one announced",
            (-600, -300, -120, -60, -30, 0, 30, 60, 120, 300, 600),
        ),
    }


def _of_callbacks(make: _Maker) -> dict[str, Any]:
    """Fields of Metrics: promises, and how late they are kept."""
    return {
        "callbacks_open": make.gauge("callbacks_open", "Callbacks still to be kept", "source"),
        "callbacks_late": make.gauge("callbacks_late_seconds", "How late the oldest waiting callback is"),
        "deferred_open": make.gauge("deferred_open", "Deferred enquiries not answered yet", "urgency"),
        "callback_lateness": make.histogram(
            "callback_lateness_seconds",
            "From due to the beginning of a leg",
            (1, 5, 15, 60, 300, 900, 3600, 14400),
        ),
    }


def _of_speech(make: _Maker) -> dict[str, Any]:
    """Fields of Metrics: the line listens."""
    return {
        "speech_streams": make.gauge("speech_streams", "Conversations that are listened to"),
        "speech_refused": make.counter("speech_refused_total", "Conversations without a free stream"),
        "speech_deaths": make.counter("speech_worker_deaths_total", "Recognition processes that died"),
        "speech_turns": make.counter("speech_turns_total", "What callers said", "grammar", "result"),
    }
