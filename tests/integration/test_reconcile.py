"""Nobody is lost: unasked callbacks, reconciliation and replay on real journals, with every store."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.domain.callback import Source, State
from ivr.domain.errors import Unavailable
from ivr.domain.reconciliation import Why
from ivr.ports import JournalPosition, Store, TraceEvent
from ivr.services.journal import JournalReader
from ivr.services.journal_lines import ARRIVALS, CEL, QUEUE_LOG
from ivr.services.reconcile import SUSPECT_SECONDS
from ivr.services.settlement import Rules
from ivr.services.unasked import declined
from ivr.testing import MemoryStore
from tests.integration.storing import a_callback, do
from tests.reconciling import AFTER, Line

E164 = "+79123456789"


@pytest.fixture
def line(store: Store, tmp_path: Path) -> Line:
    return Line(store=store, folder=tmp_path / "node1")


@pytest.fixture
def memory(tmp_path: Path) -> Line:
    return Line(store=MemoryStore(), folder=tmp_path / "node1")


# --- who is called back unasked --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "source", "card"),
    [
        ("abandoned", Source.ABANDONED, "callback"),
        ("too_short", Source.ABANDONED, "callback"),
        ("nobody_logged_in", Source.CRASH, "callback"),
        ("hangup_in_agi", None, "abandoned"),
        ("answered", None, "served"),
    ],
)
async def test_who_was_not_served_is_called_back_at_the_place_of_the_arrival(
    line: Line, name: str, source: Source | None, card: str
) -> None:
    [call] = line.play(name)
    await line.poll()
    found = line.callbacks()
    assert [callback.source for callback in found] == ([source] if source else [])
    assert line.ended(call)[0] == card
    for callback in found:
        assert (callback.number, callback.arrived_at) == (E164, line.card(call).registered_at)
    assert (await line.look()).agrees


async def test_a_hang_up_in_the_menu_after_asking_for_an_operator_is_called_back(memory: Line) -> None:
    """And not the same hang-up without it (`hangup_in_agi` above)."""
    [call] = memory.play("hangup_in_agi", ARRIVALS)
    await memory.poll()
    event = TraceEvent(call=call, at=AFTER, kind="ask", id="menu", outcome="operator")
    do(memory.store, lambda uow: uow.traces.add([event]))
    memory.play("hangup_in_agi", QUEUE_LOG, CEL)
    await memory.poll()
    assert [callback.source for callback in memory.callbacks()] == [Source.ABANDONED]
    assert memory.ended(call) == ("callback", "abandoned_ivr")


async def test_who_was_offered_a_callback_and_wanted_none_is_not_called(line: Line) -> None:
    [call] = line.play("abandoned", ARRIVALS)
    await line.poll()
    do(line.store, lambda uow: uow.traces.add([declined(call, AFTER)]))
    line.play("abandoned", QUEUE_LOG, CEL)
    found = await line.reconcile()
    assert (line.callbacks(), line.ended(call)[0], found.agrees) == ([], "abandoned", True)


async def test_three_calls_of_one_number_that_a_crash_ended_are_one_callback(line: Line) -> None:
    """It stands on the first card; the others are linked by their outcome."""
    calls = line.play("killed_in_talk")
    await line.poll()
    [callback] = line.callbacks()
    assert (callback.source, callback.card) == (Source.CRASH, line.card(calls[0]).id)
    assert [line.ended(call) for call in calls] == [("callback", "lost_by_crash")] * 3
    assert (await line.look()).agrees


@pytest.mark.parametrize("number", ["", "12125550123", "anonymous"])
async def test_who_cannot_be_dialled_is_listed_as_unreachable(line: Line, number: str) -> None:
    line.number = number
    [call] = line.play("abandoned")
    found = await line.reconcile()
    assert line.callbacks() == []
    assert [(f.arrival.call, f.why) for f in found.unreachable] == [(call, Why.NO_NUMBER)]
    assert found.agrees
    assert line.ended(call)[0] == "abandoned"


async def test_the_citizen_who_calls_again_and_is_served_is_not_called(line: Line) -> None:
    line.play("abandoned")
    await line.poll()
    [before] = line.callbacks()
    line.play("answered")
    await line.poll()
    [after] = line.callbacks()
    assert (after.id, after.state) == (before.id, State.SUPERSEDED)
    assert (await line.look()).agrees


async def test_who_was_served_before_the_loss_was_noticed_is_not_called(line: Line) -> None:
    """The engine was away while the citizen was lost and called again."""
    [call] = line.play("abandoned", ARRIVALS)
    line.play("answered")
    await line.poll()
    line.play("abandoned", QUEUE_LOG, CEL)
    found = await line.reconcile()
    assert line.callbacks() == []
    assert line.ended(call) == ("abandoned", "abandoned_queue")
    assert found.agrees


@pytest.mark.parametrize(
    ("source", "state"),
    [(Source.DEFERRED, State.REQUESTED), (Source.AGREED, State.SUPERSEDED), (Source.CRASH, State.SUPERSEDED)],
)
async def test_only_an_answer_that_is_still_owed_outlives_being_served(
    memory: Line, source: Source, state: State
) -> None:
    earlier = do(
        memory.store,
        lambda uow: uow.cards.open(call="node1-1.1", node="node1", number=E164, at=AFTER - timedelta(days=1)),
    )
    promised = a_callback(earlier.id, source=source, arrived_at=earlier.registered_at)
    do(memory.store, lambda uow: uow.callbacks.request(promised))
    memory.play("answered")
    await memory.poll()
    assert [callback.state for callback in memory.callbacks()] == [state]


async def test_what_was_agreed_in_the_call_itself_stands_when_it_is_served(memory: Line) -> None:
    [call] = memory.play("answered", ARRIVALS)
    await memory.poll()
    promised = a_callback(memory.card(call).id, source=Source.AGREED)
    do(memory.store, lambda uow: uow.callbacks.request(promised))
    memory.play("answered", QUEUE_LOG, CEL)
    await memory.poll()
    assert [callback.state for callback in memory.callbacks()] == [State.REQUESTED]


# --- lost and found --------------------------------------------------------------------------------


async def test_an_arrival_of_which_nothing_else_was_ever_written_is_called_back(line: Line) -> None:
    """CEL and queue_log lose lines when Asterisk is killed; not even a new start was written."""
    [call] = line.play("answered", ARRIVALS)
    await line.poll()
    assert [(f.arrival.call, f.why) for f in (await line.look()).lost] == [(call, Why.NO_END)]
    found = await line.reconcile()
    assert found.agrees
    assert line.ended(call) == ("callback", "lost_by_crash")
    [callback] = line.callbacks()
    assert (callback.source, callback.arrived_at) == (Source.CRASH, line.card(call).registered_at)
    assert line.lost == 1


async def test_a_call_whose_channel_is_up_is_in_progress_however_long_it_takes(line: Line) -> None:
    [call] = line.play("answered", ARRIVALS)
    line.live = {call}
    found = await line.reconcile()
    assert (found.in_progress, found.lost) == (1, ())
    assert line.ended(call) == (None, None)
    line.play("answered", QUEUE_LOG, CEL)
    line.live = set()
    assert (await line.reconcile()).closed == 1
    assert (line.ended(call)[1], line.callbacks(), line.lost) == ("served", [], 0)


async def test_a_call_that_has_just_ended_is_not_lost_because_its_last_lines_are_late(memory: Line) -> None:
    """It seems lost once; then its lines come."""
    [call] = memory.play("answered", ARRIVALS)
    await memory.poll()
    await memory.reconciler.work()
    memory.clock.forward(SUSPECT_SECONDS)
    memory.play("answered", QUEUE_LOG, CEL)
    await memory.poll()
    await memory.reconciler.work()
    await memory.poll()
    assert (memory.ended(call)[1], memory.callbacks(), memory.lost) == ("served", [], 0)


async def test_nobody_is_given_up_before_the_journals_are_read(memory: Line) -> None:
    """However often it is looked: an engine behind its journals knows nothing yet."""
    memory.play("answered", ARRIVALS)
    await memory.poll()
    for _ in range(5):
        await memory.reconciler.work()
        memory.clock.forward(SUSPECT_SECONDS)
    assert memory.lost == 0


async def test_nobody_is_given_up_while_asterisk_does_not_say_who_is_there(memory: Line) -> None:
    memory.play("answered", ARRIVALS)
    memory.live = None
    await memory.poll()
    with pytest.raises(Unavailable, match="does not say which calls"):
        await memory.reconciler.work()
    assert memory.lost == 0


async def test_an_arrival_that_the_database_has_forgotten_gets_its_card_again(line: Line) -> None:
    """The journal's position says that it was read: the database came out of an older copy."""
    [call] = line.play("answered", ARRIVALS)
    size = line.journals.paths[ARRIVALS].stat().st_size
    await line.poll()
    position = do(line.store, lambda uow: uow.journal.position("node1", ARRIVALS))
    assert position == JournalPosition(generation=position.generation, offset=size)
    other = line.text("abandoned", ARRIVALS)
    line.journals.append(ARRIVALS, other)
    end = JournalPosition(generation=position.generation, offset=size + len(other))
    do(line.store, lambda uow: uow.journal.advance("node1", ARRIVALS, end, read_from=position))
    line.restart()
    found = await line.look()
    assert {f.why for f in found.lost} == {Why.NO_CARD, Why.NO_END}
    assert (await line.reconcile()).agrees
    assert line.ended(call)[1] == line.ended(other.split("\t")[2])[1] == "lost_by_crash"


async def test_a_promise_that_has_vanished_is_made_again(line: Line) -> None:
    """Settled as abandoned by a program that promised nothing."""
    [call] = line.play("abandoned")
    old = JournalReader(
        line.store,
        line.journals.files,
        node="node1",
        clock=line.clock,
        rules=Rules(),
        in_hand=lambda _call: False,
    )
    await old.poll()
    assert [f.why for f in (await line.look()).lost] == [Why.NO_CALLBACK]
    assert (await line.reconcile()).agrees
    assert [callback.source for callback in line.callbacks()] == [Source.ABANDONED]
    assert line.ended(call)[0] == "callback"


async def test_two_callbacks_of_one_call_are_told_and_an_alarm(memory: Line) -> None:
    [call] = memory.play("abandoned")
    await memory.poll()
    [callback] = memory.callbacks()
    twin = replace(callback, id=f"{callback.id[:-1]}0", state=State.DONE, number="+79990000001")
    do(memory.store, lambda uow: uow.callbacks.request(twin))
    assert [(f.arrival.call, f.why) for f in (await memory.look()).doubled] == [(call, Why.TWO_CALLBACKS)]
    with pytest.raises(Unavailable, match="`ekc reconcile` names them"):
        await memory.reconciler.work()


# --- files and clocks ------------------------------------------------------------------------------


async def test_rotated_arrivals_count_and_a_partial_last_line_does_not(line: Line) -> None:
    path = line.journals.paths[ARRIVALS]
    [first] = line.play("abandoned")
    await line.poll()
    path.rename(path.with_name("arrivals.log.1"))
    [second] = line.play("answered")
    rest = line.text("too_short", ARRIVALS)
    line.journals.append(ARRIVALS, rest[:50])
    found = await line.reconcile()
    assert (found.arrivals, found.closed, found.agrees) == (2, 2, True)
    line.journals.append(ARRIVALS, rest[50:])
    assert (await line.look()).arrivals == 3
    assert {line.ended(call)[1] for call in (first, second)} == {"abandoned_queue", "served"}


async def test_a_file_that_was_cut_and_put_back_doubles_nobody(line: Line) -> None:
    path = line.journals.paths[ARRIVALS]
    line.play("abandoned")
    line.play("too_short")
    assert (await line.reconcile()).agrees
    text, cards = path.read_text(), len(do(line.store, lambda uow: uow.cards.list()))
    path.write_text(text[:80])
    await line.poll()
    path.write_text(text)
    found = await line.reconcile()
    assert (found.arrivals, found.agrees) == (2, True)
    assert len(do(line.store, lambda uow: uow.cards.list())) == cards
    assert len(line.callbacks()) == 1


async def test_a_start_of_asterisk_by_a_wrong_clock_ends_no_call_that_is_up(line: Line) -> None:
    """The clock was two minutes ahead when Asterisk started, then it was put right, and a citizen called."""
    begun = int(AFTER.timestamp())
    line.journals.append(QUEUE_LOG, f"{begun - 10}|NONE|NONE|NONE|QUEUESTART|\n")
    [call] = line.play("answered", ARRIVALS)
    line.live = {call}
    await line.poll()
    assert line.ended(call) == (None, None)
    line.live = set()
    line.play("answered", QUEUE_LOG, CEL)
    await line.poll()
    assert line.ended(call)[1] == "served"


async def test_a_start_of_asterisk_that_the_clock_puts_before_its_dead_calls_ends_them_all_the_same(
    line: Line,
) -> None:
    """The clock was set back an hour between the call and the crash."""
    [call] = line.play("answered", ARRIVALS)
    begun = int(AFTER.timestamp()) - 3600
    line.journals.append(QUEUE_LOG, f"{begun}|NONE|NONE|NONE|QUEUESTART|\n")
    await line.poll()
    assert line.ended(call) == (None, None)
    assert (await line.reconcile()).agrees
    assert line.ended(call) == ("callback", "lost_by_crash")


async def test_a_talk_through_which_the_clock_was_set_back_loses_nobody(line: Line) -> None:
    """Its lines are out of order; the citizen is rather called once too often."""
    texts = {journal: line.text("answered", journal) for journal in (ARRIVALS, QUEUE_LOG, CEL)}
    for journal, text in texts.items():
        lines = text.splitlines(keepends=True)
        half = len(lines) // 2
        later = [row.replace("179555", "179554") for row in lines[half:]] if journal == CEL else lines[half:]
        line.journals.append(journal, "".join(lines[:half] + later))
    [call] = [row.split("\t")[2] for row in texts[ARRIVALS].splitlines()]
    found = await line.reconcile()
    assert found.agrees
    assert line.ended(call)[1] == "served" or len(line.callbacks()) == 1


# --- two nodes on one database ---------------------------------------------------------------------


async def test_a_start_of_one_nodes_asterisk_ends_no_call_of_the_other(store: Store, tmp_path: Path) -> None:
    one = Line(store=store, folder=tmp_path / "one")
    two = Line(store=store, folder=tmp_path / "two", node="node2", number="79123456780")
    [going] = one.play("answered", ARRIVALS)
    one.live = {going}
    lost = two.play("killed_in_talk")
    for line in (one, two):
        await line.reconcile()
    assert one.ended(going) == (None, None)
    assert {two.ended(call) for call in lost} == {("callback", "lost_by_crash")}
    assert [callback.number for callback in one.callbacks()] == ["+79123456780"]
    assert (await one.look()).in_progress == 1
    assert ((await two.look()).closed, (await two.look()).agrees) == (3, True)


async def test_a_citizen_lost_on_one_node_and_served_on_the_other_is_not_called(
    store: Store, tmp_path: Path
) -> None:
    one = Line(store=store, folder=tmp_path / "one")
    two = Line(store=store, folder=tmp_path / "two", node="node2")
    one.play("abandoned")
    await one.reconcile()
    two.play("answered")
    await two.reconcile()
    assert [callback.state for callback in one.callbacks()] == [State.SUPERSEDED]


# --- replay ----------------------------------------------------------------------------------------


def everything(line: Line) -> list[object]:
    """What is known of all calls, without the ids that chance makes."""
    cards = do(line.store, lambda uow: uow.cards.list())
    calls = [contact.call for card in cards for contact in card.contacts]
    told = [do(line.store, lambda uow, c=call: uow.traces.of_call(c)) for call in calls]  # type: ignore[misc]
    seen = [[(e.at, e.kind, e.id, e.outcome) for _, e in events] for events in told]
    return [sorted(calls), seen, [line.ended(call) for call in calls], len(line.callbacks())]


async def test_replaying_all_journals_changes_nothing_that_is_known(line: Line) -> None:
    path = line.journals.paths[ARRIVALS]
    line.play("abandoned")
    await line.poll()
    path.rename(path.with_name("arrivals.log.1"))
    for name in ("killed_in_talk", "answered", "timeout"):
        line.play(name)
    await line.reconcile()
    before = everything(line)
    done = await line.keeping().replay()
    assert (done["files"], done["settled"]) == (4, True)
    assert everything(line) == before
    assert (await line.look()).agrees


async def test_replay_brings_into_an_empty_database_what_the_journals_hold_rotated_ones_too(
    line: Line,
) -> None:
    path = line.journals.paths[ARRIVALS]
    old = line.play("abandoned", ARRIVALS)
    os.utime(path.rename(path.with_name("arrivals.log.1")), (1_000_000, 1_000_000))
    line.play("abandoned", QUEUE_LOG, CEL)
    new = line.play("answered")
    await line.keeping().replay()
    assert [line.ended(call)[1] for call in (*old, *new)] == ["abandoned_queue", "served"]
    assert (await line.look()).agrees


async def test_replay_beside_a_running_engine_leaves_the_settling_to_it(line: Line) -> None:
    [call] = line.play("abandoned")
    done = await line.keeping(engine_runs=True).replay()
    assert (done["settled"], line.ended(call)) == (False, (None, None))
    await line.poll()
    assert line.ended(call) == ("callback", "abandoned_queue")


async def test_the_status_tells_how_many_bytes_are_still_to_be_read(memory: Line) -> None:
    memory.play("abandoned")
    size = memory.journals.paths[ARRIVALS].stat().st_size
    before = {row["journal"]: row["behind"] for row in memory.keeping().status()}
    assert before[ARRIVALS] == size
    await memory.poll()
    path = memory.journals.paths[ARRIVALS]
    path.rename(path.with_name("arrivals.log.1"))
    memory.play("answered", ARRIVALS)
    after = {row["journal"]: row["behind"] for row in memory.keeping().status()}
    assert after == {ARRIVALS: path.stat().st_size, QUEUE_LOG: 0, CEL: 0}


async def test_an_account_is_asked_for_without_an_engine_and_nothing_changes(memory: Line) -> None:
    [call] = memory.play("abandoned")
    found = await memory.keeping().reconcile()
    assert [(f.arrival.call, f.why) for f in found.lost] == [(call, Why.NO_CARD)]
    assert do(memory.store, lambda uow: uow.cards.list()) == []
