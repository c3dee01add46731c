"""Lines of Asterisk's journals, real ones and rubbish."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.services.journal_lines import ARRIVALS, CEL, QUEUE_LOG, Place, Read, boots, is_probe, parse
from tests.journals import NAMES, captured

ARRIVAL = "2026-11-24T22:13:54.470+00:00\tnode1\tnode1-1795558434.0\t1-a68950e3\t79123456789"
ENTER = "1795558442|node1-1795558442.2|general|NONE|ENTERQUEUE||79123456789|1"
BRIDGE = (
    '"BRIDGE_ENTER","1795558456.572675","node1-1795558456.8","node1-1795558455.7","PJSIP/201-00000008",'
    '"from-operators","s","AppQueue","","","{""bridge_id"":""51f64c19"",""bridge_technology"":""x""}"'
)


def place(journal: str) -> Place:
    return Place(node="node1", journal=journal, generation="g", offset=100)


def read(journal: str, text: str | bytes) -> Read | None:
    return parse(text.encode() if isinstance(text, str) else text, place(journal))


def sure(journal: str, text: str) -> Read:
    found = read(journal, text)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_line_of_a_real_asterisk_is_understood_and_no_number_is_kept(name: str) -> None:
    for journal, text in captured(name).items():
        for line in text.splitlines():
            assert "79123456789" not in str(asdict(sure(journal, line).line))


def test_an_arrival_tells_node_call_time_and_beside_it_the_number() -> None:
    found = sure(ARRIVALS, ARRIVAL)
    assert (found.node, found.number) == ("node1", "79123456789")
    assert found.line.at == datetime(2026, 11, 24, 22, 13, 54, 470000, tzinfo=UTC)
    assert (found.line.call, found.line.linked) == ("node1-1795558434.0",) * 2
    assert (found.line.offset, found.line.data) == (100, {})


def test_of_an_entry_into_a_queue_the_number_is_left_out() -> None:
    line = sure(QUEUE_LOG, ENTER).line
    assert (line.event, line.data) == ("ENTERQUEUE", {"queue": "general", "position": "1"})
    assert line.at == datetime.fromtimestamp(1795558442, UTC)


def test_a_cel_line_keeps_channel_context_and_bridge_and_its_microseconds() -> None:
    line = sure(CEL, BRIDGE).line
    assert (line.call, line.linked) == ("node1-1795558456.8", "node1-1795558455.7")
    assert line.data == {
        "channel": "PJSIP/201-00000008",
        "context": "from-operators",
        "app": "AppQueue",
        "bridge": "51f64c19",
    }
    assert line.at.microsecond == 572675


def test_the_end_of_a_talk_keeps_when_the_leg_was_let_into_it() -> None:
    """A twelfth column; files of earlier versions have eleven."""
    leaves = BRIDGE.replace("BRIDGE_ENTER", "BRIDGE_EXIT")
    assert sure(CEL, f'{leaves},"1795558450"').line.data["joined"] == "1795558450"
    assert "joined" not in sure(CEL, f'{leaves},"soon"').line.data
    assert "joined" not in sure(CEL, f'{BRIDGE},"1795558450"').line.data
    assert read(CEL, f'{leaves},"1795558450","more"') is None


def test_a_line_of_no_call_belongs_to_none_and_a_start_to_the_nodes_starts() -> None:
    added = sure(QUEUE_LOG, "1795558515|CLI|general|PJSIP/201|ADDMEMBER|").line
    start = sure(QUEUE_LOG, "1795558433|NONE|NONE|NONE|QUEUESTART|").line
    assert (added.call, added.linked) == ("", "")
    assert (start.call, start.linked) == ("", boots("node1"))


@pytest.mark.parametrize(("journal", "whole"), [(ARRIVALS, ARRIVAL), (QUEUE_LOG, ENTER), (CEL, BRIDGE)])
@pytest.mark.parametrize("cut", [1, 12, 25, 30, 40, -1])
def test_behind_a_line_that_was_cut_off_the_whole_one_is_found(journal: str, whole: str, cut: int) -> None:
    """A disk that was full for a moment: the rest of a line is missing, and its end, too."""
    found = sure(journal, whole[:cut] + whole)
    assert found.line.offset == 100 + len(whole[:cut])
    assert found.line.event == sure(journal, whole).line.event


@pytest.mark.parametrize(
    ("journal", "line"),
    [
        (ARRIVALS, ""),
        (ARRIVALS, ARRIVAL.replace("\t", " ")),
        (ARRIVALS, ARRIVAL + "\tmore"),
        (ARRIVALS, ARRIVAL.replace("2026-11-24", "2026-13-24")),
        (ARRIVALS, ARRIVAL.replace("+00:00", "")),
        (ARRIVALS, ARRIVAL.replace("node1-", "node1/")),
        (QUEUE_LOG, ENTER.replace("1795558442|", "now|", 1)),
        (QUEUE_LOG, ENTER.replace("ENTERQUEUE", "enterqueue")),
        (QUEUE_LOG, "1795558442|node1-1795558442.2|general|NONE"),
        (CEL, BRIDGE.replace("}", "")),
        (CEL, BRIDGE[:-40]),
        (CEL, BRIDGE.replace("1795558456.572675", "")),
        (CEL, BRIDGE.replace("{", "[" * 5000 + "{")),
        (CEL, BRIDGE.replace("from-operators", "x" * 9000)),
        (CEL, BRIDGE.replace("PJSIP", "\x00JSIP")),
        (CEL, BRIDGE.replace("PJSIP", "Ж")),
    ],
)
def test_rubbish_is_no_line(journal: str, line: str) -> None:
    assert read(journal, line) is None


@given(journal=st.sampled_from([ARRIVALS, QUEUE_LOG, CEL]), raw=st.binary(max_size=300))
def test_any_bytes_are_a_line_or_none(journal: str, raw: bytes) -> None:
    found = read(journal, raw)
    assert found is None or found.line.journal == journal


@given(
    whole=st.sampled_from([(ARRIVALS, ARRIVAL), (QUEUE_LOG, ENTER), (CEL, BRIDGE)]),
    at=st.integers(0, 200),
    wrong=st.binary(min_size=1, max_size=4),
)
def test_a_damaged_line_is_a_line_of_storable_text_or_none(
    whole: tuple[str, str], at: int, wrong: bytes
) -> None:
    """PostgreSQL stores no NUL, and a forged line's end must not reach anything."""
    journal, text = whole
    raw = text.encode()[:at] + wrong + text.encode()[at + len(wrong) :]
    if (found := read(journal, raw)) is not None:
        texts = [found.line.call, found.line.linked, found.line.event, *found.line.data.values()]
        assert all(value.isascii() and value.isprintable() for value in texts)
        assert found.line.at.tzinfo is not None


def test_calls_of_the_supervisors_own_are_known_by_what_they_dial() -> None:
    """By the field of CEL for it, and by nothing that only looks like it."""
    probe = "probe" + "0a" * 16
    begin = '"CHAN_START","1764000000.000001","node1-1.1","node1-1.1","PJSIP/anonymous@line-00000001",'
    assert is_probe(f'{begin}"from-trunk","{probe}","","","",""'.encode())
    assert not is_probe(f'{begin}"from-trunk","88006000000","{probe}","","",""'.encode())
    assert not is_probe(f'{begin}"from-trunk","{probe}x","","","",""'.encode())
    assert not is_probe(f"2026-11-24T10:00:00.000+00:00\tnode1\tnode1-1.1\t\t{probe}".encode())
