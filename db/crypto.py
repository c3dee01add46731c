"""Sealing of personal values before they reach the database (§10, §11).

A sealed value: version (1 byte), key id (10 ASCII letters), nonce (12 bytes), ciphertext with its tag. The
associated data are version, key id, table, column and row id, so a value that is moved to another place does
not open. Text is padded to blocks, for the length of a status or a decision would tell it.

The cipher is a port, `Cipher`: a Russian state information system needs a certified one. `AesGcm` is not.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Table

from db.keys import KeyKind, KeyRing
from db.types import Sealed
from ivr.domain.errors import KeyLost, SealBroken
from ivr.domain.ids import TIME_LETTERS

NONCE_BYTES = 12
BLOCK = 32
"""Bytes that a sealed text's length is rounded up to."""
_HEAD = 1 + TIME_LETTERS
_MARK = b"ekc key mark"
_NOBODY = {"table": "-", "column": "-", "row": "-"}

Keyed = tuple[str, str]
"""What a keyed hash is of: purpose and text."""


class Cipher(Protocol):
    """Authenticated encryption and a keyed hash, both with keys of 32 bytes."""

    @property
    def version(self) -> int:
        """The first byte of what it seals: 1-255, never used again for another cipher or format."""
        ...

    def seal(self, key: bytes, nonce: bytes, text: bytes, associated: bytes) -> bytes: ...

    def open(self, key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        """Raises SealBroken."""
        ...

    def mac(self, key: bytes, text: bytes) -> bytes: ...


@lru_cache(maxsize=8)
def _aead(key: bytes) -> AESGCM:
    """The cipher's context, kept: there are two keys while they are rotated, else one."""
    return AESGCM(key)


class AesGcm:
    """AES-256-GCM (NIST SP 800-38D) and HMAC-SHA-256 (RFC 2104).

    Random nonces of 96 bits are safe for 2**32 values under one key: a line of ten million calls a year
    reaches a hundredth of it.
    """

    version = 1

    def seal(self, key: bytes, nonce: bytes, text: bytes, associated: bytes) -> bytes:
        return _aead(key).encrypt(nonce, text, associated)

    def open(self, key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        try:
            return _aead(key).decrypt(nonce, sealed, associated)
        except InvalidTag:
            raise SealBroken from None

    def mac(self, key: bytes, text: bytes) -> bytes:
        return hmac.digest(key, text, hashlib.sha256)


class Vault:
    """Seals and opens values of rows, and hashes what must be found again.

    used: ids of the keys that a database uses, newest first; by default all that are in the ring.
    """

    def __init__(
        self,
        keys: KeyRing,
        cipher: Cipher | None = None,
        *,
        used: Mapping[KeyKind, Sequence[str]] | None = None,
    ) -> None:
        self.keys = keys
        self._cipher: Cipher = cipher or AesGcm()
        self._used = used
        self._decoys: dict[str, bytes] = {}

    def using(self, used: Mapping[KeyKind, Sequence[str]]) -> Vault:
        """This vault for one transaction: new values get the newest of these keys, look-ups try them all."""
        vault = Vault(self.keys, self._cipher, used=used)
        vault._decoys = self._decoys
        return vault

    def ids(self, kind: KeyKind) -> Sequence[str]:
        """Ids of the keys in use, newest first."""
        return self.keys.ids(kind) if self._used is None else self._used.get(kind, ())

    def current(self, kind: KeyKind) -> str:
        """The id new values get. Raises KeyLost when there is no key."""
        if self._used is None:
            return self.keys.current(kind)
        if ids := self._used.get(kind):
            return ids[0]
        raise KeyLost(f"the database has no {kind} key; run `ekc db upgrade`")

    @property
    def head(self) -> bytes:
        """What all that is sealed now begins with; what begins otherwise was sealed with an older key."""
        return bytes((self._cipher.version,)) + self.current(KeyKind.DATA).encode("ascii")

    def seal(self, text: str, *, table: str, column: str, row: str) -> bytes:
        """Raises KeyLost when there is no key."""
        head = self.head
        nonce = os.urandom(NONCE_BYTES)
        key = self.keys.key(KeyKind.DATA, self.current(KeyKind.DATA))
        return head + nonce + self._cipher.seal(key, nonce, _pad(text), _associated(head, table, column, row))

    def open(self, sealed: bytes, *, table: str, column: str, row: str) -> str:
        """Raises KeyLost for a key that is not in the ring, SealBroken for what was altered or moved."""
        head, nonce = sealed[:_HEAD], sealed[_HEAD : _HEAD + NONCE_BYTES]
        place = f"{table}.{column} of row {row}"
        if len(nonce) != NONCE_BYTES or head[0] != self._cipher.version or not head[1:].isascii():
            raise SealBroken(f"{place} is not sealed in a form this program knows; restore the database")
        key = self.keys.key(KeyKind.DATA, head[1:].decode("ascii"))
        try:
            return _unpad(
                self._cipher.open(
                    key, nonce, sealed[_HEAD + NONCE_BYTES :], _associated(head, table, column, row)
                )
            )
        except SealBroken:
            raise SealBroken(f"{place} was altered or moved; restore the database from its backup") from None

    def open_alike(self, sealed: bytes | None, *, table: str, column: str, row: str) -> str | None:
        """As `open`. Where there is nothing to open the same work is done, so that time does not tell it."""
        if sealed is not None:
            return self.open(sealed, table=table, column=column, row=row)
        id_ = self.current(KeyKind.DATA)
        if id_ not in self._decoys:
            self._decoys[id_] = self.seal("", **_NOBODY)
        self.open(self._decoys[id_], **_NOBODY)
        return None

    def seal_row(self, table: Table, values: Mapping[str, Any], *, row: str) -> dict[str, Any]:
        """`values` with every text of a `Sealed` column sealed for the row with this id."""
        sealed = dict(values)
        for name in _sealed_columns(table):
            if (value := values.get(name)) is not None:
                sealed[name] = self.seal(value, table=table.name, column=name, row=row)
        return sealed

    def open_row(self, table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of `table`, with its id under the name of its primary key, in clear."""
        (key,) = table.primary_key
        id_, opened = str(row[key.name]), dict(row)
        for name in _sealed_columns(table):
            if (value := row.get(name)) is not None:
                opened[name] = self.open(value, table=table.name, column=name, row=id_)
        return opened

    def lookup(self, purpose: str, text: str) -> bytes:
        """The keyed hash that is stored: key id, then the hash. Hashes of two purposes never agree."""
        return self._hash(self.current(KeyKind.HASH), purpose, text)

    def hash_row(self, hashes: Mapping[str, Keyed]) -> dict[str, bytes]:
        """Keyed hashes by the names of their columns."""
        return {column: self.lookup(purpose, text) for column, (purpose, text) in hashes.items()}

    def lookups(self, purpose: str, text: str) -> tuple[bytes, ...]:
        """The hashes to look for: one for each hash key there is, for rows may be older than the newest."""
        self.current(KeyKind.HASH)
        return tuple(self._hash(id_, purpose, text) for id_ in self.ids(KeyKind.HASH))

    def mark(self, kind: KeyKind, id_: str) -> bytes:
        """What may be stored to recognise a key again; it tells nothing of the key. Raises KeyLost."""
        return self.mark_of(self.keys.key(kind, id_))

    def mark_of(self, key: bytes) -> bytes:
        return self._cipher.mac(key, _MARK)

    def check_mark(self, kind: KeyKind, id_: str, mark: bytes) -> None:
        """Raises KeyLost when the ring has no such key, or another one under its name."""
        if not hmac.compare_digest(self.mark(kind, id_), mark):
            raise KeyLost(
                f"{kind}-{id_}.key in {self.keys.directory} is not the key this database was sealed with; "
                "restore the key directory that belongs to this database"
            )

    def _hash(self, id_: str, purpose: str, text: str) -> bytes:
        key = self.keys.key(KeyKind.HASH, id_)
        return id_.encode("ascii") + self._cipher.mac(key, _joined(purpose.encode(), text.encode()))


@cache
def _sealed_columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.c if isinstance(column.type, Sealed))


def _associated(head: bytes, table: str, column: str, row: str) -> bytes:
    return _joined(head, table.encode(), column.encode(), row.encode())


def _joined(*parts: bytes) -> bytes:
    """Parts with their lengths, so that no two lists of parts look alike."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _pad(text: str) -> bytes:
    """ISO/IEC 7816-4: a one bit, then zeros up to the block."""
    raw = text.encode() + b"\x80"
    return raw + b"\0" * (-len(raw) % BLOCK)


def _unpad(padded: bytes) -> str:
    text, mark, _ = padded.rpartition(b"\x80")
    if not mark:
        raise SealBroken
    return text.decode()
