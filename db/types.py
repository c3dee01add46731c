"""Column types that both databases understand alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime, stored as whole microseconds since the epoch.

    An integer, because it is the same on both databases, sorts and compares exactly, and cannot lose its
    zone: SQLite has no type for time. Naive datetimes are refused with TypeError.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a time without a zone names no moment")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


class _Octets(TypeDecorator[bytes]):
    """Bytes, and nothing else: text in clear that is put here by mistake is refused with TypeError."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        if value is not None and not isinstance(value, bytes):
            raise TypeError(f"{type(value).__name__} given where only sealed bytes may be stored")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes(value)


class Sealed(_Octets):
    """A personal value, encrypted with its place (db/crypto.py): §10, §11."""

    cache_ok = True


class KeyedHash(_Octets):
    """A keyed hash for look-up, made by `Vault.lookup`."""

    cache_ok = True
