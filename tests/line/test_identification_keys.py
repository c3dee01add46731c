"""`ekc keys rotate` while calls go on: nobody notices, before or after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from tests.line.identifying import PEOPLE, Calling, Known, digits, elsewhere, invented

pytestmark = pytest.mark.line

CALLERS = 8


def test_keys_change_while_citizens_are_identified(known: Known) -> None:
    """During and after, citizens are identified, receipts found, and what is imported recognised."""
    people, later = known.take(CALLERS), known.one()
    with ThreadPoolExecutor(1) as pool:
        rotation = pool.submit(known.system.ekc, "keys", "rotate", "--json", timeout=120)
        during = known.play({p.phone: Calling(number=p.phone, typed=p.by_code) for p in people}, apart=0.7)
        said = rotation.result().json
    assert said["rows"] > 0
    assert said["unreadable"] == 0
    assert {told.level for told in during.values()} == {"personal"}
    application = invented(PEOPLE)[0].applications[0]
    receipt = f"11{digits(application['number'])}#{date.fromisoformat(application['accepted_on']):%d%m%Y}"
    after = known.play(
        {
            "citizen": Calling(number=elsewhere(), typed=later.by_document),
            "receipt": Calling(number=elsewhere(), typed=receipt, until=("prompt status.result",)),
        }
    )
    assert (after["citizen"].level, after["receipt"].level) == ("personal", "application")
    assert known.bring_in("citizens", [later.row])["changed"] == 0
