"""Secret codes: how they are written, said by keys, hashed and compared (§21)."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain import codes
from ivr.domain.errors import BadInput, KeyLost, StorageDown
from ivr.ports import CodeHashes
from ivr.services import codes as service
from ivr.services.codes import COST, CodeBook, Cost

CHEAP = Cost(passes=1, memory_kib=8)
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzабвгдежзийклмнопрстуфхцчшщъыьэюя"


class Peppers:
    """Two of them; the second is the current one."""

    def __init__(self, **keys: bytes) -> None:
        self.keys = keys or {"OLD0000000": b"o" * 32, "NEW0000000": b"n" * 32}

    def current(self) -> str:
        return list(self.keys)[-1]

    def key(self, id_: str) -> bytes:
        if id_ not in self.keys:
            raise KeyLost
        return self.keys[id_]


def a_book(peppers: Peppers | None = None) -> CodeBook:
    return CodeBook(peppers or Peppers(), cost=CHEAP)


# --- the code itself -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Ёлка7", "елка7"),
        ("  МАМА ", "мама"),
        ("е\u0308ж", "еж"),
        ("и\u0306од", "йод"),
        ("Secret", "secret"),
        ("0", "0"),
        ("абвгдежзий", "абвгдежзий"),
    ],
)
def test_a_code_is_compared_without_regard_to_case_and_yo(written: str, code: str) -> None:
    assert codes.normalise(written) == code


@pytest.mark.parametrize("text", ["", " ", "абвгдежзийк", "код код", "код!", "٣٤", "ſ", "код\n1", "ї", "é"])
def test_what_is_no_code_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        codes.normalise(text)
    assert not text.strip() or text not in str(refusal.value)


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        ("абвг", "2222"),
        ("дежз", "3333"),
        ("ийкл", "4444"),
        ("мноп", "5555"),
        ("рсту", "6666"),
        ("фхцч", "7777"),
        ("шщъы", "8888"),
        ("ьэюя", "9999"),
        ("abc", "222"),
        ("def", "333"),
        ("ghi", "444"),
        ("jkl", "555"),
        ("mno", "666"),
        ("pqrs", "7777"),
        ("tuv", "888"),
        ("wxyz", "9999"),
        ("0123456789", "0123456789"),
        ("Ёж1", "331"),
    ],
)
def test_each_letter_is_said_by_the_key_it_stands_on(code: str, keys: str) -> None:
    assert codes.keypad(code) == keys


@given(st.text(alphabet=ALPHABET, min_size=1, max_size=codes.LONGEST))
def test_every_code_has_a_keypad_form_of_its_own_length(code: str) -> None:
    keys = codes.keypad(code)
    assert len(keys) == len(code) and keys.isascii() and keys.isdigit()
    assert codes.keypad(keys) == keys


# --- its hashes ------------------------------------------------------------------------------------


def test_the_keypad_form_opens_by_keys_and_the_exact_form_by_the_code() -> None:
    book = a_book()
    hashes = book.hashes("Мама1")
    assert book.verify_keypad("52521", hashes)
    assert book.verify_exact("МАМА1", hashes)


@pytest.mark.parametrize("digits", ["52522", "5252", "525211", "", "мама1"])
def test_other_keys_do_not_open(digits: str) -> None:
    book = a_book()
    assert not book.verify_keypad(digits, book.hashes("мама1"))


def test_what_only_sounds_alike_on_a_keypad_does_not_open_for_an_operator() -> None:
    book = a_book()
    hashes = book.hashes("мама1")
    assert book.verify_keypad(codes.keypad("нана1"), hashes)
    assert not book.verify_exact("нана1", hashes)
    assert not book.verify_exact("52521", hashes)


def test_a_hash_of_one_form_never_fits_the_other() -> None:
    book = a_book()
    hashes = book.hashes("1234")
    swapped = CodeHashes(keypad=hashes.exact, exact=hashes.keypad)
    assert not book.verify_keypad("1234", swapped)
    assert not book.verify_exact("1234", swapped)


def test_the_same_code_never_hashes_alike_and_is_nowhere_in_its_hashes() -> None:
    book = a_book()
    first, second = book.hashes("1234"), book.hashes("1234")
    assert len({first.keypad, first.exact, second.keypad, second.exact}) == 4


def test_new_hashes_name_the_current_pepper_and_old_ones_open_with_theirs() -> None:
    peppers = Peppers(OLD0000000=b"o" * 32)
    old = a_book(peppers).hashes("1234")
    peppers.keys["NEW0000000"] = b"n" * 32
    book = a_book(peppers)
    assert old.keypad.startswith("OLD0000000$argon2id$")
    assert book.verify_keypad("1234", old)
    assert book.hashes("1234").exact.startswith("NEW0000000$argon2id$")


def test_without_its_pepper_a_hash_opens_nothing() -> None:
    hashes = a_book().hashes("1234")
    with pytest.raises(KeyLost):
        a_book(Peppers(OTHER00000=b"x" * 32)).verify_keypad("1234", hashes)
    assert not a_book(Peppers(NEW0000000=b"x" * 32)).verify_keypad("1234", hashes)


@pytest.mark.parametrize("stored", ["", "rubbish", "NEW0000000$argon2id$v=19$m=8", "NEW0000000$2b$12$x"])
def test_a_hash_that_cannot_be_read_is_a_failure_of_the_store_and_no_wrong_code(stored: str) -> None:
    with pytest.raises(StorageDown):
        a_book().verify_keypad("1234", CodeHashes(keypad=stored or "$", exact="$"))


def test_somebody_without_a_code_costs_one_argon2_of_the_same_parameters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book = a_book()
    hashes = book.hashes("1234")
    seen: list[str] = []
    verify = service.PasswordHasher.verify

    def spy(self: service.PasswordHasher, hash: str, password: bytes) -> bool:
        seen.append(hash.rsplit("$", 2)[0])
        return verify(self, hash, password)

    monkeypatch.setattr(service.PasswordHasher, "verify", spy)
    assert not book.verify_keypad("1235", hashes)
    assert not book.verify_keypad("1234", None)
    assert not book.verify_exact("no code!", hashes)
    assert len(seen) == 3 and set(seen) == {"$argon2id$v=19$m=8,t=1,p=1"}


def test_the_parameters_are_at_least_what_owasp_asks_for_argon2id() -> None:
    assert (COST.passes, COST.memory_kib, COST.lanes) == (2, 19456, 1)


def test_one_core_is_left_to_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in ((1, 1), (2, 1), (8, 7)):
        monkeypatch.setattr(service.os, "sched_getaffinity", lambda _, n=cores: set(range(n)))
        assert service.workers() == threads


async def test_hashing_leaves_the_event_loop_and_gives_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    book = a_book()
    hashes = book.hashes("1234")
    threads: set[tuple[str, int]] = set()
    verify = CodeBook.verify_keypad

    def spy(self: CodeBook, digits: str, code: CodeHashes | None) -> bool:
        native = threading.get_native_id()
        threads.add(
            (threading.current_thread().name, service.os.getpriority(service.os.PRIO_PROCESS, native))
        )
        return verify(self, digits, code)

    monkeypatch.setattr(CodeBook, "verify_keypad", spy)
    found = await asyncio.gather(*(book.keypad_matches(d, hashes) for d in ("1234", "1235", "1234")))
    book.close()
    assert found == [True, False, True]
    assert threads and all(name.startswith("codes") and nice >= service.NICENESS for name, nice in threads)
    assert len(threads) <= service.workers()
