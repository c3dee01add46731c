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

BY_VOICE, BY_KEYS = "by voice", "by keys"
ALONE, FULL = "alone", "full pool"
CALLS_TITLE = (
    "Dead air on real calls, ms, read from RTP: by voice from the end of a word, by keys from the end of a "
    "digit, to the next prompt. Alone, those by keys have an engine that does not listen; with a full pool "
    "they have no stream. More: beyond that alone."
)
CALLS_HEADINGS = {
    "p50_ms": "p50",
    "p99_ms": "p99",
    "most_ms": "most",
    "more_p50_ms": "more p50",
    "more_p99_ms": "p99",
}
ALLOWED = 0.1
"""More than the dead air without speech, for callers by keys."""


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Dead air of one kind of caller."""

    seconds: tuple[float, ...]
    failures: Mapping[str, int]

    def ms(self, share: float) -> float | None:
        """A percentile; None: nothing was heard."""
        return _ms(percentile(sorted(self.seconds), share)) if self.seconds else None


Calls = Mapping[tuple[str, str], Waits]
"""By kind of caller and load."""


def calls_report(found: Calls) -> Report:
    rows = [_calls_row(what, load, waits, found.get((what, ALONE))) for (what, load), waits in found.items()]
    table = Table(title=CALLS_TITLE, rows=rows, headings=CALLS_HEADINGS, names=("what", "load"))
    return Report(tables=[table], targets=[_calls_target(found, share) for share in (0.5, 0.99)])


def _calls_target(found: Calls, share: float) -> Target:
    """A tenth of what it was: strict, for that may be less than a packet of 20 ms."""
    before, full = found.get((BY_KEYS, ALONE)), found.get((BY_KEYS, FULL))
    was = before.ms(share) if before is not None else None
    return at_most(
        f"dead air by keys with a full pool, p{100 * share:g} beyond that without speech",
        round(ALLOWED * (was or 0.0), 2),
        _more(full, before, share),
        " ms",
    )


def _more(waits: Waits | None, before: Waits | None, share: float) -> float | None:
    now = waits.ms(share) if waits is not None else None
    was = before.ms(share) if before is not None else None
    return None if now is None or was is None else round(now - was, 2)


def _calls_row(what: str, load: str, waits: Waits, before: Waits | None) -> dict[str, Any]:
    reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(waits.failures.items()))
    return {
        "what": what,
        "load": load,
        "answers": len(waits.seconds),
        "p50_ms": waits.ms(0.5),
        "p99_ms": waits.ms(0.99),
        "most_ms": waits.ms(1.0),
        "more_p50_ms": _more(waits, before, 0.5) if load != ALONE else None,
        "more_p99_ms": _more(waits, before, 0.99) if load != ALONE else None,
        "failed": not waits.seconds,
        "note": reasons if waits.seconds else f"failed: {reasons or 'nothing was heard'}",
    }
