"""Reading journal files on: whole lines, each once, whatever happens to the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.ports import JournalPosition
from ivr.services import journal_files
from ivr.services.journal_files import CHUNK, HEAD, read


class Reading:
    """Reads a journal as the reader does: each position comes from the chunk before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position: JournalPosition | None = None
        self.generations: list[str] = []

    def on(self) -> list[str]:
        """All that can be read now."""
        found = []
        while (chunk := read(self.path, self.position)) is not None:
            assert chunk.before == self.position
            self.position = chunk.after
            self.generations.append(chunk.after.generation)
            found += [line.decode() for _, line in chunk.lines]
        return found


def line(n: int, begun: int = 0) -> str:
    return f"{1795558000 + begun}|line {n} of a journal that has rather long lines"


def text(*numbers: int, begun: int = 0) -> str:
    return "".join(line(n, begun) + "\n" for n in numbers)


@pytest.fixture
def journal(tmp_path: Path) -> Reading:
    return Reading(tmp_path / "queue_log")


def append(path: Path, what: str) -> None:
    with path.open("a") as file:
        file.write(what)


def test_a_file_that_is_not_there_or_empty_has_no_lines_yet(journal: Reading) -> None:
    assert journal.on() == []
    journal.path.touch()
    assert journal.on() == []
    append(journal.path, text(1))
    assert journal.on() == [line(1)]


def test_each_line_is_read_once_with_its_offset(journal: Reading) -> None:
    append(journal.path, text(1, 2))
    first = read(journal.path, None)
    assert first is not None
    assert first.lines == ((0, line(1).encode()), (len(line(1)) + 1, line(2).encode()))
    assert journal.on() == [line(1), line(2)]
    append(journal.path, text(3))
    assert journal.on() == [line(3)]
    assert journal.on() == []


def test_the_last_line_waits_for_its_end(journal: Reading) -> None:
    append(journal.path, text(1) + line(2)[:20])
    assert journal.on() == [line(1)]
    append(journal.path, line(2)[20:] + "\n")
    assert journal.on() == [line(2)]


def test_a_first_line_in_pieces_does_not_change_the_generation(journal: Reading) -> None:
    for piece in (line(1)[:3], line(1)[3:HEAD], line(1)[HEAD:]):
        append(journal.path, piece)
        assert journal.on() == []
    append(journal.path, "\n" + text(2))
    assert journal.on() == [line(1), line(2)]


def test_a_short_first_line_is_a_generation_too(journal: Reading) -> None:
    append(journal.path, "1795558433|NONE|NONE\n")
    assert journal.on() == ["1795558433|NONE|NONE"]
    append(journal.path, text(2))
    assert journal.on() == [line(2)]
    assert len(set(journal.generations)) == 1


def test_a_rotated_file_is_read_to_its_end_before_the_new_one(journal: Reading) -> None:
    append(journal.path, text(1))
    assert journal.on() == [line(1)]
    append(journal.path, text(2))
    journal.path.rename(journal.path.with_name("queue_log.1"))
    append(journal.path, text(3, begun=60))
    assert journal.on() == [line(2), line(3, 60)]
    append(journal.path, text(4, begun=60))
    assert journal.on() == [line(4, 60)]


def test_between_rotation_and_the_new_file_the_old_one_is_read_on(journal: Reading) -> None:
    append(journal.path, text(1))
    journal.on()
    old = journal.path.rename(journal.path.with_name("queue_log-20261124"))
    append(old, text(2) + line(3)[:10])
    assert journal.on() == [line(2)]
    append(old, line(3)[10:] + "\n")
    assert journal.on() == [line(3)]


def test_rotations_that_nobody_saw_are_read_in_their_order(journal: Reading) -> None:
    append(journal.path, text(1))
    journal.on()
    for n, name in enumerate(("queue_log.3", "queue_log.2", "queue_log.1")):
        append(journal.path, text(10 + n, begun=60 * n))
        old = journal.path.rename(journal.path.with_name(name))
        os.utime(old, (1_000_000 + n, 1_000_000 + n))
    append(journal.path.with_name("queue_log.0.gz"), "packed, and no journal of ours to read " * 2)
    append(journal.path, text(13, begun=300))
    assert journal.on() == [line(10), line(11, 60), line(12, 120), line(13, 300)]


def test_a_line_whose_end_was_never_written_is_passed_by_as_an_empty_one(journal: Reading) -> None:
    append(journal.path, text(1) + "cut off")
    journal.on()
    journal.path.rename(journal.path.with_name("queue_log.1"))
    append(journal.path, text(2, begun=60))
    assert journal.on() == ["", line(2, 60)]


def test_a_file_that_was_emptied_and_begun_anew_is_another_generation(journal: Reading) -> None:
    append(journal.path, text(1, 2, 3))
    journal.on()
    journal.path.write_text("")
    assert journal.on() == []
    append(journal.path, text(4, begun=60))
    assert journal.on() == [line(4, 60)]
    assert len(set(journal.generations)) == 2


def test_a_file_that_was_cut_is_read_again_as_another_generation(journal: Reading) -> None:
    append(journal.path, text(1, 2, 3))
    journal.on()
    for _ in range(2):
        journal.path.write_text(text(1))
        assert journal.on() == [line(1)]
        append(journal.path, text(4))
        assert journal.on() == [line(4)]
    assert len(set(journal.generations)) == 3


def test_a_file_that_vanished_is_waited_for(journal: Reading) -> None:
    append(journal.path, text(1))
    journal.on()
    journal.path.unlink()
    assert journal.on() == []
    append(journal.path, text(2, begun=60))
    assert journal.on() == [line(2, 60)]


def test_a_copy_out_of_a_backup_is_the_same_generation(journal: Reading) -> None:
    append(journal.path, text(1))
    journal.on()
    content = journal.path.read_bytes()
    journal.path.unlink()
    journal.path.write_bytes(content + text(2).encode())
    assert journal.on() == [line(2)]


def test_a_flood_without_lines_ends_is_passed_by_in_bounded_pieces(journal: Reading) -> None:
    append(journal.path, text(1))
    journal.on()
    append(journal.path, "x" * (2 * CHUNK + 5) + "\n" + text(2))
    pieces = journal.on()
    assert pieces[:2] == ["", ""]
    assert pieces[-1] == line(2)


def test_a_file_that_cannot_be_read_is_told(journal: Reading) -> None:
    journal.path.mkdir()
    with pytest.raises(OSError, match="directory"):
        journal.on()


def test_the_generation_does_not_depend_on_a_number() -> None:
    """The shortest arrival: whatever follows the node's name begins behind the bytes that are hashed."""
    shortest = "2026-11-24T22:13:54.470+00:00\tn\tn-1795558434.0\t\t"
    assert len(shortest) >= HEAD


@given(
    actions=st.lists(st.one_of(st.integers(1, 120), st.sampled_from(["read", "anew"])), max_size=30),
    rotated=st.booleans(),
)
def test_however_it_is_written_begun_anew_and_read_each_line_comes_once_and_in_order(
    actions: list[int | str], rotated: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Pieces of any length, begun anew at any moment: rotated, or emptied once it was read to its end."""
    journal = Reading(tmp_path_factory.mktemp("journal") / "queue_log")
    append(journal.path, text(0))
    begun, written, lines, rest, heard = 0, 0, [line(0)], "", journal.on()
    for action in (*actions, "read"):
        if isinstance(action, int):
            while len(rest) < action:
                written += 1
                lines.append(line(written, begun))
                rest += lines[-1] + "\n"
            append(journal.path, rest[:action])
            rest = rest[action:]
        elif action == "read":
            heard += journal.on()
        elif journal.path.exists():
            append(journal.path, rest)
            rest = ""
            if not rotated:
                heard += journal.on()
                journal.path.write_text("")
            else:
                old = journal.path.rename(journal.path.with_name(f"queue_log.{begun}"))
                os.utime(old, (1_000_000 + begun, 1_000_000 + begun))
            begun += 1
    append(journal.path, rest)
    heard += journal.on()
    assert heard == lines


@pytest.mark.parametrize(("limit", "value", "lines"), [("CHUNK", 200, 3), ("MOST_LINES", 7, 7)])
def test_what_is_read_at_once_is_bounded(
    journal: Reading, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, lines: int
) -> None:
    monkeypatch.setattr(journal_files, limit, value)
    append(journal.path, text(*range(50)))
    first = read(journal.path, None)
    assert first is not None and len(first.lines) == lines
    assert journal.on() == [line(n) for n in range(50)]
