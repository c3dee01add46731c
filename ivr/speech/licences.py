"""What a model's own files say of its licence."""

from __future__ import annotations

import re
from pathlib import Path

_FILES = ("LICENSE", "LICENCE", "COPYING", "README")
_MOST = 65536
"""Bytes of a file that are looked at."""
_LONGEST_LINE = 80
_KNOWN = (
    ("Apache-2.0", r"apache[\s-]+(software\s+)?(license|licence)?[\s,-]*(version)?\s*2(\.0)?\b"),
    ("AGPL-3.0", r"affero\s+general\s+public\s+licen[cs]e|\bagpl"),
    ("LGPL", r"lesser\s+general\s+public\s+licen[cs]e|\blgpl"),
    ("GPL", r"gnu\s+general\s+public\s+licen[cs]e|\bgpl"),
    ("MIT", r"\bmit\s+licen[cs]e|licen[cs]e\W{1,4}mit\b"),
    ("CC-BY-NC", r"\bcc[\s-]by[\s-]nc|attribution-noncommercial"),
    ("CC-BY", r"\bcc[\s-]by\b|creative\s+commons\s+attribution"),
)


def licence_of(folder: Path) -> str | None:
    """A known licence's name, else the line that speaks of one; None when no file does."""
    for wanted in _FILES:
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.name.upper().split(".")[0] == wanted:
                with path.open("rb") as file:
                    text = file.read(_MOST).decode("utf-8", "replace")
                if (found := licence_in(text)) is not None:
                    return found
    return None


def licence_in(text: str) -> str | None:
    """The same, of one text."""
    for name, pattern in _KNOWN:
        if re.search(pattern, text, re.IGNORECASE):
            return name
    line = re.search(r"^.*licen[cs]e.*$", text, re.IGNORECASE | re.MULTILINE)
    if line is None:
        return None
    shown = "".join(c for c in line[0].strip() if c.isprintable())
    return shown[:_LONGEST_LINE] or None
