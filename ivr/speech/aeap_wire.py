"""The external application protocol of Asterisk's res_speech_aeap, without a socket: text in, requests out.

A request is `{"request": NAME, "id": ID, …}`, its answer `{"response": NAME, "id": ID, …}` or, refused, with
`"error_msg"`. Asterisk sends `setup` (codecs), `set` (one parameter) and `get`; we send `set` with results.
Asterisk waits at most 1 s for each answer (res_speech_aeap.c).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ivr.domain.errors import EkcError
from ivr.ports import Heard

VERSION = "0.1.0"
CODEC = "slin"
"""Signed 16-bit little-endian, 8 kHz, mono."""
_MOST = 8192
"""Characters of one message; Asterisk's own are far below."""


class NoAeap(EkcError):
    """the message is none of the external application protocol"""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What Asterisk asks."""

    name: str
    id: str
    params: Mapping[str, str]
    """Of `set`; and of `setup` from aeap.conf."""
    codecs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Asterisk's answer to a request of ours."""

    id: str
    refused: bool


def parse(text: str) -> Request | Answer:
    """Raises NoAeap for anything else."""
    if len(text) > _MOST:
        raise NoAeap
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise NoAeap from None
    if not isinstance(message, dict) or not isinstance(message.get("id"), str):
        raise NoAeap
    if isinstance(message.get("response"), str):
        return Answer(id=message["id"], refused="error_msg" in message)
    if not isinstance(message.get("request"), str):
        raise NoAeap
    return Request(
        name=message["request"],
        id=message["id"],
        params=_texts(message.get("params")),
        codecs=_codecs(message.get("codecs")),
    )


def _texts(params: Any) -> Mapping[str, str]:
    if not isinstance(params, dict):
        return {}
    return {name: value for name, value in params.items() if isinstance(value, str)}


def _codecs(codecs: Any) -> tuple[str, ...]:
    if not isinstance(codecs, list):
        return ()
    names = (codec.get("name") for codec in codecs if isinstance(codec, dict))
    return tuple(name for name in names if isinstance(name, str))


def accepted(request: Request) -> str:
    """The answer «done»; to `setup` it names the codec that Asterisk is to send."""
    answer: dict[str, object] = {"response": request.name, "id": request.id}
    if request.name == "setup":
        answer["codecs"] = [{"name": CODEC}]
    return json.dumps(answer)


def refused(request: Request, why: str) -> str:
    return json.dumps({"response": request.name, "id": request.id, "error_msg": why})


def results(heard: Heard, *, grammar: str, id_: str) -> str:
    """Ends the caller's turn. One result only: Asterisk takes the others in an order of its own."""
    result = {"text": heard.text, "score": heard.score, "grammar": grammar, "best": 0}
    return json.dumps({"request": "set", "id": id_, "params": {"results": [result]}}, ensure_ascii=False)
