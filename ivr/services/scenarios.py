"""Dialogue scenarios of a site (§9.3): kept as drafts, published, taken back; and what keeps them from it.

In force is what the database says at the moment a call comes to it: no program is told, none is restarted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ivr.domain.errors import NotFound
from ivr.domain.operators import OperatorState
from ivr.domain.versions import Version, before
from ivr.ports import UnitOfWork
from ivr.scenarios import Fault, Loaded, fitting
from ivr.services.audit import By

CONSULTATION = "consultation"
"""The scenario that key 3 of the main menu leads to."""
KEYS = (
    "scenario",
    "version",
    "state",
    "saved_at",
    "saved_by",
    "published_at",
    "published_by",
    "sha256",
)
"""The keys of a version in the outer interface, in order."""


def view(version: Version) -> Mapping[str, object]:
    """A version with the keys of the outer interface."""
    return {key: version.number if key == "version" else getattr(version, key) for key in KEYS}


# --- does it fit this site? ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What a scenario that is in order meets at this site."""

    faults: tuple[Fault, ...]
    """It cannot be published."""
    warnings: tuple[Fault, ...]
    """It can, and callers are served less well; what concerns words comes last."""


def fit(uow: UnitOfWork, loaded: Loaded, unknown: Collection[str]) -> Fit:
    """unknown: words of its vocabulary that the recognition model in use does not know."""
    scenario = loaded.scenario
    if scenario is None:
        return Fit(faults=loaded.faults, warnings=())
    strangers = list(fitting.unknown_agencies(scenario, uow.agencies.codes()))
    unserved = () if strangers else fitting.unserved(scenario, _served(uow))
    return Fit(
        faults=loaded.placed([*strangers, *fitting.lost(scenario, unknown)]),
        warnings=(
            *loaded.placed([*fitting.by_voice_alone(scenario), *unserved]),
            *loaded.placed(fitting.unheard(scenario, unknown)),
        ),
    )


def _served(uow: UnitOfWork) -> Collection[str]:
    """Queues with an operator who can be on duty."""
    active = {o.extension for o in uow.operators.list() if o.state is not OperatorState.DISABLED}
    places = uow.operators.places()
    return {place.queue for extension in active for place in places.get(extension, ())}


# --- versions --------------------------------------------------------------------------------------


def in_force(uow: UnitOfWork, scenario: str) -> Version:
    """Raises NotFound."""
    found = uow.scenarios.in_force(scenario)
    if found is None:
        raise NotFound(f"no version of {scenario} is in force; see `ekc scenarios list`")
    return found


def find(uow: UnitOfWork, scenario: str, number: int) -> Version:
    """Raises NotFound."""
    for version in uow.scenarios.list(scenario):
        if version.number == number:
            return version
    raise NotFound(f"there is no version {number} of {scenario}; see `ekc scenarios list`")


def keep(uow: UnitOfWork, by: By, scenario: str, text: str) -> Version:
    """The text as a version; a draft, unless there is a version with this very text already."""
    uow.scenarios.hold()
    known = uow.scenarios.list(scenario)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    for version in known:
        if version.sha256 == sha256:
            return version
    draft = Version(
        scenario=scenario,
        number=max((version.number for version in known), default=0) + 1,
        text=text,
        sha256=sha256,
        saved_at=by.at,
        saved_by=by.actor,
    )
    uow.scenarios.add(draft)
    by.note(uow, "scenarios.save", _named(draft))
    return draft


def publish(uow: UnitOfWork, by: By, version: Version) -> Version | None:
    """In force with the next call; the version that was in force until now.

    The version itself when it is in force already: then nothing changes.
    """
    uow.scenarios.hold()
    old = uow.scenarios.in_force(version.scenario)
    if old is not None and old.number == version.number:
        return old
    if old is not None:
        uow.scenarios.save(old.superseded())
    uow.scenarios.save(version.published(at=by.at, by=by.actor))
    by.note(uow, "scenarios.publish", _named(version), result="ok" if old is None else f"after {old.number}")
    return old


def rollback(uow: UnitOfWork, by: By, scenario: str) -> tuple[Version, Version | None]:
    """What was in force, and the version before it, which is in force with the next call.

    None: there was none, and the scenario is in force no more. Raises NotFound when nothing is in force.
    """
    uow.scenarios.hold()
    taken = in_force(uow, scenario)
    back = before(uow.scenarios.list(scenario))
    uow.scenarios.save(taken.rolled_back())
    if back is not None:
        uow.scenarios.save(back.published(at=by.at, by=by.actor))
    to = "to none" if back is None else f"to {back.number}"
    by.note(uow, "scenarios.rollback", _named(taken), result=to)
    return taken, back


def _named(version: Version) -> str:
    return f"{version.scenario}@{version.number}"
