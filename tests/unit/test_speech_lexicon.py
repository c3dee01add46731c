"""Our synthetic model knows what the line asks for."""

from __future__ import annotations

from tools.speech_model import LEXICON, asked
from tools.speech_model.lexicon import load


def test_every_word_that_a_question_takes_is_in_the_lexicon() -> None:
    assert set(asked.vocabulary()) - set(load(LEXICON)) == set()


def test_of_two_spellings_the_one_with_yo_is_the_word() -> None:
    assert asked.spelled_out(["еще", "ещё", "все", "да"]) == ("все", "да", "ещё")
