"""What the command line asks of a measurement."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    rounds: int
    """How often each contestant is measured, at least 1."""
    seconds: float
    """How long each counts in one round; what has a fixed amount of work to do ignores it."""
