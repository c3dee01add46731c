"""Published texts as scenarios: each is read once, beside the event loop, however many calls play it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from ivr.domain.versions import Version
from ivr.observe import get_logger
from ivr.scenarios import Scenario, load

KEPT = 8
"""Texts: calls in progress hold theirs themselves."""
_log = get_logger("ivr.scenarios")


class Shelf:
    """By the sum of the text, so what is here is true for ever."""

    def __init__(self) -> None:
        self._read: OrderedDict[str, Scenario | None] = OrderedDict()

    async def scenario(self, version: Version) -> Scenario | None:
        """None for a text that this program does not take; one that it published itself it does."""
        if version.sha256 not in self._read:
            loaded = await asyncio.to_thread(load, version.text.encode())
            if loaded.scenario is None:
                where = f"{version.scenario}@{version.number}"
                _log.error("scenario_unusable", scenario=where, fault=loaded.faults[0].at(where))
            self._read[version.sha256] = loaded.scenario
            while len(self._read) > KEPT:
                self._read.popitem(last=False)
        return self._read[version.sha256]
