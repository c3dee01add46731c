"""The catalogue of prompts: what each id says, with which parameters (the texts are in sentences.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from ivr.domain.errors import BadInput
from ivr.ports import Prompt
from ivr.speech.parts import Entry, Piece
from ivr.speech.sentences import ENTRIES

SCENARIO = "scenario"
"""`scenario.NAME.STATE`: the words of a state of a dialogue scenario, each with an id of its own."""


def entry(id_: str) -> Entry:
    """Raises BadInput for an unknown id."""
    if id_.startswith(f"{SCENARIO}."):
        return ENTRIES[SCENARIO]
    if id_ not in ENTRIES:
        raise BadInput(f"there is no prompt {id_}")
    return ENTRIES[id_]


def ids() -> tuple[str, ...]:
    """Every id, in the order of a call."""
    return tuple(ENTRIES)


def pieces(prompt: Prompt) -> tuple[Piece, ...]:
    """What is spoken, in order. Raises BadInput for an unknown id or wrong parameters."""
    found = entry(prompt.id)
    found.check(prompt.id, prompt.values)
    made = (part.piece(prompt.values) for part in found.parts)
    return tuple(piece for piece in made if piece.text)


def text(prompt: Prompt) -> str:
    """The whole prompt in Russian. Raises BadInput for an unknown id or wrong parameters."""
    return " ".join(piece.text for piece in pieces(prompt))


def sentences(prompt: Prompt) -> list[str]:
    """The prompt's sentences."""
    return re.findall(r"[^.!?]+[.!?]*", text(prompt))


def prepared() -> Iterator[Prompt]:
    """Every prompt that can be made before anybody calls: without parameters, or with few values each."""
    for id_ in ids():
        found = entry(id_)
        kinds = found.parameters.values()
        if found.personal or not all(kind.variants for kind in kinds):
            continue
        for values in product(*(kind.variants for kind in kinds)):
            yield Prompt(id_, dict(zip(found.parameters, values, strict=True)))
