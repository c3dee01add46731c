"""Renders asterisk-conf/ and dialplans/ into the state directory.

`*.conf.j2` files are Jinja2 (only where a value is site-specific), `*.conf` files are copied. Every value
that a template prints is checked: one that could end its line, begin a comment or a section is refused.
"""

from __future__ import annotations

import os
import re
import resource
import secrets
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from ipaddress import ip_address
from math import ceil
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from ivr.asterisk import general_queue
from ivr.asterisk.layout import Layout, own_directory
from ivr.asterisk.tree import AsteriskTree, find_asterisk
from ivr.domain.errors import BadInput
from ivr.domain.operators import EXTENSION, GENERAL_QUEUE, SIP_REALM, SipAccount
from ivr.domain.queue_rules import Priority
from ivr.files import write_whole
from ivr.settings import Settings

LOOPBACK = "127.0.0.1"
"""Where AMI and the engine's FastAGI listen, whatever `bind` says: both trust whoever connects."""
SPEECH_HOST = "127.0.0.2"
"""Where the engine's recogniser listens: loopback, too, so that it needs no port of its own."""
AMI_USER = "ekc"
"""asterisk-conf/manager.conf.j2."""
_PACKAGE = Path(__file__).resolve().parents[1]
_UNSAFE = re.compile(r"[\x00-\x1f\x7f;\\\[\]]")
_UNSAFE_IN_DIALPLAN = re.compile(r"[\x00-\x1f\x7f;\\\[\]$,&(){}\"]")
_QUEUE = re.compile(r"[a-z][a-z0-9_]{0,30}(-[12])?")
_HA1 = re.compile(r"[0-9a-f]{32}")
_HOST = re.compile(r"[A-Za-z0-9:.-]{1,253}")
_NUMBER = re.compile(r"[A-Za-z0-9+*#.-]")
_TOKEN = re.compile(r"[A-Za-z0-9]")


class _Ours(str):
    """Text that does not come from a setting."""

    __slots__ = ()


def render(
    settings: Settings,
    accounts: Sequence[SipAccount],
    queues: Sequence[str],
    *,
    tree: AsteriskTree | None = None,
) -> list[Path]:
    """Write the configuration of this system; the files that have changed.

    accounts: the operators' phones. queues: the agencies' queues (`general` is always there).
    Raises BadInput for a value that cannot stand in a configuration file.
    """
    tree = tree or find_asterisk(settings)
    layout = Layout.of(settings)
    layout.make()
    layout.link(tree)
    texts = dict(_texts(_values(settings, layout, tree, accounts, queues)))
    for stale in set(layout.etc.rglob("*.conf")) - {layout.etc / name for name in texts}:
        stale.unlink()
    changed = [path for name, text in texts.items() if _write(path := layout.etc / name, text)]
    if general_queue.write(layout.realtime, general_queue.options(texts["queues.conf"])):
        changed.append(layout.realtime)
    return changed


def ami_secret(settings: Settings) -> str:
    """The manager user's secret."""
    return _secret(settings, "ami.secret")


def probe_extension(settings: Settings) -> str:
    """What the supervisor dials to try its own line. Nobody else knows it, so no caller can pass for it."""
    return f"probe{sha256(_secret(settings, 'probe.secret').encode()).hexdigest()[:32]}"


def _secret(settings: Settings, name: str) -> str:
    """What stands in this file of `keys/` (mode 0600), made at the first call."""
    path = settings.keys_dir / name
    own_directory(settings.keys_dir)
    if not path.exists():
        # Written aside and linked: of two processes that start at once, one wins and nobody reads half of it.
        new = path.with_name(f".{path.name}.{os.getpid()}")
        write_whole(new, secrets.token_urlsafe(32))
        with suppress(FileExistsError):
            path.hardlink_to(new)
        new.unlink()
    return path.read_text().strip()


def _write(path: Path, text: str) -> bool:
    """Replace the file as a whole if it differs; whether it did."""
    if path.is_file() and path.read_text() == text:
        return False
    own_directory(path.parent)
    write_whole(path, text)
    return True


def _texts(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Name below etc/ and text of each file."""
    for folder, below in ((_folder("asterisk-conf"), ""), (_folder("dialplans"), "dialplans/")):
        unsafe = _UNSAFE_IN_DIALPLAN if below else _UNSAFE
        for source in sorted(folder.glob("*.conf*")):
            text, name = source.read_text(), source.name
            if source.suffix == ".j2":
                text, name = _fill(source.name, text, values, unsafe), source.stem
            yield (name if name == "extensions.conf" else below + name), text


def _folder(name: str) -> Path:
    """In the wheel below `ivr/`, in a checkout beside it."""
    for folder in (_PACKAGE / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise BadInput(f"the folder {name} is missing: the installation is not whole, install it again")


def _fill(name: str, text: str, values: Mapping[str, object], unsafe: re.Pattern[str]) -> str:
    def check(value: object) -> object:
        if not isinstance(value, _Ours) and unsafe.search(str(value)):
            # Not the value itself: it may be a password.
            raise BadInput(f"a setting or path that {name} needs has characters that Asterisk would misread")
        return value

    # No HTML is made here, so nothing is escaped for HTML; `check` refuses what would need escaping.
    environment = Environment(  # noqa: S701
        undefined=StrictUndefined,
        finalize=check,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.from_string(text).render(values)


def _values(
    settings: Settings,
    layout: Layout,
    tree: AsteriskTree,
    accounts: Sequence[SipAccount],
    queues: Sequence[str],
) -> dict[str, object]:
    return {
        **_bytes(),
        **_places(settings, layout, tree),
        "s": settings,
        "maxfiles": _max_files(settings),
        "bind": _bind(settings),
        "media_address": None if ip_address(settings.bind).is_unspecified else settings.bind,
        "loopback": LOOPBACK,
        "speech_host": SPEECH_HOST,
        "ami_secret": ami_secret(settings),
        "realm": SIP_REALM,
        "probe": probe_extension(settings),
        "seconds": ceil,
        "python": sys.executable,
        "head_priority": Priority.HEAD.value,
        "own_numbers": sorted({*settings.callbacks.own_numbers, settings.trunk.outbound_cli}),
        "tcp": _Ours("\\;transport=tcp"),
        "trunk_networks": _trunk_networks(settings),
        "trunk_password": _trunk_password(settings),
        "accounts": [_checked_account(a) for a in accounts],
        "queues": _checked_queues(queues),
    }


def _bytes() -> dict[str, object]:
    """Sets of bytes that the dialplan takes out of what comes from the wire."""
    return {
        "tab": _Ours("\t"),
        "unprintable": _Ours(_escaped(range(0x01, 0x21), range(0x7F, 0x100))),
        "not_a_number": _Ours(_escaped(b for b in range(1, 256) if not _NUMBER.fullmatch(chr(b)))),
        "not_a_token": _Ours(_escaped(b for b in range(1, 256) if not _TOKEN.fullmatch(chr(b)))),
    }


def _places(settings: Settings, layout: Layout, tree: AsteriskTree) -> dict[str, object]:
    """Folders and files."""
    return {
        "etc": layout.etc,
        "lib": layout.lib,
        "data": layout.data,
        "spool": layout.spool,
        "log": _Ours(_checked_path(layout.log)),
        "run": layout.run,
        "realtime": layout.realtime,
        "modules": tree.modules,
        "emergency_sentence": settings.prompts_cache / "emergency",
        "emergency_later": settings.prompts_cache / "emergency.later",
        "emergency_spool": settings.emergency_spool,
        "emergency_failed": settings.emergency_failed,
        "emergency_script": _folder("agi_scripts") / "emergency.py",
        "prompts": settings.prompts_cache,
    }


def _escaped(*spans: Iterable[int]) -> str:
    """The bytes as REPLACE() wants them."""
    return "".join(f"\\\\x{byte:02x}" for span in spans for byte in span)


def _checked_path(path: Path) -> str:
    # A category's name: brackets and what would follow them are the only danger.
    if _UNSAFE.search(str(path)):
        raise BadInput(
            f"the state directory {path} has characters that Asterisk would misread: choose another"
        )
    return str(path)


def _checked_account(account: SipAccount) -> SipAccount:
    if not EXTENSION.fullmatch(account.extension) or not _HA1.fullmatch(account.ha1):
        raise BadInput(f"the SIP account {account.extension!r} has a wrong extension or digest")
    return account


def _checked_queues(queues: Sequence[str]) -> list[str]:
    for queue in queues:
        if not _QUEUE.fullmatch(queue):
            raise BadInput(f"{queue!r} cannot be the name of a queue")
    return [name for name in dict.fromkeys(queues) if name != GENERAL_QUEUE]


def _max_files(settings: Settings) -> int:
    """A call with an operator takes some ten descriptors; never more than the system lets us have."""
    wanted = 1024 + 16 * settings.max_calls
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _bind(settings: Settings) -> str:
    address = ip_address(settings.bind)
    return _Ours(f"[{address}]") if address.version == 6 else str(address)


def _trunk_networks(settings: Settings) -> list[str]:
    """Who may be the trunk: its own addresses; on the embedded default any peer on loopback.

    And this machine itself, for the supervisor tries the line by calls of its own.
    """
    host = settings.trunk.host
    if not host:
        return ["127.0.0.0/255.0.0.0", "::1/128"]
    if not _HOST.fullmatch(host):
        raise BadInput(f"trunk.host {host!r} is no host name or address")
    try:
        found = socket.getaddrinfo(host, settings.trunk.port, type=socket.SOCK_DGRAM)
    except OSError:
        raise BadInput(f"trunk.host {host} has no address: check the name and this machine's DNS") from None
    addresses = dict.fromkeys([*(str(item[4][0]) for item in found), _own_address(settings)])
    return [f"{a}/{ip_address(a).max_prefixlen}" for a in addresses]


def _own_address(settings: Settings) -> str:
    """Where a program of this machine comes from when it calls the line."""
    address = ip_address(settings.bind)
    return ("::1" if address.version == 6 else LOOPBACK) if address.is_unspecified else settings.bind


def _trunk_password(settings: Settings) -> str:
    path = settings.trunk.password_file
    if not settings.trunk.username or path is None:
        return ""
    try:
        password = path.read_text().strip()
    except OSError as error:
        raise BadInput(
            f"trunk.password_file {path} cannot be read ({error.strerror}): check its path and mode"
        ) from None
    if _UNSAFE.search(password):
        raise BadInput(f"the password in {path} has one of the characters ; [ ] \\ : ask for another")
    return password
