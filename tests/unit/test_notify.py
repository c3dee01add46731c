"""The notification protocol: what is sent arrives with the sender's pid, and a part is never hurt by it."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.domain.errors import BadInput
from ivr.notify import Notification, Notifier, NotifyListener, heartbeat, parse, watchdog_interval


@pytest.fixture
def heard() -> list[Notification]:
    return []


@pytest.fixture
def listener(tmp_path: Path, heard: list[Notification]) -> Iterator[NotifyListener]:
    listener = NotifyListener(tmp_path, heard.append)
    yield listener
    listener.close()


@pytest.mark.parametrize(
    ("datagram", "fields"),
    [
        (b"READY=1", {"READY": "1"}),
        (b"READY=1\nSTATUS=a = b\n", {"READY": "1", "STATUS": "a = b"}),
        (b"", {}),
        (b"nonsense\n=x\nWATCHDOG=1", {"WATCHDOG": "1"}),
        (b"STATUS=\xff", {"STATUS": "�"}),
    ],
)
def test_a_datagram_is_lines_of_name_and_value(datagram: bytes, fields: dict[str, str]) -> None:
    assert parse(datagram) == fields


def test_a_message_arrives_with_the_senders_pid(listener: NotifyListener, heard: list[Notification]) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": str(listener.path)})
    assert notifier.ready() and notifier.beat() and notifier.status("x") and notifier.stopping()
    notifier.close()
    listener.drain()
    assert [dict(m.fields) for m in heard] == [
        {"READY": "1"},
        {"WATCHDOG": "1"},
        {"STATUS": "x"},
        {"STOPPING": "1"},
    ]
    assert {m.pid for m in heard} == {os.getpid()}


def test_another_process_is_known_by_its_own_pid(listener: NotifyListener, heard: list[Notification]) -> None:
    code = "import os; from ivr.notify import Notifier; Notifier.from_environment(os.environ).beat()"
    with subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "NOTIFY_SOCKET": str(listener.path)}
    ) as child:
        child.wait(timeout=30)
    listener.drain()
    assert [m.pid for m in heard] == [child.pid]


def test_an_abstract_address_is_understood() -> None:
    name = f"ekc-test-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + name)
        notifier = Notifier(f"@{name}")
        assert notifier.ready()
        notifier.close()
        assert receiver.recv(100) == b"READY=1"


def test_without_a_supervisor_nothing_is_sent_and_nothing_fails(tmp_path: Path) -> None:
    assert Notifier.from_environment({}).ready() is False
    notifier = Notifier(str(tmp_path / "gone"))
    assert notifier.beat() is False
    notifier.close()


def test_a_newline_in_a_status_is_refused() -> None:
    with pytest.raises(BadInput):
        Notifier(None).status("x\nREADY=1")


def test_the_socket_is_private_and_goes_away(tmp_path: Path) -> None:
    listener = NotifyListener(tmp_path, lambda _: None)
    assert stat.S_IMODE(listener.path.stat().st_mode) == 0o600
    listener.close()
    assert not listener.path.exists()


def test_a_long_state_path_gets_a_short_private_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    listener = NotifyListener(deep, lambda _: None)
    private = listener.path.parent
    assert len(str(listener.path)) <= 100
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    listener.close()
    assert not private.exists()


def test_a_socket_left_by_a_killed_supervisor_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "notify").touch()
    NotifyListener(tmp_path, lambda _: None).close()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, 1.0),
        ({"WATCHDOG_USEC": "5000000"}, 1.0),
        ({"WATCHDOG_USEC": "1500000"}, 0.5),
        ({"WATCHDOG_USEC": "0"}, 1.0),
        ({"WATCHDOG_USEC": "soon"}, 1.0),
    ],
)
def test_beats_come_three_times_in_the_watchdogs_patience(
    environment: dict[str, str], seconds: float
) -> None:
    assert watchdog_interval(environment) == pytest.approx(seconds)


async def test_the_heartbeat_runs_on_the_event_loop(
    listener: NotifyListener, heard: list[Notification]
) -> None:
    loop = asyncio.get_running_loop()
    three = asyncio.Event()
    original = heard.append

    def count(message: Notification) -> None:
        original(message)
        if len(heard) >= 3:
            three.set()

    listener._on_message = count
    listener.attach(loop)
    notifier = Notifier(str(listener.path))
    beating = asyncio.create_task(heartbeat(notifier, 0.001))
    try:
        await asyncio.wait_for(three.wait(), 15)
    finally:
        beating.cancel()
        loop.remove_reader(listener._socket.fileno())
        notifier.close()
    assert all(m.fields == {"WATCHDOG": "1"} for m in heard)
