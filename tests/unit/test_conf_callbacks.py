"""Calls out: one way by the trunk, behind the engine's word and the same list as in the engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ivr.asterisk import conf
from ivr.asterisk.layout import Layout
from ivr.asterisk.tree import AsteriskTree
from ivr.services.calling_rules import CallingRules
from ivr.settings import CallbackSettings, Settings, Trunk

TRUNK = Trunk(host="127.0.0.1", port=5070, outbound_cli="+73431234567")
NUMBERS = (
    "+79123456789",
    "+73431234568",
    "+74951234567",
    "+78121234567",
    "+78006000000",  # our own
    "+73431234567",  # the one that is shown
    "+78091234567",  # costs extra
    "+78031234567",
    "+78041234567",
    "+7912345678",  # a digit is missing
    "+791234567890",
    "+77121234567",  # Kazakhstan
    "+12025550123",
    "+4930123456",
    "79123456789",
    "89123456789",
    "+79123456789@evil.invalid",
    "+7912345678a",
    "",
)


def rendered(settings: Settings, tmp_path: Path, name: str) -> str:
    data = tmp_path / "tree"
    for folder in ("moh", "documentation", "sounds/ru_RU_f_IvrvoiceRU"):
        (data / folder).mkdir(parents=True, exist_ok=True)
    (data / "moh" / "music.wav").touch()
    tree = AsteriskTree(
        root=tmp_path, version="22.10.1", argv_prefix=("asterisk",), modules=tmp_path / "modules", data=data
    )
    conf.render(settings, [], [], tree=tree)
    return (Layout.of(settings).etc / name).read_text()


def context(text: str, name: str) -> str:
    return text.partition(f"\n[{name}]")[2].partition("\n[")[0]


def may_dial(number: str, lines: str) -> bool:
    """What [callback-trunk] comes to, by the conditions it was rendered with."""
    may = False
    for length, beginning, verdict in re.findall(
        r'ExecIf\(\$\["\$\{EKC_DIAL(?::0:(\d+))?\}" = "([^"]*)"\]\?Set\(EKC_MAY=(yes|no)\)\)', lines
    ):
        if (number[: int(length)] if length else number) == beginning:
            may = verdict == "yes"
    [shape] = re.findall(r'REGEX\("([^"]+)" \$\{EKC_DIAL\}\)\} = 0\]\?Set\(EKC_MAY=no\)', lines)
    return may and re.search(shape, number) is not None


@pytest.mark.parametrize("number", NUMBERS)
def test_the_dialplan_dials_what_the_engine_would_dial(number: str, tmp_path: Path) -> None:
    settings = Settings(state=tmp_path / "state", trunk=TRUNK)
    lines = context(rendered(settings, tmp_path, "dialplans/callbacks.conf"), "callback-trunk")
    allowed = number.startswith("+") and CallingRules.of(settings).numbers.refusal(number) is None
    if re.fullmatch(r"[+][0-9]+", number) is None:
        allowed = False
    assert may_dial(number, lines) is allowed


def test_a_sites_own_list_is_the_dialplans(tmp_path: Path) -> None:
    own = CallbackSettings(allowed=("+7343",), barred=("+734399",))
    settings = Settings(state=tmp_path / "state", trunk=TRUNK, callbacks=own)
    lines = context(rendered(settings, tmp_path, "dialplans/callbacks.conf"), "callback-trunk")
    verdicts = [may_dial(number, lines) for number in ("+73432222222", "+73439912345", "+79123456789")]
    assert verdicts == [True, False, False]


def test_nothing_is_dialled_before_the_list_has_been_asked(tmp_path: Path) -> None:
    """And each way there begins with an empty sentinel, or with an attempt that was committed before."""
    text = rendered(Settings(state=tmp_path / "state"), tmp_path, "dialplans/callbacks.conf")
    lines = context(text, "callback-trunk").splitlines()
    places = {word: next(n for n, line in enumerate(lines) if word in line) for word in ("EKC_MAY}", "Dial(")}
    assert places["EKC_MAY}"] < places["Dial("]
    near = context(text, "callback-dial")
    asked = [
        near.index(step)
        for step in ("EKC_FLOW=)", "EKC_DIAL=)", "/callback-dial,", '!= "dial"', "callback-trunk,")
    ]
    assert asked == sorted(asked)


def test_no_context_of_a_caller_or_a_telephone_leads_to_a_callback(tmp_path: Path) -> None:
    """But a key of the citizen's own in the queue, which leads back into the queue."""
    settings = Settings(state=tmp_path / "state", trunk=TRUNK)
    rendered(settings, tmp_path, "dialplans/callbacks.conf")
    etc = Layout.of(settings).etc
    others = [path for path in etc.rglob("*.conf") if path.name != "callbacks.conf"]
    found = {target for path in others for target in re.findall(r"\b(callback-[a-z]+),", path.read_text())}
    assert found == {"callback-waits"}


def test_the_trunk_is_there_for_calls_out_and_for_nobody_who_comes_in(tmp_path: Path) -> None:
    """identify_by: else a digest in the name `trunk` would pass for it, without a password."""
    settings = Settings(state=tmp_path / "state", trunk=TRUNK)
    text = rendered(settings, tmp_path, "pjsip.conf")
    endpoint = context(text, "trunk")
    assert "identify_by = ip" in endpoint and "aors = trunk" in endpoint
    assert "contact = sip:127.0.0.1:5070\n" in text
    modules = rendered(settings, tmp_path, "modules.conf")
    assert "endpoint_identifier_ip" not in modules


def test_without_a_trunk_there_is_no_way_out(tmp_path: Path) -> None:
    text = rendered(Settings(state=tmp_path / "state"), tmp_path, "pjsip.conf")
    assert "[trunk]" not in text


def test_by_tcp_the_trunk_is_called_by_tcp(tmp_path: Path) -> None:
    trunk = Trunk(host="127.0.0.1", port=5070, transport="tcp")
    text = rendered(Settings(state=tmp_path / "state", trunk=trunk), tmp_path, "pjsip.conf")
    assert "contact = sip:127.0.0.1:5070\\;transport=tcp\n" in text
    assert "transport = line-tcp" in context(text, "trunk")
