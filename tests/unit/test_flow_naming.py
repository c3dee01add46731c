"""SNILS and full name by voice (§20): who may hear the status, and what nobody learns."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from ivr.domain.benefits import Citizen
from ivr.domain.enquiry import Level
from ivr.domain.names import COMMON, Part
from ivr.services import locks
from ivr.services.audit import By
from ivr.services.guesses import LINE
from ivr.services.identification import ALL, NUMBER, Caller
from ivr.services.names import LEAST_COMMON, NAMES, NameAttempt
from ivr.settings import IdentificationRules, SpeechSettings
from ivr.testing import FakeChannel
from tests.unit.ringing import MINE, RECEIPT, SNILS, Line, RingingChannel, another

OWNER = Citizen(snils=SNILS, last_name="Филиппова", first_name="Анна", patronymic="Петровна")
QUESTIONS = ["name.surname.voice", "name.first.voice", "name.patronymic.voice"]
SPELL, FAILED = "name.spell.voice", "identify.failed"
NAMED = ("филиппова", "анна", "петровна")


def a_line(*, owner: Citizen | None = OWNER, on: bool = True, listens: bool = True, **more: Any) -> Line:
    speech = SpeechSettings(names_by_voice=on)
    line = Line(listens=listens, speech=speech, **more).knows(applications=[RECEIPT])
    with line.store.transaction() as uow:
        uow.citizens.upsert([] if owner is None else [owner])
        uow.commit()
    return line


def says(channel: RingingChannel, *names: str, score: int = 100) -> RingingChannel:
    for question, name in zip(QUESTIONS, names, strict=True):
        channel.caller.says(name, on=question, after=0.5, score=score)
    return channel


def by_snils(line: Line, **more: Any) -> RingingChannel:
    return line.ring(f"12{SNILS}", **more)


async def named(line: Line, *names: str) -> FakeChannel:
    return await line.answers(says(by_snils(line), *names))


def failures(line: Line) -> tuple[int, int, int]:
    keys = ((NUMBER, MINE), (NAMES, SNILS), (ALL, LINE))
    found = [line.store.rows.guesses.get(scope, key) for scope, key in keys]
    one, two, three = (0 if counter is None else counter.failures for counter in found)
    return one, two, three


def results(line: Line) -> list[str]:
    return [row.result for row in line.audit if row.action == "identification.attempt"]


def goes_to_an_operator(line: Line, channel: FakeChannel) -> bool:
    """As without the setting: level, queue, and what the operator reads."""
    card = line.card(channel)
    as_ever = card.comment == f"СНИЛС, названный на линии: {SNILS}. Спросите фамилию, имя и отчество."
    return as_ever and card.level is Level.NONE and channel.handed_over == ("general", 0, card.id)


# --- right -----------------------------------------------------------------------------------------


async def test_the_right_names_open_the_status_and_cost_no_try() -> None:
    line = a_line()
    channel = await named(line, *NAMED)
    card = line.card(channel)
    assert channel.heard.count("status.result") == 1 and not {SPELL, FAILED} & set(channel.heard)
    assert (card.level, card.agency) == (Level.APPLICATION, "soc")
    assert "Спросите" not in card.comment and "совпали" in card.comment
    assert [row.action for row in line.audit][-1] == "applications.read"
    assert results(line) == ["begun path=name", "application match_source=name"]
    assert failures(line) == (0, 0, 0)


async def test_the_newest_applications_are_told_together() -> None:
    line = a_line().knows(applications=[another(RECEIPT, number=f"56-{n}") for n in range(4)])
    channel = await named(line, *NAMED)
    assert channel.heard.count("status.result") == 3


async def test_an_agency_that_does_not_know_the_citizen_leads_to_an_operator_who_sees_the_level() -> None:
    line = a_line()
    line.store.rows.applications.rows.clear()
    channel = await named(line, *NAMED)
    card = line.card(channel)
    assert (card.level, channel.handed_over) == (Level.APPLICATION, ("general", 0, card.id))


async def test_who_has_no_patronymic_says_so() -> None:
    line = a_line(owner=another_owner(patronymic=""))
    assert "status.result" in (await named(line, "филиппова", "анна", "нет отчества")).heard
    assert "status.result" not in (await named(line, *NAMED)).heard


async def test_a_patronymic_is_not_spared_by_saying_there_is_none() -> None:
    line = a_line()
    channel = await named(line, "филиппова", "анна", "нет отчества")
    assert goes_to_an_operator(line, channel)


# --- wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [0, 1, 2])
async def test_one_wrong_name_leads_to_an_operator_after_all_three_were_asked(wrong: int) -> None:
    line = a_line()
    said = list(NAMED)
    said[wrong] = ("кузнецова", "ольга", "ивановна")[wrong]
    channel = await named(line, *said)
    assert goes_to_an_operator(line, channel)
    assert [id_ for id_ in channel.heard if id_.startswith("name.")] == QUESTIONS
    assert FAILED in channel.heard
    assert results(line) == ["begun path=name", "failed path=name"] and failures(line) == (1, 1, 1)


async def test_an_unknown_snils_is_asked_the_same_and_is_nobodys() -> None:
    line = a_line(owner=None)
    channel = await named(line, "кузнецова", "анна", "нет отчества")
    assert goes_to_an_operator(line, channel)
    assert [id_ for id_ in channel.heard if id_.startswith("name.")] == QUESTIONS
    assert failures(line) == (1, 1, 1)


async def test_who_has_no_names_in_the_register_cannot_be_right() -> None:
    line = a_line(owner=Citizen(snils=SNILS, last_name="Филиппова"))
    channel = says(by_snils(line), "филиппова", "[unk]", "нет отчества")
    channel.caller.says("а эн эн а", on=SPELL, after=0.5)
    assert goes_to_an_operator(line, await line.answers(channel))


# --- doubt -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "score"), [("филиппова", 20), ("[unk]", 90)])
async def test_what_is_not_heard_well_is_spelled(said: str, score: int) -> None:
    line = a_line()
    channel = by_snils(line)
    channel.caller.says(said, on=QUESTIONS[0], after=0.5, score=score)
    channel.caller.says("эф и эль и пэ пэ о вэ а", on=SPELL, after=0.5, score=20)
    channel.caller.says("анна", on=QUESTIONS[1], after=0.5)
    channel.caller.says("петровна", on=QUESTIONS[2], after=0.5)
    await line.answers(channel)
    assert "status.result" in channel.heard and channel.heard.count(SPELL) == 1
    assert "speech.confirm.voice" not in channel.heard  # it would tell a stranger the name


async def test_a_near_miss_is_spelled_once_and_the_letters_decide() -> None:
    near = Citizen(snils=SNILS, last_name="Иванова", first_name="Анна", patronymic="Петровна")
    for letters, told in (("иван вэ анна эн о вэ а", True), ("и вэ а эн о вэ", False)):
        line = a_line(owner=near)
        channel = says(by_snils(line), "иванов", "анна", "петровна")
        channel.caller.says(letters, on=SPELL, after=0.5)
        await line.answers(channel)
        assert ("status.result" in channel.heard) is told
        assert told or goes_to_an_operator(line, channel)
        assert channel.heard.count(SPELL) == 1


async def test_keys_that_are_no_answer_are_said_to_be_none_and_cost_no_name() -> None:
    """Those typed ahead as well: nothing of them spares a question, and nobody has to spell for them."""
    line = a_line()
    channel = by_snils(line)
    for keys, question, name in zip(("5", "", "#7"), QUESTIONS, NAMED, strict=True):
        if keys:
            channel.caller.presses(keys, on=question, after=0.2)
        channel.caller.says(name, on=question, after=0.5, hearing=2 if keys else 1)
    await line.answers(channel)
    assert "status.result" in channel.heard and SPELL not in channel.heard
    assert channel.heard.count("no_match") == 3


async def test_who_presses_keys_all_the_time_reaches_an_operator() -> None:
    line = a_line()
    channel = by_snils(line)
    channel.caller.presses("5", on=QUESTIONS[0], after=0.5, hearing=1)
    channel.caller.presses("5", on=QUESTIONS[0], after=0.5, hearing=2)
    channel.caller.presses("5", on=QUESTIONS[0], after=0.5, hearing=3)
    assert goes_to_an_operator(line, await line.answers(channel))


async def test_words_that_are_no_letters_are_a_failure() -> None:
    line = a_line()
    channel = says(by_snils(line), "[unk]", "анна", "петровна")
    channel.caller.says("[unk]", on=SPELL, after=0.5)
    await line.answers(channel)
    assert goes_to_an_operator(line, channel) and "speech.keys_only" not in channel.heard


# --- where it cannot be asked ----------------------------------------------------------------------


async def told_without(line: Line, **more: Any) -> list[str]:
    channel = await line.answers(says(by_snils(line, **more), *NAMED))
    assert goes_to_an_operator(line, channel)
    return channel.heard


async def test_with_the_setting_off_nothing_changes() -> None:
    line, never = a_line(on=False), Line(listens=True).knows(applications=[RECEIPT])
    assert SpeechSettings().names_by_voice is False
    assert await told_without(line) == await told_without(never)
    assert line.audit == never.audit == [] and failures(line) == (0, 0, 0)


@pytest.mark.parametrize("why", ["no model", "no stream", "no recogniser"])
async def test_who_cannot_speak_goes_to_an_operator_at_once(why: str) -> None:
    line = a_line(listens=why != "no model")
    line.recogniser.free = 0 if why == "no stream" else 1
    channel = says(by_snils(line), *NAMED)
    channel.ears = why != "no recogniser"
    await line.answers(channel)
    assert goes_to_an_operator(line, channel) and line.audit == []
    assert not [id_ for id_ in channel.heard if id_.startswith("name.")]


async def test_where_the_recogniser_is_lost_meanwhile_the_operator_is_a_key_away() -> None:
    line = a_line()
    channel = by_snils(line)
    for hearing in (1, 2):
        channel.caller.says("", on=QUESTIONS[0], after=0.5, hearing=hearing)
    channel.caller.presses("0", on="name.surname", after=0.5)
    await line.answers(channel)
    assert goes_to_an_operator(line, channel) and "speech.keys_only" in channel.heard
    assert failures(line) == (1, 1, 1)


async def test_a_word_of_the_name_that_the_model_does_not_know_costs_a_try_and_asks_nothing() -> None:
    line = a_line()
    line.unknown = {"филиппова"}
    assert "name.surname.voice" not in await told_without(line)
    assert failures(line) == (1, 1, 1)


async def test_a_name_in_other_letters_is_left_to_an_operator() -> None:
    assert "name.surname.voice" not in await told_without(a_line(owner=another_owner(last_name="Smith")))


async def test_where_the_models_words_cannot_be_read_nobody_pays() -> None:
    line = a_line()
    line.unknown_error = TimeoutError()
    assert "name.surname.voice" not in await told_without(line)
    assert failures(line) == (0, 0, 0) and results(line) == ["begun path=name", "impossible path=name"]


async def test_a_lock_of_names_is_shown_and_taken_back_with_the_others() -> None:
    line = a_line(identification=IdentificationRules(tries_per_snils=1))
    await named(line, "кузнецова", "анна", "петровна")
    with line.store.transaction() as uow:
        shown = {str(row["scope"]): row["locked"] for row in locks.listed(uow, line.clock.now())}
        locks.unlock(uow, By(actor="cli:anna", at=line.clock.now()), SNILS)
        uow.commit()
    assert shown[NAMES] == 1
    assert "status.result" in (await named(line, *NAMED)).heard


async def test_a_model_that_knows_too_few_names_costs_nothing() -> None:
    line = a_line()
    line.unknown = set(COMMON[Part.FIRST])
    assert "name.surname.voice" not in await told_without(line)
    assert failures(line) == (0, 0, 0) and results(line) == ["begun path=name", "impossible path=name"]


# --- limits ----------------------------------------------------------------------------------------


async def test_after_five_wrong_names_a_snils_is_locked_and_right_ones_are_not_asked() -> None:
    line = a_line()
    for _ in range(5):
        assert goes_to_an_operator(line, await named(line, "кузнецова", "анна", "петровна"))
    channel = await named(line, *NAMED)
    assert goes_to_an_operator(line, channel) and "name.surname.voice" not in channel.heard
    assert results(line)[-1] == "locked"


async def test_a_right_name_forgets_no_wrong_ones() -> None:
    line = a_line()
    await named(line, "кузнецова", "анна", "петровна")
    assert "status.result" in (await named(line, *NAMED)).heard
    assert failures(line) == (1, 1, 1)


@pytest.mark.parametrize("missing", ["last_name", "first_name"])
async def test_half_a_name_in_the_register_is_not_enough_whatever_was_said(missing: str) -> None:
    line = a_line(owner=another_owner(**{missing: ""}))
    assert line.desk.names is not None
    attempt = await line.desk.names.begin(Caller(call="1.1", card="", number=MINE), SNILS)
    assert attempt is not None and not await line.desk.names.settle(attempt, right=True)
    assert failures(line) == (1, 1, 1)


async def test_hanging_up_saves_no_try() -> None:
    line = a_line()
    channel = by_snils(line)
    channel.caller.leaves(on=QUESTIONS[1], after=0.5)
    channel.caller.says("филиппова", on=QUESTIONS[0], after=0.5)
    await line.answers(channel)
    assert failures(line) == (1, 1, 1) and results(line) == ["begun path=name"]
    assert channel.handed_over is None


@pytest.mark.parametrize("wish", ["оператор", "0"])
async def test_an_operator_can_be_wished_for_meanwhile(wish: str) -> None:
    line = a_line()
    channel = by_snils(line)
    if wish == "0":
        channel.caller.presses("0", on=QUESTIONS[0], after=0.5)
    else:
        channel.caller.says(wish, on=QUESTIONS[0], after=0.5)
    assert goes_to_an_operator(line, await line.answers(channel))


# --- what stays ------------------------------------------------------------------------------------


async def test_no_name_is_told_counted_or_kept_by_the_recogniser(capsys: pytest.CaptureFixture[str]) -> None:
    line = a_line()
    channel = await named(line, *NAMED)
    traces = repr(line.told(channel))
    audit = json.dumps([asdict(row) for row in line.audit], default=str, ensure_ascii=False)
    taught, logged = repr(line.recogniser.taught), capsys.readouterr()
    for name in ("филиппов", "анна", "петровн"):
        for written in (traces, audit, taught, logged.out, logged.err, *channel.expected):
            assert name not in written.lower()


def test_own_names_are_listened_to_among_many_and_never_alone() -> None:
    own = dict(zip(Part, NAMED, strict=True))
    attempt = NameAttempt(caller=Caller(call="1.1", card="", number=None), own=own, unknown=(), counted=())
    assert all(len(attempt.common(part)) >= LEAST_COMMON for part in Part)
    assert "анна" not in attempt.common(Part.FIRST) and "филиппова" not in repr(attempt)


def another_owner(**fields: Any) -> Citizen:
    return Citizen(**{**asdict(OWNER), **fields})
