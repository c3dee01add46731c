"""A real Asterisk with our configuration for tests that talk to it, and a switchboard over its AMI."""

from __future__ import annotations

import hashlib
import socket
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ivr.asterisk import conf
from ivr.asterisk.ami import Ami
from ivr.asterisk.node import Node
from ivr.asterisk.switchboard import WANTED, AmiSwitchboard
from ivr.domain.operators import SipAccount
from ivr.ports import FloorEvent
from ivr.settings import Settings


def account(extension: str) -> SipAccount:
    ha1 = hashlib.md5(f"{extension}:ekc:pw{extension}".encode()).hexdigest()  # noqa: S324 - SIP digest is MD5
    return SipAccount(extension=extension, name="Иванова", ha1=ha1)


def free_ports(count: int) -> list[int]:
    """Ports that are free for UDP and TCP now."""
    taken = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    for one in taken:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports


def quiet(path: Path) -> None:
    """A fifth of a second of silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0\0" * 1600)


@contextmanager
def running(
    folder: Path, *, rtp_ports: tuple[int, int], accounts: Sequence[str], queues: Sequence[str], **more: Any
) -> Iterator[Node]:
    """A node that is ready, with its state in `folder`. accounts: extensions; more: settings."""
    sip, operators, ami, agi = free_ports(4)
    settings = Settings(
        state=folder / "state",
        sip_port=sip,
        operators_port=operators,
        ami_port=ami,
        agi_port=agi,
        rtp_ports=rtp_ports,
        max_calls=50,
        **more,
    )
    node = Node(settings)
    node.render([account(extension) for extension in accounts], queues)
    quiet(settings.prompts_cache / "emergency.wav")
    node.start()
    try:
        node.wait_ready(30)
        yield node
    finally:
        node.stop()


def over_ami(node: Node, on_event: Callable[[FloorEvent], None]) -> tuple[Ami, AmiSwitchboard]:
    """Not connected yet."""
    ami = Ami(
        conf.LOOPBACK,
        node.settings.ami_port,
        "ekc",
        conf.ami_secret(node.settings),
        on_event=lambda message: board.take(message),
        wanted=WANTED,
    )
    board = AmiSwitchboard(ami, on_event=on_event)
    return ami, board
