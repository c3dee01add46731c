"""What the audit of `make chaos` reads, and the plan of its blows: files as sipp and Asterisk write them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from tests.chaos import product_files, rows
from tests.chaos.evidence import Arrived, CallbackRow, CardRow, Citizen, Contact, Dialled
from tests.chaos.plan import SPACING, Kind, kinds_of, strokes
from tests.chaos.sipp_log import Log, citizens, dialled

CALL = [
    ("0.0", "S", 1, "INVITE", "INVITE sip:88006000000@127.0.0.1:5060 SIP/2.0"),
    ("0.1", "R", 1, "INVITE", "SIP/2.0 100 Trying"),
    ("0.2", "R", 1, "INVITE", "SIP/2.0 200 OK"),
    ("0.2", "S", 1, "ACK", "ACK sip:88006000000@127.0.0.1:5060 SIP/2.0"),
    ("2.0", "S", 2, "INFO", "INFO sip:88006000000@127.0.0.1:5060 SIP/2.0"),
    ("2.1", "R", 2, "INFO", "SIP/2.0 200 OK"),
    ("9.0", "S", 3, "BYE", "BYE sip:88006000000@127.0.0.1:5060 SIP/2.0"),
    ("9.1", "R", 3, "BYE", "SIP/2.0 200 OK"),
]
Message = tuple[str, str, int, str, str]


def log_of(folder: Path, *calls: list[Message], torn: str = "") -> Log:
    """calls: the messages of each, as sipp's -trace_shortmsg writes them; torn: a line that is not whole."""
    lines = [
        f"2026-11-25\t02:00:00.0\t{at}\t{way}\t{number}-abc\tCSeq:{cseq} {method}\t{first}"
        for number, call in enumerate(calls, 1)
        for at, way, cseq, method, first in call
    ]
    path = folder / "messages"
    path.write_text("\n".join(lines) + "\n" + torn)
    return Log(path)


def one(folder: Path, call: list[Message], *, operator: bool = True) -> Citizen:
    [found] = citizens(log_of(folder, call), script="made", numbers=["79510000001"], operator=operator)
    return found


def test_a_call_is_read_as_its_caller_saw_it(tmp_path: Path) -> None:
    assert one(tmp_path, CALL) == Citizen(
        call_id="1-abc",
        number="79510000001",
        script="made",
        invited_at=0.0,
        trying_at=0.1,
        status=200,
        wished_operator=True,
        hung_up_at=9.0,
        bye_answered=True,
        cut=False,
        ended_by_line_at=None,
    )


def test_who_got_no_answer_at_all_was_not_offered_to_the_line(tmp_path: Path) -> None:
    found = one(tmp_path, CALL[:1])
    assert (found.trying, found.status) == (False, 0)


def test_a_key_that_the_line_did_not_take_is_no_wish(tmp_path: Path) -> None:
    found = one(tmp_path, [*CALL[:5], ("2.1", "R", 2, "INFO", "SIP/2.0 481 Call does not exist")])
    assert (found.wished_operator, found.cut) == (False, True)


def test_another_key_is_no_wish_for_an_operator(tmp_path: Path) -> None:
    assert not one(tmp_path, CALL, operator=False).wished_operator


def test_a_key_without_an_answer_was_pressed_on_a_dead_line(tmp_path: Path) -> None:
    assert one(tmp_path, CALL[:5]).cut


def test_the_line_has_ended_a_call_when_its_bye_came_first(tmp_path: Path) -> None:
    theirs: list[Message] = [
        ("8.0", "R", 100, "BYE", "BYE sip:citizen@127.0.0.1 SIP/2.0"),
        ("8.0", "S", 100, "BYE", "SIP/2.0 200 OK"),
    ]
    found = one(tmp_path, [*CALL[:6], *theirs])
    assert (found.ended_by_line_at, found.hung_up_at, found.bye_answered) == (8.0, None, False)


def test_calls_in_progress_are_those_that_were_answered_since_and_not_ended(tmp_path: Path) -> None:
    log = log_of(tmp_path, CALL, CALL[:4], CALL[:2])
    assert (log.in_progress(0.0), log.in_progress(0.2)) == (1, 0)


def test_a_log_that_grows_is_read_on_from_its_last_whole_line(tmp_path: Path) -> None:
    whole = "2026-11-25\t02:00:00.0\t9.5\tS\t2-abc\tCSeq:3 BYE\tBYE sip:88006000000@127.0.0.1 SIP/2.0\n"
    log = log_of(tmp_path, CALL, CALL[:4], torn=whole[:40])
    assert log.in_progress(0.0) == 1
    with log.path.open("a") as file:
        file.write(whole[40:])
    assert log.in_progress(0.0) == 0


def test_a_called_telephone_tells_who_was_dialled_and_for_how_long(tmp_path: Path) -> None:
    call: list[Message] = [
        ("1.0", "R", 7, "INVITE", "INVITE sip:+79510000001@127.0.0.1:6000 SIP/2.0"),
        ("1.0", "S", 7, "INVITE", "SIP/2.0 180 Ringing"),
        ("4.0", "S", 7, "INVITE", "SIP/2.0 200 OK"),
        ("4.1", "R", 7, "ACK", "ACK sip:+79510000001@127.0.0.1:6000 SIP/2.0"),
        ("20.0", "R", 8, "BYE", "BYE sip:+79510000001@127.0.0.1:6000 SIP/2.0"),
    ]
    [found] = dialled(log_of(tmp_path, call))
    assert found == Dialled(number="+79510000001", invited_at=1.0, answered_at=4.1, ended_at=20.0)


def test_a_citizen_whose_caller_has_vanished_hangs_up_and_nobody_answers(tmp_path: Path) -> None:
    call: list[Message] = [
        ("1.0", "R", 7, "INVITE", "INVITE sip:79510000001@127.0.0.1:6000 SIP/2.0"),
        ("4.0", "S", 7, "INVITE", "SIP/2.0 200 OK"),
        ("4.1", "R", 7, "ACK", "ACK sip:79510000001@127.0.0.1:6000 SIP/2.0"),
        ("39.0", "S", 1, "BYE", "BYE sip:78006000000@127.0.0.1:5060 SIP/2.0"),
    ]
    [found] = dialled(log_of(tmp_path, call))
    assert (found.ended_at, found.cut) == (39.0, True)


def test_a_refused_call_is_over_with_its_refusal(tmp_path: Path) -> None:
    call: list[Message] = [
        ("1.0", "R", 7, "INVITE", "INVITE sip:79510000001@127.0.0.1:6000 SIP/2.0"),
        ("1.5", "S", 7, "INVITE", "SIP/2.0 486 Busy Here"),
        ("1.6", "R", 7, "ACK", "ACK sip:79510000001@127.0.0.1:6000 SIP/2.0"),
    ]
    [found] = dialled(log_of(tmp_path, call))
    assert (found.answered_at, found.ended_at) == (None, 1.5)


def test_arrivals_are_read_with_those_of_rotated_files_but_no_torn_line(tmp_path: Path) -> None:
    line = "2026-11-25T02:00:0{}.250+00:00\tnode1\tnode1-1.{}\t{}-abc\t79510000001\n"
    (tmp_path / "arrivals.log.1").write_text(line.format(0, 0, 0))
    (tmp_path / "arrivals.log").write_text(line.format(1, 1, 1) + "rubbish\n" + line.format(2, 2, 2)[:50])
    found = product_files.arrivals(tmp_path)
    assert [a.call_id for a in found] == ["1-abc", "0-abc"]
    assert found[0] == Arrived(at=1795572001.25, call="node1-1.1", call_id="1-abc", number="79510000001")


def test_who_entered_a_queue_stands_in_queue_log(tmp_path: Path) -> None:
    lines = ["1|NONE|NONE|NONE|QUEUESTART|", "2|node1-1.1|general|NONE|ENTERQUEUE||7|1", "3|node1-1.2|gen"]
    (tmp_path / "queue_log").write_text("\n".join(lines))
    assert product_files.queued(tmp_path) == {"node1-1.1"}


def test_when_a_called_citizen_was_let_into_a_bridge_stands_in_cel(tmp_path: Path) -> None:
    line = '"BRIDGE_ENTER","{}.5","node1-1.{}","ekc-cb-01M8-{}","PJSIP/{}-0000000d","from-trunk"'
    lines = [line.format(10, 1, 1, "203"), line.format(11, 2, 1, "trunk"), line.format(12, 3, 2, "trunk")]
    (tmp_path / "cel.csv").write_text("\n".join([*lines, '"BRIDGE_ENT']))
    assert product_files.joined(tmp_path) == {"01M8": [11.5, 12.5]}


TABLES = """
CREATE TABLE contacts ("call" TEXT, card TEXT, direction TEXT, "at" INTEGER, outcome TEXT);
CREATE TABLE cards (id TEXT, outcome TEXT, closed_at INTEGER);
CREATE TABLE callbacks (id TEXT, card TEXT, source TEXT, state TEXT, number_hash BLOB);
CREATE TABLE callback_attempts (callback TEXT);
CREATE TABLE traces ("call" TEXT, kind TEXT, id TEXT);
INSERT INTO contacts VALUES ('c1', 'k1', 'inbound', 1500000, 'served');
INSERT INTO contacts VALUES ('c2', 'k2', 'inbound', 2000000, NULL);
INSERT INTO cards VALUES ('k1', 'served', 2500000), ('k2', NULL, NULL);
INSERT INTO callbacks VALUES ('b1', 'k2', 'queue', 'talking', X'0a0b');
INSERT INTO callback_attempts VALUES ('b1'), ('b1');
INSERT INTO traces VALUES ('c1', 'end', 'call'), ('c1', 'end', 'call'), ('c2', 'prompt', 'status.result');
"""


def test_the_database_is_read_by_plain_sql(tmp_path: Path) -> None:
    path = tmp_path / "ekc.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(TABLES)
    found = rows.read(str(path))
    first = Contact(call="c1", card="k1", direction="inbound", at=1.5, outcome="served")
    assert (found.contacts[0], found.contacts[1].outcome) == (first, None)
    assert found.cards[0] == CardRow(id="k1", outcome="served", closed_at=2.5)
    assert found.callbacks == [
        CallbackRow(id="b1", card="k2", source="queue", state="talking", number_hash="0a0b", attempts=2)
    ]
    assert (found.ends, found.told) == ({"c1": 2}, {"c2"})
    assert (rows.unfinished(str(path)), rows.waiting(str(path))) == ((1, 1, 1), 1)


def test_a_database_that_is_not_there_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(rows.Unready):
        rows.read(str(tmp_path / "nothing.db"))


# --- the plan ----------------------------------------------------------------------------------------

SQLITE = kinds_of(postgresql=False, disk=True)


def test_a_seed_deals_the_same_blows_again_and_another_seed_others() -> None:
    assert strokes(1, 300.0, SQLITE) == strokes(1, 300.0, SQLITE)
    assert strokes(1, 300.0, SQLITE) != strokes(2, 300.0, SQLITE)


def test_a_short_run_deals_every_kind_at_least_once() -> None:
    assert {stroke.kind for stroke in strokes(1, 1.0, SQLITE)} == set(SQLITE)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("postgresql", [False, True])
def test_nine_hundred_seconds_deal_ten_of_each_kind(seed: int, postgresql: bool) -> None:
    kinds = kinds_of(postgresql=postgresql, disk=True)
    assert min(Counter(stroke.kind for stroke in strokes(seed, 1000.0, kinds)).values()) >= 10


def test_blows_come_one_after_the_other_with_a_pause_between() -> None:
    dealt = strokes(3, 300.0, SQLITE)
    for first, second in pairwise(dealt):
        assert SPACING[0] <= second.at - first.at - first.lasts <= SPACING[1]


def test_the_database_that_a_run_has_is_the_one_that_is_struck() -> None:
    assert Kind.DATABASE_LOCK in SQLITE and Kind.DATABASE_KILL not in SQLITE
    assert Kind.DATABASE_KILL in kinds_of(postgresql=True, disk=False)
    assert Kind.DISK_FULL not in kinds_of(postgresql=True, disk=False)


def test_an_answer_that_nobody_confirms_is_given_up_after_32_seconds(tmp_path: Path) -> None:
    """RFC 3261 §13.3.1.4: whoever had called is gone, and the telephone is free again."""
    call: list[Message] = [
        ("1.0", "R", 7, "INVITE", "INVITE sip:79510000001@127.0.0.1:6000 SIP/2.0"),
        ("3.0", "S", 7, "INVITE", "SIP/2.0 200 OK"),
        ("3.5", "S", 7, "INVITE", "SIP/2.0 200 OK"),
    ]
    [found] = dialled(log_of(tmp_path, call))
    assert (found.answered_at, found.ended_at) == (None, 35.0)
