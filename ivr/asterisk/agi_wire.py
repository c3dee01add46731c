"""The Asterisk Gateway Interface as bytes: no sockets, no clock, nothing awaited.

Bytes go into `AgiConnection.receive` and come out as events; `command` makes the bytes of a command. What
Asterisk may say is taken from its res/res_agi.c (setup_env, agi_handle_command, run_agi). Events show nothing
of what a caller said or typed in their `repr`, so that they may be logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from ivr.domain.errors import BadInput, EkcError

MAX_COMMAND = 2047
"""Bytes of a command with its newline. AGI_BUF_LEN of res_agi.c less its NUL: 2048 for most of its life,
8192 lately. Asterisk takes what is beyond it for another command, so the smaller one is the limit."""
MAX_ARGUMENTS = 120
"""MAX_ARGS of res_agi.c is 128, the words of the command included; more are dropped in silence."""
MAX_LINE = 65536
"""Bytes of a line we are ready to hear, its newline included; Asterisk's own stay far below."""
MAX_ENVIRONMENT = 256
"""Lines; Asterisk sends about 22 and one for each argument of AGI(), 127 at most."""
MAX_BLOCK = 512
"""Lines of a 520 usage text or of a value with newlines in it."""

_NAME = re.compile(r"[A-Z]+( [A-Z]+)*")
_VARIABLE = re.compile(rb"agi_([a-z0-9_]+):[ ]?(.*)", re.DOTALL)
_RESULT = re.compile(r"result=(\S*)(?: (.*))?", re.DOTALL)
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_EXTRA = re.compile(r'(\w+)=("[^"]*"|\S*)')
_NOTHING: Mapping[str, str] = MappingProxyType({})


class ProtocolError(EkcError):
    """What came in is not AGI."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The first block of a connection."""

    values: Mapping[str, str] = field(repr=False)
    """By name without `agi_`. Of a name that comes twice the first stands: a newline smuggled into a
    caller's name cannot change what Asterisk said before it."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The answer to one command."""

    code: int
    """200 done, 510 unknown command, 511 the channel is dead, 520 wrong arguments."""
    result: int | str = field(default="", repr=False)
    """An int when the text is one in plain form, so `007` stays a text; empty for `result=` and errors."""
    data: str | None = field(default=None, repr=False)
    """What stands in parentheses, a remark after the result, or the text of an error."""
    extra: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False)
    """`endpos=…` and whatever else follows as name=value, quotes removed."""


@dataclass(frozen=True)
class HangUp:
    """The channel has been hung up; comes at any time between replies, more than once perhaps."""


@dataclass(frozen=True)
class EndOfStream:
    """Asterisk has closed its side."""


Event = Environment | Reply | HangUp | EndOfStream

_COMMONEST = {b"200 result=%d\n" % result: Reply(code=200, result=result) for result in range(-1, 128)}
"""Replies that need no parsing when they come alone and whole: most do. Those of keys are among them."""


@lru_cache(maxsize=64)
def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadInput("an AGI command is words in capitals")
    return name


def _escaped(argument: str) -> str:
    if "\n" in argument or "\r" in argument or "\0" in argument:
        raise BadInput("an AGI argument cannot hold a newline, a carriage return or a NUL")
    return argument.replace("\\", "\\\\").replace('"', '\\"')


def command(name: str, *arguments: str) -> bytes:
    """The bytes of a command, as parse_args() of res_agi.c reads them back.

    name: words in capitals; arguments: any text, each quoted. Raises BadInput when an argument cannot be said
    in AGI or the command is too long for Asterisk's buffer.
    """
    line = _checked(name)
    if arguments:
        if len(arguments) > MAX_ARGUMENTS:
            raise BadInput(f"an AGI command has at most {MAX_ARGUMENTS} arguments")
        text = "".join(arguments)
        plain = text.isprintable() and '"' not in text and "\\" not in text
        text = '" "'.join(arguments if plain else map(_escaped, arguments))
        line = f'{line} "{text}"'
    try:
        said = f"{line}\n".encode()
    except UnicodeEncodeError:
        raise BadInput("an AGI argument must be text that UTF-8 can carry") from None
    if len(said) > MAX_COMMAND:
        raise BadInput(f"an AGI command has at most {MAX_COMMAND} bytes")
    return said


class AgiConnection:
    """One connection's state: environment first, then replies until the end."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._environment: dict[str, str] | None = {}
        self._lines = 0
        self._usage: list[str] | None = None
        self._value: list[str] | None = None
        self._over = False
        self._at_rest = False
        """Past the environment, and nothing is half said."""

    def receive(self, data: bytes) -> list[Event]:
        """The events that these bytes complete; no bytes mean the end of the stream.

        However the stream is cut into pieces, the events are the same. Raises ProtocolError, and then
        for ever; its text shows nothing of what came in.
        """
        if self._at_rest and (reply := _COMMONEST.get(data)) is not None:
            return [reply]
        if self._over:
            raise ProtocolError("nothing may follow the end of an AGI stream or an error in it")
        if not data:
            self._end()
            return [EndOfStream()]
        try:
            events = [event for line in self._split(data) if (event := self._take(line)) is not None]
        except ProtocolError:
            self._end()
            self._buffer.clear()
            raise
        half_said = self._buffer or (self._environment, self._usage, self._value) != (None, None, None)
        self._at_rest = not half_said
        return events

    def _end(self) -> None:
        self._over, self._at_rest = True, False

    def _split(self, data: bytes) -> Iterator[bytes]:
        """Whole lines without their newline; what is left waits for more."""
        self._buffer += data
        while (end := self._buffer.find(b"\n", self._scanned)) >= 0:
            if end >= MAX_LINE:
                raise ProtocolError("an AGI line is too long")
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._scanned = 0
            yield line
        self._scanned = len(self._buffer)
        if self._scanned >= MAX_LINE:
            raise ProtocolError("an AGI line is too long")

    def _take(self, line: bytes) -> Event | None:
        if self._environment is not None:
            return self._take_variable(line, self._environment)
        text = line.decode(errors="replace")
        if self._usage is not None:
            return self._take_usage(text, self._usage)
        if self._value is not None:
            return self._take_value(text, self._value)
        if text == "HANGUP":
            return HangUp()
        return self._take_reply(text)

    def _take_variable(self, line: bytes, environment: dict[str, str]) -> Event | None:
        if not line:
            self._environment = None
            return Environment(values=MappingProxyType(environment))
        self._count(MAX_ENVIRONMENT)
        found = _VARIABLE.fullmatch(line)
        if found is None:
            raise ProtocolError("a line of the AGI environment is not `agi_name: value`")
        environment.setdefault(found[1].decode(), found[2].decode(errors="replace"))
        return None

    def _count(self, most: int) -> None:
        self._lines += 1
        if self._lines > most:
            raise ProtocolError("an AGI block has too many lines")

    def _take_usage(self, text: str, usage: list[str]) -> Event | None:
        if text.startswith("520 "):
            self._usage = None
            return Reply(code=520, data="\n".join(usage))
        self._count(MAX_BLOCK)
        usage.append(text)
        return None

    def _take_value(self, text: str, value: list[str]) -> Event | None:
        value.append(text)
        if text.endswith(")"):
            self._value = None
            return _reply_200("\n".join(value))
        self._count(MAX_BLOCK)
        return None

    def _take_reply(self, text: str) -> Event | None:
        code, separator, rest = text[:3], text[3:4], text[4:]
        self._lines = 0
        if code == "520" and separator == "-":
            self._usage = [rest]
            return None
        if code in ("510", "511", "520") and separator in (" ", ""):
            return Reply(code=int(code), data=rest)
        if code != "200" or separator != " " or not rest.startswith("result="):
            raise ProtocolError("a line is no AGI reply")
        if _opens_value(rest):
            self._value = [rest]
            return None
        return _reply_200(rest)


def _opens_value(text: str) -> bool:
    """`result=1 (first line` of a variable's value with a newline in it."""
    _, found, value = text.partition(" (")
    return bool(found) and ")" not in value


def _reply_200(text: str) -> Reply:
    found = _RESULT.fullmatch(text)
    if found is None:
        raise ProtocolError("a line is no AGI reply")
    result = int(found[1]) if _INTEGER.fullmatch(found[1]) else found[1]
    data, rest = _data(found[2] or "")
    if data is None and "=" not in rest:
        return Reply(code=200, result=result, data=rest or None)
    extra = {name: value.strip('"') for name, value in _EXTRA.findall(rest)}
    return Reply(code=200, result=result, data=data, extra=MappingProxyType(extra))


def _data(text: str) -> tuple[str | None, str]:
    """What is in parentheses, and the rest.

    A value that ends the line ends with its last parenthesis, as it may hold others: `(a) b (c)`.
    """
    if not text.startswith("("):
        return None, text
    if text.endswith(")"):
        return text[1:-1], ""
    data, _, rest = text[1:].partition(")")
    return data, rest
