"""What Asterisk answers to SPEECH RECOGNIZE, line by line."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.asterisk.agi_speech import heard_of, whole
from ivr.asterisk.agi_wire import AgiConnection, ProtocolError, Reply
from ivr.domain.errors import CallerHungUp, Unavailable
from ivr.ports import KEYS, Heard


def reply(line: str) -> Reply:
    connection = AgiConnection()
    connection.receive(b"agi_network: yes\n\n")
    (event,) = connection.receive(f"{line}\n".encode())
    assert isinstance(event, Reply)
    return event


@pytest.mark.parametrize(
    ("line", "heard"),
    [
        (
            '200 result=1 (speech) endpos=0 results=1 score0=97 text0="ноль один" grammar0=digits',
            Heard(text="ноль один", score=97),
        ),
        ('200 result=1 (speech) endpos=0 results=1 score0=0 text0="" grammar0=', Heard(text="", score=0)),
        ("200 result=1 (speech) endpos=0 results=0 ", Heard(text="", score=0)),
        ('200 result=1 (speech) endpos=0 results=1 score0=-3 text0="да"', Heard(text="да", score=0)),
        ('200 result=1 (speech) endpos=0 results=1 score0=4000 text0="да"', Heard(text="да", score=100)),
        ("200 result=1 (digit) digit=5 endpos=0", "5"),
        ("200 result=1 (digit) digit=# endpos=0", "#"),
        ("200 result=1 (digit) digit=A endpos=0", None),
        ("200 result=1 (timeout) endpos=0", None),
    ],
)
def test_a_key_words_or_nothing(line: str, heard: object) -> None:
    assert heard_of(reply(line)) == heard


def test_a_hang_up_and_a_channel_without_a_recogniser_are_told() -> None:
    with pytest.raises(CallerHungUp):
        heard_of(reply("200 result=1 (hangup) endpos=0"))
    for line in ("200 result=0", "200 result=0 endpos=0", "200 result=1 (what) endpos=0", "200 result=1"):
        with pytest.raises(Unavailable):
            heard_of(reply(line))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=200))
def test_no_line_breaks_the_reader_or_makes_a_key_that_no_telephone_has(text: str) -> None:
    with suppress(ProtocolError, CallerHungUp, Unavailable, ValueError):
        heard = heard_of(reply(f"200 result=1 {text}"))
        assert heard is None or isinstance(heard, Heard) or heard in set(KEYS)
        assert not isinstance(heard, Heard) or 0 <= heard.score <= 100


@pytest.mark.parametrize(("seconds", "argument"), [(0, "1"), (0.2, "1"), (1, "1"), (2.1, "3"), (9e9, "3600")])
def test_asterisk_counts_whole_seconds_and_never_for_ever(seconds: float, argument: str) -> None:
    assert whole(seconds) == argument
