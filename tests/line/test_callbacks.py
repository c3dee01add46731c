"""Citizens are called: every source, and all that a called telephone may do; sipp counts on their side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from ivr.domain.callback import Source, State
from tests.harness.called import LATE_SECONDS, Manner
from tests.line.calling import RING, Site, calling_site

pytestmark = pytest.mark.line

APPOINTED = {Source.DEFERRED: "203", Source.AGREED: "202"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with calling_site(tmp_path_factory.mktemp("prompts")) as made:
        for extension in ("201", "202", "203"):
            made.duty.log_in(extension)
        yield made
        made.nobody_was_called_twice()


def test_a_callback_of_every_source_is_done_when_both_have_talked(site: Site) -> None:
    """And nobody is dialled twice for it."""
    unnamed = [source for source in Source if source not in APPOINTED]
    served_once(site, {source: site.promise(Manner.TALKS, source) for source in unnamed})


def test_the_operator_who_has_agreed_or_was_appointed_is_the_one_who_calls(site: Site) -> None:
    """§13, §14: of three who are free."""
    ids = {s: site.promise(Manner.TALKS, s, operator=who) for s, who in APPOINTED.items()}
    served_once(site, ids)
    assert {source: site.operator_of(id_) for source, id_ in ids.items()} == APPOINTED


def served_once(site: Site, ids: Mapping[Source, str]) -> None:
    site.serve(list(ids.values()), timeout=240)
    assert {source: site.results(id_) for source, id_ in ids.items()} == {s: ["served"] for s in ids}
    assert [len(site.invited(id_)) for id_ in ids.values()] == [1] * len(ids)
    for outcome, talking in map(site.contact, ids.values()):
        assert outcome == "served"
        assert 5 <= talking <= 15


def test_what_the_network_says_of_a_citizen_decides_when_the_next_attempt_is(site: Site) -> None:
    """Busy, refused, no such number: told at once. After the second `invalid` it is given up."""
    busy, declines = site.promise(Manner.BUSY), site.promise(Manner.DECLINES)
    unknown = site.promise(Manner.UNKNOWN)
    for id_ in (busy, declines):
        found = site.ended(id_, "busy")
        assert found.state in (State.RETRY, State.QUEUED, State.DIALLING_OPERATOR)
        site.ended(id_, "busy", times=2)
        site.withdraw(id_)
    assert site.comes_to(unknown, State.GIVEN_UP, timeout=90).attempts
    assert site.results(unknown) == ["invalid", "invalid"]


def test_who_does_not_answer_is_let_ring_and_who_answers_after_40_seconds_is_served(site: Site) -> None:
    silent, late = site.promise(Manner.SILENT), site.promise(Manner.LATE)
    invited = site.called.wait_invited(site.numbers[late], 60)
    site.serve([late], timeout=LATE_SECONDS + 60)
    answered = site.called.wait_answered(site.numbers[late], 5).answered
    assert answered is not None
    assert timedelta(seconds=LATE_SECONDS) < answered - invited.at < timedelta(seconds=LATE_SECONDS + 3)
    site.ended(silent, "no_answer", timeout=RING + 30)
    [rang, *_] = site.invited(silent)
    assert rang.over is not None
    assert timedelta(seconds=RING - 1) < rang.over - rang.at < timedelta(seconds=RING + 3)
    site.withdraw(silent)


def test_who_hangs_up_in_the_greeting_was_not_served(site: Site) -> None:
    short = site.promise(Manner.SHORT)
    site.ended(short, "too_short")
    assert site.contact(short)[1] < 5
    site.withdraw(short)


def test_an_operator_who_puts_the_phone_down_ends_the_ringing(site: Site) -> None:
    """The attempt counts: the citizen's telephone has rung."""
    late = site.promise(Manner.SILENT)
    site.called.wait_invited(site.numbers[late], 60)
    for phone in site.duty.phones.values():
        phone.hang_up()
    over = site.called.wait_over(site.numbers[late], 5)
    assert over.answered is None
    site.ended(late, "no_answer")
    site.withdraw(late)


def test_a_machine_that_the_operator_tells_of_is_not_service(site: Site) -> None:
    """*9 in the talk, however long it was; then the citizen is called again."""
    machine = site.promise(Manner.TALKS)
    site.comes_to(machine, State.TALKING)
    extension = site.system.wait_for(lambda: site.operator_of(machine), 10, "the operator", step=0.1)
    phone = site.duty.phones[extension]
    phone.press_all("*9")
    site.system.wait_for(lambda: site.contact(machine)[0] == "machine", 15, "the note", step=0.1)
    phone.hang_up()
    found = site.ended(machine, "machine")
    assert found.state is not State.DONE
    site.called.wait_invited(site.numbers[machine], 60, times=2)
    site.serve([machine], timeout=90)
    assert site.results(machine) == ["machine", "served"]


def test_a_machine_that_is_told_of_after_the_talk_is_called_again(site: Site) -> None:
    """*9 after hanging up: the callback was done by then, and another one stands for the citizen."""
    machine = site.promise(Manner.TALKS)
    site.serve([machine], timeout=90)
    extension = site.operator_of(machine)
    assert extension is not None
    site.duty.dial(extension, "*9")
    made = site.system.records.promised(site.numbers[machine])
    assert [callback.state for callback in made][:1] == [State.DONE]
    assert len(made) == 2
    site.numbers[made[1].id] = site.numbers[machine]
    assert site.results(machine) == ["machine"]
    site.serve([made[1].id], timeout=90)
    assert site.results(made[1].id) == ["machine", "served"]
