"""Gathers what `ekc doctor` judges (ivr/services/doctor.py). Reads only: nothing is made or repaired."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ivr.services.doctor import DatabaseFact, Facts, ModeFact, PortFact
from ivr.services.probes import PortNeed, pid_from, port_holder, port_is_free
from ivr.settings import Settings

SCAN_FILES = 20_000
"""Files looked at in the state, so that years of recordings do not make `doctor` slow."""
_SECRET_NAMES = ("ekc.db*", "keys/*", "ekc.toml", "log/*.log*", "run/*.json")
_JOURNALS = ("spool/arrivals.log*", "log/queue_log*", "log/cel.csv*")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What other layers know, handed in by bootstrap."""

    asterisk_version: Callable[[], str | None]
    """None when none is found."""
    database: Callable[[], DatabaseFact]
    """Must not raise for a database that does not answer, nor migrate it."""
    unconfirmed_years: Callable[[], Sequence[int]]


def port_needs(settings: Settings) -> Sequence[tuple[str, PortNeed]]:
    """(part, port) for every port but RTP: what a part's start requires and `doctor` looks at."""
    line, operators = "the line (EKC_SIP_PORT)", "the operators' phones (EKC_OPERATORS_PORT)"
    loopback = "127.0.0.1"

    def need(name: str, host: str, port: int, kind: str) -> PortNeed:
        return PortNeed(name=name, host=host, port=port, kind="udp" if kind == "udp" else "tcp")

    return (
        ("asterisk", need(line, settings.bind, settings.sip_port, "udp")),
        ("asterisk", need(line, settings.bind, settings.sip_port, "tcp")),
        ("asterisk", need(operators, settings.bind, settings.operators_port, "udp")),
        ("asterisk", need(operators, settings.bind, settings.operators_port, "tcp")),
        ("asterisk", need("AMI (EKC_AMI_PORT)", loopback, settings.ami_port, "tcp")),
        ("engine", need("FastAGI (EKC_AGI_PORT)", loopback, settings.agi_port, "tcp")),
        ("engine", need("the web (EKC_WEB_PORT)", settings.bind, settings.web_port, "tcp")),
    )


def gather(settings: Settings, sources: Sources, *, now: datetime) -> Facts:
    """The facts of this moment. Raises BadInput when the bind address is not of this machine."""
    started = settings.state.exists()
    disk = shutil.disk_usage(_existing(settings.state))
    return Facts(
        settings=settings,
        now=now,
        newest_file=_newest(settings.state),
        ports=_ports(settings),
        disk_free=disk.free,
        disk_total=disk.total,
        modes=[_mode(path) for path in _guarded(settings)],
        keys=sorted(settings.keys_dir.glob("*")) if settings.keys_dir.is_dir() else [],
        unwritable=[p for p in _written(settings) if p.is_dir() and not os.access(p, os.W_OK | os.X_OK)],
        unconfirmed_years=sources.unconfirmed_years(),
        asterisk_version=sources.asterisk_version(),
        missing_programs=_missing(settings),
        python=sys.version_info[:3],
        database=sources.database()
        if settings.database_url or (started and _has_database(settings))
        else None,
    )


def _has_database(settings: Settings) -> bool:
    return (settings.state / "ekc.db").exists()


def _existing(path: Path) -> Path:
    return next(p for p in (path, *path.parents) if p.exists())


def _ports(settings: Settings) -> Sequence[PortFact]:
    running = {
        part for part in ("asterisk", "engine") if pid_from(settings.run_dir / f"{part}.pid") is not None
    }
    return [
        PortFact(
            need=need,
            free=(free := port_is_free(need)),
            holder="" if free else port_holder(need),
            expected=part in running,
        )
        for part, need in port_needs(settings)
    ]


def _guarded(settings: Settings) -> Iterator[Path]:
    """The state, its directories of secrets, and every file that holds something personal or secret."""
    state = settings.state
    yield from (p for p in (state, settings.keys_dir, settings.run_dir, settings.log_dir) if p.is_dir())
    for pattern in _SECRET_NAMES:
        yield from (p for p in sorted(state.glob(pattern)) if p.is_file())
    for pattern in _JOURNALS:
        yield from (p for p in sorted(settings.asterisk_dir.glob(pattern)) if p.is_file())
    if settings.trunk.password_file is not None and settings.trunk.password_file.is_file():
        yield settings.trunk.password_file


def _mode(path: Path) -> ModeFact:
    status = path.stat()
    return ModeFact(
        path=path,
        mode=stat.S_IMODE(status.st_mode),
        directory=stat.S_ISDIR(status.st_mode),
        readable=os.access(path, os.R_OK),
    )


def _written(settings: Settings) -> Sequence[Path]:
    asterisk = settings.asterisk_dir
    return (
        settings.state,
        settings.run_dir,
        settings.log_dir,
        settings.prompts_cache,
        asterisk / "spool",
        asterisk / "log",
    )


def _newest(state: Path) -> datetime | None:
    newest = 0.0
    for n, (directory, _, files) in enumerate(os.walk(state)):
        if n > SCAN_FILES:
            break
        for name in files[:SCAN_FILES]:
            with suppress(FileNotFoundError):  # the state lives: files come and go
                newest = max(newest, Path(directory, name).lstat().st_mtime)
    return datetime.fromtimestamp(newest, UTC) if newest else None


def _missing(settings: Settings) -> Sequence[str]:
    program = shlex.split(settings.synthesis_command)[0]
    return [] if shutil.which(program) else [program]
