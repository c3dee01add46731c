"""A callback is a row before it is a sentence (architecture.md, rule 7)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ivr.domain.callback import Callback, Source, State
from ivr.domain.errors import CallerHungUp, StorageDown
from ivr.flows.callback import offer_callback
from tests.unit.ringing import EVENING, MINE, MORNING, Line
from tests.unit.scripted import ScriptedCall, registered

CONFIRMED = "callback.confirmed"


def a_call(line: Line, number: str | None = MINE) -> ScriptedCall:
    return registered(line.desk, ScriptedCall(number=number))


def standing(line: Line, due: datetime, *, state: State = State.REQUESTED) -> Callback:
    """A callback that was promised in an earlier call."""
    with line.store.transaction() as uow:
        card = uow.cards.open(call="node1-1.0", node="node1", number=MINE, at=line.clock.now())
        callback = uow.callbacks.request(
            Callback(
                id="earlier",
                card=card.id,
                number=MINE,
                source=Source.AGREED,
                state=state,
                queue="soc-2",
                arrived_at=line.clock.now(),
                due=due,
            )
        )
        uow.commit()
    return callback


def told(call: ScriptedCall) -> dict[str, object]:
    [prompt] = [prompt for prompt in call.heard if prompt.id == CONFIRMED]
    return dict(prompt.values)


async def test_the_caller_is_told_the_last_digits_of_the_registration_number() -> None:
    line = Line()
    call = a_call(line)
    await offer_callback(call, line.desk)
    card = line.store.rows.cards.get(call.enquiry)
    assert told(call)["enquiry"] == card.registration_number[-4:]
    assert call.said == [CONFIRMED, "callback.choose", "goodbye"] and call.finished


async def test_at_once_has_no_time_in_words() -> None:
    line = Line()
    call = a_call(line)
    await offer_callback(call, line.desk)
    assert told(call)["due"] is None
    assert line.callbacks[0].due == line.clock.now()


async def test_who_lives_where_it_is_still_night_is_told_the_hour_at_which_the_telephone_will_ring() -> None:
    """The line opens at nine: seven in Moscow."""
    line = Line(now=EVENING)
    call = a_call(line, number="+74951234567")
    await offer_callback(call, line.desk, opening=MORNING)
    assert told(call)["due"] == line.callbacks[0].due == MORNING + timedelta(hours=2)


async def test_the_promise_is_in_the_audit_with_the_call_it_was_made_in() -> None:
    line = Line()
    call = a_call(line)
    await offer_callback(call, line.desk, queue="soc-2")
    [row] = line.audit
    assert (row.actor, row.action, row.subject) == ("ivr", "callbacks.request", line.callbacks[0].id)
    assert (row.call, row.result) == (call.id, "queue")
    assert MINE not in repr(line.audit)


async def test_who_has_an_open_callback_is_told_that_one_with_its_own_time() -> None:
    line = Line()
    earlier = standing(line, line.clock.now() + timedelta(days=2))
    call = a_call(line)
    await offer_callback(call, line.desk)
    assert [callback.id for callback in line.callbacks] == ["earlier"]
    assert told(call)["due"] == earlier.due
    number = line.store.rows.cards.get(earlier.card).registration_number
    assert told(call)["enquiry"] == number[-4:]


async def test_one_that_is_overdue_is_not_told_as_at_once_while_the_line_is_closed() -> None:
    line = Line(now=EVENING)
    standing(line, EVENING - timedelta(hours=3))
    call = a_call(line)
    await offer_callback(call, line.desk, opening=MORNING)
    assert told(call)["due"] == MORNING


async def test_one_that_is_done_does_not_stand_in_the_way_of_another() -> None:
    line = Line()
    standing(line, line.clock.now(), state=State.DONE)
    await offer_callback(a_call(line), line.desk)
    assert len(line.callbacks) == 2


async def test_an_unknown_number_is_told_the_hours_and_nothing_is_written() -> None:
    line = Line()
    call = a_call(line, number=None)
    await offer_callback(call, line.desk)
    assert call.said == ["callback.unknown_number"] and call.finished
    assert line.callbacks == [] and line.audit == []


async def test_a_database_that_is_down_promises_nothing() -> None:
    line = Line()
    call = a_call(line)
    line.store.down = True
    with pytest.raises(StorageDown):
        await offer_callback(call, line.desk)
    assert call.heard == [] and not call.finished


async def test_who_hangs_up_before_the_sentence_has_the_row_all_the_same() -> None:
    line = Line()
    call = a_call(line)

    async def gone(*_: object, **__: object) -> None:
        raise CallerHungUp

    call.say = gone  # type: ignore[method-assign]
    with pytest.raises(CallerHungUp):
        await offer_callback(call, line.desk)
    assert len(line.callbacks) == 1
