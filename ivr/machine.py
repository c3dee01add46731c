"""Makes a fresh Debian ready: packages, the virtual environment, Asterisk. Called by `make setup`.

Standard library only, for it runs before anything is installed. A second run finds all in place and is quick.
Every failure is one sentence with its remedy, and exit code 1.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / ".ekc-setup"
PYTHON = (3, 11)
SPACE = 2_000_000_000
"""Bytes that packages, the environment and Asterisk take together."""
LOCK_SECONDS = 60
"""How long apt waits for another program that installs packages."""
PACKAGES = {
    "mmdebstrap": "unpacks Asterisk",
    "espeak-ng": "speaks the prompts",
    "baresip-core": "the operators' softphones of the demo and the tests",
    "sip-tester": "sipp, the callers of the tests",
    "sox": "compares sound in the tests",
    "postgresql": "the second database of the tests",
}
_ADDRESS = re.compile(r"\b\w+://\S+")


class Stop(Exception):
    """Setup cannot go on; the message is one sentence with the remedy."""


def setup() -> None:
    """Everything that `make demo` and `make test` need."""
    if sys.version_info < PYTHON:
        have = ".".join(map(str, sys.version_info[:3]))
        raise Stop(f"this is Python {have} and 3.11 is needed: run `make PYTHON=python3.11 setup`")
    with (ROOT / "pyproject.toml").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second setup waits and then finds all in place
        ready = _stamp_is_current()
        if not ready:
            require_space(ROOT)
        install_packages(missing_packages())
        if not ready:
            make_environment()
    _asterisk()


def say(line: str) -> None:
    print(line, flush=True)


def run(argv: Sequence[str], *, show: Callable[[str], bool] | None = None, **env: str) -> tuple[int, str]:
    """Exit code and output of a program; lines that `show` likes are printed as they come."""
    lines = []
    with subprocess.Popen(
        argv,
        cwd=ROOT,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if show is not None and show(line):
                say("  " + without_addresses(line.rstrip())[:100])
    return process.returncode, "".join(lines)


def without_addresses(text: str) -> str:
    """The text without URLs: a mirror's may hold a password."""
    return _ADDRESS.sub("(address)", text)


def require_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < SPACE:
        raise Stop(
            f"{folder} has {free >> 20} MB free and setup takes {SPACE >> 20} MB: make room, then again"
        )


# --- packages ---


def wanted_packages() -> list[str]:
    """Debian packages: ours, and what lets this Python make environments if it cannot."""
    names = list(PACKAGES)
    if not VENV.is_dir() and importlib.util.find_spec("ensurepip") is None:
        names.append(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    return names


def missing_packages() -> list[str]:
    if shutil.which("dpkg-query") is None:
        raise Stop("this is no Debian: setup installs Debian packages; use Debian 12 or a container of it")
    names = wanted_packages()
    _, out = run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names])
    there = {line.split()[0] for line in out.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in there]


def install_packages(names: Sequence[str]) -> None:
    """apt-get install, with the package lists renewed only when apt does not know them."""
    if not names:
        return
    if os.geteuid() != 0:
        raise Stop(f"packages are missing ({' '.join(names)}) and this is not root: run `sudo make setup`")
    for name in names:
        say(f"Installing {name}: {PACKAGES.get(name, 'for the virtual environment')}.")
    clusters = _running_clusters()
    code, out = _apt("install", "--no-install-recommends", *names)
    if code and re.search(
        r"Unable to locate package|no installation candidate|404 +Not Found|Failed to fetch", out
    ):
        say("Renewing apt's package lists …")
        code, out = _apt("update")
        if not code:
            code, out = _apt("install", "--no-install-recommends", *names)
    if code:
        raise Stop(_apt_failure(out, names))
    for version, name in _running_clusters() - clusters:
        # The tests run servers of their own; one that the package has started is nobody's.
        run(["pg_ctlcluster", version, name, "stop"])


def _apt(*arguments: str) -> tuple[int, str]:
    argv = ["apt-get", "-y", "-q", "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}", *arguments]
    shown = ("Get:", "Setting up", "Waiting for cache lock")
    return run(argv, show=lambda line: line.startswith(shown), DEBIAN_FRONTEND="noninteractive", LC_ALL="C")


def _apt_failure(out: str, names: Sequence[str]) -> str:
    wrong = [line for line in out.splitlines() if line.startswith(("E:", "W:", "Err:"))]
    reason = without_addresses(wrong[-1] if wrong else "no reason given")
    if "Could not get lock" in out or "Unable to acquire" in out:
        return (
            f"another program is installing packages (lock held for {LOCK_SECONDS} s): let it end, then again"
        )
    if "No space left" in out or "don't have enough free space" in out:
        return "the disk is full: make room, then run `make setup` again"
    if re.search(
        r"Could not resolve|Could not connect|Connection (failed|refused|timed out)|Failed to fetch", out
    ):
        return (
            f"the package mirror does not answer ({reason}): check the network and apt's sources, then again"
        )
    return (
        f"apt could not install {' '.join(names)} ({reason}): mend that with apt, then run `make setup` again"
    )


def _running_clusters() -> set[tuple[str, str]]:
    if shutil.which("pg_lsclusters") is None:
        return set()
    _, out = run(["pg_lsclusters", "--no-header"])
    rows = (line.split() for line in out.splitlines())
    return {(row[0], row[1]) for row in rows if len(row) > 3 and row[3].startswith("online")}


# --- the virtual environment ---


def make_environment() -> None:
    """`.venv` with the product (editable) and its tools; pip's own settings and PIP_* hold."""
    if not _python_works():
        say("Making the virtual environment .venv …")
        code, out = run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        if code:
            raise Stop(
                f"no virtual environment could be made: {_last(out)}; install python3.11-venv, then again"
            )
    say("Installing the Python packages …")
    argv = [
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
        "-e",
        ".[dev]",
    ]
    shown = ("Collecting", "Installing", "Successfully")
    code, out = run([str(VENV / "bin/python"), *argv], show=lambda line: line.startswith(shown))
    if code:
        raise Stop(
            f"pip could not install the Python packages: {_last(out)}; check the network and pip's index"
        )
    STAMP.write_text(_fingerprint())


def _python_works() -> bool:
    python = VENV / "bin/python"
    return python.exists() and run([str(python), "-c", "import pip"])[0] == 0


def _fingerprint() -> str:
    """Changes when the environment must be filled anew: pyproject.toml, Python, the folder."""
    text = (ROOT / "pyproject.toml").read_bytes() + f"{sys.version_info[:2]} {ROOT}".encode()
    return hashlib.sha256(text).hexdigest()


def _stamp_is_current() -> bool:
    return STAMP.is_file() and STAMP.read_text() == _fingerprint()


def _last(out: str) -> str:
    """The line that says why: an exception's or an error's last, else the last of all."""
    lines = [line.strip() for line in out.splitlines() if line.strip()] or ["no reason given"]
    for wanted in (r"\w+Error: ", r"ERROR: ", r"(?i)error: "):
        if wrong := [line for line in lines if re.match(wanted, line)]:
            return without_addresses(wrong[-1]).rstrip(".")[:200]
    return without_addresses(lines[-1]).rstrip(".")[:200]


def _asterisk() -> None:
    """Its own sentence says what is wrong."""
    code = subprocess.run(
        [str(VENV / "bin/python"), "-m", "ivr.asterisk.install"], cwd=ROOT, check=False
    ).returncode
    if code:
        sys.exit(code)


def main(arguments: Sequence[str]) -> int:
    if list(arguments) != ["setup"]:
        print("usage: python3 ivr/machine.py setup", file=sys.stderr)
        return 2
    try:
        setup()
    except Stop as stop:
        print(f"setup: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: interrupted; run `make setup` again, it goes on where it was", file=sys.stderr)
        return 1
    say("All is in place.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
