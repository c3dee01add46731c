"""The supervisor with real processes: dying, hanging, stubborn and prolific ones. Nothing is ever left."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 15.0
"""Seconds: three times what the slowest step takes on a busy machine."""

DRIVER = """
import asyncio, json, sys
from pathlib import Path
from ivr.domain.errors import EkcError
from ivr.observe import configure_logs
from ivr.services.probes import PortNeed, require_ports, sip_answers
from ivr.supervisor import Part, Probe, Supervisor
from ivr.supervisor.decisions import Backoff

def sip(port):
    return Probe(fault="does not answer SIP", ask=lambda: sip_answers("127.0.0.1", port, seconds=0.2),
                 every=0.1, limit=0.3, patience=1.0)

def part(*, port=None, pid_file=None, sip_port=None, **given):
    given["probes"] = [sip(sip_port)] if sip_port else []
    needs = [PortNeed(name="the web (EKC_WEB_PORT)", host="127.0.0.1", port=port, kind="tcp")] if port else []
    return Part(before_start=lambda: require_ports(*needs), pid_file=Path(pid_file), **given)

async def main():
    config = json.loads(sys.argv[1])
    configure_logs(directory=Path(config["run"]).with_name("log"), name="supervisor", quiet=True)
    return await Supervisor(
        [part(**p) for p in config["parts"]], run_dir=Path(config["run"]),
        backoff=Backoff(first=0.1, healthy=config.get("healthy", 60.0)),
        on_up=lambda: print("UP", flush=True)).run()

try:
    sys.exit(asyncio.run(main()))
except EkcError as error:
    sys.exit(f"ekc: {error}")
"""

CHILD = """
import os, signal, subprocess, sys, time
from pathlib import Path
from ivr.notify import Notifier
name, kind, where = sys.argv[1], sys.argv[2], Path(sys.argv[3])

def stop(*_):
    with (where / "stopped").open("a") as file:
        file.write(name + "\\n")
    sys.exit(0)

if kind == "fails":
    sys.exit(3)
signal.signal(signal.SIGTERM, signal.SIG_IGN if kind == "stubborn" else stop)
if kind == "parent":
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    helpers = [subprocess.Popen(sleeper), subprocess.Popen(sleeper, start_new_session=True)]
    (where / "helpers").write_text(" ".join(str(h.pid) for h in helpers))
notifier = Notifier.from_environment(os.environ)
if kind == "mute":
    notifier.ready()
    helper = "import os, time; from ivr.notify import Notifier; n = Notifier.from_environment(os.environ)\\n"
    subprocess.Popen([sys.executable, "-c", helper + "while True: n.beat(); time.sleep(0.05)"])
    time.sleep(600)
if kind != "never":
    notifier.ready()
if kind == "busy":
    import asyncio
    from ivr.notify import heartbeat
    async def main():
        beating = asyncio.create_task(heartbeat(notifier, 0.05))
        await asyncio.sleep(0.5)
        while True:  # the event loop never gets its turn again
            pass
    asyncio.run(main())
if kind == "sip":
    import socket
    sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sip.bind(("127.0.0.1", int((where / "port").read_text())))
    sip.settimeout(0.05)
    while True:
        notifier.beat()
        try:
            _, caller = sip.recvfrom(4096)
        except TimeoutError:
            continue
        if not (where / "deaf").exists():
            sip.sendto(b"SIP/2.0 200 OK\\r\\n\\r\\n", caller)
while True:
    notifier.beat()
    time.sleep(0.05)
"""


@dataclass
class Up:
    """A running `Supervisor` in a process of its own."""

    process: subprocess.Popen[str]
    run: Path
    parts: list[str]
    seen: set[int] = field(default_factory=set)

    def pid(self, name: str) -> int | None:
        try:
            pid = int((self.run / f"{name}.pid").read_text())
        except FileNotFoundError:
            return None
        self.seen.add(pid)
        return pid

    def end(self) -> tuple[int, str]:
        _, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, err


def until(what: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """The first true value of `what`; fails the test when it does not come in time."""
    deadline = time.monotonic() + patience
    while not (value := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Start:
    """Starts supervisors over parts of the given kinds."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self.started: list[Up] = []

    def __call__(
        self, kinds: Mapping[str, str], *, up: bool = True, healthy: float = 60.0, **options: Any
    ) -> Up:
        run = self.where / "run"
        script = self.where / "child.py"
        script.write_text(CHILD)
        parts = [
            {
                "name": name,
                "argv": [sys.executable, str(script), name, kind, str(self.where)],
                "env": {"PYTHONPATH": str(ROOT)},
                "notifies": True,
                "pid_file": str(run / f"{name}.pid"),
                "stop_seconds": 5.0,
            }
            | options
            for name, kind in kinds.items()
        ]
        config = json.dumps({"run": str(run), "parts": parts, "healthy": healthy})
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, config],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started = Up(process, run, list(kinds))
        self.started.append(started)
        if up:
            assert process.stdout is not None
            first = process.stdout.readline()
            if first != "UP\n":
                process.kill()
            assert first == "UP\n", process.communicate(timeout=PATIENCE)[1]
        return started


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    starter = Start(tmp_path)
    yield starter
    for up in starter.started:
        if up.process.poll() is None:
            up.process.kill()
        up.process.communicate(timeout=PATIENCE)
    seen = {pid for up in starter.started for pid in up.seen}
    assert until(lambda: not any(alive(pid) for pid in seen)), "a process was left"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_part_in_reverse_order_and_exits_0(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    up = start({"asterisk": "good", "engine": "good"})
    pids = [up.pid(name) for name in up.parts]
    up.process.send_signal(number)
    code, _ = up.end()
    assert code == 0
    assert (tmp_path / "stopped").read_text().split() == ["engine", "asterisk"]
    assert not any(alive(pid) for pid in pids if pid)
    assert [p.name for p in up.run.iterdir()] == ["supervisor.lock"]


def test_a_part_that_dies_is_started_again_said_and_an_alarm_until_it_is_healthy(start: Start) -> None:
    up = start({"engine": "good"}, healthy=3.0)
    first = up.pid("engine")
    assert first
    os.kill(first, signal.SIGKILL)
    until(lambda: up.pid("engine") not in (None, first))
    alarms = up.run / "alarms-supervisor.json"
    (alarm,) = json.loads(alarms.read_text())
    assert alarm["what"] == "engine ended with signal 9 (SIGKILL)"
    assert until(lambda: alarms.read_text() == "[]")
    up.process.send_signal(signal.SIGTERM)
    code, err = up.end()
    assert code == 0
    assert "ekc: engine ended with signal 9 (SIGKILL); starting engine again in 0.1 s\n" in err
    assert "ekc: engine runs again\n" in err


def test_a_hung_part_is_killed_and_started_again(start: Start) -> None:
    up = start({"engine": "good"}, watchdog_seconds=1.0)
    first = up.pid("engine")
    assert first
    os.kill(first, signal.SIGSTOP)
    until(lambda: up.pid("engine") not in (None, first))
    assert not alive(first)
    up.process.send_signal(signal.SIGTERM)
    code, err = up.end()
    assert code == 0
    assert "engine hung: no heartbeat for 1 s, killed" in err


def test_a_part_whose_event_loop_is_busy_for_ever_is_killed_and_started_again(start: Start) -> None:
    """The process runs at full speed: only its silence tells."""
    up = start({"engine": "busy"}, watchdog_seconds=1.0)
    first = up.pid("engine")
    until(lambda: up.pid("engine") not in (None, first))
    up.process.send_signal(signal.SIGTERM)
    assert "engine hung: no heartbeat for 1 s, killed" in up.end()[1]


def test_a_part_that_beats_but_is_deaf_is_killed_and_started_again(start: Start, tmp_path: Path) -> None:
    """What it answers counts: as long as it does, nothing happens to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "port").write_text(str(port))
    up = start({"asterisk": "sip"}, watchdog_seconds=1.0, sip_port=port)
    first = up.pid("asterisk")
    time.sleep(2.0)  # real time has to pass: twice the probe's patience
    assert up.pid("asterisk") == first
    (tmp_path / "deaf").touch()
    until(lambda: up.pid("asterisk") not in (None, first))
    (tmp_path / "deaf").unlink()
    assert first and not alive(first)
    up.process.send_signal(signal.SIGTERM)
    assert "asterisk does not answer SIP for 1 s, killed" in up.end()[1]


def test_beats_of_a_helper_do_not_count_as_the_parts_own(start: Start) -> None:
    up = start({"engine": "mute"}, watchdog_seconds=1.0)
    first = up.pid("engine")
    until(lambda: up.pid("engine") not in (None, first))
    up.process.send_signal(signal.SIGTERM)
    assert "engine hung" in up.end()[1]


def test_a_supervisor_that_slept_itself_kills_nobody(start: Start) -> None:
    up = start({"engine": "good"}, watchdog_seconds=1.0)
    first = up.pid("engine")
    assert first
    for _ in range(2):
        os.kill(up.process.pid, signal.SIGSTOP)
        os.kill(first, signal.SIGSTOP)
        time.sleep(2.0)  # real time has to pass: twice the period
        os.kill(up.process.pid, signal.SIGCONT)
        os.kill(first, signal.SIGCONT)
        time.sleep(0.3)
    assert up.pid("engine") == first
    up.process.send_signal(signal.SIGTERM)
    code, err = up.end()
    assert (code, "hung" in err) == (0, False)


def test_a_part_that_ignores_the_stop_signal_is_killed_after_its_time(start: Start) -> None:
    up = start({"engine": "stubborn"}, stop_seconds=0.3)
    pid = up.pid("engine")
    up.process.send_signal(signal.SIGTERM)
    assert up.end()[0] == 0
    assert pid and not alive(pid)


def test_a_second_signal_hastens_the_stop(start: Start) -> None:
    up = start({"engine": "stubborn"}, stop_seconds=600.0)
    pid = up.pid("engine")
    up.process.send_signal(signal.SIGINT)
    assert up.process.stderr is not None
    assert up.process.stderr.readline() == "ekc: stopping; once more stops at once\n"
    up.process.send_signal(signal.SIGINT)
    assert up.end()[0] == 0
    assert pid and not alive(pid)


def test_grandchildren_go_too_even_those_with_a_session_of_their_own(start: Start, tmp_path: Path) -> None:
    up = start({"engine": "parent"})
    helpers = [int(pid) for pid in (tmp_path / "helpers").read_text().split()]
    up.seen.update(helpers)
    assert all(alive(pid) for pid in helpers)
    up.process.send_signal(signal.SIGTERM)
    assert up.end()[0] == 0
    assert not any(alive(pid) for pid in helpers)


def test_kill_9_of_the_supervisor_leaves_no_part_and_the_next_one_starts(start: Start) -> None:
    up = start({"asterisk": "good", "engine": "stubborn"})
    pids = [up.pid(name) for name in up.parts]
    up.process.kill()
    until(lambda: not any(alive(pid) for pid in pids if pid))
    again = start({"engine": "good"})
    again.process.send_signal(signal.SIGTERM)
    assert again.end()[0] == 0


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("fails", "ekc: engine ended with exit code 3 before it was ready: see the log\n"),
        ("never", "ekc: engine was not ready within 2 s: see the log\n"),
    ],
)
def test_a_part_that_cannot_start_at_first_ends_everything_with_one_sentence(
    start: Start, kind: str, sentence: str
) -> None:
    up = start({"asterisk": "good", "engine": kind}, up=False, start_seconds=2.0, remedy="see the log")
    asterisk = until(lambda: up.pid("asterisk") or up.process.poll() is not None)
    code, err = up.end()
    assert (code, err) == (1, sentence)
    assert not alive(asterisk)
    assert [p.name for p in up.run.iterdir()] == ["supervisor.lock"]


def test_a_missing_program_is_said_in_one_sentence(start: Start) -> None:
    up = start({"engine": "good"}, up=False, argv=["/no/such/program"], remedy="run `make setup`")
    assert up.end() == (
        1,
        "ekc: engine cannot be started (No such file or directory: /no/such/program): run `make setup`\n",
    )


def test_an_occupied_port_is_said_with_its_holder_and_the_setting(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        up = start({"engine": "good"}, up=False, port=port)
        code, err = up.end()
    assert code == 1
    assert f"port {port}/tcp of the web (EKC_WEB_PORT) is occupied by " in err
    assert f"(pid {os.getpid()}): stop that program or set EKC_WEB_PORT to a free port" in err
    assert err.count("\n") == 1


def test_a_second_supervisor_on_the_same_state_is_refused(start: Start) -> None:
    first = start({"engine": "good"})
    engine = first.pid("engine")
    second = start({"engine": "good"}, up=False)
    code, err = second.end()
    assert code == 1
    assert f"already run by another `ekc up` (pid {first.process.pid})" in err
    assert first.pid("engine") == engine and engine and alive(engine)
    first.process.send_signal(signal.SIGTERM)
    assert first.end()[0] == 0


def test_a_stop_during_the_first_start_leaves_nothing(start: Start) -> None:
    up = start({"engine": "never"}, up=False)
    pid = until(lambda: up.pid("engine"))
    up.process.send_signal(signal.SIGTERM)
    assert up.end()[0] == 0
    assert not alive(pid)
