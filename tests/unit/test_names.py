"""Names by their sound and by their letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.names import COMMON, LETTERS, Likeness, Part, compare, sound_key, spelled_out
from ivr.domain.words import words

NAMES = st.text(alphabet="абвгдеёжзийклмнопрстуфхцчшщъыьэюя- ", min_size=1, max_size=20)
SOUNDING = NAMES.filter(lambda name: sound_key(name) != "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Филиппов", "Филипов"),
        ("Семёнов", "Семенов"),
        ("Софья", "Софъя"),
        ("Корова", "Карова"),
        ("Глеб", "Глеп"),
        ("Алексеев", "Алексееф"),
        ("Лифшиц", "Лившиц"),
        ("Мамин-Сибиряк", "мамин сибиряк"),
    ],
)
def test_names_that_sound_alike_are_the_same(one: str, other: str) -> None:
    assert compare(one, other) is Likeness.SAME


@pytest.mark.parametrize(
    ("said", "own", "likeness"),
    [
        ("иванов", "Иванова", Likeness.NEAR),
        ("павлов", "Павлова", Likeness.NEAR),
        ("ли", "Лю", Likeness.NEAR),
        ("иванов", "Петров", Likeness.OTHER),
        ("анна", "Иван", Likeness.OTHER),
        ("иванов", "", Likeness.OTHER),
        ("", "", Likeness.OTHER),
        ("Smith", "Smith", Likeness.OTHER),
    ],
)
def test_what_is_one_sound_apart_is_near_and_nothing_is_like_no_name(
    said: str, own: str, likeness: Likeness
) -> None:
    assert compare(said, own) is likeness


@given(NAMES)
def test_a_key_sounds_as_its_name_does(name: str) -> None:
    assert sound_key(sound_key(name)) == sound_key(name)


@given(SOUNDING)
def test_letters_that_nobody_hears_change_nothing(name: str) -> None:
    assert compare(name, name.upper()) is Likeness.SAME
    assert compare(name.replace("о", "а").replace("ё", "е"), name) is Likeness.SAME
    assert compare("".join(letter * 2 for letter in name), name) is Likeness.SAME
    assert compare(name + "ь", name) is Likeness.SAME


@given(NAMES, NAMES)
def test_likeness_has_no_direction(one: str, other: str) -> None:
    assert compare(one, other) is compare(other, one)


@given(SOUNDING, st.integers(0, 30))
def test_a_sound_left_out_is_never_another_name_by_far(name: str, place: int) -> None:
    key = sound_key(name)
    shorter = key[: place % len(key)] + key[place % len(key) + 1 :]
    if sound_key(shorter) == shorter != "":
        assert compare(shorter, key) is Likeness.NEAR


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("и вэ а эн", "иван"),
        ("иван василий анна николай", "иван"),
        ("эс е эм е эн о вэ", "семенов"),
        ("эн и и краткое мягкий знак твердый знак", "нийьъ"),
        ("и вэ сто", None),
        ("мягкий", None),
        ("", None),
    ],
)
def test_letters_are_called_by_their_sound_or_by_names(said: str, name: str | None) -> None:
    assert spelled_out(tuple(said.split())) == name


@given(st.lists(st.sampled_from([(letter, said) for letter, names in LETTERS.items() for said in names])))
def test_every_name_of_a_letter_is_understood(spelling: list[tuple[str, str]]) -> None:
    heard = tuple(word for _, said in spelling for word in words(said))
    wanted = "".join(letter for letter, _ in spelling)
    assert sound_key(spelled_out(heard) or "") == sound_key(wanted)


def test_no_two_letters_have_one_name_and_no_common_name_comes_twice() -> None:
    called = {(letter, words(said)) for letter, names in LETTERS.items() for said in names}
    assert len(called) == len({said for _, said in called})
    for part in Part:
        assert len(COMMON[part]) >= 30
        assert len({words(name) for name in COMMON[part]}) == len(COMMON[part])
