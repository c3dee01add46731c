"""What the measurements of callers who speak come to: no sockets, no clock."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import percentile
from bench.report import Report, Table, Target, at_least, at_most
from bench.speech_load import Outcome

PROCESS, THREAD = "one worker process", "one thread of the engine"
LATE_SECONDS = 0.1
"""A recogniser that is later than that is too slow for so many."""
HOPELESS_SECONDS = 1.0
WANTED_STREAMS = 100
"""On one core, of callers who speak all the time."""
USUAL_STREAMS = 20
"""`speech.streams` by default."""
STREAMS_TITLE = (
    "Callers who speak without a pause, in real time. Word, ms: from the end of the last word to "
    "the engine's having it, most of it the quiet that ends a sentence. Late: what is left without that. "
    "CPU in percent of a core; a core: streams, by that. Loop: how late the engine's event loop was."
)
STREAMS_HEADINGS = {
    "word_p50_ms": "word p50",
    "word_p99_ms": "p99",
    "late_p50_ms": "late p50",
    "late_p99_ms": "p99",
    "cpu_pct": "CPU %",
    "by_cpu": "a core",
    "loop_p99_ms": "loop p99",
}
FIGURES = tuple(STREAMS_HEADINGS)
MEMORY_TITLE = "Memory of a worker process, MB, and KB for each stream beyond none"


@dataclass(frozen=True, kw_only=True)
class Streams:
    """So many callers with one recogniser in one round."""

    outcome: Outcome
    cpu_pct: float
    """Of recognition, in percent of a core."""

    @property
    def late_p99(self) -> float | None:
        """Seconds; None when nothing was understood."""
        return percentile(sorted(self.outcome.late), 0.99) if self.outcome.late else None

    @property
    def in_time(self) -> bool:
        late = self.late_p99
        return late is not None and late <= LATE_SECONDS and not self.outcome.lost

    @property
    def too_much(self) -> bool:
        """More callers need not be tried."""
        late = self.late_p99
        return late is None or late > HOPELESS_SECONDS or self.outcome.lost > 0

    @property
    def told(self) -> str:
        late = self.late_p99
        return f"{len(self.outcome.late)} understood, {self.outcome.lost} lost" + (
            f", p99 {1000 * late:.0f} ms late" if late is not None else ""
        )


Found = dict[tuple[str, int], list[Streams]]
"""By recogniser and number of callers."""


def streams_table(found: Found, rounds: int) -> Table:
    rows = [row(name, count, found[name, count]) for name, count in sorted(found, reverse=False)]
    return Table(
        title=f"{STREAMS_TITLE} {rounds} rounds.",
        rows=rows,
        headings=STREAMS_HEADINGS,
        names=("what", "streams"),
    )


def row(name: str, count: int, rounds: Sequence[Streams]) -> dict[str, Any]:
    """All rounds together; one word that was lost is enough to fail."""
    said = [streams.outcome for streams in rounds]
    words = sorted(second for outcome in said for second in outcome.after_word)
    late = sorted(second for outcome in said for second in outcome.late)
    loop = sorted(second for outcome in said for second in outcome.lags)
    lost = sum(outcome.lost for outcome in said)
    head: dict[str, Any] = {"what": name, "streams": count, "words": len(words)}
    if not words:
        return head | dict.fromkeys(FIGURES) | {"failed": True, "note": "failed: nothing was understood"}
    cpu = statistics.median(streams.cpu_pct for streams in rounds)
    return head | {
        "word_p50_ms": _ms(percentile(words, 0.5)),
        "word_p99_ms": _ms(percentile(words, 0.99)),
        "late_p50_ms": _ms(percentile(late, 0.5)),
        "late_p99_ms": _ms(percentile(late, 0.99)),
        "cpu_pct": round(cpu, 1),
        "by_cpu": round(100 * count / cpu) if cpu > 0 else None,
        "loop_p99_ms": _ms(percentile(loop, 0.99)),
        "failed": lost > 0,
        "note": f"{lost} lost: too many streams, or too little processor was free" if lost else "",
    }


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


def most_in_time(found: Found, name: str) -> int | None:
    """The most callers that were in time in every round; None: there are none."""
    return max(
        (count for (what, count), rounds in found.items() if what == name and all(r.in_time for r in rounds)),
        default=None,
    )


def memory_rows(megabytes: Mapping[int, float]) -> list[dict[str, Any]]:
    """megabytes: by number of streams, 0 among them."""
    empty = megabytes[0]
    return [
        {
            "what": PROCESS,
            "streams": count,
            "MB": round(size, 1),
            "KB a stream": round(1024 * (size - empty) / count) if count else None,
        }
        for count, size in megabytes.items()
    ]


def targets(found: Found) -> list[Target]:
    usual = found.get((PROCESS, USUAL_STREAMS), [])
    late = [streams.late_p99 for streams in usual]
    worst = max((1000 * second for second in late if second is not None), default=None)
    return [
        at_least("streams in time in one worker process", WANTED_STREAMS, most_in_time(found, PROCESS)),
        at_most(f"late p99 with {USUAL_STREAMS} streams", 1000 * LATE_SECONDS, worst, " ms"),
    ]


# --- on real calls ---

BY_VOICE, BY_KEYS = (
    "by voice: end of a word to the next prompt",
    "by keys alone: end of a digit to the next prompt",
)
ALONE, FULL = "nobody else", "the pool is full"
CALLS_TITLE = "Dead air on real calls, ms, read from RTP"
CALLS_HEADINGS = {"p50_ms": "p50", "p99_ms": "p99", "most_ms": "most", "ratio_p50": "p50 to before"}
ALLOWED = 1.1
"""Of the dead air without speech, for callers by keys."""


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Dead air of one kind of caller."""

    seconds: tuple[float, ...]
    failures: Mapping[str, int]


def calls_report(found: Mapping[tuple[str, str], Waits]) -> Report:
    rows = [_calls_row(what, load, waits, found.get((what, ALONE))) for (what, load), waits in found.items()]
    full = next((row["ratio_p50"] for row in rows if (row["what"], row["load"]) == (BY_KEYS, FULL)), None)
    table = Table(title=CALLS_TITLE, rows=rows, headings=CALLS_HEADINGS, names=("what", "load"))
    return Report(
        tables=[table],
        targets=[
            at_most("dead air by keys with a full pool, to the same without speech, p50", ALLOWED, full)
        ],
    )


def _calls_row(what: str, load: str, waits: Waits, before: Waits | None) -> dict[str, Any]:
    head: dict[str, Any] = {"what": what, "load": load, "answers": len(waits.seconds)}
    ordered = sorted(waits.seconds)
    reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(waits.failures.items()))
    if not ordered:
        note = f"failed: {reasons or 'nothing was heard'}"
        return head | dict.fromkeys(CALLS_HEADINGS) | {"failed": True, "note": note}
    middle = percentile(ordered, 0.5)
    ratio = middle / percentile(sorted(before.seconds), 0.5) if before and before.seconds else None
    return head | {
        "p50_ms": _ms(middle),
        "p99_ms": _ms(percentile(ordered, 0.99)),
        "most_ms": _ms(ordered[-1]),
        "ratio_p50": round(ratio, 2) if ratio is not None and load != ALONE else None,
        "failed": False,
        "note": reasons,
    }
