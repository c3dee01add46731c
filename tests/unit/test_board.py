"""The live board: what it shows of the floor and the database, and who may read it when."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import ekc
from ivr.domain.callback import Callback, Source
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import NotRunning, StorageDown
from ivr.domain.figures import Limits
from ivr.domain.operators import Operator, OperatorState
from ivr.domain.passage import Passage
from ivr.metrics import Metrics
from ivr.ports import FloorEvent, FloorKind, MemberStatus, Waiting
from ivr.services import board, queue_metrics
from ivr.services.board import Board, BoardKeeper, Doing
from ivr.services.floor import Floor
from ivr.services.holds import Holds
from ivr.testing import START, FakeSwitchboard
from tests.unit.memory import Site

NUMBER = "+79123456789"
SECOND = timedelta(seconds=1)


class Shift:
    """A floor with operators 201 and 202 in the queue szn-1, and the keeper of its board."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder)
        self.site.settings.run_dir.mkdir(parents=True)
        self.switchboard = FakeSwitchboard(["general", "szn-1"])
        self.floor = Floor(self.switchboard, self.site.clock)
        self.switchboard.on_event = self.floor._apply
        self.told: list[Board] = []
        self.keeper = BoardKeeper(
            self.floor,
            self.site.store,
            self.site.clock,
            run_dir=self.site.settings.run_dir,
            zone=self.site.settings.zone,
            limits=Limits(),
            on_board=self.told.append,
        )
        for extension in ("201", "202"):
            operator = Operator(extension=extension, name="Орлова", agency="szn", line=1, since=START)
            self.site.rows.operators.add(operator, "")

    async def begin(self) -> None:
        for extension in ("201", "202"):
            self.be(extension, OperatorState.READY)
            await self.switchboard.add_member("szn-1", extension)
        await self.floor.rebuild()

    def be(self, extension: str, state: OperatorState, reason: str = "") -> None:
        self.site.rows.operators.set_state(extension, state, reason=reason, at=START)

    async def queue(self) -> board.QueueLine:
        found = await self.keeper.collect()
        return next(line for line in found.queues if line.queue == "szn-1")

    async def document(self) -> dict[str, Any]:
        await self.keeper.write()
        found: dict[str, Any] = json.loads((self.site.settings.run_dir / board.FILE).read_text("utf-8"))
        return found


@pytest.fixture
async def shift(tmp_path: Path) -> Shift:
    made = Shift(tmp_path)
    await made.begin()
    return made


# --- what it shows -----------------------------------------------------------------------------------


async def test_a_queue_shows_who_waits_and_for_how_long(shift: Shift) -> None:
    for place, seconds in ((1, 90), (2, 30)):
        since = START - seconds * SECOND
        shift.switchboard.join(Waiting(queue="szn-1", call=f"1.{place}", position=place, since=since))
    shift.floor.view.waiting = {(w.queue, w.call): w for w in shift.switchboard.waiting}
    found = await shift.queue()
    assert (found.waiting, found.longest_s) == (2, 90)


async def test_every_queue_of_the_site_is_there_though_nobody_is(shift: Shift) -> None:
    found = await shift.keeper.collect()
    assert [line.queue for line in found.queues] == ["general", "szn-1", "szn-2"]


@pytest.mark.parametrize(
    ("state", "status", "doing"),
    [
        (OperatorState.READY, MemberStatus.FREE, Doing.READY),
        (OperatorState.READY, MemberStatus.RINGING, Doing.RINGING),
        (OperatorState.READY, MemberStatus.AWAY, Doing.AWAY),
        (OperatorState.PAUSED, MemberStatus.FREE, Doing.PAUSED),
        (OperatorState.PAUSED, MemberStatus.TALKING, Doing.TALKING),
        (OperatorState.PAUSED, MemberStatus.AWAY, Doing.AWAY),
        (OperatorState.WRAPUP, MemberStatus.FREE, Doing.WRAPUP),
        (OperatorState.WRAPUP, MemberStatus.HOLDING, Doing.HOLDING),
        (OperatorState.LOGGED_OUT, MemberStatus.FREE, Doing.LOGGED_OUT),
    ],
)
async def test_what_an_operator_does_is_told_by_telephone_and_state_together(
    shift: Shift, state: OperatorState, status: MemberStatus, doing: Doing
) -> None:
    shift.be("201", state, "обед")
    shift.switchboard.phone("201", status)
    shift.be("202", state)
    shift.switchboard.phone("202", status)
    assert (await shift.queue()).operators == {doing: 2}


async def test_a_talk_shows_its_queue_and_its_length(shift: Shift) -> None:
    shift.switchboard.connect("szn-1", "201", "1.1")
    shift.site.clock.forward(75)
    first, second = (await shift.keeper.collect()).operators
    assert (first.doing, first.queue, first.talking_s) == (Doing.TALKING, "szn-1", 75)
    assert (second.doing, second.queue, second.talking_s) == (Doing.READY, "", 0)


async def test_a_disabled_operator_is_not_shown(shift: Shift) -> None:
    shift.be("202", OperatorState.DISABLED)
    assert [line.extension for line in (await shift.keeper.collect()).operators] == ["201"]


def a_turn(shift: Shift, call: str, why: str, waited: int) -> None:
    rows = shift.site.rows
    rows.cards.open(call=call, node="node1", number=NUMBER, at=START)
    rows.cards.change_contact(call, outcome=ContactOutcome.SERVED)
    left = START + waited * SECOND
    rows.passages.put(call, [Passage(call=call, queue="szn-1", entered=START, left=left, why=why)])


async def test_todays_figures_are_those_of_the_report_and_are_counted_now_and_then(shift: Shift) -> None:
    a_turn(shift, "1.1", "connected", 4)
    assert (await shift.queue()).today == {
        "offered": 1,
        "answered": 1,
        "abandoned": 0,
        "service_level": 1.0,
        "asa_s": 4.0,
    }
    a_turn(shift, "1.2", "abandoned", 40)
    assert (await shift.queue()).today["offered"] == 1
    shift.site.clock.forward(board.FIGURES_SECONDS)
    assert (await shift.queue()).today["service_level"] == 0.5


async def test_callbacks_are_counted_and_those_that_are_due(shift: Shift) -> None:
    for hours, number in ((-1, NUMBER), (2, "+79123456780")):
        card = shift.site.rows.cards.open(call=f"c{hours}", node="node1", number=number, at=START)
        due = START + timedelta(hours=hours)
        shift.site.rows.callbacks.request(
            Callback(
                id=f"b{hours}",
                card=card.id,
                number=number,
                source=Source.QUEUE,
                queue="szn-1",
                arrived_at=START,
                due=due,
            )
        )
    assert (await shift.document())["callbacks"] == {"open": 2, "due": 1}


# --- the file ----------------------------------------------------------------------------------------


async def test_the_file_is_the_owners_alone_and_has_nobodys_number(shift: Shift) -> None:
    a_turn(shift, "1.1", "connected", 4)
    shift.switchboard.join(Waiting(queue="szn-1", call="1.2", position=1, since=START))
    await shift.keeper.write()
    path = shift.site.settings.run_dir / board.FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert not re.search(r"\d{10}", path.read_text("utf-8"))
    assert [one.at for one in shift.told] == [START]


async def test_times_are_of_the_sites_zone(shift: Shift) -> None:
    document = await shift.document()
    assert document["at"] == "2026-11-24T15:00:00.000+05:00"
    assert document["operators"][0]["since"] == "2026-11-24T15:00:00.000+05:00"


async def test_a_lost_connection_is_told(shift: Shift) -> None:
    assert (await shift.document())["live"] is True
    shift.floor.connected()
    assert (await shift.document())["live"] is False


async def test_a_database_that_is_down_leaves_the_old_file_to_grow_old(shift: Shift) -> None:
    await shift.keeper.write()
    shift.site.store.down = True
    with pytest.raises(StorageDown):
        await shift.keeper.write()
    now = START + timedelta(seconds=board.STALE_SECONDS)
    assert board.read(shift.site.settings.run_dir, now)["live"] is True
    with pytest.raises(NotRunning, match="11 s old"):
        board.read(shift.site.settings.run_dir, now + SECOND)


# --- the command -------------------------------------------------------------------------------------


async def test_the_command_prints_one_document_or_tables(shift: Shift) -> None:
    await shift.keeper.write()
    as_json = CliRunner().invoke(ekc, ["board", "--json"], obj=shift.site)
    assert as_json.exit_code == 0
    assert [line["queue"] for line in json.loads(as_json.stdout)["queues"]] == ["general", "szn-1", "szn-2"]
    for_people = CliRunner().invoke(ekc, ["board"], obj=shift.site)
    assert for_people.exit_code == 0
    assert "Орлова" in for_people.stdout
    assert "2 ready" in for_people.stdout


def test_without_an_engine_there_is_no_board(tmp_path: Path) -> None:
    found = CliRunner().invoke(ekc, ["board"], obj=Site(tmp_path))
    assert found.exit_code == 3
    assert "`ekc up`" in found.stderr


# --- metrics -----------------------------------------------------------------------------------------


@pytest.fixture
def shown() -> tuple[Metrics, Callable[[str], float | None]]:
    metrics = Metrics.create()

    def value(text: str) -> float | None:
        lines = metrics.render().decode().splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(text + " ")), None)

    return metrics, value


def test_settled_turns_are_counted_by_queue(shown: tuple[Metrics, Callable[[str], float | None]]) -> None:
    """What was given back is neither, and a talk without a queue is nobody's."""
    metrics, value = shown
    turn = Passage(call="1.1", queue="szn-1", entered=START, left=START + 7 * SECOND, why="connected")
    queue_metrics.count(
        metrics,
        [
            turn,
            replace(turn, why="abandoned"),
            replace(turn, why="timeout"),
            replace(turn, queue=""),
        ],
    )
    assert value('ekc_queue_answered_total{queue="szn-1"}') == 1
    assert value('ekc_queue_abandoned_total{queue="szn-1"}') == 1
    assert value('ekc_queue_wait_seconds_bucket{le="5.0",queue="szn-1"}') == 0
    assert value('ekc_queue_wait_seconds_bucket{le="10.0",queue="szn-1"}') == 1
    assert value('ekc_queue_wait_seconds_sum{queue="szn-1"}') == 7
    assert value('ekc_queue_answered_total{queue=""}') is None


async def test_the_board_is_on_metrics(
    shift: Shift, shown: tuple[Metrics, Callable[[str], float | None]]
) -> None:
    """A queue without offers today has no service level: it vanishes at midnight."""
    metrics, value = shown
    a_turn(shift, "1.1", "connected", 4)
    queue_metrics.show(metrics, await shift.keeper.collect())
    assert value('ekc_queue_service_level{queue="szn-1"}') == 1
    assert value('ekc_queue_service_level{queue="general"}') is None
    assert value('ekc_queue_waiting{queue="szn-1"}') == 0
    assert value('ekc_queue_operators{queue="szn-1",state="ready"}') == 2
    shift.site.clock.forward(86400)
    queue_metrics.show(metrics, await shift.keeper.collect())
    assert value('ekc_queue_service_level{queue="szn-1"}') is None


# --- holds -------------------------------------------------------------------------------------------


async def test_a_hold_of_an_operator_is_written_into_the_journal_of_queues(shift: Shift) -> None:
    """Under the citizen's call, whichever leg the event spoke of; a citizen's own hold is not. Who hangs up
    while holding does not hold any more; who is told twice holds once."""
    holds = Holds(shift.floor, shift.switchboard)
    shift.switchboard.connect("szn-1", "201", "1.1")
    for kind, extension in (
        (FloorKind.HELD, "201"),
        (FloorKind.HELD, "201"),
        (FloorKind.HELD, ""),
        (FloorKind.RINGING, "201"),
        (FloorKind.RESUMED, "201"),
        (FloorKind.HELD, "202"),
        (FloorKind.HUNG_UP, "202"),
        (FloorKind.HUNG_UP, "202"),
    ):
        await holds.note(FloorEvent(kind=kind, call="1.9", linked="1.5", extension=extension))
    assert shift.switchboard.journaled == [
        ("HOLD", "1.1", "szn-1", "201"),
        ("UNHOLD", "1.1", "szn-1", "201"),
        ("HOLD", "1.5", "NONE", "202"),
        ("UNHOLD", "1.5", "NONE", "202"),
    ]
