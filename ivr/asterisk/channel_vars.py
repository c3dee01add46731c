"""The names of our channel variables: the contract between dialplans/ and the engine.

No variable ever carries personal data; a channel carries an opaque enquiry id only.
"""

from __future__ import annotations

FLOW = "EKC_FLOW"
"""The sentinel: set as a flow's last command. Empty after AGI(): the flow broke, whatever AGISTATUS says."""
FLOW_QUEUE = "queue"  # go on to Queue()
FLOW_END = "end"  # the conversation is over: hang up

QUEUE = "EKC_QUEUE"
"""The queue the caller is handed over to."""
PRIORITY = "EKC_PRIORITY"
"""Written to QUEUE_PRIO: higher is served first; 0 is everybody."""
ENQUIRY = "EKC_ENQUIRY"
"""Opaque id of the card."""
ARRIVED = "EKC_ARRIVED"
"""When the call arrived: seconds since the epoch."""
NUMBER_STATE = "EKC_NUMBER"
"""`known` or `unknown` (withheld, Privacy: id, absent): decided by the dialplan from headers."""
NUMBER_KNOWN = "known"
TURNS = "EKC_ROUND"
"""How often the dialplan has put the caller into a queue."""
MOST_TURNS = 3
"""dialplans/queues.conf lets a caller wait so often, then says sorry."""
