"""What is wrong with an installation: pure checks over facts; `ivr/services/facts.py` gathers the facts.

Exit code of `ekc doctor`: 1 if there is any finding, warnings included (interface.md).
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from ivr.services.probes import PortNeed
from ivr.settings import Settings

FIRST_YEAR = 2026
"""An earlier year means a clock that was never set: this program did not exist then."""
CLOCK_SLACK = timedelta(hours=1)
"""By which a file may be younger than the clock (file servers)."""
MIN_FREE = 1_000_000_000
"""Bytes: below it calls may end because a journal cannot be written."""
MIN_FREE_SHARE = 0.05
PYTHON = (3, 11)


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # calls, promises or secrets are in danger now
    WARNING = "warning"  # they will be


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to mend."""

    what: str
    remedy: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, kw_only=True)
class PortFact:
    """A port we need, as it is."""

    need: PortNeed
    free: bool
    holder: str
    """Who has it, where it is not free."""
    expected: bool
    """Its part runs now, so the port should be taken."""


@dataclass(frozen=True, kw_only=True)
class ModeFact:
    """A file or directory of the state, as it is."""

    path: Path
    mode: int
    """Permission bits."""
    directory: bool
    readable: bool


@dataclass(frozen=True, kw_only=True)
class DatabaseFact:
    """The database, as far as it answers."""

    error: str | None = None
    """Why it does not; a sentence without anything personal."""
    revision: str | None = None
    head: str | None = None
    """The revision this program wants."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything the checks look at."""

    settings: Settings
    now: datetime
    newest_file: datetime | None
    """The youngest modification time in the state."""
    ports: Sequence[PortFact]
    disk_free: int
    """Bytes."""
    disk_total: int
    """Bytes."""
    modes: Sequence[ModeFact]
    keys: Sequence[Path]
    """Key files found; empty before the first start."""
    unwritable: Sequence[Path]
    """Directories that exist and cannot be written."""
    unconfirmed_years: Sequence[int]
    """Years of the production calendar, of this and the coming one, that are not decreed yet."""
    asterisk_version: str | None
    """None: no Asterisk found."""
    missing_programs: Sequence[str]
    python: tuple[int, ...]
    database: DatabaseFact | None
    """None before the first start."""


Check = Callable[[Facts], Iterable[Finding]]


def examine(facts: Facts, bad_version: Callable[[str], str | None]) -> Sequence[Finding]:
    """All findings, errors first.

    bad_version: why a version of Asterisk is not to be used, or None where it is fine (the table of
    ivr/asterisk/install.py).
    """
    found = [finding for check in CHECKS for finding in check(facts)]
    found.extend(_asterisk(facts, bad_version))
    return sorted(found, key=lambda finding: finding.severity is Severity.WARNING)


def _port_clashes(facts: Facts) -> Iterator[Finding]:
    users: dict[tuple[int, str], list[str]] = defaultdict(list)
    for port in facts.ports:
        users[port.need.port, port.need.kind].append(port.need.setting)
    low, high = facts.settings.rtp_ports
    for (number, kind), settings in users.items():
        if len(settings) > 1:
            yield Finding(
                what=f"port {number}/{kind} is given to {' and '.join(settings)}",
                remedy="give each a port of its own",
            )
        if kind == "udp" and low <= number <= high:
            yield Finding(
                what=f"{settings[0]}={number} lies in the range of EKC_RTP_PORTS, {low}-{high}",
                remedy="move one of them",
            )
    if high - low + 1 < 2 * facts.settings.max_calls:
        yield Finding(
            what=f"EKC_RTP_PORTS={low}-{high} is too narrow for {facts.settings.max_calls} calls",
            remedy="take two ports for each leg (RTP and RTCP): four for a talk, or lower EKC_MAX_CALLS",
            severity=Severity.WARNING,
        )


def _ports(facts: Facts) -> Iterator[Finding]:
    for port in facts.ports:
        where = f"port {port.need.port}/{port.need.kind} of {port.need.name}"
        if port.expected and port.free:
            yield Finding(
                what=f"{where} is not listened on, although its part runs", remedy="restart it: `ekc up`"
            )
        if not port.expected and not port.free:
            yield Finding(
                what=f"{where} is occupied by {port.holder}",
                remedy=f"stop that program or set {port.need.setting} to a free port",
            )


def _clock(facts: Facts) -> Iterator[Finding]:
    remedy = "set the clock and keep it set: `timedatectl set-ntp true`"
    if facts.now.year < FIRST_YEAR:
        yield Finding(what=f"the clock says {facts.now:%Y-%m-%d}", remedy=remedy)
    elif facts.newest_file is not None and facts.newest_file > facts.now + CLOCK_SLACK:
        yield Finding(
            what=f"the clock says {facts.now:%Y-%m-%d %H:%M} UTC, and the state has a file of "
            f"{facts.newest_file:%Y-%m-%d %H:%M} UTC: it runs behind",
            remedy=remedy,
        )


def _disk(facts: Facts) -> Iterator[Finding]:
    enough = max(MIN_FREE, min(int(facts.disk_total * MIN_FREE_SHARE), 10 * MIN_FREE))
    if facts.disk_free < enough:
        yield Finding(
            what=f"{facts.disk_free / 1e9:.1f} GB are free for the state in {facts.settings.state}",
            remedy=f"make room: at least {enough / 1e9:.1f} GB",
            severity=Severity.ERROR if facts.disk_free < MIN_FREE else Severity.WARNING,
        )


def _modes(facts: Facts) -> Iterator[Finding]:
    for fact in facts.modes:
        wanted = 0o700 if fact.directory else 0o600
        if fact.mode & 0o077:
            yield Finding(
                what=f"{fact.path} has mode {fact.mode:04o}: others may look into it",
                remedy=f"chmod {wanted:04o} {shlex.quote(str(fact.path))}",
            )
        if not fact.readable:
            yield Finding(
                what=f"{fact.path} cannot be read",
                remedy="run as the owner of the state, or correct the owner",
            )


def _writable(facts: Facts) -> Iterator[Finding]:
    for path in facts.unwritable:
        yield Finding(
            what=f"{path} cannot be written: arrivals or calls would be lost",
            remedy="run as the owner of the state, or correct the owner",
        )


def _trunk(facts: Facts) -> Iterator[Finding]:
    settings, trunk = facts.settings, facts.settings.trunk
    if not ip_address(settings.bind).is_loopback and not trunk.host:
        yield Finding(what=f"EKC_BIND is {settings.bind} and no trunk is named", remedy="set EKC_TRUNK__HOST")
    if trunk.username and trunk.password_file is None:
        yield Finding(
            what="the trunk has a user name and no password file", remedy="set EKC_TRUNK__PASSWORD_FILE"
        )
    if trunk.host and ip_address(settings.bind).is_loopback:
        yield Finding(
            what=f"the trunk {trunk.host} cannot reach a line bound to {settings.bind}",
            remedy="set EKC_BIND to the address that faces the trunk",
        )


def _keys(facts: Facts) -> Iterator[Finding]:
    if facts.database is not None and facts.database.revision is not None and not facts.keys:
        yield Finding(
            what=f"no key in {facts.settings.keys_dir}: the personal fields of the database are unreadable",
            remedy="restore the keys from their backup before anything is written",
        )


def _calendar(facts: Facts) -> Iterator[Finding]:
    for year in facts.unconfirmed_years:
        yield Finding(
            what=f"the production calendar of {year} is not confirmed: working days may be wrong",
            remedy="compare it with the decree (`ekc calendar check`) and correct it (`ekc calendar set`)",
            severity=Severity.WARNING,
        )


def _programs(facts: Facts) -> Iterator[Finding]:
    for program in facts.missing_programs:
        yield Finding(
            what=f"{program} is not installed",
            remedy=f"apt-get install {program} (or set EKC_SYNTHESIS_COMMAND to another synthesiser)",
        )
    if facts.python[:2] < PYTHON:
        yield Finding(
            what=f"Python is {'.'.join(map(str, facts.python))}",
            remedy=f"make the environment with Python {PYTHON[0]}.{PYTHON[1]}: `make setup`",
        )


def _database(facts: Facts) -> Iterator[Finding]:
    database = facts.database
    if database is None:
        return
    if database.error is not None:
        yield Finding(
            what=f"the database does not answer: {database.error}",
            remedy="start the database server or correct EKC_DATABASE_URL",
        )
    elif database.revision != database.head:
        yield Finding(
            what=f"the database has revision {database.revision}, this program wants {database.head}",
            remedy="ekc db upgrade",
        )


def _asterisk(facts: Facts, bad_version: Callable[[str], str | None]) -> Iterator[Finding]:
    if facts.asterisk_version is None:
        yield Finding(what="no Asterisk is found", remedy="ekc asterisk install")
    elif reason := bad_version(facts.asterisk_version):
        yield Finding(
            what=f"Asterisk {facts.asterisk_version}: {reason}",
            remedy="ekc asterisk install",
            severity=Severity.WARNING,
        )


CHECKS: Sequence[Check] = (
    _port_clashes,
    _ports,
    _clock,
    _disk,
    _modes,
    _writable,
    _trunk,
    _keys,
    _calendar,
    _programs,
    _database,
)
