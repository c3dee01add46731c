"""YAML as plain texts, lists and mappings, with the line of each. The file is untrusted.

Only what a scenario needs is read: no anchors (a small file could become a huge one), no tags (they name
programs), one document, little depth. Each scalar is the text that stands there: `key: 1` is the text
«1», and `no` is no boolean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from ivr.scenarios.faults import Path, Unreadable, shown

LARGEST = 256 * 1024
"""Bytes."""
DEEPEST = 8
MOST_TEXTS = 20_000
"""Names and values: what takes long to read is their number."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """The file's content, and on which line each part of it begins."""

    content: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Of the part, or of the nearest one around it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(data: bytes) -> Document:
    """Raises Unreadable with the line and what to do."""
    text = _text(data)
    try:
        _look_over(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = _mark(error)
        raise Unreadable(
            mark.line + 1 if mark else 1,
            f"this is no YAML ({error.problem or 'it ends too early'}); look at indents, colons, quotes",
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(line, "a control character stands here; take it out") from None
    except ValueError:  # chr() of PyYAML, for an escape like "\\U00110000"
        raise Unreadable(
            1, "a text has an escape (`\\U`) that is no character; write the character"
        ) from None
    if node is None:
        raise Unreadable(1, "the file is empty; begin with `scenario: NAME`")
    lines: dict[Path, int] = {}
    return Document(content=_plain(node, (), lines), lines=lines)


def _mark(error: yaml.MarkedYAMLError) -> Any:
    """Where to look: a quote that is never closed is found at the end, but mended where it begins."""
    marks = (error.problem_mark, error.context_mark)
    if error.problem == "found unexpected end of stream":
        marks = marks[::-1]
    return marks[0] or marks[1]


def _text(data: bytes) -> str:
    if len(data) > LARGEST:
        raise Unreadable(1, f"the file is larger than {LARGEST // 1024} KiB; make two scenarios of it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(line, "this is not UTF-8; save the file as UTF-8") from None


def _look_over(text: str) -> None:
    """Refuse what would be costly or dangerous to build, before anything is built."""
    depth = documents = texts = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable(line, "anchors (`&`, `*`) are not read; write it out, or quote the text")
        if getattr(event, "tag", None):
            raise Unreadable(line, "tags (`!`) are not read; take it out, or quote the text")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise Unreadable(
                line, f"more than {DEEPEST} levels stand in each other; look at the indents here"
            )
        texts += isinstance(event, yaml.ScalarEvent)
        if texts > MOST_TEXTS:
            raise Unreadable(
                line, f"more than {MOST_TEXTS} texts stand in the file; make two scenarios of it"
            )
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise Unreadable(
                line, "a second document begins here; keep one scenario in a file, without `---`"
            )


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, number), lines) for number, item in enumerate(node.value)]
    return node.value


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise Unreadable(line, "a name is expected before the colon; write one")
        if key.value in mapping:
            first = lines[(*path, key.value)]
            raise Unreadable(line, f"`{shown(key.value)}` stands on line {first} already; rename one of them")
        lines[(*path, key.value)] = line
        mapping[key.value] = _plain(value, (*path, key.value), lines)
    return mapping
