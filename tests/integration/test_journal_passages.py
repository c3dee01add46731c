"""Turns in queues, as the journal reader stores them: with the lines, with the settling, and each once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ivr.domain.figures import Fate
from ivr.domain.passage import Passage
from ivr.ports import Store
from ivr.services import call_story, passages
from ivr.services.journal import JournalReader
from ivr.services.journal_lines import ARRIVALS, CEL, QUEUE_LOG
from tests.integration.storing import do
from tests.integration.test_journal import RULES, Site
from tests.journals import captured, story


class Counted(Site):
    """A site that knows the passages it was told of."""

    def another_reader(self) -> JournalReader:
        self.passages = getattr(self, "passages", [])
        return JournalReader(
            self.store,
            self.journals.files,
            node="node1",
            clock=self.clock,
            rules=RULES,
            in_hand=lambda _call: False,
            on_passages=self.passages.extend,
        )

    def stored(self, call: str) -> list[Passage]:
        return list(do(self.store, lambda uow: uow.passages.of_calls([call])))


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Counted:
    return Counted(store, tmp_path)


@pytest.mark.parametrize("name", ["hold", "redirected_to_another_queue", "missed_ring_twice", "not_let_in"])
async def test_what_is_stored_is_what_the_lines_tell(site: Counted, name: str) -> None:
    """And nothing more is needed to draw it anew: every figure leads back to lines."""
    call = await site.play(name)
    lines = do(site.store, lambda uow: uow.journal.of_linked(call))
    end = call_story.ending(call, lines)
    assert end is not None
    assert site.stored(call) == list(passages.passages(call, lines, until=end.at))
    assert site.passages == site.stored(call)


async def test_a_turn_is_there_as_soon_as_its_lines_are_and_grows_with_them(site: Counted) -> None:
    call, _ = story("hold")
    texts = captured("hold")
    queue = [line for line in texts[QUEUE_LOG].splitlines(keepends=True) if call in line]
    site.journals.append(ARRIVALS, texts[ARRIVALS])
    site.journals.append(QUEUE_LOG, queue[0])
    await site.reader.poll()
    [waiting] = site.stored(call)
    assert (waiting.fate, waiting.left) == (Fate.WAITING, None)
    site.journals.append(QUEUE_LOG, "".join(queue[1:]))
    await site.reader.poll()
    [connected] = site.stored(call)
    assert (connected.fate, connected.operator, connected.talking_s) == (Fate.ANSWERED, "201", 0)
    assert site.passages == []
    site.journals.append(CEL, texts[CEL])
    await site.reader.poll()
    assert [(p.talking_s, p.hold_s) for p in site.stored(call)] == [(6, 4)]
    assert site.passages == site.stored(call)


async def test_a_turn_is_counted_once_however_often_engines_start(site: Counted) -> None:
    await site.play("hold")
    for _ in range(3):
        site.reader = site.another_reader()
        await site.reader.poll()
    assert len(site.passages) == 1


async def test_turns_that_a_killed_asterisk_left_open_are_lost(site: Counted) -> None:
    """The waits end with the last line; the talk is kept as far as it is known."""
    await site.play("killed_in_talk")
    fates = [site.stored(story("killed_in_talk", place)[0]) for place in (0, 1, 2)]
    assert [[p.fate for p in of] for of in fates] == [[Fate.ANSWERED], [Fate.LOST], [Fate.LOST]]
    assert all(p.left is not None for of in fates for p in of)


async def test_turns_of_a_time_are_found_for_the_figures(site: Counted) -> None:
    call = await site.play("redirected_to_another_queue")
    first, second = site.stored(call)
    found = do(
        site.store, lambda uow: uow.passages.entered(first.entered, first.entered + timedelta(hours=1))
    )
    assert found == [first, second]
