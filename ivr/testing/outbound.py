"""Legs of callbacks without telephones: `ivr.ports.Outbound`."""

from __future__ import annotations

from ivr.domain.callback import call_of
from ivr.domain.errors import Unavailable
from ivr.ports import CallbackLeg


class FakeOutbound:
    """Makes every leg once and keeps it alive until a test, or `end`, ends it."""

    def __init__(self) -> None:
        self.made: list[CallbackLeg] = []
        """In order; one that was alive already is not here again."""
        self.legs: set[str] = set()
        """Uniqueids of those that are alive."""
        self.down = False
        self.deaf = False
        """A leg is made, but nobody hears of it: the connection was cut in between."""

    async def begin(self, leg: CallbackLeg) -> None:
        self._check()
        call = call_of(leg.callback, leg.leg)
        if call in self.legs:
            raise Unavailable("Asterisk refused to make a call")
        self.made.append(leg)
        self.legs.add(call)
        if self.deaf:
            raise Unavailable("Asterisk did not answer in time")

    async def end(self, call: str) -> None:
        self._check()
        self.legs.discard(call)

    async def alive(self) -> frozenset[str]:
        self._check()
        return frozenset(self.legs)

    def _check(self) -> None:
        if self.down:
            raise Unavailable("there is no connection to Asterisk's manager interface")
