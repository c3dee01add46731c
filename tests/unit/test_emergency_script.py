"""agi_scripts/emergency.py as Asterisk runs it: a process, spoken to through its pipes."""

from __future__ import annotations

import ast
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from db.spool_keys import SpoolKeys

SCRIPT = Path(__file__).resolve().parents[2] / "agi_scripts" / "emergency.py"
PATIENCE = 30.0
"""Seconds for one line; a script that hangs fails the test instead of stopping it."""
CALL, NUMBER, ARRIVED = "node1-1795514400.17", "+79123456789", 1795514400
ONE = "200 result=49 endpos=1600"
Reply = Callable[[str], str | bytes | None]
"""What Asterisk answers to a command; None: it closes the pipe."""


@dataclass
class Site:
    """Folders as `ekc up` makes them."""

    top: Path
    keys: SpoolKeys = field(init=False)

    def __post_init__(self) -> None:
        for folder in (self.spool, self.prompts):
            folder.mkdir(parents=True)
        self.keys = SpoolKeys(self.top / "keys", self.spool.with_name("emergency.pub"))
        self.keys.ensure()
        for name in ("callback", "confirmed", "later"):
            (self.prompts / f"emergency.{name}.wav").touch()

    @property
    def spool(self) -> Path:
        return self.top / "spool" / "emergency"

    @property
    def prompts(self) -> Path:
        return self.top / "prompts"

    @property
    def failed(self) -> Path:
        return self.spool.with_name("emergency.failed")

    def kept(self) -> list[dict[str, object]]:
        """What is in the spool, opened; drafts fail."""
        files = sorted(self.spool.iterdir())
        assert all(path.suffix == ".sealed" for path in files)
        return [json.loads(self.keys.open(path.read_bytes())) for path in files]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "the state")


class Asterisk:
    """The other side of the script's pipes."""

    def __init__(self, site: Site, *, seconds: str = "0.001", **environment: str) -> None:
        argv = [sys.executable, "-I", str(SCRIPT), str(site.spool), str(site.prompts), seconds]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe)
        told = {"uniqueid": CALL, "callerid": NUMBER, "rdnis": "", **environment}
        self.environment = "".join(f"agi_{name}: {value}\n" for name, value in told.items()) + "\n"
        self.commands: list[str] = []
        self._heard = b""

    def run(self, reply: Reply) -> int:
        """Answer every command until the script ends; its exit code."""
        self.write(self.environment)
        while (command := self._command()) is not None:
            self.commands.append(command)
            answer = variable(command) or reply(command)
            if answer is None:
                self.close()
            else:
                self.write(answer if isinstance(answer, bytes) else f"{answer}\n")
        self.close()
        return self.process.wait(PATIENCE)

    def write(self, text: str | bytes) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(text if isinstance(text, bytes) else text.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            self.close()  # the script has had enough

    def close(self) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            return  # what was left to be written goes to nobody

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.close()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def _command(self) -> str | None:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        while b"\n" not in self._heard:
            ready, _, _ = select.select([descriptor], [], [], PATIENCE)
            assert ready, f"the script hangs after {self.commands}"
            piece = os.read(descriptor, 4096)
            if not piece:
                return None
            self._heard += piece
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()

    @property
    def said(self) -> list[str]:
        """The sentences, by the names of their files."""
        files = [c.split()[2:-2] for c in self.commands if c.startswith("STREAM FILE")]
        return [" ".join(words).strip('"').rpartition("/")[2] for words in files]

    @property
    def finished(self) -> bool:
        """The dialplan is told that all is done."""
        return self.commands[-1:] == ['SET VARIABLE "EKC_FLOW" "end"']

    @property
    def errors(self) -> bytes:
        assert self.process.stderr is not None
        return self.process.stderr.read()


@pytest.fixture
def asterisk(site: Site) -> Iterator[Callable[..., Asterisk]]:
    made: list[Asterisk] = []

    def make(**how: str) -> Asterisk:
        made.append(Asterisk(site, **how))
        return made[-1]

    yield make
    for one in made:
        one.end()


def variable(command: str) -> str:
    return f"200 result=1 ({ARRIVED})" if command.startswith("GET VARIABLE") else ""


def silence(_command: str) -> str:
    return "200 result=0 endpos=8000"


def presses_one(command: str) -> str:
    return ONE if is_question(command) else silence(command)


def is_question(command: str) -> bool:
    return command.startswith("STREAM FILE") and "emergency.callback" in command


def test_who_presses_1_is_kept_sealed_and_then_told_so(site: Site, asterisk: Callable[..., Asterisk]) -> None:
    """The promise is on the disk before it is spoken; it holds the call, its number and its time."""
    kept_when_told: list[int] = []

    def reply(command: str) -> str:
        if "emergency.confirmed" in command:
            kept_when_told.append(len(site.kept()))
        return presses_one(command)

    one, before = asterisk(), int(time.time())
    assert one.run(reply) == 0
    assert (one.said, kept_when_told) == (["emergency.callback", "emergency.confirmed"], [1])
    [wish] = site.kept()
    assert before <= int(str(wish.pop("at"))) <= time.time()
    assert wish == {"call": CALL, "number": NUMBER, "arrived": ARRIVED}
    assert one.finished


def test_what_is_kept_is_private_and_tells_nothing_in_clear(
    site: Site, asterisk: Callable[..., Asterisk]
) -> None:
    """Mode 0600, named by the call, without the number; a digit pressed reaches no log by way of stderr."""
    one = asterisk()
    one.run(presses_one)
    [path] = site.spool.iterdir()
    assert path.name == f"{CALL}.sealed"
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"9123456789" not in path.read_bytes()
    assert one.errors == b""


def test_1_counts_after_the_sentence_too_and_another_key_does_not(
    site: Site, asterisk: Callable[..., Asterisk]
) -> None:
    keys = iter("57#1")

    def reply(command: str) -> str:
        waiting = command.startswith("WAIT FOR DIGIT")
        return f"200 result={ord(next(keys))}" if waiting else silence(command)

    one = asterisk(seconds="20")
    assert one.run(reply) == 0
    assert one.said == ["emergency.callback", "emergency.confirmed"]
    assert len(site.kept()) == 1


def test_who_presses_nothing_is_asked_twice_and_promised_nothing(
    site: Site, asterisk: Callable[..., Asterisk]
) -> None:
    one = asterisk()
    assert one.run(silence) == 0
    assert one.said == ["emergency.callback", "emergency.callback", "emergency.later"]
    assert site.kept() == []
    assert one.finished


def test_the_same_call_is_kept_once(site: Site, asterisk: Callable[..., Asterisk]) -> None:
    for _ in range(2):
        asterisk().run(presses_one)
    assert len(site.kept()) == 1


@pytest.mark.parametrize(
    "who",
    [
        {"callerid": "unknown"},
        {"callerid": ""},
        {"callerid": "+7912 3456789"},
        {"uniqueid": "../../keys/x"},
        {"uniqueid": ".hidden"},
        {"uniqueid": ""},
    ],
)
def test_who_cannot_be_called_back_is_asked_nothing(
    site: Site, asterisk: Callable[..., Asterisk], who: dict[str, str]
) -> None:
    """No number; or a name of a call that is none of Asterisk's and would lead out of the spool."""
    one = asterisk(**who)
    assert one.run(presses_one) == 0
    assert one.said == ["emergency.later"]
    assert site.kept() == []


def test_before_the_engine_has_ever_made_sentences_asterisks_own_is_heard(
    site: Site, asterisk: Callable[..., Asterisk]
) -> None:
    for sentence in site.prompts.iterdir():
        sentence.unlink()
    one = asterisk()
    assert one.run(presses_one) == 0
    assert one.said == ["pls-try-call-later"]


def break_spool(site: Site) -> None:
    site.spool.rmdir()


def fill_spool(site: Site) -> None:
    """As full: no name can be had in it."""
    site.spool.rmdir()
    site.spool.touch()


def lose_key(site: Site) -> None:
    site.spool.with_name("emergency.pub").unlink()


def spoil_key(site: Site) -> None:
    site.spool.with_name("emergency.pub").write_text("no key at all")


@pytest.mark.parametrize("accident", [break_spool, fill_spool, lose_key, spoil_key])
def test_what_cannot_be_kept_is_not_promised_and_the_engine_will_know(
    site: Site, asterisk: Callable[..., Asterisk], accident: Callable[[Site], None]
) -> None:
    """The call goes on to its end."""
    accident(site)
    one = asterisk()
    assert one.run(presses_one) == 0
    assert one.said == ["emergency.callback", "emergency.later"]
    assert one.finished
    assert site.failed.exists()


@pytest.mark.parametrize("how", ["HANGUP", "200 result=-1 endpos=0", "511 Command Not Permitted", None])
@pytest.mark.parametrize("step", [0, 1])
def test_who_hangs_up_ends_the_script_at_once(
    site: Site, asterisk: Callable[..., Asterisk], how: str | None, step: int
) -> None:
    """While the question is asked, or while a key is waited for: nothing is kept, and no end is claimed."""
    replies = iter([silence("")] * step + [how])
    one = asterisk(seconds="20")
    assert one.run(lambda _command: next(replies, None)) == 1
    assert site.kept() == []
    assert not one.finished
    assert one.errors == b""


@pytest.mark.parametrize("how", ["HANGUP", None])
def test_who_hangs_up_after_1_will_be_called_back(
    site: Site, asterisk: Callable[..., Asterisk], how: str | None
) -> None:
    one = asterisk()
    assert one.run(lambda command: ONE if is_question(command) else how) == 1
    assert len(site.kept()) == 1


def test_a_hang_up_told_by_a_signal_does_not_lose_the_wish(
    site: Site, asterisk: Callable[..., Asterisk]
) -> None:
    """Asterisk sends SIGHUP to the script of a caller who is gone."""
    one = asterisk()

    def reply(command: str) -> str:
        if is_question(command):
            one.process.send_signal(signal.SIGHUP)
        return presses_one(command)

    assert one.run(reply) == 1
    assert len(site.kept()) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "nonsense",
        "200 result=x",
        "200 result=99999999999999999999999",
        "200 result=-5",
        "510 Invalid or unknown command",
        "520-Invalid command syntax.  Proper usage follows:",
        "520-" + "x" * 100_000,
        b"\xff\xfe\x00\n",
        b"520-no end\n" * 3000,
    ],
)
def test_what_is_no_answer_ends_the_script(
    site: Site, asterisk: Callable[..., Asterisk], garbage: str | bytes
) -> None:
    """After it the pipe stays open and nothing more is said, or it is closed: neither keeps the script."""
    replies: Iterator[str | bytes | None] = iter([garbage, None])
    one = asterisk()

    def reply(_command: str) -> str | bytes | None:
        answer = next(replies)
        if isinstance(answer, str) and answer.startswith("520-"):
            one.write(f"{answer}\n")  # an explanation that never ends, then nobody
            return None
        return answer

    assert one.run(reply) == 1
    assert site.kept() == []


@pytest.mark.parametrize("said", [b"", b"agi_uniqueid: 1.1\n", b"agi_x: y\n" * 5000, b"z" * 100_000])
def test_who_is_no_asterisk_gets_no_conversation(
    site: Site, asterisk: Callable[..., Asterisk], said: bytes
) -> None:
    one = asterisk()
    one.write(said)
    one.close()
    assert one.process.wait(PATIENCE) == 1
    assert site.kept() == []


def test_it_imports_nothing_of_ours() -> None:
    """What has failed must not be needed: the standard library, pyst2, and the cipher when it comes to it."""
    tree = ast.parse(SCRIPT.read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    others = {name.split(".")[0] for name in names} - sys.stdlib_module_names
    assert others == {"asterisk", "cryptography"}
