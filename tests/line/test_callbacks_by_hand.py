"""Callbacks whose operator has the telephone in hand: refuses, is too late, hears the citizen go, dies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ivr.domain.callback import Source, State
from tests.harness.called import LONGER_SECONDS, Manner
from tests.line.calling import Site, calling_site

pytestmark = pytest.mark.line


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """On duty is one operator, whose telephone does not answer by itself."""
    with calling_site(tmp_path_factory.mktemp("prompts")) as made:
        made.duty.log_in("201", answers=False)
        yield made
        made.nobody_was_called_twice()


def test_nobody_is_dialled_after_the_callback_was_withdrawn(site: Site) -> None:
    """While its operator is being rung: the operator's phone falls silent, and no INVITE goes out."""
    manual = site.duty.phones["201"]
    id_ = site.promise(Manner.TALKS)
    site.system.wait_for(lambda: manual.state == "ringing", 30, "the operator's phone to ring", step=0.1)
    site.withdraw(id_)
    manual.wait_hung_up(15)
    assert site.invited(id_) == []
    assert site.results(id_) == []


def test_an_operator_who_refuses_leaves_the_place_in_the_queue(site: Site) -> None:
    """The citizen's phone does not ring for it; the next one who answers makes it ring."""
    manual = site.duty.phones["201"]
    id_ = site.promise(Manner.TALKS)
    site.system.wait_for(lambda: manual.state == "ringing", 30, "the operator's phone to ring", step=0.1)
    assert site.comes_to(id_, State.DIALLING_OPERATOR, timeout=5).leg == 1
    manual.hang_up()
    assert site.comes_to(id_, State.QUEUED, timeout=5).leg == 1
    assert site.invited(id_) == []
    manual.answer(30)
    site.serve([id_], timeout=60)
    assert site.results(id_) == ["served"]


def test_the_operators_phone_falls_silent_when_the_citizen_hangs_up(site: Site) -> None:
    """Within a second. The citizen was called first, for a time was agreed."""
    manual = site.duty.phones["201"]
    id_ = site.promise(Manner.LEAVES, Source.AGREED)
    mark = manual.mark()
    site.system.wait_for(lambda: manual.state == "ringing", 60, "the operator's phone to ring", step=0.05)
    answered = site.called.wait_answered(site.numbers[id_], 5)
    site.called.wait_over(site.numbers[id_], LONGER_SECONDS + 5)
    manual.wait_event("CALL_CLOSED", timeout=1.0, since=mark)
    assert answered.answered is not None
    site.ended(id_, "too_short")
    assert site.operator_of(id_) is None
    site.withdraw(id_)


def test_when_both_telephones_die_in_the_talk_it_comes_to_an_end(site: Site) -> None:
    """By the silence of both (RTP); what was talked counts, and no leg is left."""
    site.duty.log_out("201")
    phone = site.duty.log_in("201")
    id_ = site.promise(Manner.TALKS)
    site.comes_to(id_, State.TALKING)
    site.duty.phones.pop("201").die_and_close()
    assert phone.state == "talking"
    site.comes_to(id_, State.DONE, timeout=120)
    site.called.wait_over(site.numbers[id_], 5)
    calls = site.system.ekc("status", "--json").json["calls"]
    assert calls == 0
