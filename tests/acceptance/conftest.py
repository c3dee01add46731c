"""The command line as strangers' scripts run it: a process of its own, a state of its own, nothing shared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.harness.forked import run_ekc

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(sys.executable).with_name("ekc")
PROGRAM = [str(SCRIPT)] if SCRIPT.exists() else [sys.executable, str(ROOT / "cli.py")]
SECONDS = 60
"""More than any of these commands takes on a busy machine."""


@dataclass(frozen=True)
class Ekc:
    """`ekc` with one state directory."""

    state: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *args: str, stdin: str = "", code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command; code: the exit code that is expected, None for any."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("EKC_")}
        env = {**inherited, "EKC_STATE": str(self.state), **self.environment}
        done = self._start(args, env, stdin)
        if code is not None:
            assert done.returncode == code, (
                f"{args}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def _start(
        self, args: Sequence[str], env: Mapping[str, str], stdin: str
    ) -> subprocess.CompletedProcess[str]:
        return run_ekc(args, env=env, cwd=self.state.parent, input=stdin, timeout=SECONDS)

    def json(self, *args: str, stdin: str = "", code: int = 0) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.run(*args, "--json", stdin=stdin, code=code).stdout)


class Installed(Ekc):
    """The same by the script that the installation has made."""

    def _start(
        self, args: Sequence[str], env: Mapping[str, str], stdin: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *args],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=self.state.parent,
            env=env,
            check=False,
        )


@pytest.fixture
def ekc(tmp_path: Path) -> Ekc:
    return Ekc(tmp_path / "state")


AGENCIES = """\
code,name,topic_key,topic,line
szn,Центр занятости,1,Поиск работы,1
szn,Центр занятости,21,Пособие по безработице,1
soc,Соцзащита,31,Детские пособия,2
"""
APPLICATIONS = """\
snils,number,accepted_on,agency,service,status,decision,refusal_reason,missing_documents
11223344595,56-000123,2026-11-02,soc,Ежемесячное пособие,на рассмотрении,,,справка о доходах|копия паспорта
08765430200,56-000124,2026-11-03,soc,Ежемесячное пособие,завершено,отказано,доход выше порога,
"""


@pytest.fixture
def agencies(ekc: Ekc, tmp_path: Path) -> Path:
    """The agencies' file, imported."""
    file = tmp_path / "agencies.csv"
    file.write_text(AGENCIES, encoding="utf-8")
    ekc.run("agencies", "import", str(file))
    return file


@contextmanager
def site_of(ekc: Ekc) -> Iterator[Any]:
    """The same site from inside, to put calls where a telephone would have put them."""
    from ivr.bootstrap import open_site

    with closing(open_site(ekc.state)) as site:
        yield site
