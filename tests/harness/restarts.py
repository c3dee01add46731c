"""Waiting for what the supervisor starts again."""

from __future__ import annotations

from tests.harness.system import READY_SECONDS, System


def wait_another_engine(system: System, than: int) -> None:
    """There is another one than that pid, and the line is ready again."""

    def another() -> bool:
        try:
            return system.pid("engine") != than
        except FileNotFoundError:
            return False

    system.wait_for(another, READY_SECONDS, "another engine", step=0.1)
    system.ekc("status", "--wait", f"{READY_SECONDS:g}")
