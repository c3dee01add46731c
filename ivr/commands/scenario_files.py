"""FILE of `ekc scenarios`: a file, or the name of a scenario that comes with the program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ivr.commands.common import fail
from ivr.domain.errors import BadInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from ivr.commands.site import Site
    from ivr.scenarios import Fault, Loaded, Scenario

FILE = click.argument("file", metavar="FILE")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A text that is to be a scenario."""

    where: str
    """What an error of it begins with."""
    data: bytes
    loaded: Loaded

    @property
    def scenario(self) -> Scenario:
        """Ends with exit code 1 and a line for each fault where it is none."""
        if self.loaded.scenario is None:
            fail(_lines(self.where, self.loaded.faults))
        return self.loaded.scenario

    @property
    def text(self) -> str:
        return self.data.decode("utf-8-sig")

    def unknown_words(self, site: Site) -> Collection[str]:
        """Those that the recognition model in use does not know. Raises BadInput."""
        from ivr.scenarios import fitting

        return site.speech_models().unknown_words(fitting.vocabulary(self.scenario))


def candidate(where: str, data: bytes) -> Candidate:
    """Raises nothing: what is wrong is told by who asks for the scenario."""
    from ivr.scenarios import load

    return Candidate(where=where, data=data, loaded=load(data))


def read(file: str) -> bytes:
    """At most one byte more than a scenario may have. Raises BadInput, NotFound."""
    from ivr.scenarios import shipped, shipped_names
    from ivr.scenarios.yaml_lines import LARGEST

    path = Path(file)
    if not path.exists():
        data = shipped(file)
        if data is None:
            ours = ", ".join(shipped_names())
            raise NotFound(f"there is no file {file}; the scenarios of the program are {ours}")
        return data
    try:
        with path.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from None


def refuse(where: str, faults: Collection[Fault]) -> None:
    """End with exit code 1 and a line for each fault, if there is any."""
    if faults:
        fail(_lines(where, faults))


def _lines(where: str, faults: Iterable[Fault]) -> str:
    return "\nekc: ".join(fault.at(where) for fault in faults)


def warn(where: str, warnings: Iterable[Fault]) -> None:
    """A line on stderr for each."""
    for warning in warnings:
        click.echo(f"ekc: warning: {warning.at(where)}", err=True)


def told(faults: Iterable[Fault]) -> list[dict[str, object]]:
    """As JSON."""
    return [{"line": fault.line, "what": fault.what} for fault in faults]
