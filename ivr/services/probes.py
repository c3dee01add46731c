"""Small probes that need no adapter: processes by pid file, ports by binding, SIP by OPTIONS."""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from ivr.domain.errors import BadInput

PID_SLACK = 2.0
"""Seconds by which a process may look younger than its pid file: clocks of different grain."""


def pid_from(path: Path) -> int | None:
    """The live process a pid file names; None when there is none.

    A process younger than the file got a dead one's number, and a zombie is dead.
    """
    try:
        pid = int(path.read_text("ascii"))
        written = path.stat().st_mtime
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= written + PID_SLACK
    except (OSError, ValueError, psutil.Error):
        return None
    return pid if alive else None


@dataclass(frozen=True, kw_only=True)
class PortNeed:
    """A port that a part is to listen on."""

    name: str
    """For messages: `the line (EKC_SIP_PORT)`."""
    host: str
    port: int
    kind: Literal["tcp", "udp"]

    @property
    def setting(self) -> str:
        """The environment variable in the name, or the name."""
        return self.name.partition("(")[2].rstrip(")") or self.name


def port_is_free(need: PortNeed) -> bool:
    """Whether a program could listen there now (a TCP port in TIME_WAIT counts as free).

    Raises BadInput when the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in need.host else socket.AF_INET
    kind = socket.SOCK_STREAM if need.kind == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family, kind) as probe:
        if need.kind == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((need.host, need.port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise BadInput(f"{need.host} is no address of this machine: set EKC_BIND") from error
    return True


def port_holder(need: PortNeed) -> str:
    """`asterisk (pid 12)`, or `another program` when the system does not tell us."""
    wanted = socket.SOCK_STREAM if need.kind == "tcp" else socket.SOCK_DGRAM
    try:
        connections = psutil.net_connections("inet")
    except (psutil.Error, OSError):
        connections = []
    for c in connections:
        at_port = c.laddr and c.laddr.port == need.port and c.type == wanted and c.pid
        if at_port and (need.kind == "udp" or c.status == psutil.CONN_LISTEN):
            return f"{_name(c.pid)} (pid {c.pid})"
    return "another program"


def _name(pid: int) -> str:
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        return "a process"


def require_ports(*needs: PortNeed) -> None:
    """Raise BadInput with one sentence when one of the ports is occupied: a part's hook before its start."""
    for need in needs:
        if not port_is_free(need):
            raise BadInput(
                f"port {need.port}/{need.kind} of {need.name} is occupied by {port_holder(need)}: "
                f"stop that program or set {need.setting} to a free port"
            )


async def tcp_answers(host: str, port: int, *, seconds: float = 1.0) -> bool:
    """Whether somebody accepts connections there."""
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # TimeoutError is one
        return False
    writer.close()
    return True


class _Answer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.got.done():
            self.got.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.got.done():
            self.got.set_result(b"")


async def sip_answers(host: str, port: int, *, seconds: float = 1.0) -> bool:
    """Whether a SIP server answers OPTIONS over UDP (RFC 3261 §11): any reply, 401 and 404 too, is a sign
    of life."""
    loop = asyncio.get_running_loop()
    transport, answer = await loop.create_datagram_endpoint(_Answer, remote_addr=(host, port))
    try:
        own_host, own_port = transport.get_extra_info("sockname")[:2]
        transport.sendto(_options(host, port, own_host, own_port))
        async with asyncio.timeout(seconds):
            return (await answer.got).startswith(b"SIP/2.0 ")
    except OSError:
        return False
    finally:
        transport.close()


def _options(host: str, port: int, own_host: str, own_port: int) -> bytes:
    token = secrets.token_hex(8)
    lines = (
        f"OPTIONS sip:{_bracket(host)}:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP {_bracket(own_host)}:{own_port};branch=z9hG4bK{token};rport",
        "Max-Forwards: 70",
        f"From: <sip:probe@{_bracket(own_host)}>;tag={token}",
        f"To: <sip:{_bracket(host)}:{port}>",
        f"Call-ID: {token}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:probe@{_bracket(own_host)}:{own_port}>",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def reachable(bind: str) -> str:
    """The address by which this machine reaches what is bound to `bind`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104 - compared, never bound
