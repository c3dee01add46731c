"""The end of the working day, by real telephones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from ivr.domain.callback import Source
from tests.harness.commands import ZONE
from tests.line.conftest import e164
from tests.line.hall import PATIENCE, Hall, House, open_house

pytestmark = pytest.mark.line

CLOSING_SECONDS = 62
"""More than a minute: a calendar knows no seconds."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("tones"), closing_seconds=CLOSING_SECONDS) as made:
        yield made


@pytest.fixture
def hall(house: House) -> Iterator[Hall]:
    with house.hall() as made:
        yield made


def test_who_waits_when_the_line_closes_is_served_for_a_while_and_then_called_back_first(hall: Hall) -> None:
    """§12: the callback is due at the next opening, in the order of arrival."""
    phone = hall.duty.log_in("201", answers=False)
    hall.duty.dial("201", "*131")
    hall.waits("served")
    hall.waits("late")
    tomorrow = (datetime.now(ZONE) + timedelta(days=1)).date()
    hall.system.ekc("calendar", "set", tomorrow.isoformat(), "--open", "10:15-11:00")
    if (now := datetime.now(ZONE)).second > 40:
        time.sleep(60 - now.second)
        now = datetime.now(ZONE)
    hall.system.ekc("calendar", "set", now.date().isoformat(), "--open", f"00:00-{now:%H:%M}")
    try:
        phone.dial("*14")
        phone.answer(PATIENCE)
        hall.reached("served", "bridge 201 joined")
        hall.reached("late", "queue soc-1 left:closing", 90)
        late = hall.lived("late")
        assert late.of("prompt", "queue.closing") == ["played"]
        [callback] = hall.system.records.callbacks(late.card["id"])
        assert (callback.source, callback.number) == (Source.QUEUE, e164(hall.number("late")))
        assert callback.due.astimezone(ZONE) == datetime.fromisoformat(f"{tomorrow}T10:15").replace(
            tzinfo=ZONE
        )
        assert callback.arrived_at == late.contact.at.replace(microsecond=0)
        hall.leaves("served")
    finally:
        hall.system.ekc("calendar", "clear", tomorrow.isoformat())
        hall.system.open_today()
