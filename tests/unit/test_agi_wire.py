"""The AGI wire: every form of line, however it is cut, and rubbish."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.asterisk.agi_wire import (
    MAX_ARGUMENTS,
    MAX_BLOCK,
    MAX_COMMAND,
    MAX_ENVIRONMENT,
    MAX_LINE,
    AgiConnection,
    EndOfStream,
    Environment,
    Event,
    HangUp,
    ProtocolError,
    Reply,
    command,
)
from ivr.domain.errors import BadInput

ENVIRONMENT = b"agi_network: yes\nagi_network_script: line\nagi_uniqueid: 1700000000.1\nagi_rdnis:\n\n"


def connection() -> AgiConnection:
    """A connection past its environment."""
    wire = AgiConnection()
    wire.receive(ENVIRONMENT)
    return wire


def test_the_environment_is_one_event_with_empty_values_kept() -> None:
    (event,) = AgiConnection().receive(ENVIRONMENT)
    assert isinstance(event, Environment)
    assert event.values == {
        "network": "yes",
        "network_script": "line",
        "uniqueid": "1700000000.1",
        "rdnis": "",
    }


@pytest.mark.parametrize("result", [-1, 0, 1, 48, 127])
def test_a_reply_that_needs_no_parsing_is_the_same_as_a_parsed_one(result: int) -> None:
    """Alone and whole it is looked up, in two pieces it is parsed."""
    line = b"200 result=%d\n" % result
    wire = connection()
    assert [*wire.receive(line[:5]), *wire.receive(line[5:])] == wire.receive(line)


@pytest.mark.parametrize(
    "begun", [b"", b"agi_network: yes\n", ENVIRONMENT + b"520-Usage\n", ENVIRONMENT + b"200 result=1 (a\n"]
)
def test_a_whole_reply_in_the_middle_of_something_else_is_no_reply(begun: bytes) -> None:
    """Within the environment it is rubbish, within a block or a value one of its lines."""
    wire = AgiConnection()
    if begun:
        wire.receive(begun)
    try:
        events = wire.receive(b"200 result=0\n")
    except ProtocolError:
        events = []
    assert events == []


def test_the_first_of_two_variables_of_one_name_stands() -> None:
    data = b"agi_network_script: line\nagi_calleridname: x\nagi_network_script: operator-login\n\n"
    (event,) = AgiConnection().receive(data)
    assert isinstance(event, Environment)
    assert event.values["network_script"] == "line"


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"200 result=0", Reply(code=200, result=0)),
        (b"200 result=1", Reply(code=200, result=1)),
        (b"200 result=-1", Reply(code=200, result=-1)),
        (b"200 result=-2", Reply(code=200, result=-2)),
        (b"200 result=", Reply(code=200, result="")),
        (b"200 result= (timeout)", Reply(code=200, result="", data="timeout")),
        (b"200 result=0123", Reply(code=200, result="0123")),
        (b"200 result=12*4", Reply(code=200, result="12*4")),
        (b"200 result=12 (timeout)", Reply(code=200, result=12, data="timeout")),
        (b"200 result=" + b"9" * 5000, Reply(code=200, result="9" * 5000)),
        (b"200 result=49 endpos=8000", Reply(code=200, result=49, extra={"endpos": "8000"})),
        (b"200 result=-1 endpos=0", Reply(code=200, result=-1, extra={"endpos": "0"})),
        (b"200 result=1 ()", Reply(code=200, result=1, data="")),
        (b"200 result=1 (a=b (c) d)", Reply(code=200, result=1, data="a=b (c) d")),
        (b"200 result=1 (\xd0\xb4\xd0\xb0)", Reply(code=200, result=1, data="да")),
        (b"200 result=1 (\xff)", Reply(code=200, result=1, data="\N{REPLACEMENT CHARACTER}")),
        (b"200 result=1 (one\ntwo)", Reply(code=200, result=1, data="one\ntwo")),
        (b"200 result=0 Gosub complete", Reply(code=200, result=0, data="Gosub complete")),
        (
            '200 result=1 (speech) endpos=0 results=1 score0=97 text0="ноль один" grammar0=digits'.encode(),
            Reply(
                code=200,
                result=1,
                data="speech",
                extra={
                    "endpos": "0",
                    "results": "1",
                    "score0": "97",
                    "text0": "ноль один",
                    "grammar0": "digits",
                },
            ),
        ),
        (
            b"200 result=1 (digit) digit=5 endpos=800",
            Reply(code=200, result=1, data="digit", extra={"digit": "5", "endpos": "800"}),
        ),
        (b"510 Invalid or unknown command", Reply(code=510, data="Invalid or unknown command")),
        (
            b"511 Command Not Permitted on a dead channel or intercept routine",
            Reply(code=511, data="Command Not Permitted on a dead channel or intercept routine"),
        ),
        (
            b"520 Invalid command syntax.  Proper usage not available.",
            Reply(code=520, data="Invalid command syntax.  Proper usage not available."),
        ),
        (
            b"520-Invalid command syntax.  Proper usage follows:\nUsage: ANSWER\n\nHANGUP\n"
            b"520 End of proper usage.",
            Reply(code=520, data="Invalid command syntax.  Proper usage follows:\nUsage: ANSWER\n\nHANGUP"),
        ),
    ],
)
def test_each_form_of_a_reply_is_one_event(line: bytes, reply: Reply) -> None:
    assert connection().receive(line + b"\n") == [reply]


def test_a_hangup_line_may_come_before_between_and_after_replies() -> None:
    events = connection().receive(b"HANGUP\n200 result=0\nHANGUP\nHANGUP\n")
    assert events == [HangUp(), Reply(code=200, result=0), HangUp(), HangUp()]


def test_no_bytes_are_the_end_of_the_stream_and_nothing_may_follow() -> None:
    wire = connection()
    assert wire.receive(b"200 res") == []
    assert wire.receive(b"") == [EndOfStream()]
    with pytest.raises(ProtocolError):
        wire.receive(b"ult=0\n")


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\n",
        b"agi_no_colon\n",
        b"\x16\x03\x01\x02\x00\n",
        b"a" * (MAX_LINE + 1),
        b"agi_a: " + b"a" * MAX_LINE + b"\n",
        b"agi_a: b\n" * (MAX_ENVIRONMENT + 1),
    ],
)
def test_rubbish_instead_of_an_environment_is_a_protocol_error(rubbish: bytes) -> None:
    with pytest.raises(ProtocolError):
        AgiConnection().receive(rubbish)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\n",
        b"200\n",
        b"200 ok\n",
        b"404 result=1\n",
        b"hangup\n",
        b"5200 x\n",
        b"200 result=1\r\n"[:4] + b"\n",
        b"520-a\n" + b"x\n" * (MAX_BLOCK + 1),
        b"200 result=1 (a\n" + b"x\n" * (MAX_BLOCK + 1),
        b"2" * (MAX_LINE + 1),
    ],
)
def test_rubbish_instead_of_a_reply_is_a_protocol_error_for_ever(rubbish: bytes) -> None:
    wire = connection()
    with pytest.raises(ProtocolError):
        wire.receive(rubbish)
    with pytest.raises(ProtocolError):
        wire.receive(b"200 result=0\n")


def test_events_do_not_show_what_was_said_or_typed() -> None:
    (environment,) = AgiConnection().receive(b"agi_callerid: 79123456789\n\n")
    (reply,) = connection().receive(b"200 result=481516 (481516) digit=481516\n")
    assert "79123456789" not in repr(environment)
    assert "481516" not in repr(reply)


def test_a_command_is_its_words_and_its_quoted_arguments() -> None:
    line = command("SET VARIABLE", "EKC_FLOW", 'a "b" \\c', "")
    assert line == b'SET VARIABLE "EKC_FLOW" "a \\"b\\" \\\\c" ""\n'


@pytest.mark.parametrize("bad", ["a\nHANGUP", "a\r", "\0", "\ud800"])
def test_an_argument_that_would_break_out_of_its_line_is_refused(bad: str) -> None:
    for arguments in [(bad,), ("X", bad), (bad, "X"), ("X", bad, 'a "b"')]:
        with pytest.raises(BadInput):
            command("SET VARIABLE", *arguments)


@pytest.mark.parametrize("bad", ["", "answer", "ANSWER\n", "ANSWER ", "ANSWER 1"])
def test_a_command_that_is_not_words_in_capitals_is_refused(bad: str) -> None:
    with pytest.raises(BadInput):
        command(bad)


def test_a_command_fills_asterisks_buffer_and_not_a_byte_more() -> None:
    room = MAX_COMMAND - len(command("NOOP", ""))
    assert len(command("NOOP", "a" * room)) == MAX_COMMAND
    with pytest.raises(BadInput):
        command("NOOP", "a" * (room + 1))


def test_too_many_arguments_are_refused() -> None:
    command("NOOP", *("a" * MAX_ARGUMENTS))
    with pytest.raises(BadInput):
        command("NOOP", *("a" * (MAX_ARGUMENTS + 1)))


def asterisk_reads(line: str) -> list[str]:
    """The arguments as parse_args() of res_agi.c finds them."""
    words: list[str] = []
    quoted = escaped = False
    blank = True
    for c in line:
        if c == '"' and not escaped:
            quoted = not quoted
            if quoted and blank:
                words.append("")
                blank = False
        elif c in " \t" and not quoted and not escaped:
            blank = True
        elif c == "\\" and not escaped:
            escaped = True
        else:
            if blank:
                words.append("")
                blank = False
            words[-1] += c
            escaped = False
    return words


@given(st.lists(st.text(st.characters(exclude_characters="\n\r\0", codec="utf-8"), max_size=40), max_size=8))
def test_asterisk_reads_back_every_argument_as_it_was(arguments: list[str]) -> None:
    line = command("NOOP", *arguments)
    assert asterisk_reads(line.decode().removesuffix("\n")) == ["NOOP", *arguments]


STREAM = ENVIRONMENT + (
    b"200 result=0\nHANGUP\n200 result=1 (\xd0\xb4\xd0\xb0\nno)\n520-Invalid\nUsage: x\n520 End\n"
    b"200 result=-1 endpos=0\n511 dead\n200 result= (timeout)\n510 unknown\nHANGUP\n"
)


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_any_split_of_the_stream_gives_the_same_events(cuts: list[int]) -> None:
    edges = sorted({0, len(STREAM), *cuts})
    wire = AgiConnection()
    events: list[Event] = []
    for start, end in pairwise(edges):
        events += wire.receive(STREAM[start:end])
    assert events == AgiConnection().receive(STREAM)
    assert len(events) == 10


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"200 ", b"result=", b"\n", b"520-", b"520 ", b"HANGUP\n", b"agi_", b": ", b" (", b")"]),
)


@given(st.lists(PIECES, max_size=30), st.booleans())
def test_no_input_raises_anything_but_a_protocol_error(pieces: list[bytes], past: bool) -> None:
    wire = connection() if past else AgiConnection()
    for piece in pieces:
        try:
            events = wire.receive(piece)
        except ProtocolError:
            with pytest.raises(ProtocolError):
                wire.receive(b"x")
            return
        assert all(isinstance(event, Event) for event in events)
