"""Guessing (§10, §11) on real telephony: who fails too often is locked, nobody locks another's telephone."""

from __future__ import annotations

import pytest

from tests.harness.processes import wait_for
from tests.line.identifying import LOCK_SECONDS, Calling, Citizen, Known, Told, elsewhere, locks, together

pytestmark = pytest.mark.line

OWN, OTHERS = "identification.snils.own", "identification.snils.other"
WRONG_DOCUMENT = "1111222222#"


def guessed(who: Citizen, times: int) -> Calling:
    """Wrong codes and documents from a number that is not on file."""
    return Calling(number=elsewhere(), typed="2" + who.snils + times * (who.wrong + WRONG_DOCUMENT))


def mistaken(who: Citizen, times: int) -> Calling:
    """Wrong codes from the number on file."""
    return Calling(number=who.phone, typed="2" + who.snils + times * who.wrong)


def is_turned_away(told: Told) -> bool:
    """Told that it is locked before any code was asked, and put through to an operator."""
    steps = told.lived.steps
    return "code" not in told.asked and "prompt identify.locked played" in steps and told.queued


@together
def first_round(known: Known) -> dict[str, Calling]:
    """Three failures each: of the victim from another number, of the forgetful one from the own telephone."""
    return {
        "first guesses": guessed(known.named("victim"), 3),
        "first mistakes": mistaken(known.named("forgetful"), 3),
    }


@pytest.fixture(scope="module")
def victim(known: Known) -> Citizen:
    return known.named("victim")


@pytest.fixture(scope="module")
def forgetful(known: Known) -> Citizen:
    return known.named("forgetful")


@pytest.fixture(scope="module")
def locked(known: Known, victim: Citizen, forgetful: Citizen) -> dict[str, Told]:
    """The fourth failure of each."""
    for name in ("first guesses", "first mistakes"):
        assert len(known.told[name].attempts) == 3
    return known.play({"guesser": guessed(victim, 1), "forgetful": mistaken(forgetful, 1)})


@pytest.fixture(scope="module")
def during(known: Known, locked: dict[str, Told], victim: Citizen, forgetful: Citizen) -> dict[str, Told]:
    """Calls with the right answers while the locks last; the locks as the command tells them."""
    assert locks(known.system) == {OWN: 1, OTHERS: 1, "identification.number": 0, "pair": 0}
    return known.play(
        {
            "own": Calling(number=forgetful.phone, typed=forgetful.by_code),
            "other": Calling(number=elsewhere(), typed=victim.by_document),
            "victim": Calling(number=victim.phone, typed=victim.by_code),
        }
    )


@pytest.mark.parametrize("who", ["guesser", "forgetful"])
def test_the_fourth_failure_locks_and_leads_to_an_operator(locked: dict[str, Told], who: str) -> None:
    """The caller is told so in the sentence that comes instead of another try."""
    told = locked[who]
    assert len(told.attempts) == 1
    assert "prompt identify.locked played" in told.lived.steps
    assert (told.level, told.queued) == ("none", True)


@pytest.mark.parametrize("who", ["own", "other"])
def test_a_locked_citizen_still_reaches_an_operator(during: dict[str, Told], who: str) -> None:
    """The right code is not even asked; the attempt stands in the audit."""
    told = during[who]
    assert is_turned_away(told)
    assert (told.level, told.attempts) == ("none", ("locked",))


def test_guesses_from_elsewhere_do_not_lock_the_number_on_file(during: dict[str, Told]) -> None:
    """Nobody can lock a citizen's own telephone out."""
    assert (during["victim"].level, during["victim"].attempts) == (
        "personal",
        ("personal match_source=number",),
    )


def test_an_administrator_unlocks_one_citizen(
    known: Known, during: dict[str, Told], victim: Citizen, forgetful: Citizen
) -> None:
    """`ekc identification unlock SNILS`: at once, and it is audited without the SNILS.

    The other lock ends by itself.
    """
    assert during
    known.system.ekc("identification", "unlock", victim.snils)
    assert locks(known.system)[OTHERS] == 0
    wait_for(lambda: not locks(known.system)[OWN], LOCK_SECONDS, "the lock to end", step=1)
    told = known.play(
        {
            "unlocked": Calling(number=elsewhere(), typed=victim.by_document),
            "over": Calling(number=forgetful.phone, typed=forgetful.by_code),
        }
    )
    assert [told[name].level for name in ("unlocked", "over")] == ["personal", "personal"]
    audit = known.system.ekc("audit", "list", "--json").out
    assert "identification.unlock" in audit
    assert victim.snils not in audit
