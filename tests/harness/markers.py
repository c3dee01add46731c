"""Plant and grep: is a secret anywhere in a folder, in whatever dress?

Looks into every file's bytes (SQLite's -wal and free pages among them), its name, the values of SQLite
databases, and what gzip packs; for text as it is, in lower and upper case, in UTF-8, UTF-16, CP1251,
percent-encoded, base64, hexadecimal, JSON's and Python's escapes; for numbers with any separators.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

_SEPARATORS = rb"[ \t().+/_\-]{0,3}"
_SQLITE = b"SQLite format 3\x00"
_GZIP = b"\x1f\x8b"
SHORTEST = 4
"""Fewer characters would be found by chance."""


def find_marker(root: Path, marker: str | bytes) -> list[Path]:
    """The files below `root` that hold the marker, or have it in their name.

    A marker of digits is also found with spaces, hyphens and the like between them.
    """
    pattern = marker_pattern(marker)
    return [path for path in sorted(root.rglob("*")) if _holds(path, root, pattern)]


def _holds(path: Path, root: Path, pattern: re.Pattern[bytes]) -> bool:
    if pattern.search(str(path.relative_to(root)).encode("utf-8", "surrogateescape")):
        return True
    if path.is_symlink() or not path.is_file():
        return False
    data = path.read_bytes()
    if pattern.search(data):
        return True
    if data.startswith(_GZIP):
        return pattern.search(gzip.decompress(data)) is not None
    return data.startswith(_SQLITE) and any(pattern.search(value) for value in _sqlite_values(path))


def marker_pattern(marker: str | bytes) -> re.Pattern[bytes]:
    """One expression that matches the marker in each of its forms."""
    if isinstance(marker, bytes):
        return re.compile(re.escape(marker))
    if len(marker) < SHORTEST:
        raise ValueError(f"a marker of fewer than {SHORTEST} characters is found by chance")
    forms = {form for text in _cases(marker) for form in _forms(text)}
    parts = [re.escape(form) for form in sorted(forms, key=len, reverse=True)]
    if (digits := re.sub(r"[\s().+/_-]", "", marker)).isdecimal():
        parts += _digit_parts(digits)
    return re.compile(b"|".join(parts))


def _cases(text: str) -> set[str]:
    return {text, text.lower(), text.upper(), text.capitalize(), text.title(), text.casefold()}


def _forms(text: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "cp1251", "koi8-r"):
        try:
            raw = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        yield raw
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        yield from _base64(raw)
        yield from _percent(raw)
    escaped = json.dumps(text)[1:-1]
    yield escaped.encode()
    yield re.sub(r"\\u[0-9a-f]{4}", lambda m: "\\u" + m[0][2:].upper(), escaped).encode()
    yield "".join(f"&#{ord(c)};" for c in text).encode()
    yield "".join(f"\\x{byte:02x}" for byte in text.encode()).encode()
    yield "".join(f"\\{byte:03o}" for byte in text.encode()).encode()


def _percent(raw: bytes) -> Iterator[bytes]:
    for form in (quote(raw, safe=""), quote(raw, safe=" ").replace(" ", "+")):
        yield form.encode()
        yield re.sub("%..", lambda m: m[0].lower(), form).encode()


def _base64(raw: bytes) -> Iterator[bytes]:
    """What is certain of the marker's base64 when it stands at any place of a longer text."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw)
        first = (before * 8 + 5) // 6
        last = (before + len(raw)) * 8 // 6
        if last - first >= SHORTEST + 2:
            yield coded[first:last]
            yield coded[first:last].translate(bytes.maketrans(b"+/", b"-_"))


def _digit_parts(digits: str) -> Iterator[bytes]:
    yield _SEPARATORS.join(digit.encode() for digit in digits)
    for encoding in ("utf-16-le", "utf-16-be"):
        gap = b"(?:" + b"|".join(re.escape(c.encode(encoding)) for c in " -()") + b"){0,3}"
        yield gap.join(re.escape(digit.encode(encoding)) for digit in digits)


def _sqlite_values(path: Path) -> Iterator[bytes]:
    """Every value, for a long one is split among pages; read from a copy, so that nothing is disturbed."""
    with tempfile.TemporaryDirectory(prefix="ekc-grep-") as folder:
        copy = Path(folder) / "copy"
        for tail in ("", "-wal"):
            if (source := path.with_name(path.name + tail)).is_file():
                shutil.copyfile(source, copy.with_name(copy.name + tail))
        base = sqlite3.connect(copy)
        try:
            names = [n for (n,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for name in names:
                for row in base.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 - its own table names
                    yield from (_bytes(value) for value in row)
        finally:
            base.close()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


# --- the control run ---


def plant(root: Path, marker: str) -> list[Path]:
    """Hide the marker in one file of each kind that `find_marker` must see through; the files.

    The search is worth nothing unless it finds all of these: run it beside each real search.
    """
    root.mkdir(parents=True, exist_ok=True)
    text = f"начало {marker} конец"
    spaced = " ".join(marker)
    plain: dict[str, bytes] = {
        "utf8.log": text.encode(),
        "lower.log": text.lower().encode(),
        "upper.log": text.upper().encode(),
        "utf16le.txt": text.encode("utf-16-le"),
        "utf16be.txt": b"\0" + text.encode("utf-16-be"),
        "percent.log": quote(text).encode(),
        "percent-lower.log": quote(text).lower().encode(),
        "form.log": quote(text, safe=" ").replace(" ", "+").encode(),
        "base64-0": base64.b64encode(text.encode()),
        "base64-1": base64.b64encode(b"x" + text.encode()),
        "base64-2": base64.urlsafe_b64encode(b"xx" + text.encode()),
        "json.log": json.dumps({"text": text}).encode(),
        "hex.log": text.encode().hex().encode(),
        "packed.gz": gzip.compress(text.encode()),
        "binary.wav": b"RIFF\0\xff\xfe" + text.encode() + b"\0\0",
        "deep/er/file": text.encode(),
    }
    if marker.isdecimal():
        plain["spaced.log"] = spaced.encode()
        plain["dashed.log"] = "-".join(marker).encode()
    for name, data in plain.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    named = root / f"file-{marker}.txt"
    named.write_text("nothing inside")
    return sorted([*(root / name for name in plain), named, *_plant_sqlite(root, text)])


def _plant_sqlite(root: Path, text: str) -> list[Path]:
    """One value behind a page's edge, and one that only the write-ahead log holds."""
    settled, fresh = root / "settled.db", root / "fresh.db"
    for path in (settled, fresh):
        base = sqlite3.connect(path)
        base.execute("PRAGMA journal_mode = wal")
        base.execute("CREATE TABLE t (v TEXT)")
        base.commit()
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        base.execute("INSERT INTO t VALUES (?)", ("x" * 9000 + text if path == settled else text,))
        base.commit()
        if path == fresh:
            (root / "kept-wal").write_bytes(path.with_name("fresh.db-wal").read_bytes())
        base.close()
    return [settled, fresh, root / "kept-wal"]
