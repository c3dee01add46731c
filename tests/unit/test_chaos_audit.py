"""The audit of `make chaos` finds each kind of fault: made evidence, with one thing wrong at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.audit import audit, failed
from tests.chaos.evidence import (
    Arrived,
    Blow,
    CallbackRow,
    CardRow,
    Citizen,
    Contact,
    Dialled,
    Evidence,
    Talk,
)
from tests.chaos.findings import Fault, Finding
from tests.chaos.report import figures, table

GREETING, SERVED, GONE, CRASHED = "79510000001", "79510000002", "79510000003", "79510000004"
NUMBERS = (GREETING, SERVED, GONE, CRASHED)
OUTCOMES = ("abandoned_ivr", "served", "abandoned_queue", "lost_by_crash")
CARDS = ("abandoned", "served", "callback", "callback")


def citizen(place: int, **how: Any) -> Citizen:
    """A call of twenty seconds that its caller has ended."""
    plain = Citizen(
        call_id=f"{place}-sip",
        number=NUMBERS[place],
        script="made",
        invited_at=100.0 * place,
        trying_at=100.0 * place,
        status=200,
        wished_operator=place in (1, 2),
        hung_up_at=100.0 * place + 20,
        bye_answered=True,
        cut=False,
        ended_by_line_at=None,
    )
    return replace(plain, **how)


def callback(place: int, **how: Any) -> CallbackRow:
    plain = CallbackRow(
        id=f"callback{place}",
        card=f"card{place}",
        source="abandoned",
        state="waiting",
        number_hash=f"hash{place}",
        attempts=0,
    )
    return replace(plain, **how)


def dialled(place: int, at: float, **how: Any) -> Dialled:
    """A citizen who was called, answered after five seconds and talked for twenty."""
    plain = Dialled(number=f"+{NUMBERS[place]}", invited_at=at, answered_at=at + 5, ended_at=at + 25)
    return replace(plain, **how)


CLEAN = Evidence(
    citizens=[
        citizen(0),
        citizen(1, hung_up_at=None, bye_answered=False, ended_by_line_at=125.0),
        citizen(2),
        citizen(3, bye_answered=False),
    ],
    arrivals=[
        Arrived(at=100.0 * n, call=f"call{n}", call_id=f"{n}-sip", number=number)
        for n, number in enumerate(NUMBERS)
    ],
    queued=frozenset({"call1", "call2"}),
    contacts=[
        Contact(call=f"call{n}", card=f"card{n}", direction="inbound", at=100.0 * n, outcome=outcome)
        for n, outcome in enumerate(OUTCOMES)
    ],
    cards=[CardRow(id=f"card{n}", outcome=outcome, closed_at=500.0) for n, outcome in enumerate(CARDS)],
    callbacks=[callback(2, state="done", attempts=1), callback(3, source="crash")],
    ends={f"call{n}": 1 for n in range(4)},
    talks=[
        Talk(number=SERVED, since=105.0, until=125.0, hung_up=True),
        Talk(number=NUMBERS[2], since=398.0, until=425.0, hung_up=True),
    ],
    dialled=[dialled(2, 400.0)],
    blows=[Blow(kind="engine_kill", at=50.0, calls=7)],
    kinds=["engine_kill"],
    descriptors={"engine": (21, 21)},
    reconciled={"lost": [], "doubled": []},
)


def changed(items: Sequence[Any], place: int, **how: Any) -> list[Any]:
    return [replace(item, **how) if n == place else item for n, item in enumerate(items)]


def without(items: Sequence[Any], place: int) -> list[Any]:
    return [item for n, item in enumerate(items) if n != place]


def found(evidence: Evidence) -> list[tuple[Fault, str]]:
    return [(finding.fault, finding.why) for finding in audit(evidence)]


def test_a_clean_run_has_no_findings() -> None:
    assert found(CLEAN) == []


Change = Callable[[Evidence], Evidence]
E, F = replace, Fault
FAULTS: dict[str, tuple[Change, Fault, str]] = {
    # lost
    "offered, never arrived": (
        lambda e: E(e, arrivals=without(e.arrivals, 0), contacts=without(e.contacts, 0)),
        F.LOST,
        "offered, but it never arrived",
    ),
    "offered, then nothing, while Asterisk lived": (
        lambda e: E(
            e,
            citizens=[*e.citizens, citizen(0, call_id="9-sip", trying_at=50.0, status=0)],
            blows=[*e.blows, Blow(kind="asterisk_kill", at=50.2, calls=7)],
        ),
        F.LOST,
        "offered, but it never arrived",
    ),
    "no contact": (lambda e: E(e, contacts=without(e.contacts, 0)), F.LOST, "has no contact"),
    "contact without an end": (
        lambda e: E(e, contacts=changed(e.contacts, 0, outcome=None)),
        F.LOST,
        "its contact never ended",
    ),
    "contact without a card": (lambda e: E(e, cards=without(e.cards, 0)), F.LOST, "is on no card"),
    "card that stays open": (
        lambda e: E(e, cards=changed(e.cards, 0, outcome=None)),
        F.LOST,
        "its card was never closed",
    ),
    "waited, not called back": (
        lambda e: E(
            e,
            callbacks=[e.callbacks[1]],
            dialled=[],
            cards=changed(e.cards, 2, outcome="abandoned"),
        ),
        F.LOST,
        "reached a queue, abandoned_queue, and no callback",
    ),
    "crashed, not called back": (
        lambda e: E(e, callbacks=[e.callbacks[0]], cards=changed(e.cards, 3, outcome="lost_by_crash")),
        F.LOST,
        "lost by a crash, lost_by_crash, and no callback",
    ),
    "asked for an operator, not called back": (
        lambda e: E(e, citizens=changed(e.citizens, 0, wished_operator=True)),
        F.LOST,
        "asked for an operator, abandoned_ivr, and no callback",
    ),
    "cut off, not called back": (
        lambda e: E(e, citizens=changed(e.citizens, 0, cut=True)),
        F.LOST,
        "the line failed, abandoned_ivr, and no callback",
    ),
    # doubled
    "arrived twice": (
        lambda e: E(e, arrivals=[*e.arrivals, e.arrivals[0]]),
        F.DOUBLED,
        "arrived more than once",
    ),
    "two contacts": (
        lambda e: E(
            e,
            contacts=[*e.contacts, replace(e.contacts[0], card="card9")],
            cards=[*e.cards, replace(e.cards[0], id="card9")],
        ),
        F.DOUBLED,
        "has more than one contact",
    ),
    "two calls on a card": (
        lambda e: E(
            e, contacts=[*e.contacts, replace(e.contacts[0], call="call9")], ends={**e.ends, "call9": 1}
        ),
        F.DOUBLED,
        "is the card of more than one inbound call",
    ),
    "two callbacks for a card": (
        lambda e: E(e, callbacks=[*e.callbacks, callback(3, id="other", number_hash="hash9")]),
        F.DOUBLED,
        "is the card of more than one callback",
    ),
    "two open callbacks for a number": (
        lambda e: E(e, callbacks=[*e.callbacks, callback(0, number_hash="hash3")]),
        F.DOUBLED,
        "has more than one open callback",
    ),
    "two ends": (lambda e: E(e, ends={**e.ends, "call0": 2}), F.DOUBLED, "ended 2 times in its trace"),
    # double dialled
    "dialled while ringing": (
        lambda e: E(
            e,
            dialled=[dialled(2, 400.0), dialled(2, 410.0)],
            callbacks=changed(e.callbacks, 0, attempts=2),
        ),
        F.DOUBLE_DIALLED,
        "was dialled while its telephone rang or talked",
    ),
    "dialled after a talk": (
        lambda e: E(
            e,
            dialled=[dialled(2, 400.0), dialled(2, 900.0)],
            callbacks=changed(e.callbacks, 0, attempts=2),
        ),
        F.DOUBLE_DIALLED,
        "was dialled again after it had been talked on",
    ),
    "dialled after a talk whose beginning Asterisk has told": (
        lambda e: E(
            e,
            dialled=[dialled(2, 400.0), dialled(2, 900.0)],
            callbacks=changed(e.callbacks, 0, attempts=2),
            talks=changed(e.talks, 1, until=412.0),
            joined={"callback2": [406.0]},
        ),
        F.DOUBLE_DIALLED,
        "was dialled again after it had been talked on",
    ),
    "dialled without a promise": (
        lambda e: E(e, callbacks=changed(e.callbacks, 0, attempts=0)),
        F.DOUBLE_DIALLED,
        "was dialled 1 times on 0 attempts",
    ),
    # wrong
    "served by nobody": (
        lambda e: E(e, talks=[replace(e.talks[0], until=107.0)]),
        F.WRONG_STATES,
        "served, but no operator's telephone talked",
    ),
    "talked, but abandoned": (
        lambda e: E(
            e,
            contacts=changed(e.contacts, 1, outcome="abandoned_queue"),
            cards=changed(e.cards, 1, outcome="callback"),
            callbacks=[*e.callbacks, callback(1)],
        ),
        F.WRONG_STATES,
        "talked with an operator, but abandoned_queue",
    ),
    "card against contact": (
        lambda e: E(e, cards=changed(e.cards, 0, outcome="self_service")),
        F.WRONG_STATES,
        "its card says self_service, its contact abandoned_ivr",
    ),
    "promise that is nowhere": (
        lambda e: E(e, cards=changed(e.cards, 0, outcome="callback")),
        F.WRONG_STATES,
        "its card promises a callback that is not there",
    ),
    "closed at no time": (
        lambda e: E(e, cards=changed(e.cards, 0, closed_at=None)),
        F.WRONG_STATES,
        "its card is closed at no time",
    ),
    "trace without an end": (
        lambda e: E(e, ends={call: n for call, n in e.ends.items() if call != "call0"}),
        F.WRONG_STATES,
        "its trace has no end",
    ),
    "under way without a channel": (
        lambda e: E(e, callbacks=changed(e.callbacks, 1, state="dialling_operator")),
        F.WRONG_STATES,
        "callback is dialling_operator, but there is no channel",
    ),
    "done, but nobody talked": (
        lambda e: E(e, dialled=[dialled(2, 400.0, answered_at=None)]),
        F.WRONG_STATES,
        "callback is done, but nobody was talked with",
    ),
    "the product's own audit": (
        lambda e: E(e, reconciled={"lost": ["call0"], "doubled": []}),
        F.WRONG_STATES,
        "lost: ['call0']",
    ),
    # left behind
    "a channel": (lambda e: E(e, channels=["PJSIP/201-1"]), F.LEAKED_CHANNELS, "is up though nobody calls"),
    "a file": (
        lambda e: E(e, descriptors={"engine": (21, 22)}),
        F.LEAKED_FDS,
        "21 open files before the first call, 22 after",
    ),
    "a process": (lambda e: E(e, processes=["python emergency.py"]), F.LEAKED_FDS, "belongs to no part"),
    # a run that proves nothing
    "no blow": (lambda e: E(e, blows=[]), F.NO_BLOW, "was never dealt"),
    "a blow on few": (
        lambda e: E(e, blows=[replace(e.blows[0], calls=4)]),
        F.NO_BLOW,
        "fell on 4 calls in progress",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found_and_nothing_else(name: str) -> None:
    change, fault, why = FAULTS[name]
    seen = found(change(CLEAN))
    assert [kind for kind, _ in seen] == [fault]
    assert why in seen[0][1]


EXCUSED: dict[str, Change] = {
    "a call that got no 100 Trying is not offered": lambda e: E(
        e, citizens=[*e.citizens, citizen(0, call_id="9-sip", trying_at=None, status=0)]
    ),
    "a call that came in the moment in which Asterisk died is counted apart": lambda e: E(
        e,
        citizens=[*e.citizens, citizen(0, call_id="9-sip", trying_at=50.0, status=0)],
        blows=[*e.blows, Blow(kind="asterisk_kill", at=50.002, calls=7)],
    ),
    "an engine that met a full disk has made the card without an arrival": lambda e: E(
        e,
        arrivals=without(e.arrivals, 0),
        citizens=changed(e.citizens, 0, invited_at=-0.2),
    ),
    "who was served by a later call needs no callback": lambda e: E(
        e,
        arrivals=changed(e.arrivals, 2, number=SERVED),
        contacts=changed(e.contacts, 2, at=90.0),
        cards=changed(e.cards, 2, outcome="abandoned"),
        callbacks=[e.callbacks[1]],
        dialled=[],
    ),
    "a talk of a later call from the same number is not this one's": lambda e: E(
        e,
        talks=[*e.talks, Talk(number=GREETING, since=60.0, until=90.0, hung_up=True)],
        citizens=changed(e.citizens, 0, hung_up_at=None, bye_answered=False, ended_by_line_at=20.0),
    ),
    "who withheld the number cannot be called back": lambda e: E(
        e,
        arrivals=changed(e.arrivals, 2, number=""),
        cards=changed(e.cards, 2, outcome="abandoned"),
        callbacks=[e.callbacks[1]],
        dialled=[],
    ),
    "who was told by the machine before the crash needs no callback": lambda e: E(
        e,
        contacts=changed(e.contacts, 3, outcome="self_service"),
        cards=changed(e.cards, 3, outcome="self_service"),
        callbacks=[e.callbacks[0]],
    ),
    "who was cut off by a crash may be called again": lambda e: E(
        e,
        dialled=[dialled(2, 400.0, cut=True), dialled(2, 900.0)],
        callbacks=changed(e.callbacks, 0, attempts=2),
    ),
    "whose operator hung up behind the greeting may be called again": lambda e: E(
        e,
        dialled=[dialled(2, 400.0), dialled(2, 900.0)],
        callbacks=changed(e.callbacks, 0, attempts=2),
        talks=changed(e.talks, 1, until=408.0),
    ),
    "whose greeting was held up for long may be called again": lambda e: E(
        e,
        dialled=[dialled(2, 400.0), dialled(2, 900.0)],
        callbacks=changed(e.callbacks, 0, attempts=2),
        joined={"callback2": [421.0]},
    ),
    "who called in again after a talk may be called again": lambda e: E(
        e,
        dialled=[dialled(2, 250.0), dialled(2, 400.0)],
        callbacks=changed(e.callbacks, 0, attempts=2),
        arrivals=changed(e.arrivals, 2, at=300.0),
    ),
}


@pytest.mark.parametrize("name", EXCUSED)
def test_what_is_no_fault_is_not_found(name: str) -> None:
    assert found(EXCUSED[name](CLEAN)) == []


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        pytest.param({}, False, id="the line answered the BYE"),
        pytest.param({"bye_answered": False}, True, id="nobody answered the BYE"),
        pytest.param({"cut": True}, True, id="the line did not know the call any more"),
        pytest.param({"status": 0}, True, id="offered, never answered"),
        pytest.param({"status": 0, "trying_at": None}, False, id="never offered"),
        pytest.param({"ended_by_line_at": 9.0, "bye_answered": False}, False, id="the line ended it"),
    ],
)
def test_the_caller_knows_whether_the_line_failed(how: dict[str, Any], expected: bool) -> None:
    assert failed(citizen(0, **how)) is expected


def test_the_figures_count_by_sipp_alone_and_tell_each_finding() -> None:
    evidence = replace(CLEAN, citizens=[*CLEAN.citizens, citizen(0, call_id="9", trying_at=None, status=0)])
    told = figures(evidence, [Finding(fault=Fault.LOST, subject="call0", why="why")], seed=7, seconds=60.0)
    assert (told["called"], told["offered"], told["not_reached"], told["answered_by_line"]) == (5, 4, 1, 4)
    assert (told["served"], told["callbacks"], told["lost"], told["doubled"], told["clean"]) == (
        1,
        2,
        1,
        0,
        False,
    )
    assert told["kills"] == {"engine_kill": 1}
    assert "lost: call0: why" in table(told)
