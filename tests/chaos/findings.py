"""What an audit finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """The kinds of it; all must be 0."""

    LOST = "lost"  # came, and is neither on a closed card nor called back as owed
    DOUBLED = "doubled"  # counted, ended or promised twice
    DOUBLE_DIALLED = "double_dialled"  # two INVITEs at once, one after a talk, one that nothing promised
    LEAKED_CHANNELS = "leaked_channels"
    LEAKED_FDS = "leaked_fds"
    WRONG_STATES = "wrong_states"  # the rows contradict each other, or what telephones saw
    NO_BLOW = "no_blow"  # the run did not do what it says


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    fault: Fault
    subject: str
    """A call, card, process or kind of blow."""
    why: str
