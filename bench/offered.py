"""Calls offered by sipp at a rate, and what became of each of them."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bench import script
from tests.harness.processes import TooLate
from tests.harness.scenario import HungUpOn, Key, Scenario
from tests.harness.sipp import Sipp, SippCall

KEY_AFTER = 1.0
"""Seconds from the answer to the key. Asterisk's Answer() alone waits half a second for the caller's RTP."""
HANG_UP_WITHIN = 3.0
"""Seconds from the key to BYE; a tenth of them is the key's own length, another one the prompt."""
GOOD_SHARE = 0.999
CALLERS = [f"7912{n:07d}" for n in range(1000)]
PATIENCE = 30.0


@dataclass(frozen=True, kw_only=True)
class Offered:
    """One contestant at one rate in one round."""

    calls: int
    failures: Counter[str]
    """Calls by what went wrong with them."""
    late_ms: tuple[float, ...]
    """From the key to BYE, of good calls, ascending."""
    load_pct: float
    """CPU of sipp, in percent of a core."""

    @property
    def sound(self) -> bool:
        """Whether so many calls are good that the rate counts as handled."""
        bad = sum(self.failures.values())
        return self.calls > 0 and self.calls - bad >= GOOD_SHARE * self.calls


def scenario(to: str) -> Scenario:
    return Scenario(to=to, steps=[Key(script.KEY, after=KEY_AFTER), HungUpOn(HANG_UP_WITHIN)])


def offer(server: str, to: str, *, rate: float, seconds: float) -> Offered:
    """server: host:port. to: the number called. rate: new calls a second for so many seconds."""
    calls = max(round(rate * seconds), 1)
    worked, begin = _children(), time.monotonic()
    sipp = Sipp(server, scenario(to), numbers=CALLERS, calls=calls, rate=rate)
    try:
        made = sipp.finish(seconds + PATIENCE)
    except TooLate:
        return Offered(calls=calls, failures=Counter({"sipp did not end": calls}), late_ms=(), load_pct=0)
    load = 100 * (_children() - worked) / (time.monotonic() - begin)
    return judged(made, calls=calls, load_pct=load)


def judged(made: Iterable[SippCall], *, calls: int, load_pct: float = 0.0) -> Offered:
    """What these calls come to; those that sipp never began have failed, too."""
    made = list(made)
    reasons = [verdict(call) for call in made]
    failures = Counter(reason for reason in reasons if reason)
    if len(made) < calls:
        failures["never made"] += calls - len(made)
    late = sorted(lateness(call) for call, reason in zip(made, reasons, strict=True) if not reason)
    return Offered(calls=calls, failures=failures, late_ms=tuple(late), load_pct=load_pct)


def verdict(call: SippCall) -> str:
    """Why this call has failed; empty when it went as it should: answered, key taken, then hung up on."""
    if call.status != 200:
        return f"not answered ({call.status or 'no answer'})"
    if call.refused_keys or _moment(call, "INFO", sent=True) is None:
        return "hung up on before the key, or the key was refused"
    if call.ended_by != "them":
        return f"not hung up on in {HANG_UP_WITHIN:g} s"
    return ""


def lateness(call: SippCall) -> float:
    """Milliseconds from the key to the line's BYE."""
    key, bye = _moment(call, "INFO", sent=True), _moment(call, "BYE", sent=False)
    assert key is not None and bye is not None, "a call that went well has both"
    return (bye - key) * 1000


def _moment(call: SippCall, method: str, *, sent: bool) -> float | None:
    found = (m.at for m in call.messages if m.method == method and m.status is None and m.sent is sent)
    first = next(found, None)
    return None if first is None else first.timestamp()


def _children() -> float:
    """Seconds of CPU of our children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
