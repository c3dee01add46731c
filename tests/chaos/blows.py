"""What is done to the system, each by its own hand; and undone."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, suppress

import psutil

from tests.chaos.disk import Disk
from tests.chaos.plan import Kind, Stroke
from tests.harness.postgres import Postgres
from tests.harness.processes import HOST, wait_for
from tests.harness.system import System

PATIENCE = 180.0
"""Seconds for a part to be there, so that it can be struck."""
RESTARTED = 1.0
"""Seconds after which who runs `ekc up` (systemd at a site) starts it again."""
LOCK_SECONDS = 60.0


class Blows:
    """Deals blows to one system."""

    def __init__(self, system: System, *, postgres: Postgres | None, disk: Disk) -> None:
        self._system, self._postgres, self._disk = system, postgres, disk
        self._deal: dict[Kind, Callable[[float], None]] = {
            Kind.ENGINE_KILL: lambda _: self._part("engine").kill(),
            Kind.ENGINE_STOP: lambda lasts: _freeze([self._part("engine")], lasts),
            Kind.ASTERISK_KILL: lambda _: self._part("asterisk").kill(),
            Kind.ASTERISK_STOP: lambda lasts: _freeze([self._part("asterisk")], lasts),
            Kind.SUPERVISOR_KILL: lambda _: self._kill_supervisor(),
            Kind.AMI_CUT: lambda _: self._cut_ami(),
            Kind.DATABASE_LOCK: self._lock,
            Kind.DATABASE_KILL: self._kill_database,
            Kind.DATABASE_STOP: lambda lasts: _freeze(self._backends(), lasts),
            Kind.DISK_FULL: self._fill,
        }

    def ready_for(self, kind: Kind) -> bool:
        """What would be struck is alive."""
        if kind in (Kind.ENGINE_KILL, Kind.ENGINE_STOP):
            return self._find("engine") is not None
        if kind is Kind.AMI_CUT:
            return bool(self._ami_links())
        return self._find("asterisk") is not None

    @property
    def asterisk_since(self) -> float:
        """When the present Asterisk was started (epoch): calls that were answered before are dead."""
        process = self._find("asterisk")
        return time.time() if process is None else process.create_time()

    def deal(self, stroke: Stroke) -> None:
        """Strike, and undo it when its time is over."""
        self._deal[stroke.kind](stroke.lasts)

    # --- parts ---

    def _find(self, part: str) -> psutil.Process | None:
        with suppress(OSError, ValueError, IndexError, psutil.Error):
            process = psutil.Process(self._system.pid(part))
            if process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None

    def _part(self, name: str) -> psutil.Process:
        return wait_for(lambda: self._find(name), PATIENCE, f"{name} to be there")

    def _kill_supervisor(self) -> None:
        self._system.kill_supervisor()
        time.sleep(RESTARTED)
        self._system.launch()

    # --- AMI ---

    def _ami_links(self) -> list[int]:
        """The engine's ports of its connections to Asterisk."""
        engine = self._find("engine")
        if engine is None:
            return []
        with suppress(psutil.Error):
            links = engine.net_connections(kind="tcp")
            ami = self._system.ports["ami_port"]
            return [
                c.laddr.port for c in links if c.status == "ESTABLISHED" and c.raddr and c.raddr.port == ami
            ]
        return []

    def _cut_ami(self) -> None:
        """The kernel closes the connection on both sides (ss -K)."""
        links = wait_for(self._ami_links, PATIENCE, "the engine to be connected to Asterisk")
        for port in links:
            argv = ["ss", "-4", "-K", "dst", HOST, "sport", "=", str(port)]
            subprocess.run(argv, capture_output=True, check=True, text=True)
        if set(links) & set(self._ami_links()):
            raise RuntimeError("the kernel does not cut connections here (ss -K): run as root")

    # --- database ---

    def _lock(self, lasts: float) -> None:
        with closing(self._locking()) as other:
            time.sleep(lasts)
            other.execute("ROLLBACK")

    def _locking(self) -> sqlite3.Connection:
        database = self._system.state / "ekc.db"
        other = sqlite3.connect(database, isolation_level=None, timeout=LOCK_SECONDS)
        other.execute("BEGIN EXCLUSIVE")
        return other

    def _backends(self) -> list[psutil.Process]:
        """The server and all of its processes: each is in a session of its own."""
        assert self._postgres is not None
        server = psutil.Process(self._postgres.pid)
        return [server, *server.children(recursive=True)]

    def _kill_database(self, lasts: float) -> None:
        assert self._postgres is not None
        found = self._backends()
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._postgres.kill()
        psutil.wait_procs(found, timeout=10)
        time.sleep(lasts)
        self._postgres.start()

    # --- disk ---

    def _fill(self, lasts: float) -> None:
        self._disk.fill()
        try:
            time.sleep(lasts)
        finally:
            self._disk.clear()


def _freeze(processes: list[psutil.Process], lasts: float) -> None:
    """SIGSTOP; then SIGCONT to those that nobody has killed meanwhile (psutil knows a reused pid)."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)
    time.sleep(lasts)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)
