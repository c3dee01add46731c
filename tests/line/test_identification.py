"""Every rung of the ladder (§21), on real telephony: who may hear everything, who reaches an operator.

All calls of the ladder are made once, side by side; each test looks at what became of some of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.harness.world import hang_up, keys, wait
from tests.line.identifying import FIRST, GAP, Calling, Citizen, Known, Told, elsewhere, invented, together

pytestmark = pytest.mark.line

ANONYMOUS = "anonymous"
BAD_SNILS = "11223344596"
"""Its check digits would be 95."""
BY_NUMBER, BY_DOCUMENT = ("personal match_source=number",), ("personal match_source=document",)
FAILED, FAILED_BOTH = "failed path=code", "failed path=code_and_document"
WRONG_DOCUMENT = "1111222222#"
NOT_IDENTIFIED = "Личность не подтверждена: данные, набранные на телефоне, не подошли."
Ladder = Mapping[str, Told]


def spelt(who: Citizen, form: str) -> str:
    return f"{form}{who.ten}"


@together
def number_forms(known: Known) -> dict[str, Calling]:
    """The number on file in every usual spelling, in From and in P-Asserted-Identity."""
    calls = {}
    for form in ("8", "7", "+7"):
        one, two = known.take(2)
        calls[f"from {form}"] = Calling(number=spelt(one, form), typed=one.by_code)
        calls[f"asserted {form}"] = Calling(number=elsewhere(), asserted=spelt(two, form), typed=two.by_code)
    return calls


@together
def other_numbers(known: Known) -> dict[str, Calling]:
    other, anonymous, private, forger = known.take(4)
    return {
        "other number": Calling(number=elsewhere(), typed=other.by_document),
        "anonymous": Calling(number=ANONYMOUS, typed=anonymous.by_document),
        "private": Calling(
            number=ANONYMOUS, asserted=spelt(private, "+7"), privacy="id", typed=private.by_document
        ),
        "private without document": Calling(
            number=spelt(forger, "7"),
            privacy="id",
            typed=forger.by_code + WRONG_DOCUMENT,
            until=("prompt identify.again",),
        ),
    }


@together
def failures(known: Known) -> dict[str, Calling]:
    (stranger,) = (Citizen(row=p.citizen) for p in invented(1, seed=99))
    nameless = known.newcomer("")
    code, document, both, own = known.take(4)
    return {
        "unknown SNILS": Calling(
            number=elsewhere(), typed="2" + stranger.snils + 3 * (stranger.code + stranger.document)
        ),
        "no code": Calling(
            number=nameless.phone, typed="2" + nameless.snils + 3 * ("1234#" + nameless.document)
        ),
        "wrong code": Calling(number=elsewhere(), typed="2" + code.snils + 3 * (code.wrong + code.document)),
        "wrong document": Calling(
            number=elsewhere(), typed="2" + document.snils + 3 * (document.code + WRONG_DOCUMENT)
        ),
        "both wrong": Calling(number=elsewhere(), typed="2" + both.snils + 3 * (both.wrong + WRONG_DOCUMENT)),
        "own number, wrong code": Calling(number=own.phone, typed="2" + own.snils + 3 * own.wrong),
    }


@together
def second_thoughts(known: Known) -> dict[str, Calling]:
    forgetful, corrected, mistyped, hopeless, tired, zero, other = known.take(7)
    return {
        "wrong twice, then right": Calling(
            number=forgetful.phone, typed="2" + forgetful.snils + 2 * forgetful.wrong + forgetful.code
        ),
        "corrected": Calling(
            number=corrected.phone, typed="2" + other.snils + "*" + corrected.snils + corrected.code
        ),
        "mistyped": Calling(number=mistyped.phone, typed=f"2{BAD_SNILS},{mistyped.snils}{mistyped.code}"),
        "mistyped thrice": Calling(number=hopeless.phone, typed=f"2{BAD_SNILS},{BAD_SNILS},{BAD_SNILS}"),
        "two stars": Calling(number=tired.phone, typed="2" + tired.snils + "1**"),
        "a lone zero": Calling(number=zero.phone, typed="2" + zero.snils + "0#"),
    }


@together
def letters(known: Known) -> dict[str, Calling]:
    """Codes with letters; the keys are those printed on a telephone, not those of our own table."""
    russian, latin = known.newcomer("Ёлка7"), known.newcomer("Rose42")
    return {
        "Russian letters": Calling(number=russian.phone, typed="2" + russian.snils + "34427#"),
        "Latin letters": Calling(number=latin.phone, typed="2" + latin.snils + "767342#"),
    }


@together
def hang_ups(known: Known) -> dict[str, Calling]:
    """The caller hangs up after these keys and so many seconds."""
    who = known.take(5)
    moments = {
        "hang up at the SNILS": (who[0].phone, "2" + who[0].snils[:5], 0.3),
        "hang up at the readback": (who[1].phone, "2" + who[1].snils, 0.5),
        "hang up at the code": (who[2].phone, "2" + who[2].snils + who[2].code[:2], 0.3),
        "hang up at the document": (elsewhere(), who[3].by_code + who[3].document[:4], 0.3),
        "hang up at the check": (who[4].phone, who[4].by_code, 0.0),
    }
    answered = known.one()
    listening = Calling(number=answered.phone, typed=answered.by_code, until=("prompt benefits.next played",))
    return {"hang up at the answer": listening} | {
        name: Calling(
            number=number,
            typed="",
            script=(wait(FIRST), keys(typed, gap_ms=GAP, on_ms=GAP), wait(seconds), hang_up()),
        )
        for name, (number, typed, seconds) in moments.items()
    }


@pytest.fixture
def ladder(known: Known) -> Ladder:
    """What became of everybody."""
    return known.told


# --- the rungs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["from 8", "from 7", "from +7", "asserted 8", "asserted 7", "asserted +7"])
def test_the_number_on_file_in_any_spelling_needs_the_code_alone(ladder: Ladder, form: str) -> None:
    """§21: SNILS and code are enough from the number given when the code was set."""
    told = ladder[form]
    assert (told.level, told.attempts) == ("personal", BY_NUMBER)
    assert "document" not in told.asked


@pytest.mark.parametrize("who", ["other number", "anonymous", "private"])
def test_any_other_number_or_none_needs_the_document_too(ladder: Ladder, who: str) -> None:
    """§21: code and document together; whoever withholds the number is asked no less."""
    told = ladder[who]
    assert (told.level, told.attempts) == ("personal", BY_DOCUMENT)
    assert told.asked[:5] == ["menu", "snils", "snils.readback", "code", "document"]


def test_a_number_that_was_withheld_does_not_count(ladder: Ladder) -> None:
    """`Privacy: id`: the number is known to the trunk, and to nobody else."""
    told = ladder["private without document"]
    assert (told.level, told.attempts) == ("none", (FAILED_BOTH,))
    assert told.lived.card["number"] is None


@pytest.mark.parametrize("who", ["unknown SNILS", "no code", "wrong code", "wrong document", "both wrong"])
def test_every_failure_sounds_the_same(ladder: Ladder, who: str) -> None:
    """The caller never learns whether a SNILS exists, has a code, or which part was wrong."""
    told, other = ladder[who], ladder["both wrong"]
    assert told.attempts == (FAILED_BOTH,) * 3
    assert told.asked == other.asked
    assert [p for p in told.said if p != "checking"] == [p for p in other.said if p != "checking"]


@pytest.mark.parametrize("who", ["unknown SNILS", "wrong code", "own number, wrong code"])
def test_after_three_failures_an_operator_goes_on_without_identification(ladder: Ladder, who: str) -> None:
    """The operator sees the level and why; nothing was told."""
    told = ladder[who]
    assert len(told.attempts) == 3
    assert "prompt identify.failed played" in told.lived.steps
    assert (told.level, told.lived.card["comment"], told.queued) == ("none", NOT_IDENTIFIED, True)
    assert not any(p.startswith("benefits") for p in told.said)


def test_wrong_twice_then_right_is_right(ladder: Ladder) -> None:
    """A forgetful citizen is served."""
    told = ladder["wrong twice, then right"]
    assert told.attempts == (FAILED, FAILED, *BY_NUMBER)
    assert (told.level, told.lived.card["comment"]) == ("personal", "")


def test_a_star_at_the_readback_takes_the_snils_back(ladder: Ladder) -> None:
    """The first SNILS was another's: it is neither tried nor counted."""
    told = ladder["corrected"]
    assert (told.level, told.attempts) == ("personal", BY_NUMBER)
    assert told.lived.of("ask", "snils.readback") == ["discarded", "kept"]


def test_wrong_check_digits_are_asked_again_and_cost_no_try(ladder: Ladder) -> None:
    """A slip of the finger is heard at once."""
    told = ladder["mistyped"]
    assert (told.level, told.attempts) == ("personal", BY_NUMBER)
    assert "snils.bad" in told.said


def test_three_impossible_snils_lead_to_an_operator(ladder: Ladder) -> None:
    """Nothing was tried, so nothing is counted."""
    told = ladder["mistyped thrice"]
    assert (told.level, told.attempts, told.queued) == ("none", (), True)


@pytest.mark.parametrize("way", ["two stars", "a lone zero"])
def test_an_operator_is_reached_from_the_code(ladder: Ladder, way: str) -> None:
    """Who has forgotten the code says so by `**` or `0#`."""
    told = ladder[way]
    assert (told.level, told.attempts, told.queued) == ("none", (), True)


@pytest.mark.parametrize("alphabet", ["Russian letters", "Latin letters"])
def test_letters_of_a_code_are_typed_by_their_keys(ladder: Ladder, alphabet: str) -> None:
    """A telephone has no letters but those on its keys."""
    assert (ladder[alphabet].level, ladder[alphabet].attempts) == ("personal", BY_NUMBER)


# --- hanging up ------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["SNILS", "readback", "code", "document", "check"])
def test_whoever_hangs_up_before_the_answer_has_abandoned(ladder: Ladder, place: str) -> None:
    """The card is closed and says so; nothing was told."""
    told = ladder[f"hang up at the {place}"]
    assert told.lived.ended == ("abandoned", "abandoned_ivr")
    assert not any(e.id.startswith("benefits") and e.outcome == "played" for e in told.lived.trace)


@pytest.mark.parametrize("place", ["SNILS", "readback", "code", "document"])
def test_hanging_up_before_the_last_key_is_no_attempt(ladder: Ladder, place: str) -> None:
    """Only what could be right is counted."""
    assert ladder[f"hang up at the {place}"].attempts == ()


def test_hanging_up_during_the_check_does_not_save_the_try(ladder: Ladder) -> None:
    """The attempt is made and audited; nobody heard anything, so the level stays none."""
    told = ladder["hang up at the check"]
    assert (told.attempts, told.level) == (BY_NUMBER, "none")


def test_whoever_hangs_up_after_the_answer_was_served_by_himself(ladder: Ladder) -> None:
    """The level stands on the card, and the outcome is self-service."""
    told = ladder["hang up at the answer"]
    assert told.level == "personal"
    assert told.lived.ended == ("self_service", "self_service")


def test_nobody_s_own_speech_is_left(ladder: Ladder, known: Known) -> None:
    """Personal prompts are erased once they were heard, and when nobody was left to hear them."""
    assert all(told.world.over for told in ladder.values())
    assert list((known.system.state / "run" / "speech").iterdir()) == []
