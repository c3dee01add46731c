"""`ivr.ports.Outbound` over the switchboard: the legs of callbacks and the contexts they are made in.

Where the operator comes first the far half waits in the queue, and the near half, once an operator has
answered, asks the engine whether and whom to dial. Where a time was agreed the far half dials the citizen and
the near half then goes to the queue's head. Both by dialplans/callbacks.conf.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from ivr.asterisk import channel_vars
from ivr.domain.callback import call_of, leg_of
from ivr.ports import CallbackLeg, Switchboard

QUEUE_CONTEXT, DIAL_CONTEXT = "callback-queue", "callback-dial"
"""The far half holds the place; the near half runs when an operator has answered."""
CITIZEN_CONTEXT, AGREED_CONTEXT = "callback-citizen", "callback-agreed"
"""The far half dials the citizen; the near half runs when the citizen has answered."""

SLACK = 5.0
"""Seconds beyond those of the dialplan, which ends a leg by itself and says why."""


class AmiOutbound:
    """The legs of callbacks on this node."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    async def begin(self, leg: CallbackLeg) -> None:
        far, near = (CITIZEN_CONTEXT, AGREED_CONTEXT) if leg.number else (QUEUE_CONTEXT, DIAL_CONTEXT)
        await self._switchboard.originate(
            id_=call_of(leg.callback, leg.leg),
            first=f"{leg.callback}@{far}",
            context=near,
            exten=leg.callback,
            variables=_variables(leg),
            seconds=leg.seconds + SLACK,
        )

    async def end(self, call: str) -> None:
        for leg in (await self._switchboard.snapshot()).legs:
            if call in (leg.call, leg.linked):
                await self._switchboard.hang_up(leg.name)

    async def alive(self) -> frozenset[str]:
        legs = (await self._switchboard.snapshot()).legs
        return frozenset(call for leg in legs for call in (leg.call, leg.linked) if leg_of(call) is not None)


def _variables(leg: CallbackLeg) -> Mapping[str, str]:
    """What both halves find: Asterisk copies it from the one to the other."""
    return {
        channel_vars.QUEUE: leg.queue,
        channel_vars.PLACE: "" if leg.place is None else str(leg.place),
        channel_vars.SECONDS: str(ceil(leg.seconds)),
        channel_vars.CALLBACK_LEG: str(leg.leg),
        channel_vars.OPERATOR: leg.operator,
        channel_vars.OPERATOR_SECONDS: str(ceil(leg.operator_seconds)) if leg.operator else "",
        channel_vars.DIAL: leg.number,
    }
