"""This machine's Asterisk: configured, started, asked and stopped."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import psutil

from ivr.asterisk import conf
from ivr.asterisk.install import ensure_asterisk
from ivr.asterisk.layout import Layout, own_directory
from ivr.asterisk.tree import AsteriskTree, find_asterisk
from ivr.domain.errors import BadInput, NotRunning, Unavailable
from ivr.domain.operators import SipAccount
from ivr.settings import Settings

CONSOLE_SECONDS = 10.0
"""What a console command may take."""
RELOAD_SECONDS = 10.0
"""For accounts to be taken up."""
KILL_SECONDS = 10.0
"""From `core stop now` to SIGKILL."""
_POLL = 0.1
_UMASK = 0o077


class Node:
    """One Asterisk, found by its state directory; another process may have started it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.layout = Layout.of(settings)

    @cached_property
    def tree(self) -> AsteriskTree:
        """Raises BadInput when no supported Asterisk is there."""
        return find_asterisk(self.settings)

    @property
    def pid_file(self) -> Path:
        """Written by whoever starts it."""
        return self.settings.run_dir / "asterisk.pid"

    def install(self) -> str:
        """The version of the Asterisk that is there, unpacked first if need be."""
        return ensure_asterisk(self.settings, _progress).version

    def version(self) -> str:
        """Such as `22.10.1`. Raises BadInput when there is none."""
        return self.tree.version

    def is_rendered(self, account: SipAccount) -> bool:
        """Whether the configuration has this account with this secret already."""
        path = self.layout.etc / "pjsip_operators.conf"
        return path.is_file() and account.ha1 in path.read_text()

    def render(self, accounts: Sequence[SipAccount], queues: Sequence[str]) -> list[Path]:
        """Write the configuration; the files that have changed. See conf.render."""
        return conf.render(self.settings, accounts, queues, tree=self.tree)

    def argv(self) -> list[str]:
        """The command that runs it in the foreground."""
        return [*self._command(), "-f"]

    def console_command(self) -> list[str]:
        """The command that attaches a terminal to the running one. Raises NotRunning."""
        self._require_pid()
        return [*self._command(), "-r"]

    def _command(self) -> list[str]:
        return [*self.tree.argv_prefix, "-C", str(self.layout.config)]

    # --- life ---

    def start(self) -> int:
        """Start it in the background; its process id. A running one is left alone. `render` comes first.

        Raises BadInput when it has no configuration yet.
        """
        if (running := self.pid()) is not None:
            return running
        if not self.layout.config.is_file():
            raise BadInput("Asterisk has no configuration yet: run `ekc asterisk render`")
        own_directory(self.settings.log_dir)
        output = self.settings.log_dir / "asterisk.out"
        output.touch(mode=0o600)
        with output.open("ab") as out:
            child = subprocess.Popen(
                self.argv(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=_UMASK,
            )
        child.returncode = 0  # it outlives this program; else subprocess would warn of a forgotten child
        own_directory(self.settings.run_dir)
        self.pid_file.write_text(f"{child.pid}\n")
        return child.pid

    def is_ready(self) -> bool:
        """Whether it has fully booted and takes commands."""
        try:
            return "fully booted" in self.console("core waitfullybooted")
        except (NotRunning, Unavailable):
            return False

    def wait_ready(self, seconds: float) -> None:
        """Until it has booted. Raises Unavailable when it has not after so long, or has ended."""
        end = time.monotonic() + seconds
        while not self.is_ready():
            if self.pid() is None or time.monotonic() > end:
                log = self.settings.log_dir / "asterisk.out"
                raise Unavailable(f"Asterisk did not start: see {self.layout.log / 'messages.log'} and {log}")
            time.sleep(_POLL)

    def stop(self, graceful: float = 0.0) -> None:
        """Stop it: with `graceful`, let calls in progress end by themselves for so many seconds.

        Raises NotRunning.
        """
        process = psutil.Process(self._require_pid())
        if graceful and self._tell("core stop gracefully") and _ended(process, graceful):
            return self.pid_file.unlink(missing_ok=True)
        if not self._tell("core stop now"):
            process.terminate()
        if not _ended(process, KILL_SECONDS):
            process.kill()
            _ended(process, KILL_SECONDS)
        return self.pid_file.unlink(missing_ok=True)

    def _tell(self, command: str) -> bool:
        try:
            self.console(command)
        except (NotRunning, Unavailable):
            return False
        return True

    def pid(self) -> int | None:
        """Its process id; None when it does not run, even if another program got its number since."""
        try:
            process = psutil.Process(int(self.pid_file.read_text("ascii")))
            ours = str(self.layout.config) in process.cmdline()
            return process.pid if ours and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, psutil.Error):
            return None

    def _require_pid(self) -> int:
        if (pid := self.pid()) is None:
            raise NotRunning("Asterisk is not running; start it with `ekc up` or `ekc asterisk start`")
        return pid

    # --- what it says and does ---

    def console(self, command: str) -> str:
        """The answer to a console command.

        Raises NotRunning, Unavailable when there is no answer in time, BadInput for more than one line.
        """
        if not command.isprintable():
            raise BadInput("a console command is one line of text")
        if not (self.layout.run / "asterisk.ctl").exists():
            raise NotRunning("Asterisk is not running; start it with `ekc up` or `ekc asterisk start`")
        try:
            answer = subprocess.run(
                [*self._command(), "-rx", command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=CONSOLE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(f"Asterisk gave no answer to `{command}` in {CONSOLE_SECONDS:g} s") from None
        if answer.returncode != 0:
            raise NotRunning("Asterisk is not running; start it with `ekc up` or `ekc asterisk start`")
        return answer.stdout

    def channels(self) -> int:
        """How many channels are up: a caller, and each phone that rings or talks. Raises NotRunning."""
        return self._count("channel")

    def calls(self) -> int:
        """How many calls are in progress. Raises NotRunning."""
        return self._count("call")

    def live_calls(self) -> frozenset[str]:
        """Uniqueids of all channels that are up. Raises NotRunning, Unavailable."""
        rows = self.console("core show channels concise").splitlines()
        return frozenset(row.rpartition("!")[2] for row in rows if "!" in row)

    def _count(self, what: str) -> int:
        answer = self.console("core show channels count")
        if (match := re.search(rf"^(\d+) (?:of \d+ max )?active {what}s?\b", answer, re.MULTILINE)) is None:
            raise Unavailable("Asterisk does not say how many calls there are")
        return int(match[1])

    def reload_operators(self, fresh: Sequence[SipAccount] = ()) -> None:
        """Have a running Asterisk take up the rendered accounts; calls go on.

        fresh: accounts that are new or changed. Asterisk loads them in the background after it has said
        "reloaded": this returns once their telephones can register. Raises NotRunning, Unavailable.
        """
        self.console("module reload res_pjsip.so")
        end = time.monotonic() + RELOAD_SECONDS
        for account in fresh:
            while not self._knows(account):
                if time.monotonic() > end:
                    raise Unavailable(
                        f"Asterisk does not take up the account {account.extension}: see its log"
                    )
                time.sleep(_POLL)

    def _knows(self, account: SipAccount) -> bool:
        shown = {what: self.console(f"pjsip show {what} {account.extension}") for what in ("endpoint", "aor")}
        there = all("Unable to find object" not in answer for answer in shown.values())
        return there and account.ha1 in self.console(f"pjsip show auth {account.extension}")

    def reload_queues(self) -> None:
        """Have a running Asterisk take up the rendered queues; who waits keeps waiting. Raises NotRunning."""
        self.console("queue reload all")


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _ended(process: psutil.Process, seconds: float) -> bool:
    try:
        process.wait(seconds)
    except psutil.TimeoutExpired:
        return False
    return True
