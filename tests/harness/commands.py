"""The commands of `ekc` as tests use them, each a process of its own."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.harness.forked import run_ekc

PROJECT = Path(__file__).resolve().parents[2]
EKC = Path(sys.executable).with_name("ekc")
COMMAND_SECONDS = 60.0
ZONE = ZoneInfo("Asia/Yekaterinburg")


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a command said."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Its JSON lines."""
        return [json.loads(line) for line in self.out.splitlines() if line]


class CommandFailed(AssertionError):
    """A command of `ekc` ended with another exit code than 0."""


class Commands:
    """Runs them in an environment that names the system."""

    command_env: Mapping[str, str]

    def ekc(
        self,
        *arguments: str | Path,
        input: str | None = None,
        check: bool = True,
        timeout: float = COMMAND_SECONDS,
    ) -> Result:
        """Run a command of `ekc`; raises CommandFailed when its exit code is not 0, unless told not to."""
        argv = tuple(map(str, arguments))
        done = run_ekc(argv, env=self.command_env, cwd=PROJECT, input=input or "", timeout=timeout)
        result = Result(argv=argv, code=done.returncode, out=done.stdout, err=done.stderr)
        if check and result.code != 0:
            raise CommandFailed(f"ekc {' '.join(result.argv)}: exit {result.code}\n{result.out}{result.err}")
        return result

    def open_today(self) -> None:
        """Open the line around the clock: today, and tomorrow where the site's midnight is near."""
        now = datetime.now(ZONE)
        for date in sorted({now.date(), (now + timedelta(hours=1)).date()}):
            self.ekc("calendar", "set", date.isoformat(), "--open", "00:00-24:00")

    def close_today(self) -> None:
        """Close the line today and tomorrow."""
        today = datetime.now(ZONE).date()
        for days in (0, 1):
            self.ekc("calendar", "set", (today + timedelta(days=days)).isoformat(), "--closed")

    def add_operator(
        self,
        name: str,
        *,
        extension: str,
        agency: str,
        line: int = 1,
        password: str | None = None,
        supervisor: bool = False,
    ) -> str:
        """Add an operator; the password of the phone."""
        secret = password or secrets.token_urlsafe(12)
        arguments = [name, "--extension", extension, "--agency", agency, "--line", str(line)]
        arguments += ["--supervisor"] if supervisor else []
        self.ekc("operators", "add", *arguments, "--password-stdin", input=secret)
        return secret

    def demo_data(self, *, seed: int = 1, count: int | None = None) -> Any:
        """Load invented people, so many if told; what `ekc demo-data --json` tells of them."""
        many = [] if count is None else ["--count", str(count)]
        return self.ekc("demo-data", "--seed", str(seed), *many, "--json", timeout=3 * COMMAND_SECONDS).json

    def trace(self, call: str = "last") -> list[dict[str, Any]]:
        """What the caller lived through: `at, kind, id, outcome`."""
        return self.ekc("calls", "trace", call, "--json").lines

    def calls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ekc("calls", "list", "--json", "--reveal").json
        return found

    def cards(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ekc("cards", "list", "--json", "--reveal").json
        return found

    def card(self, id_: str = "last") -> dict[str, Any]:
        found: dict[str, Any] = self.ekc("cards", "show", id_, "--json", "--reveal").json
        return found

    def callbacks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ekc("callbacks", "list", "--json", "--reveal").json
        return found

    def status(self) -> dict[str, Any]:
        """Also when the line is not ready."""
        found: dict[str, Any] = self.ekc("status", "--json", check=False).json
        return found
