"""How a participant's service fails a question. `reason` is a word of ours, never a piece of what it sent."""

from __future__ import annotations

from ivr.domain.errors import ResourceDown


class Failure(ResourceDown):
    """The service has given no usable answer."""

    kind = "failed"

    def __init__(self, reason: str) -> None:
        super().__init__(f"{type(self).__doc__} ({reason})")
        self.reason = reason


class Silent(Failure):
    """The service does not answer."""

    kind = "silent"

    def __init__(self, reason: str, *, again: bool = False) -> None:
        """again: one more try may help at once."""
        super().__init__(reason)
        self.again = again


class Wrong(Failure):
    """The service cannot be used: its answer is not what the contract allows, or we may not ask."""

    kind = "wrong"
