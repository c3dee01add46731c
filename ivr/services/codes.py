"""Secret codes as hashes (§21): argon2id with a pepper, one of the keypad form and one of the exact form.

The pepper is mixed in first (HMAC-SHA256), so that a copy of the database alone is worth nothing to whoever
guesses. A hash is the pepper's id followed by argon2's own text. Each form goes into the HMAC under its name:
a hash of one form never fits another, and the answer to a set question (the other kind of code there is in
the country) is one more name.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import os
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from ivr.domain import codes, snils
from ivr.domain.codes import normalise as normalise
from ivr.domain.errors import BadInput, StorageDown
from ivr.ports import CodeHashes, Peppers, UnitOfWork
from ivr.services.audit import By

NICENESS = 10
"""Of the threads that hash: whoever speaks and listens goes first."""
_ENCODED_VERSION = 19
_SALT_BYTES, _HASH_BYTES = 16, 32


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one hash costs. When it is raised, old hashes keep their cost until the next set-code."""

    passes: int = 2
    memory_kib: int = 19456
    """Each thread of the pool needs so much."""
    lanes: int = 1


COST = Cost()
"""OWASP's first choice for argon2id; some 22 ms on one core of a small server, at most 40."""


class Form(StrEnum):
    """What of a code is hashed."""

    KEYPAD = "keypad"  # the digits that say it on a telephone
    EXACT = "exact"  # the code itself, for operators: a hash of the keypad form alone would weaken it


class CodeBook:
    """Makes and compares hashes of codes.

    The plain methods block for one or two hashes; in an event loop, use the asynchronous one.
    """

    def __init__(self, peppers: Peppers, *, cost: Cost = COST) -> None:
        self._peppers = peppers
        self._argon = PasswordHasher(
            time_cost=cost.passes,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
        )
        self._dummy = _hash_of_nothing(cost)
        self._pool = ThreadPoolExecutor(workers(), thread_name_prefix="codes", initializer=_be_nice)

    def hashes(self, code: str) -> CodeHashes:
        """Both hashes of a code. Raises BadInput, StorageDown."""
        pepper = self._peppers.current()
        keypad, exact = codes.keypad(code), codes.normalise(code)
        return CodeHashes(
            keypad=pepper + self._argon.hash(self._peppered(pepper, Form.KEYPAD, keypad)),
            exact=pepper + self._argon.hash(self._peppered(pepper, Form.EXACT, exact)),
        )

    def verify_keypad(self, digits: str, code: CodeHashes | None) -> bool:
        """Whether these digits say the code. None, somebody without a code, costs the same and is False.

        Raises StorageDown when the hash cannot be used (KeyLost: its pepper is gone).
        """
        return self._verify(Form.KEYPAD, digits, None if code is None else code.keypad)

    def verify_exact(self, text: str, code: CodeHashes | None) -> bool:
        """Whether this is the code as it was given; what is no code costs the same. Raises StorageDown."""
        try:
            exact = codes.normalise(text)
        except BadInput:
            exact, code = "", None
        return self._verify(Form.EXACT, exact, None if code is None else code.exact)

    async def keypad_matches(self, digits: str, code: CodeHashes | None) -> bool:
        """`verify_keypad` in a thread of the pool; who comes later waits for a free one."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.verify_keypad, digits, code)

    def close(self) -> None:
        """End the threads; a hash that is being made is finished first."""
        self._pool.shutdown(cancel_futures=True)

    def _verify(self, form: Form, secret: str, stored: str | None) -> bool:
        pepper, dollar, argon = (stored or self._peppers.current() + self._dummy).partition("$")
        try:
            return (
                self._argon.verify(dollar + argon, self._peppered(pepper, form, secret))
                and stored is not None
            )
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError):
            raise StorageDown("a stored hash of a secret code cannot be read; set the code again") from None

    def _peppered(self, pepper: str, form: Form, secret: str) -> bytes:
        return hmac.digest(self._peppers.key(pepper), f"{form} {secret}".encode(), "sha256")


def set_code(uow: UnitOfWork, by: By, snils_: str, code: CodeHashes) -> None:
    """A citizen's first or new code; the hashes of the old one are gone.

    code: from `CodeBook.hashes`, made before the transaction. Raises NotFound, StorageDown.
    """
    uow.citizens.set_code(snils_, code)
    by.note(uow, "citizens.set-code", snils.mask(snils_))


def workers() -> int:
    """Threads of the pool: one core stays with the calls."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


def _be_nice() -> None:
    """On Linux a thread has a niceness of its own (setpriority(2))."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _hash_of_nothing(cost: Cost) -> str:
    """What looks like a hash of this cost and belongs to no code: it took nothing to make."""
    salt, hash_ = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (_SALT_BYTES, _HASH_BYTES)
    )
    parameters = f"m={cost.memory_kib},t={cost.passes},p={cost.lanes}"
    return f"$argon2id$v={_ENCODED_VERSION}${parameters}${salt}${hash_}"
