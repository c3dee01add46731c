"""pydantic's findings in sentences for who writes scenarios: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from ivr.scenarios.faults import Path, shown
from ivr.scenarios.model import KINDS, Choice, Scenario

_CALLED: Mapping[str, str] = {
    "ask": "the question that is asked",
    "again": "what is said when the answer was not understood",
    "answer": "the words of the answer",
    "hand_over": "what is said before the operator",
    "end": "the last words",
    "title": "what the scenario is about",
    "scenario": "the scenario's name",
    "states": "the states of the dialogue",
}
_FORMS: Mapping[str, str] = {
    "key": "one key from 1 to 9; 0 is the operator's",
    "agency": "an agency's code: small Latin letters, digits, `_`",
}
_NAME = "a name: small Latin letters, digits, `_`, a letter first, at most 40"
_KINDS = ", ".join(f"`{kind}`" for kind in KINDS)


def path_of(error: ErrorDetails) -> Path:
    """Where in the file: without the kind of state, which pydantic puts between."""
    loc = tuple(part for part in error["loc"] if part != "[key]")
    return (*loc[:2], *loc[3:]) if len(loc) > 2 and loc[0] == "states" and loc[2] in KINDS else loc


def sentence(error: ErrorDetails) -> str:
    """One error of pydantic's in our words. It never repeats more than a name of the file."""
    say = _SENTENCES.get(error["type"], _otherwise)
    return say(_field(path_of(error)), error)


def _field(path: Path) -> str:
    """Its name; items of lists are counted from 1."""
    match path[-1] if path else "the file":
        case int(number):
            return f"{'phrase' if 'phrases' in path else 'choice'} {number + 1}"
        case name:
            return shown(str(name))


def _otherwise(field: str, error: ErrorDetails) -> str:
    return f"`{field}` cannot be used ({error['msg'].lower()}); see docs/scenarios.md"


def _missing(field: str, error: ErrorDetails) -> str:
    hint = f", {_CALLED[field]}" if field in _CALLED else ""
    return f"`{field}` is missing here; add `{field}: …`{hint}"


def _empty(field: str, error: ErrorDetails) -> str:
    return f"`{field}` is empty; write {_CALLED.get(field, 'it')}, or take the line out"


def _unknown(field: str, error: ErrorDetails) -> str:
    known = ", ".join(f"`{name}`" for name in _fields(error))
    return f"unknown field `{field}`; known here: {known}"


def _fields(error: ErrorDetails) -> tuple[str, ...]:
    loc = error["loc"]
    if len(loc) == 1:
        return tuple(Scenario.model_fields)
    form: type[BaseModel] = Choice if "choices" in loc[3:-1] else KINDS[str(loc[2])]
    return tuple(form.model_fields)


def _pattern(field: str, error: ErrorDetails) -> str:
    return f"`{field}` cannot be this; write {_FORMS.get(field, _NAME)}"


def _own(field: str, error: ErrorDetails) -> str:
    """A sentence of ivr/scenarios/model.py."""
    return f"`{field}` {_context(error)['error']}"


def _expected(field: str, error: ErrorDetails) -> str:
    return f"`{field}` is none of {str(_context(error)['expected']).replace(' or ', ', ')}; write one of them"


def _context(error: ErrorDetails) -> Mapping[str, Any]:
    return error.get("ctx", {})


def _is_no(what: str) -> Callable[[str, ErrorDetails], str]:
    return lambda field, error: f"`{field}` is not {what}; look at the indents and dashes here"


_SENTENCES: Mapping[str, Callable[[str, ErrorDetails], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "string_too_short": _empty,
    "string_too_long": lambda f, e: (
        f"`{f}` is longer than {_context(e)['max_length']} characters; shorten it"
    ),
    "too_long": lambda f, e: f"`{f}` has more than {_context(e)['max_length']} entries; divide it",
    "too_short": _empty,
    "string_pattern_mismatch": _pattern,
    "value_error": _own,
    "union_tag_not_found": lambda f, e: f"state `{f}` does nothing; give it one of {_KINDS}",
    "literal_error": _expected,
    "int_parsing": lambda f, e: f"`{f}` is not a number; write 1 or 2",
    "less_than_equal": lambda f, e: f"`{f}` is too large; write 1 or 2",
    "greater_than_equal": lambda f, e: f"`{f}` is too small; write 1 or 2",
    "string_type": _is_no("a text"),
    "string_unicode": lambda f, e: f"`{f}` has a character that is none; write it without `\\u`",
    "tuple_type": _is_no("a list"),
    "dict_type": _is_no("a mapping of names"),
    "model_type": _is_no("a mapping of fields"),
    "model_attributes_type": _is_no("a mapping of fields"),
}
