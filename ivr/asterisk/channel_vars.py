"""The names of our channel variables: the contract between dialplans/ and the engine.

No variable ever carries personal data; a channel carries an opaque enquiry id only.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from ivr.domain.estimate import Told
from ivr.ports import Boarding, Whisper

FLOW = "EKC_FLOW"
"""The sentinel: set as a flow's last command. Empty after AGI(): the flow broke, whatever AGISTATUS says."""
FLOW_QUEUE = "queue"  # go on to Queue()
FLOW_END = "end"  # the conversation is over: hang up
FLOW_DIAL = "dial"  # the attempt is committed: dial the citizen (dialplans/callbacks.conf)

QUEUE = "EKC_QUEUE"
"""The queue the caller is handed over to."""
PRIORITY = "EKC_PRIORITY"
"""Written to QUEUE_PRIO: higher is served first; 0 is everybody."""
PLACE = "EKC_PLACE"
"""The place in the queue that is wanted, from 1; empty: behind everybody of the same priority."""
SECONDS = "EKC_SECONDS"
"""How long the caller may wait; empty: the site's limit."""
PENALTY = "EKC_PENALTY"
"""Operators of the queue up to this penalty may be rung; empty: all."""
WIDEN = "EKC_WIDEN"
"""The rule of queuerules.conf by which everybody may be rung after a while."""
SHOWN = "EKC_SHOWN"
"""What the operator's display shows beside the number: a level and the end of the registration number."""
WHISPER = "EKC_WHISPER"
"""Sounds that the operator hears before the bridge, without suffix, joined by `&`."""
TOLD = "EKC_TOLD"
"""What the caller hears of place and wait (`Told.name`); empty: only how to be called back."""
SAME_OPERATOR = "EKC_SAME_OPERATOR"
"""Extension of the operator who is rung before the queue, for the talk was cut off; empty: nobody."""
ENQUIRY = "EKC_ENQUIRY"
"""Opaque id of the card."""
ARRIVED = "EKC_ARRIVED"
"""When the call arrived: seconds since the epoch."""
NUMBER_STATE = "EKC_NUMBER"
"""`known` or `unknown` (withheld, Privacy: id, absent): decided by the dialplan from headers."""
NUMBER_KNOWN = "known"
TURNS = "EKC_ROUND"
"""How often the dialplan has put the caller into a queue."""
WITHDRAWN = "QUEUE_WITHDRAW_INFO"
"""Asterisk's own: why the engine took the caller out of the queue (ports.LeftQueue)."""
LANGUAGE = "CHANNEL(language)"
CALLER = "CALLERID(num)"
TRANSFER = "EKC_TRANSFER"
"""On the citizen's leg: where a transfer has left it (transfer.conf). `menu`: the operator chooses."""
TRANSFER_MENU = "menu"
TARGET = "EKC_TARGET"
"""The queue that a transfer leads to."""
PARTNER = "EKC_PARTNER"
"""Name of the leg that the citizen is to be bridged with."""
CITIZEN = "__EKC_CITIZEN"
"""On the first operator's leg and what it calls: name of the leg on hold. Two underscores: inherited."""
MEMBER = "MEMBERINTERFACE"
"""Asterisk's own (app_queue): the phone of the operator that the citizen talks or last talked with."""
LEG = "EKC_LEG"
"""Name of the leg that a tone is for (dialplans/silence.conf)."""
CALLBACK_LEG = "EKC_CB_LEG"
"""Number of a callback's leg; its id is the extension of both halves (dialplans/callbacks.conf)."""
OPERATOR = "EKC_OPERATOR"
"""Extension of the operator who is rung first by a callback's leg; empty: whoever is free."""
OPERATOR_SECONDS = "EKC_OPERATOR_SECONDS"
"""For so long; then anybody."""
DIAL = "EKC_DIAL"
"""E.164: whom to dial, the attempt being committed; empty: nobody, unless the engine says so."""
TALK_DETECT = "TALK_DETECT(set)"
MOST_TURNS = 3
"""dialplans/queues.conf lets a caller wait so often, then says sorry."""


def of_boarding(boarding: Boarding) -> Mapping[str, str]:
    """The variables that dialplans/queues.conf reads; what is not known is emptied, for it may be stale."""
    known = {
        PLACE: _text(boarding.place),
        SECONDS: _text(None if boarding.seconds is None else ceil(boarding.seconds)),
        PENALTY: _text(boarding.penalty),
        WIDEN: "" if boarding.widen_after is None else f"widen-{boarding.widen_after}",
        SHOWN: boarding.shown,
        WHISPER: whisper(boarding.whisper),
        TOLD: "" if boarding.told is None else boarding.told.name,
        SAME_OPERATOR: boarding.operator,
    }
    if boarding.arrived_at is not None:
        known[ARRIVED] = str(int(boarding.arrived_at.timestamp()))
    return known


def language(told: Told) -> str:
    """The language in which queue.stay says this and numbers are silent; other sounds are found in `ru`."""
    return f"ru_q_{told.name}"


def whisper(what: Whisper | None) -> str:
    """Sounds one after the other, as Queue() wants them; the digits are Asterisk's own recordings."""
    if what is None:
        return ""
    return "&".join((str(what.sound.with_suffix("")), *(f"digits/{digit}" for digit in what.digits)))


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
