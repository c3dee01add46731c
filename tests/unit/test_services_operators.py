"""Operators' accounts: what is accepted, what is refused in words, what is written in the audit."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import BadInput, NotFound
from ivr.domain.operators import OperatorState
from ivr.services import operators
from ivr.services.audit import By
from tests.unit.memory import START, Rows

BY = By(actor="cli:anna", at=START)
GOOD = {"name": "Анна Орлова", "extension": "201", "agency": "szn", "line": 1, "password": "Tr0ub4dor&3"}


def test_a_new_operator_is_logged_out_and_only_the_digest_secret_is_kept() -> None:
    rows = Rows()
    operator = operators.add(rows, BY, **GOOD)
    assert operator.state is OperatorState.LOGGED_OUT
    assert rows.operators.secrets == {"201": hashlib.md5(b"201:ekc:Tr0ub4dor&3").hexdigest()}  # noqa: S324


def test_adding_is_audited_by_extension_without_the_name() -> None:
    rows = Rows()
    operators.add(rows, BY, **GOOD)
    [row] = rows.audit.rows
    assert (row.actor, row.action, row.subject, row.result) == ("cli:anna", "operators.add", "201", "ok")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"extension": "12"}, "3 to 5 digits"),
        ({"extension": "1001"}, "first of them 2-9"),
        ({"extension": "201\n"}, "3 to 5 digits"),
        ({"name": "  "}, "1 to 80 characters"),
        ({"name": "я" * 81}, "1 to 80 characters"),
        ({"name": "Анна\nОрлова"}, "plain text"),
        ({"name": 'Анна "Орлова"'}, "plain text"),
        ({"name": "Анна; #include"}, "plain text"),
        ({"agency": "zags"}, "ekc agencies import"),
        ({"agency": "Загс"}, "is no code"),
        ({"line": 3}, "line 1 or 2"),
        ({"password": "short"}, "8 to 128"),
        ({"password": "x" * 129}, "8 to 128"),
        ({"password": "пароль-секрет"}, "printable ASCII"),
        ({"password": "two\nlines of it"}, "printable ASCII"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(wrong: dict[str, object], said: str) -> None:
    rows = Rows()
    with pytest.raises(BadInput, match=said):
        operators.add(rows, BY, **{**GOOD, **wrong})
    assert rows.operators.rows == {}


def test_a_refused_password_is_not_repeated() -> None:
    with pytest.raises(BadInput) as refused:
        operators.add(Rows(), BY, **{**GOOD, "password": "геслоХ"})
    assert "геслоХ" not in str(refused.value)


def test_disabling_twice_keeps_the_time_of_the_first() -> None:
    rows = Rows()
    operators.add(rows, BY, **GOOD)
    operators.disable(rows, BY, "201")
    operators.disable(rows, replace(BY, at=START.replace(hour=11)), "201")
    assert rows.operators.get("201").state is OperatorState.DISABLED
    assert rows.operators.get("201").since == START


def test_enabling_brings_a_disabled_operator_back_logged_out_and_leaves_others_alone() -> None:
    rows = Rows()
    operators.add(rows, BY, **GOOD)
    operators.add(rows, BY, **{**GOOD, "extension": "202"})
    rows.operators.set_state("202", OperatorState.READY, reason="", at=START)
    operators.disable(rows, BY, "201")
    for extension in ("201", "202"):
        operators.enable(rows, BY, extension)
    assert rows.operators.get("201").state is OperatorState.LOGGED_OUT
    assert rows.operators.get("202").state is OperatorState.READY


def test_a_new_password_replaces_the_digest_secret() -> None:
    rows = Rows()
    operators.add(rows, BY, **GOOD)
    operators.set_password(rows, BY, extension="201", password="another one")
    assert rows.operators.secrets["201"] == operators.ha1("201", "another one")


@pytest.mark.parametrize("deed", [operators.disable, operators.enable])
def test_an_unknown_extension_is_not_found(deed: object) -> None:
    with pytest.raises(NotFound):
        deed(Rows(), BY, "299")  # type: ignore[operator]


def test_the_list_counts_calls_from_midnight_in_the_sites_zone() -> None:
    rows = Rows()
    operators.add(rows, BY, **GOOD)
    for call, at in (("yesterday", (18, 59)), ("today", (19, 0)), ("today too", (20, 0))):
        card = rows.cards.open(call=call, node="n", number=None, at=datetime(2026, 11, 24, *at, tzinfo=UTC))
        rows.cards.change(card.id, operator="201")
        rows.cards.change_contact(call, outcome=ContactOutcome.SERVED)
    late = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)  # 01:30 of the 25th in Yekaterinburg
    [operator] = operators.listed(rows, now=late, zone=ZoneInfo("Asia/Yekaterinburg"))
    assert operator["calls_today"] == 2


def test_the_list_has_the_keys_of_the_interface_and_the_order_of_extensions() -> None:
    rows = Rows()
    for extension in ("2221", "300", "201"):
        operators.add(rows, BY, **{**GOOD, "extension": extension})
    found = operators.listed(rows, now=START, zone=ZoneInfo("UTC"))
    assert [row["extension"] for row in found] == ["201", "300", "2221"]
    assert list(found[0]) == [
        "extension",
        "name",
        "agency",
        "line",
        "state",
        "reason",
        "since",
        "calls_today",
    ]
