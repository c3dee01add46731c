"""The vault and the key ring: what is sealed opens in its own place only, and a lost key is said."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.crypto import BLOCK, Vault
from db.keys import KEY_BYTES, KeyKind, KeyRing
from db.tables import applications, cards, citizens, notices, payments
from db.types import KeyedHash, Sealed
from ivr.domain.errors import KeyLost, SealBroken
from ivr.domain.ids import new_id

PLACE = {"table": "cards", "column": "answer", "row": "r1"}
TEXT = "Доход выше порога"


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    ring = KeyRing(tmp_path / "keys")
    ring.create_missing()
    return ring


@pytest.fixture
def vault(ring: KeyRing) -> Vault:
    return Vault(ring)


def add_key(ring: KeyRing, kind: KeyKind, id_: str, key: bytes) -> None:
    (ring.directory / f"{kind}-{id_}.key").write_bytes(key)
    ring.reload()


# --- sealing ---------------------------------------------------------------------------------------


def test_what_was_sealed_opens_in_its_place(vault: Vault) -> None:
    assert vault.open(vault.seal(TEXT, **PLACE), **PLACE) == TEXT


def test_any_text_opens_as_it_was(tmp_path_factory: pytest.TempPathFactory) -> None:
    ring = KeyRing(tmp_path_factory.mktemp("keys"))
    ring.create_missing()
    vault = Vault(ring)

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def holds(text: str) -> None:
        assert vault.open(vault.seal(text, **PLACE), **PLACE) == text

    holds()


def test_the_same_text_is_never_sealed_alike(vault: Vault) -> None:
    assert len({vault.seal(TEXT, **PLACE) for _ in range(100)}) == 100


def test_the_text_is_not_in_the_sealed_bytes(vault: Vault) -> None:
    assert TEXT.encode() not in vault.seal(TEXT, **PLACE)


@pytest.mark.parametrize("part", ["table", "column", "row"])
def test_a_value_that_was_moved_does_not_open_and_the_message_names_the_place_only(
    vault: Vault, part: str
) -> None:
    sealed = vault.seal(TEXT, **PLACE)
    with pytest.raises(SealBroken, match="altered or moved") as error:
        vault.open(sealed, **{**PLACE, part: "other"})
    assert TEXT not in str(error.value)


def test_no_two_places_are_taken_for_one(vault: Vault) -> None:
    sealed = vault.seal(TEXT, table="a", column="bc", row="d")
    with pytest.raises(SealBroken):
        vault.open(sealed, table="ab", column="c", row="d")


def test_a_change_of_any_byte_is_seen(vault: Vault) -> None:
    sealed = vault.seal("да", **PLACE)
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises((SealBroken, KeyLost)):
            vault.open(bytes(altered), **PLACE)


@pytest.mark.parametrize("length", [0, 1, 11, 12, 22, 23, 38])
def test_a_value_cut_short_is_seen(vault: Vault, length: int) -> None:
    with pytest.raises((SealBroken, KeyLost)):
        vault.open(vault.seal("да", **PLACE)[:length], **PLACE)


def test_short_texts_of_different_length_look_alike(vault: Vault) -> None:
    lengths = {len(vault.seal(text, **PLACE)) for text in ("", "отказано", "а" * ((BLOCK - 1) // 2))}
    assert len(lengths) == 1


def test_a_row_is_sealed_in_its_personal_columns_only(vault: Vault) -> None:
    clear = {"answer": TEXT, "comment": None, "agency": "soc"}
    sealed = vault.seal_row(cards, clear, row="r1")
    assert (sealed["comment"], sealed["agency"]) == (None, "soc")
    assert isinstance(sealed["answer"], bytes)
    assert vault.open_row(cards, {"id": "r1", **sealed}) == {"id": "r1", **clear}
    with pytest.raises(SealBroken):
        vault.open_row(cards, {"id": "r2", **sealed})


def test_personal_fields_have_encrypted_columns() -> None:
    """§10, §11: what says something about a citizen."""
    personal = {
        cards: {"number", "snils", "questions", "comment", "answer", "answer_source"},
        applications: {
            *("snils", "number", "accepted_on", "service", "status"),
            *("decision", "refusal_reason", "missing_documents"),
        },
        citizens: {
            *("snils", "last_name", "first_name", "patronymic", "birth_date", "phone"),
            *("document_type", "document_series", "document_number", "code_keypad", "code_exact"),
        },
        payments: {"snils", "title", "amount", "date", "status"},
        notices: {"snils", "event", "measure", "how_to_get", "valid_until"},
    }
    for table, names in personal.items():
        assert {c.name for c in table.c if isinstance(c.type, Sealed)} == names


@pytest.mark.parametrize("kind", [Sealed, KeyedHash])
def test_clear_text_is_refused_where_sealed_bytes_belong(kind: type[Sealed]) -> None:
    with pytest.raises(TypeError, match="str given"):
        kind().process_bind_param("secret", None)  # type: ignore[arg-type]


# --- look-up ---------------------------------------------------------------------------------------


def test_a_keyed_hash_is_the_same_for_the_same_and_differs_by_purpose_text_and_key(
    vault: Vault, tmp_path: Path
) -> None:
    one = vault.lookup("number", "+79123456789")
    assert one == vault.lookup("number", "+79123456789")
    assert one != vault.lookup("snils", "+79123456789")
    assert one != vault.lookup("number", "+79123456780")
    assert vault.lookup("ab", "c") != vault.lookup("a", "bc")
    other = KeyRing(tmp_path / "others")
    other.create_missing()
    assert Vault(other).lookup("number", "+79123456789")[10:] != one[10:]


def test_values_hashed_with_an_older_key_are_still_found(ring: KeyRing, vault: Vault) -> None:
    old = vault.lookup("number", "1")
    add_key(ring, KeyKind.HASH, "ZZZZZZZZZZ", os.urandom(KEY_BYTES))
    assert vault.lookup("number", "1") != old
    assert vault.lookups("number", "1") == (vault.lookup("number", "1"), old)


# --- keys ------------------------------------------------------------------------------------------


def test_first_keys_are_private_files_of_32_bytes_one_of_each_kind(ring: KeyRing) -> None:
    files = sorted(ring.directory.iterdir())
    assert [path.name.partition("-")[0] for path in files] == ["data", "hash", "pepper"]
    assert [path.stat().st_size for path in files] == [KEY_BYTES] * 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(ring.directory.stat().st_mode) == 0o700
    assert files[0].read_bytes() != files[1].read_bytes()


def test_the_mode_of_a_key_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ring = KeyRing(tmp_path / "keys")
        ring.create_missing()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in ring.directory.iterdir()} == {0o600}


def test_keys_that_are_there_stay_as_they_are(ring: KeyRing) -> None:
    before = {path.name: path.read_bytes() for path in ring.directory.iterdir()}
    ring.create_missing()
    assert {path.name: path.read_bytes() for path in ring.directory.iterdir()} == before


def test_the_newest_key_seals_and_older_ones_still_open(ring: KeyRing, vault: Vault) -> None:
    old = vault.seal(TEXT, **PLACE)
    add_key(ring, KeyKind.DATA, "ZZZZZZZZZZ", os.urandom(KEY_BYTES))
    new = vault.seal(TEXT, **PLACE)
    assert new[1:11] == b"ZZZZZZZZZZ" != old[1:11]
    assert vault.open(old, **PLACE) == vault.open(new, **PLACE) == TEXT


def test_a_value_sealed_with_a_key_that_is_not_here_names_the_missing_file(
    ring: KeyRing, vault: Vault
) -> None:
    add_key(ring, KeyKind.DATA, "ZZZZZZZZZZ", os.urandom(KEY_BYTES))
    sealed = vault.seal(TEXT, **PLACE)
    (ring.directory / "data-ZZZZZZZZZZ.key").unlink()
    ring.reload()
    with pytest.raises(KeyLost, match=r"data-ZZZZZZZZZZ\.key is missing .* restore it"):
        vault.open(sealed, **PLACE)


def test_a_ring_without_keys_makes_none_by_itself(tmp_path: Path) -> None:
    vault = Vault(KeyRing(tmp_path / "keys"))
    for use in (lambda: vault.seal(TEXT, **PLACE), lambda: vault.lookups("number", "1")):
        with pytest.raises(KeyLost, match="restore it"):
            use()
    assert not (tmp_path / "keys").exists()


def test_half_a_key_is_told(ring: KeyRing) -> None:
    add_key(ring, KeyKind.DATA, "ZZZZZZZZZZ", b"short")
    with pytest.raises(KeyLost, match="5 bytes instead of 32"):
        ring.current(KeyKind.DATA)


def test_a_mark_knows_its_key_again_and_no_other_under_the_same_name(ring: KeyRing, vault: Vault) -> None:
    id_ = ring.current(KeyKind.DATA)
    mark = vault.mark(KeyKind.DATA, id_)
    vault.check_mark(KeyKind.DATA, id_, mark)
    add_key(ring, KeyKind.DATA, id_, os.urandom(KEY_BYTES))
    with pytest.raises(KeyLost, match="not the key this database was sealed with"):
        vault.check_mark(KeyKind.DATA, id_, mark)


def test_a_key_that_has_come_meanwhile_is_found_without_being_told_of_it(ring: KeyRing, vault: Vault) -> None:
    vault.seal(TEXT, **PLACE)
    other = KeyRing(ring.directory)
    other.write(KeyKind.DATA, "7ZZZZZZZZZ", os.urandom(KEY_BYTES))
    other.reload()
    sealed = Vault(other).seal(TEXT, **PLACE)
    assert sealed[1:11] == b"7ZZZZZZZZZ"
    assert vault.open(sealed, **PLACE) == TEXT


def test_a_key_that_is_there_but_not_in_use_neither_seals_nor_finds(ring: KeyRing, vault: Vault) -> None:
    used = {kind: ring.ids(kind) for kind in KeyKind}
    for kind in (KeyKind.DATA, KeyKind.HASH):
        add_key(ring, kind, "7ZZZZZZZZZ", os.urandom(KEY_BYTES))
    bound = vault.using(used)
    assert bound.seal(TEXT, **PLACE)[1:11] == used[KeyKind.DATA][0].encode()
    assert len(bound.lookups("number", "1")) == 1
    assert bound.lookup("number", "1")[:10] == used[KeyKind.HASH][0].encode()
    with pytest.raises(KeyLost, match="no data key; run `ekc db upgrade`"):
        vault.using({}).seal(TEXT, **PLACE)


def test_an_erased_key_is_gone_and_erasing_it_again_is_as_good(ring: KeyRing) -> None:
    id_ = ring.current(KeyKind.PEPPER)
    for _ in range(2):
        ring.erase(KeyKind.PEPPER, id_)
        assert ring.ids(KeyKind.PEPPER) == ()
    assert ring.ids(KeyKind.DATA) != ()


def test_opening_nothing_does_the_work_of_opening_something(vault: Vault) -> None:
    assert vault.open_alike(None, **PLACE) is None
    assert vault.open_alike(vault.seal(TEXT, **PLACE), **PLACE) == TEXT


def test_a_ring_never_shows_a_key(ring: KeyRing) -> None:
    key = ring.key(KeyKind.DATA, ring.current(KeyKind.DATA))
    assert repr(key) not in repr(ring) and key.hex() not in repr(ring)


# --- ids -------------------------------------------------------------------------------------------


def test_ids_have_26_characters_sort_by_time_and_never_repeat() -> None:
    first = datetime(2026, 11, 24, 10, 0, 0, tzinfo=UTC)
    later = datetime(2026, 11, 24, 10, 0, 0, 1000, tzinfo=UTC)
    ids = [new_id(first) for _ in range(1000)]
    assert len(set(ids)) == 1000 and {len(id_) for id_ in ids} == {26}
    assert max(ids) < min(new_id(later) for _ in range(1000))


def test_an_id_of_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        new_id(datetime(2026, 11, 24))
