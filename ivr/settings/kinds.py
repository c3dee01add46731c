"""What a single value of the settings may be, and the sentence that says so."""

from __future__ import annotations

import shlex
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode


def _port_range(value: object) -> object:
    if isinstance(value, str):
        low, dash, high = value.partition("-")
        if not dash or not low.strip().isdigit() or not high.strip().isdigit():
            raise ValueError("write a range of ports as 20000-21000")
        return (int(low), int(high))
    return value


def _service_url(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("an address is ASCII without spaces; write https://host/path")
    try:
        url = urlsplit(value)
        host, _ = url.hostname or "", url.port
    except ValueError:
        raise ValueError("this is no address; write https://host/path") from None
    if url.scheme not in ("http", "https") or not host:
        raise ValueError("write https://host/path")
    if url.username is not None or url.query or url.fragment:
        raise ValueError("leave out user, ? and #; a token goes into token_file")
    if url.scheme == "http" and not _is_loopback(host):
        raise ValueError("http:// may lead to this machine only; personal data travels by https://")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _command_line(value: str) -> str:
    try:
        shlex.split(value)
    except ValueError:
        raise ValueError("write a program and its arguments; a quote is not closed") from None
    return value


Port = Annotated[int, Field(ge=1, le=65535)]
PortRange = Annotated[tuple[int, int], NoDecode, BeforeValidator(_port_range)]
Seconds = Annotated[float, Field(gt=0)]
ServiceUrl = Annotated[str, AfterValidator(_service_url)]
"""Of an agency's service: https, or http on this machine, and nothing that belongs elsewhere."""
CommandLine = Annotated[str, AfterValidator(_command_line)]
"""A program and its arguments, quoted as for a shell."""
