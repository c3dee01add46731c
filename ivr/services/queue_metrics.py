"""Queues on /metrics: what is counted when a call is settled, and what the board shows now."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.domain.figures import Fate
from ivr.domain.passage import Passage
from ivr.metrics import Metrics
from ivr.services.board import Board, Doing


def count(metrics: Metrics, passages: Sequence[Passage]) -> None:
    """The passages of a call that was settled just now: each is counted once, over any crash."""
    for passage in passages:
        if passage.fate is Fate.ANSWERED:
            metrics.queue_answered.labels(queue=passage.queue).inc()
            metrics.queue_wait.labels(queue=passage.queue).observe(passage.waited_s)
        elif passage.fate is Fate.ABANDONED:
            metrics.queue_abandoned.labels(queue=passage.queue).inc()


def show(metrics: Metrics, board: Board) -> None:
    """A queue that nobody has been offered to today has no service level."""
    for line in board.queues:
        metrics.queue_waiting.labels(queue=line.queue).set(line.waiting)
        for doing in Doing:
            gauge = metrics.queue_operators.labels(queue=line.queue, state=doing.value)
            gauge.set(line.operators.get(doing, 0))
        level = line.today["service_level"]
        if isinstance(level, float):
            metrics.service_level.labels(queue=line.queue).set(level)
        else:
            metrics.service_level.remove_by_labels({"queue": line.queue})
