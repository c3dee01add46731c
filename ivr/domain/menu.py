"""Consultation topics by key: at most four groups of at most four topics (a caller remembers no more)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivr.domain.errors import BadInput
from ivr.domain.words import spelled

MAX_ITEMS = 4
LONG = 4
"""Letters of a word that says something by itself."""
_KEY = re.compile(r"[1-9]{1,2}")


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What people ask about, and who answers."""

    agency: str
    agency_name: str
    key: str
    """One or two digits of 1-9."""
    title: str
    line: int
    """1 or 2: the line of the agency that answers."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """The topics behind one first digit. A group without `title` is the single topic on a one-digit key."""

    key: str
    title: str
    topics: tuple[Topic, ...]

    @property
    def single(self) -> bool:
        return len(self.topics) == 1 and self.topics[0].key == self.key


def check_topics(topics: Iterable[Topic]) -> None:
    """Raise BadInput with the first reason why these keys make no menu."""
    groups: dict[str, list[Topic]] = {}
    for topic in topics:
        if not _KEY.fullmatch(topic.key):
            raise BadInput(f"topic key {topic.key!r} is not one or two digits of 1-9")
        group = groups.setdefault(topic.key[0], [])
        for other in group:
            if other.key == topic.key:
                raise BadInput(f"topic key {topic.key} is already taken by «{other.title}» of {other.agency}")
            if len(other.key) != len(topic.key):
                raise BadInput(
                    f"topic keys {other.key} and {topic.key} begin alike: the shorter would hide the longer"
                )
        group.append(topic)
        if len(group) > MAX_ITEMS:
            raise BadInput(f"group {topic.key[0]} already has {MAX_ITEMS} topics; use another first digit")
    if len(groups) > MAX_ITEMS:
        taken = ", ".join(sorted(groups)[:MAX_ITEMS])
        raise BadInput(f"there are already {MAX_ITEMS} groups of topics; use one of the first digits {taken}")


def group_topics(topics: Iterable[Topic]) -> tuple[Group, ...]:
    """The menu's first level, in the order of keys; a group is named after its agencies."""
    groups: dict[str, list[Topic]] = {}
    for topic in sorted(topics, key=lambda t: t.key):
        groups.setdefault(topic.key[0], []).append(topic)
    return tuple(
        Group(key=k, title=_title(group), topics=tuple(group)) for k, group in sorted(groups.items())
    )


def said_as(titles: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """How each title may be said: as a whole, or by one of its longer words that no other title has."""
    count = Counter(word for title in titles.values() for word in set(spelled(title)))
    return {key: tuple(dict.fromkeys(_said_as(spelled(title), count))) for key, title in titles.items()}


def _said_as(title: Sequence[str], count: Mapping[str, int]) -> Iterator[str]:
    if title:
        yield " ".join(title)
    yield from (word for word in title if len(word) >= LONG and count[word] == 1)


def _title(members: list[Topic]) -> str:
    if len(members) == 1:
        return members[0].title
    return ", ".join(dict.fromkeys(t.agency_name for t in members))
