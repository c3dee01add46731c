"""The key pair of the emergency path: what it keeps is sealed to the site, and opened by the engine alone.

The private half is `spool-<id>.key` in the key directory, the public one a line of text in the spool, where
agi_scripts/emergency.py reads it. HPKE (RFC 9180): X25519, HKDF-SHA256, AES-256-GCM. `ekc keys rotate` leaves
the pair alone, and every pair there is opens what was sealed to it.
"""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from db.keys import load_key, new_key, write_key
from ivr.domain.errors import KeyLost, SealBroken
from ivr.domain.ids import TIME_LETTERS

MAGIC = b"EKC1"
INFO = b"ekc emergency spool 1"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_NAME = re.compile(rf"spool-([0-9A-HJKMNP-TV-Z]{{{TIME_LETTERS}}})\.key")
_HEAD = len(MAGIC) + TIME_LETTERS


class SpoolKeys:
    """directory: of the private halves. public: the file with the public half of the newest."""

    def __init__(self, directory: Path, public: Path) -> None:
        self._directory = directory
        self._public = public

    def ensure(self) -> None:
        """Make the first pair, and have the public half where it is read. Raises OSError, KeyLost."""
        ids = self._ids()
        if not ids:
            id_, key = new_key()
            write_key(self._path(id_), key)
            ids = self._ids()
        self._publish(ids[-1])

    def open(self, sealed: bytes) -> bytes:
        """Raises KeyLost for a key that is not there, SealBroken for what is not sealed to this site."""
        id_ = sealed[len(MAGIC) : _HEAD]
        if sealed[: len(MAGIC)] != MAGIC or not _NAME.fullmatch(f"spool-{id_.decode('latin-1')}.key"):
            raise SealBroken("it is not sealed in a form this program knows")
        private = self._private(id_.decode("ascii"))
        try:
            return _SUITE.decrypt(sealed[_HEAD:], private, INFO + id_)
        except InvalidTag:
            raise SealBroken("it is not whole, or was altered") from None

    def _publish(self, id_: str) -> None:
        raw = self._private(id_).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        line = f"{id_} {raw.hex()}\n"
        if self._public.is_file() and self._public.read_text("ascii", "replace") == line:
            return
        draft = self._public.with_name(f".{self._public.name}.new")
        draft.touch(mode=0o600)
        draft.write_text(line)
        draft.replace(self._public)

    def _private(self, id_: str) -> X25519PrivateKey:
        key = load_key(self._path(id_))
        if key is None:
            raise KeyLost(
                f"the key spool-{id_}.key is missing in {self._directory}; restore it from its backup"
            )
        return X25519PrivateKey.from_private_bytes(key)

    def _ids(self) -> list[str]:
        names = (_NAME.fullmatch(path.name) for path in self._directory.glob("spool-*.key"))
        return sorted(match[1] for match in names if match)

    def _path(self, id_: str) -> Path:
        return self._directory / f"spool-{id_}.key"
