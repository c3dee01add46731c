"""From the bytes of a file to a scenario, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from importlib.resources import files
from importlib.resources.abc import Traversable

from pydantic import ValidationError

from ivr.scenarios.checking import check
from ivr.scenarios.faults import Fault, Path, Unreadable
from ivr.scenarios.model import Scenario
from ivr.scenarios.sentences import path_of, sentence
from ivr.scenarios.yaml_lines import Document, read

MOST_FAULTS = 50
"""Told at once: who has more of them has one cause."""
_SUFFIX = ".yaml"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What became of a file: a scenario, or at least one fault."""

    scenario: Scenario | None = None
    faults: tuple[Fault, ...] = ()
    """By line."""
    document: Document = field(default=Document(content=None), repr=False)

    def placed(self, found: Iterable[tuple[Path, str]]) -> tuple[Fault, ...]:
        """What was found wrong in parts of the file, by line; no more than MOST_FAULTS."""
        faults = sorted({(self.document.line(path), what) for path, what in found})
        return tuple(Fault(line=line, what=what) for line, what in faults[:MOST_FAULTS])


def load(data: bytes) -> Loaded:
    """Raises nothing: every error of the file is a fault. Jumps are checked once the form is in order."""
    try:
        document = read(data)
    except Unreadable as error:
        return Loaded(faults=(error.fault,))
    loaded = Loaded(document=document)
    try:
        scenario = Scenario.model_validate(document.content)
    except ValidationError as error:
        return replace(loaded, faults=loaded.placed((path_of(one), sentence(one)) for one in error.errors()))
    faults = loaded.placed(check(scenario))
    return replace(loaded, faults=faults, scenario=None if faults else scenario)


def shipped(name: str) -> bytes | None:
    """The file of a scenario that comes with the program; None where there is none of this name."""
    return _shipped().joinpath(name + _SUFFIX).read_bytes() if name in shipped_names() else None


def shipped_names() -> tuple[str, ...]:
    """In alphabetical order."""
    return tuple(
        sorted(
            file.name.removesuffix(_SUFFIX) for file in _shipped().iterdir() if file.name.endswith(_SUFFIX)
        )
    )


def _shipped() -> Traversable:
    return files("ivr.scenarios").joinpath("shipped")
