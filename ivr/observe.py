"""Logs (metrics: ivr/metrics.py).

Logs are JSON lines with a stable event name and context fields, on stderr and, in the engine, in
`<state>/log/engine.log`. Nobody is supposed to hand personal data to a log; `masked` is the last line of
defence for the day somebody does (§10, §11).
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import date, time
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

import structlog

MASK = "***"
LOG_BYTES = 10_000_000
"""Bytes of one generation of engine.log."""
LOG_GENERATIONS = 5

_EPOCH = r"(?:1[6-9]\d{8}|20[0-7]\d{7})"  # seconds of the years 2020 to 2035; no Russian number starts with 1
_HARMLESS = rf"""
    \d{{4}}-\d\d-\d\d(?:[T\ ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?(?!\d)   # ISO 8601
  | [0-9a-fA-F]{{8}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{12}}(?![0-9a-zA-Z])
  | 0x[0-9a-f]+
  | (?=[0-9]*[a-f])[0-9a-f]{{16,64}}(?![0-9a-zA-Z])                    # digests and opaque ids
  | (?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){{3}}(?::\d{{1,5}})?(?![.\d])
  | \d{{4,5}}-\d{{4,5}}(?![-\ .]?\d)                                     # a range of ports
  | {_EPOCH}(?!\d)(?!-\d)
"""
_TOKEN = re.compile(
    rf"""
    (?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | (?<![\w+])(?P<prefix>(?:[A-Za-z0-9_-]{{1,40}}-)?){_EPOCH}\.\d{{1,8}}(?![.\d])     # Asterisk's uniqueid
  | (?<![\w])(?P<channel>(?:PJSIP|Local)/[\w@.+-]{{1,60}})-[0-9a-f]{{8}}(?:;[12])?(?!\w)
  | (?<![0-9A-Za-z+.])(?P<harmless>{_HARMLESS})
  | (?P<digits>\+?\d(?:[\ \u00a0().\u2010-\u2015-]{{0,3}}\d){{6,}})
    """,
    re.VERBOSE,
)
_IDS = frozenset({"call", "card", "callback", "channel", "enquiry", "linked", "registration", "uniqueid"})
"""Fields that carry ids of ours, which may be long runs of digits: only what is surely a number or an
address is masked in them."""
_SURE = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<!\d)(?:\+?7|8)\d{10}(?!\d)")


def masked(text: str) -> str:
    """`text` with every e-mail address and every number of 7 or more digits replaced.

    Asterisk's uniqueids and channel names, times, ranges of ports, addresses and digests survive.
    """
    return _TOKEN.sub(_replace, text)


def _replace(match: re.Match[str]) -> str:
    if match["harmless"]:
        return match[0]
    for kept in ("prefix", "channel"):
        if match[kept] is not None:
            return _masked_prefix(match[kept]) + match[0][len(match[kept]) :]
    return MASK


def _masked_prefix(text: str) -> str:
    """The name before an id: a number hidden in it is masked, too."""
    return MASK if len(re.findall(r"\d", text)) >= 7 else text


def mask_personal(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: every string and every suspicious number of the event goes through `masked`."""
    return {masked(key): _clean(value, is_id=key in _IDS) for key, value in event.items()}


def _clean(value: object, *, is_id: bool = False) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return MASK if 3e9 <= abs(value) < 1e13 else value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {masked(str(k)): _clean(v, is_id=k in _IDS) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(v, is_id=is_id) for v in value]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return _SURE.sub(MASK, text) if is_id else masked(text)


class _PrivateFile(RotatingFileHandler):
    """Rotates by size; each generation is readable by its owner only."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding)


@dataclass(frozen=True)
class Logs:
    """The handlers in force; `close` takes them away again."""

    handlers: tuple[logging.Handler, ...]

    def close(self) -> None:
        for handler in self.handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()


_BEFORE: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    structlog.processors.format_exc_info,
)
_OURS = (
    structlog.stdlib.filter_by_level,
    *_BEFORE,
    mask_personal,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
)


def configure_logs(
    level: str = "info",
    *,
    directory: Path | None = None,
    name: str = "engine",
    stream: TextIO | None = None,
    quiet: bool = False,
) -> Logs:
    """Send every log, ours and the libraries', as masked JSON lines to stderr and `<directory>/<name>.log`.

    directory: made with mode 0700 when missing; None: no file. stream: instead of stderr. quiet: the file
    only, for a program whose stderr is for people (`ekc up`). Call it once in each process. Raises OSError
    when the file cannot be opened.
    """
    structlog.configure(
        processors=list(_OURS),  # a list, which structlog.testing empties and fills again
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handlers = tuple(_handlers(directory, name, None if quiet else stream or sys.stderr))
    root = logging.getLogger()
    for handler in handlers:
        handler.setFormatter(_formatter())
        root.addHandler(handler)
    root.setLevel(level.upper())
    return Logs(handlers)


def _handlers(directory: Path | None, name: str, stream: TextIO | None) -> Iterator[logging.Handler]:
    if stream is not None:
        yield logging.StreamHandler(stream)
    if directory is not None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory / f"{name}.log"
        yield _PrivateFile(path, maxBytes=LOG_BYTES, backupCount=LOG_GENERATIONS, encoding="utf-8")
        path.chmod(0o600)


def _formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_BEFORE],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            mask_personal,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `log.info("call_ended", call=call.id, outcome=outcome)`.

    It never writes to stdout, which is for `--json`, even where `configure_logs` has not been called.
    """
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name), processors=_OURS, wrapper_class=structlog.stdlib.BoundLogger
    )
    return logger
