"""The external application protocol, message by message."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.ports import Heard
from ivr.speech import aeap_wire
from ivr.speech.aeap_wire import Answer, NoAeap, Request

SETUP = '{"request":"setup","version":"0.1.0","codecs":[{"name":"slin"}],"params":{"a":"b"},"id":"1"}'


def test_setup_is_answered_with_the_codec_that_is_to_be_sent() -> None:
    request = aeap_wire.parse(SETUP)
    assert request == Request(name="setup", id="1", params={"a": "b"}, codecs=("slin",))
    assert json.loads(aeap_wire.accepted(request)) == {
        "response": "setup",
        "id": "1",
        "codecs": [{"name": "slin"}],
    }


def test_a_parameter_is_set() -> None:
    request = aeap_wire.parse('{"request":"set","id":"2","params":{"grammar":"menu"}}')
    assert isinstance(request, Request)
    assert request.params == {"grammar": "menu"}
    assert json.loads(aeap_wire.accepted(request)) == {"response": "set", "id": "2"}


def test_a_refusal_says_why() -> None:
    request = aeap_wire.parse('{"request":"get","id":"3","params":["results"]}')
    assert isinstance(request, Request)
    assert json.loads(aeap_wire.refused(request, "no")) == {"response": "get", "id": "3", "error_msg": "no"}


def test_answers_to_our_requests_are_told_apart_from_refusals() -> None:
    assert aeap_wire.parse('{"response":"set","id":"4"}') == Answer(id="4", refused=False)
    assert aeap_wire.parse('{"response":"set","id":"4","error_msg":"x"}') == Answer(id="4", refused=True)


def test_one_result_ends_a_turn() -> None:
    text = aeap_wire.results(Heard(text="ноль один", score=97), grammar="digits", id_="5")
    assert json.loads(text)["params"] == {
        "results": [{"text": "ноль один", "score": 97, "grammar": "digits", "best": 0}]
    }


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"request":"set"}', '{"id":1,"request":"set"}', '{"id":"1"}', "x" * 9000, "[" * 8000],
)
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(NoAeap):
        aeap_wire.parse(text)


@given(st.text(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(NoAeap):
        aeap_wire.parse(text)
