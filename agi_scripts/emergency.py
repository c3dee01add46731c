"""What a caller gets when there is neither engine nor operator: to be called back, kept in a file.

dialplans/emergency.conf starts it as a process of its own, a few at once:
`emergency.py SPOOL PROMPTS SECONDS`. SPOOL: the folder for what is kept. PROMPTS: the folder of sentences.
SECONDS: how long a key is waited for. It knows nothing of `ivr` or the database, for they may be what has
failed. It prints and logs nothing: pyst2 would write every digit to stderr.

A file is sealed with HPKE (RFC 9180) to the site's public key in `SPOOL/../emergency.pub`; only the engine
has the other half (db/spool_keys.py). Its name is the call's, so that a call is kept once. What could not be
kept is told to the caller, and the time of `SPOOL/../emergency.failed` tells the engine.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from asterisk.agi import AGI, AGIException

MOST_LINES = 1000
"""That Asterisk says in one conversation; more is no Asterisk."""
LONGEST = 4096
ASKED = 2
"""How often the caller is asked."""
MAGIC = b"EKC1"
INFO = b"ekc emergency spool 1"
DONE = "end"
_NUMBER = re.compile(r"\+?[0-9]{3,32}")
_CALL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}")
_SECONDS = re.compile(r"[0-9]{1,11}")
_PUBLIC = re.compile(r"([0-9A-Z]{10}) ([0-9a-f]{64})")


class Gone(Exception):
    """Asterisk has closed the pipe, or talks nonsense."""


class Wire:
    """What pyst2 reads: it takes the end of a stream for an empty line and would read it for ever."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._left = MOST_LINES

    def readline(self) -> str:
        self._left -= 1
        line = self._stream.readline(LONGEST)
        if not line.endswith("\n") or self._left < 0:
            raise Gone
        return line


class Places(NamedTuple):
    """The command line."""

    spool: Path
    prompts: Path
    seconds: float

    @property
    def public(self) -> Path:
        return self.spool.with_name("emergency.pub")

    @property
    def failed(self) -> Path:
        return self.spool.with_name("emergency.failed")


class Caller(NamedTuple):
    """Who is to be called back."""

    call: str
    number: str
    arrived: int
    """Seconds since the epoch."""


def main(argv: list[str]) -> int:
    """0 when the caller was told how it ends; the dialplan then hangs up."""
    spool, prompts, seconds = argv
    places = Places(Path(spool), Path(prompts), float(seconds))
    said = os.fdopen(0, encoding="utf-8", errors="replace", closefd=False)
    with said, Path(os.devnull).open("w") as nowhere:
        try:
            agi = AGI(stdin=Wire(said), stdout=sys.stdout, stderr=nowhere)
            converse(agi, places)
            agi.set_variable("EKC_FLOW", DONE)
        except (Gone, AGIException, ValueError, OverflowError, OSError):
            return 1  # hung up, or no Asterisk: there is nobody to tell
    return 0


def converse(agi: Any, places: Places) -> None:
    caller = caller_of(agi)
    if caller is None or not wanted(agi, places):
        return say(agi, places, "emergency.later", "pls-try-call-later")
    try:
        keep(caller, places)
    except (OSError, ValueError, ImportError):
        note_failure(places)
        return say(agi, places, "emergency.later", "pls-try-call-later")
    return say(agi, places, "emergency.confirmed", "goodbye")


def caller_of(agi: Any) -> Caller | None:
    """None: there is nobody to call back."""
    call, number = agi.env.get("agi_uniqueid", ""), agi.env.get("agi_callerid", "")
    arrived = agi.get_variable("EKC_ARRIVED")
    if not _CALL.fullmatch(call) or not _NUMBER.fullmatch(number) or not _SECONDS.fullmatch(arrived):
        return None
    return Caller(call, number, int(arrived))


def wanted(agi: Any, places: Places) -> bool:
    """Whether the caller presses 1. Without the sentence, which the engine makes, nobody is asked."""
    question = places.prompts / "emergency.callback"
    if not sound(question).is_file():
        return False
    return any(pressed_one(agi, question, places.seconds) for _ in range(ASKED))


def pressed_one(agi: Any, question: Path, seconds: float) -> bool:
    """Any other key is as none."""
    if agi.stream_file(f'"{question}"', "1") == "1":
        return True
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if agi.wait_for_digit(max(1, int(left * 1000))) == "1":
            return True
    return False


def say(agi: Any, places: Places, id_: str, otherwise: str) -> None:
    """A sentence of the site, or the telephone switch's own while there is none yet."""
    own = places.prompts / id_
    agi.stream_file(f'"{own}"' if sound(own).is_file() else otherwise)


def sound(prompt: Path) -> Path:
    return prompt.with_name(f"{prompt.name}.wav")


# --- what is kept ---


def keep(caller: Caller, places: Places) -> None:
    """Have it on the disk, whole and sealed, when this returns.

    Raises OSError, ValueError for a key that is none, ImportError.
    """
    wish = {**caller._asdict(), "at": int(time.time())}
    sealed = seal(json.dumps(wish).encode("ascii"), places.public.read_text("ascii"))
    draft = places.spool / f".{caller.call}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(places.spool / f"{caller.call}.sealed")
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync(places.spool)


def seal(text: bytes, public: str) -> bytes:
    """public: the id of the key pair, a space, 32 bytes in hexadecimal."""
    # here, for most callers never get so far: it doubles the time this script takes to start
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    match = _PUBLIC.fullmatch(public.strip())
    if match is None:
        raise ValueError("this is no public key")
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    id_, key = match[1].encode("ascii"), X25519PublicKey.from_public_bytes(bytes.fromhex(match[2]))
    return MAGIC + id_ + suite.encrypt(text, key, INFO + id_)


def sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def note_failure(places: Places) -> None:
    """A time needs no room on a full disk."""
    try:
        places.failed.touch(mode=0o600)
    except OSError:
        return  # the arrivals still tell who came


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
