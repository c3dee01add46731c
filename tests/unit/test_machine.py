"""Setup of a fresh machine: what it runs, and the one sentence for each thing that can go wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ivr import machine

Runs = list[list[str]]


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Runs]:
    """Replaces the programs that setup runs; returns what was run. Answers by the words of the command."""

    def replace(**answers: tuple[int, str]) -> Runs:
        runs: Runs = []

        def run(argv: Sequence[str], *, show: object = None, **env: str) -> tuple[int, str]:
            runs.append(list(argv))
            for word, answer in answers.items():
                if word in " ".join(argv):
                    return answer
            return 0, ""

        monkeypatch.setattr(machine, "run", run)
        return runs

    return replace


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "pg_lsclusters" else f"/usr/bin/{name}")


def of_apt(runs: Runs) -> list[str]:
    return [
        next(word for word in argv if word in ("install", "update")) for argv in runs if argv[0] == "apt-get"
    ]


def test_only_missing_packages_are_installed(programs: Callable[..., Runs]) -> None:
    """What dpkg knows as installed is left alone; a removed one with its configuration left is missing."""
    rest = [name for name in machine.wanted_packages() if name not in ("sox", "baresip-core")]
    text = "".join(f"{name} installed\n" for name in rest) + "sox config-files\n"
    programs(dpkg=(1, text + "dpkg-query: no packages found matching baresip-core\n"))
    assert sorted(machine.missing_packages()) == ["baresip-core", "sox"]


@pytest.mark.usefixtures("root")
def test_nothing_missing_runs_nothing(programs: Callable[..., Runs]) -> None:
    """Neither apt nor root is needed then."""
    runs = programs()
    machine.install_packages([])
    assert runs == []


@pytest.mark.usefixtures("root")
def test_lists_are_renewed_only_when_apt_does_not_know_a_package(programs: Callable[..., Runs]) -> None:
    """With current lists there is one run of apt."""
    runs = programs()
    machine.install_packages(["sox"])
    assert of_apt(runs) == ["install"]


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7", "another program"),
        ("E: Unable to acquire the dpkg frontend lock", "another program"),
        ("W: Failed to fetch http://u:secret@mirror/x  Could not resolve 'mirror'", "mirror does not answer"),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", "disk is full"),
        ("E: Unmet dependencies.", "mend that with apt"),
    ],
)
def test_each_failure_of_apt_is_one_sentence(
    programs: Callable[..., Runs], output: str, sentence: str
) -> None:
    """With its remedy, and without the mirror's address, which may hold a password."""
    programs(**{"apt-get": (100, output)})
    with pytest.raises(machine.Stop, match=sentence) as caught:
        machine.install_packages(["sox"])
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("root")
def test_an_unknown_package_renews_the_lists_first(programs: Callable[..., Runs]) -> None:
    """A mirror that does not answer is then the reason that is told."""
    runs = programs(
        install=(100, "E: Unable to locate package sox"), update=(100, "Err:1 Could not connect to mirror")
    )
    with pytest.raises(machine.Stop, match="mirror does not answer"):
        machine.install_packages(["sox"])
    assert of_apt(runs) == ["install", "update"]


def test_without_root_the_remedy_is_sudo(
    programs: Callable[..., Runs], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = programs()
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(machine.Stop, match=r"\(sox\).*sudo make setup"):
        machine.install_packages(["sox"])
    assert runs == []


def test_without_space_nothing_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9 << 30, 8 << 30, 1 << 30))
    with pytest.raises(machine.Stop, match="1024 MB free and setup takes 1907 MB: make room"):
        machine.require_space(tmp_path)


@pytest.mark.usefixtures("root")
def test_only_the_database_that_the_package_started_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that ran before is somebody's."""
    clusters = iter([{("13", "main")}, {("13", "main"), ("15", "main")}])
    monkeypatch.setattr(machine, "_running_clusters", lambda: next(clusters))
    runs: Runs = []
    monkeypatch.setattr(machine, "run", lambda argv, **_: (runs.append(list(argv)), (0, ""))[1])
    machine.install_packages(["postgresql"])
    assert [argv for argv in runs if argv[0] == "pg_ctlcluster"] == [["pg_ctlcluster", "15", "main", "stop"]]


def test_a_failing_pip_is_one_sentence(
    programs: Callable[..., Runs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index's address, which may hold a password, is not repeated, and the next run tries again."""
    monkeypatch.setattr(machine, "VENV", tmp_path)
    monkeypatch.setattr(machine, "STAMP", tmp_path / "stamp")
    programs(install=(1, "Looking in indexes: https://u:secret@index/\nERROR: No matching distribution\n"))
    with pytest.raises(machine.Stop, match="No matching distribution; check the network") as caught:
        machine.make_environment()
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "stamp").exists()


def test_the_environment_is_filled_anew_when_the_project_changes(
    programs: Callable[..., Runs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the second run leaves it alone."""
    for name, path in (("ROOT", tmp_path), ("VENV", tmp_path), ("STAMP", tmp_path / "stamp")):
        monkeypatch.setattr(machine, name, path)
    (tmp_path / "pyproject.toml").write_text("one")
    programs()
    assert not machine._stamp_is_current()
    machine.make_environment()
    assert machine._stamp_is_current()
    (tmp_path / "pyproject.toml").write_text("two")
    assert not machine._stamp_is_current()


def test_the_output_of_a_program_is_shown_without_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    """Progress is visible; the whole output comes back."""
    program = "print('Get:1 http://u:secret@mirror/x y'); print('noise'); raise SystemExit(3)"
    code, out = machine.run([sys.executable, "-c", program], show=lambda line: line.startswith("Get:"))
    assert (code, "noise" in out) == (3, True)
    assert capsys.readouterr().out == "  Get:1 (address) y\n"


def test_it_runs_before_anything_is_installed() -> None:
    """By a Python that sees no packages of ours; a wrong word is wrong usage."""
    argv = [sys.executable, "-I", "-S", str(Path(machine.__file__)), "nonsense"]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "usage: python3 ivr/machine.py setup\n")


def test_an_old_python_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "PYTHON", (99, 0))
    assert machine.main(["setup"]) == 1
    assert capsys.readouterr().err.startswith("setup: this is Python 3.")
