"""Each thing that can be wrong with an installation is found, told and comes with its remedy."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ivr.services.doctor import DatabaseFact, Facts, ModeFact, PortFact, Severity, examine
from ivr.services.facts import Sources, gather, port_needs
from ivr.services.probes import PortNeed
from ivr.settings import Settings, Trunk

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


def fine(_version: str) -> str | None:
    return None


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path / "state")


@pytest.fixture
def healthy(settings: Settings) -> Facts:
    return Facts(
        settings=settings,
        now=NOW,
        newest_file=NOW - timedelta(seconds=1),
        ports=[PortFact(need=need, free=True, holder="", expected=False) for _, need in port_needs(settings)],
        disk_free=50_000_000_000,
        disk_total=100_000_000_000,
        modes=[
            ModeFact(path=settings.state, mode=0o700, directory=True, readable=True),
            ModeFact(path=settings.state / "ekc.db", mode=0o600, directory=False, readable=True),
        ],
        keys=[settings.keys_dir / "1"],
        unwritable=[],
        unconfirmed_years=[],
        asterisk_version="22.10.1",
        missing_programs=[],
        python=(3, 11, 2),
        database=DatabaseFact(revision="0001", head="0001"),
    )


def test_a_healthy_installation_has_no_findings(healthy: Facts) -> None:
    assert examine(healthy, fine) == []


def test_before_the_first_start_there_is_nothing_to_find(healthy: Facts) -> None:
    assert examine(replace(healthy, modes=[], keys=[], newest_file=None, database=None), fine) == []


def mode(path: str, bits: int, *, directory: bool = False, readable: bool = True) -> ModeFact:
    return ModeFact(path=Path(path), mode=bits, directory=directory, readable=readable)


@pytest.mark.parametrize(
    ("change", "what", "remedy"),
    [
        ({"now": datetime(2025, 12, 31, tzinfo=UTC)}, "the clock says 2025-12-31", "timedatectl"),
        ({"newest_file": NOW + timedelta(hours=2)}, "runs behind", "timedatectl"),
        ({"disk_free": 900_000_000}, "0.9 GB are free", "make room"),
        ({"modes": [mode("/s", 0o755, directory=True)]}, "/s has mode 0755", "chmod 0700 /s"),
        ({"modes": [mode("/s/ekc.db", 0o640)]}, "/s/ekc.db has mode 0640", "chmod 0600 /s/ekc.db"),
        ({"modes": [mode("/s/a b", 0o644)]}, "mode 0644", "chmod 0600 '/s/a b'"),
        ({"modes": [mode("/s/keys/1", 0o600, readable=False)]}, "/s/keys/1 cannot be read", "owner"),
        ({"unwritable": [Path("/s/asterisk/spool")]}, "/s/asterisk/spool cannot be written", "owner"),
        ({"keys": []}, "no key in", "restore the keys"),
        ({"unconfirmed_years": [2027]}, "calendar of 2027 is not confirmed", "ekc calendar"),
        ({"asterisk_version": None}, "no Asterisk is found", "ekc asterisk install"),
        ({"missing_programs": ["espeak-ng"]}, "espeak-ng is not installed", "apt-get install espeak-ng"),
        ({"python": (3, 10, 1)}, "Python is 3.10.1", "make setup"),
        ({"database": DatabaseFact(revision="0001", head="0002")}, "wants 0002", "ekc db upgrade"),
        ({"database": DatabaseFact(error="refused")}, "does not answer: refused", "EKC_DATABASE_URL"),
    ],
)
def test_each_fault_is_found_with_its_remedy(
    healthy: Facts, change: dict[str, Any], what: str, remedy: str
) -> None:
    (finding,) = examine(replace(healthy, **change), fine)
    assert what in finding.what
    assert remedy in finding.remedy


def test_a_known_bad_asterisk_is_found_with_its_reason(healthy: Facts) -> None:
    (finding,) = examine(healthy, {"22.10.1": "CVE-0000 stops all SIP"}.get)
    assert finding.what == "Asterisk 22.10.1: CVE-0000 stops all SIP"


def test_errors_come_before_warnings(healthy: Facts) -> None:
    found = examine(replace(healthy, unconfirmed_years=[2027], python=(3, 10)), fine)
    assert [f.severity for f in found] == [Severity.ERROR, Severity.WARNING]


@pytest.mark.parametrize(
    ("free", "expected", "what"),
    [
        (True, False, None),
        (False, True, None),
        (False, False, "is occupied by nginx (pid 7)"),
        (True, True, "is not listened on"),
    ],
)
def test_a_port_is_to_be_taken_exactly_while_its_part_runs(
    healthy: Facts, free: bool, expected: bool, what: str | None
) -> None:
    need = PortNeed(name="the web (EKC_WEB_PORT)", host="127.0.0.1", port=8080, kind="tcp")
    port = PortFact(need=need, free=free, holder="nginx (pid 7)", expected=expected)
    found = examine(replace(healthy, ports=[port]), fine)
    assert [what in f.what for f in found if what] == ([True] if what else [])
    assert len(found) == bool(what)


def test_an_occupied_port_names_its_setting(healthy: Facts) -> None:
    port = replace(healthy.ports[0], free=False, holder="x")
    (finding,) = examine(replace(healthy, ports=[port]), fine)
    assert finding.remedy == "stop that program or set EKC_SIP_PORT to a free port"


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"web_port": 4573}, "port 4573/tcp is given to EKC_AGI_PORT and EKC_WEB_PORT"),
        ({"sip_port": 20000}, "EKC_SIP_PORT=20000 lies in the range of EKC_RTP_PORTS"),
        ({"rtp_ports": (20000, 20100)}, "too narrow for 400 calls"),
        ({"rtp_ports": (20000, 20798)}, "too narrow for 400 calls"),
    ],
)
def test_ports_that_clash_are_found(healthy: Facts, tmp_path: Path, given: dict[str, Any], what: str) -> None:
    settings = Settings(state=tmp_path, **given)
    ports = [PortFact(need=n, free=True, holder="", expected=False) for _, n in port_needs(settings)]
    (finding,) = examine(replace(healthy, settings=settings, ports=ports), fine)
    assert what in finding.what


@pytest.mark.parametrize(
    ("bind", "trunk", "remedy"),
    [
        ("127.0.0.1", Trunk(host="sip.example.org"), "set EKC_BIND"),
        ("192.0.2.7", Trunk(host="sip.example.org", username="u"), "set EKC_TRUNK__PASSWORD_FILE"),
    ],
)
def test_a_trunk_that_cannot_work_is_found(healthy: Facts, bind: str, trunk: Trunk, remedy: str) -> None:
    settings = healthy.settings.model_copy(update={"bind": bind, "trunk": trunk})
    (finding,) = examine(replace(healthy, settings=settings), fine)
    assert remedy in finding.remedy


@pytest.fixture
def sources() -> Sources:
    return Sources(
        asterisk_version=lambda: "22.10.1",
        database=lambda: DatabaseFact(revision="1", head="1"),
        unconfirmed_years=lambda: (),
    )


@pytest.fixture
def free_port() -> Callable[[], int]:
    def port() -> int:
        with socket.create_server(("127.0.0.1", 0)) as server:
            return int(server.getsockname()[1])

    return port


def test_a_fresh_state_gathers_no_findings_but_occupied_ports(
    tmp_path: Path, sources: Sources, free_port: Callable[[], int]
) -> None:
    names = ("sip_port", "operators_port", "ami_port", "agi_port", "web_port")
    ports: dict[str, Any] = {name: free_port() for name in names}
    settings = Settings(
        state=tmp_path / "none", rtp_ports=(10000, 12000), synthesis_command="sh {output}", **ports
    )
    facts = gather(settings, sources, now=datetime.now(UTC))
    assert examine(facts, fine) == []
    assert not settings.state.exists()


def test_an_occupied_port_is_gathered_with_its_holder(
    tmp_path: Path, sources: Sources, free_port: Callable[[], int]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = Settings(state=tmp_path, web_port=server.getsockname()[1], synthesis_command="sh")
        facts = gather(settings, sources, now=datetime.now(UTC))
    (port,) = [p for p in facts.ports if p.need.setting == "EKC_WEB_PORT"]
    assert (port.free, port.expected) == (False, False)
    assert f"(pid {os.getpid()})" in port.holder


def test_the_port_of_a_running_part_is_expected_to_be_taken(tmp_path: Path, sources: Sources) -> None:
    settings = Settings(state=tmp_path)
    settings.run_dir.mkdir()
    (settings.run_dir / "engine.pid").write_text(f"{os.getpid()}\n")
    facts = gather(settings, sources, now=datetime.now(UTC))
    expected = {p.need.setting for p in facts.ports if p.expected}
    assert expected == {"EKC_AGI_PORT", "EKC_WEB_PORT"}


def test_open_files_of_a_state_are_found(tmp_path: Path, sources: Sources) -> None:
    settings = Settings(state=tmp_path / "state", synthesis_command="no-such-synthesiser {output}")
    settings.keys_dir.mkdir(parents=True)
    (settings.asterisk_dir / "spool").mkdir(parents=True)
    for directory in (settings.state, settings.keys_dir):
        directory.chmod(0o700)
    names = ("ekc.db", "keys/1", "asterisk/spool/arrivals.log")
    for name in names:
        (settings.state / name).touch(mode=0o600)
        (settings.state / name).chmod(0o644)
    facts = gather(settings, sources, now=datetime.now(UTC))
    found = [f.what for f in examine(replace(facts, ports=[]), fine)]
    assert [f"{settings.state / n} has mode 0644: others may look into it" in found for n in names] == [
        True
    ] * 3
    assert "no-such-synthesiser is not installed" in found
    assert facts.newest_file is not None
