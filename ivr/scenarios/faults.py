"""What is wrong with a file, and where."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Names of fields and numbers of list items, from the top of the file."""


SHOWN = 40
"""Characters of a name that is repeated in a sentence."""


def shown(name: str) -> str:
    """A name of the file, fit for a terminal: short, and without what would move the cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in name[:SHOWN])


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One error."""

    line: int
    """From 1."""
    what: str
    """One sentence: what is wrong; and what to do."""

    def at(self, file: str) -> str:
        return f"{file}:{self.line}: {self.what}"


class Unreadable(Exception):
    """The file is no YAML that a scenario can be written in."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.fault = Fault(line=line, what=what)
