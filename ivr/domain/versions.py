"""Versions of a dialogue scenario (§9.3): a draft is published, and what was published can be taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ivr.domain.errors import BadInput


class State(StrEnum):
    """Where a version stands; of one scenario at most one is published."""

    DRAFT = "draft"  # kept, and never in force so far
    PUBLISHED = "published"  # in force: calls play it
    SUPERSEDED = "superseded"  # was in force until another version was published
    ROLLED_BACK = "rolled_back"  # was in force and was taken back


TRANSITIONS: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.PUBLISHED}),
    State.PUBLISHED: frozenset({State.SUPERSEDED, State.ROLLED_BACK}),
    State.SUPERSEDED: frozenset({State.PUBLISHED}),
    State.ROLLED_BACK: frozenset({State.PUBLISHED}),
}
"""A version that was in force can be published again; it is never a draft again."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One text of a scenario, as it was saved; the text never changes."""

    scenario: str
    """The scenario's name."""
    number: int
    """From 1, counted for each scenario."""
    text: str
    """YAML, as in docs/scenarios.md."""
    sha256: str
    """Of the text in UTF-8, in hex digits."""
    saved_at: datetime
    saved_by: str
    """The actor, as in the audit."""
    state: State = State.DRAFT
    published_at: datetime | None = None
    """When it was published last; None: never."""
    published_by: str | None = None

    def published(self, *, at: datetime, by: str) -> Version:
        """In force from now on. Raises BadInput when it is already."""
        return replace(self._moved(State.PUBLISHED), published_at=at, published_by=by)

    def superseded(self) -> Version:
        """Another version takes its place. Raises BadInput when it is not in force."""
        return self._moved(State.SUPERSEDED)

    def rolled_back(self) -> Version:
        """Taken back. Raises BadInput when it is not in force."""
        return self._moved(State.ROLLED_BACK)

    def _moved(self, to: State) -> Version:
        if to not in TRANSITIONS[self.state]:
            what = f"version {self.number} of {self.scenario} is {self.state}"
            raise BadInput(f"{what}, it cannot become {to}; see `ekc scenarios list`")
        return replace(self, state=to)


def before(versions: Iterable[Version]) -> Version | None:
    """What a rollback puts in force again: of those that another one has replaced, the one published last.

    None: there is none. A version that was taken back does not come back by itself.
    """
    replaced = [v for v in versions if v.state is State.SUPERSEDED and v.published_at is not None]
    return max(replaced, key=lambda v: (v.published_at, v.number), default=None)
