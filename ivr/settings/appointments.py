"""The tables `[agreed]` and `[deferred]` of `ekc.toml`: calls at an agreed time (§13), deferred enquiries
(§14)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ivr.settings.kinds import Seconds

DAY_SECONDS = 86_400


class AgreedSettings(BaseModel):
    """Date and time of an outbound call, agreed with the citizen."""

    model_config = ConfigDict(extra="forbid")

    slot_seconds: Annotated[int, Field(ge=300, le=14_400)] = 1800
    """A day is divided into slots of this length, counted from midnight."""
    per_slot: Annotated[int, Field(ge=1)] = 5
    """Agreed calls that one slot takes."""
    ahead_days: Annotated[int, Field(ge=1, le=60)] = 14
    """No time later than this many days from now is agreed on."""
    offered: Annotated[int, Field(ge=0, le=3)] = 3
    """Free slots that a caller is offered by telephone; 0: none."""
    choice_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    """After the promise of a callback a caller has so long to press the key that opens the choice."""
    typed_number: bool = True
    """Whether a caller may type another number to be called back on."""
    typed_a_day: Annotated[int, Field(ge=1)] = 3
    """Numbers that callers from one number may type in a day."""

    @field_validator("slot_seconds")
    @classmethod
    def _divides_the_day(cls, value: int) -> int:
        if DAY_SECONDS % value:
            raise ValueError("slots fill a day: name a length that divides 86400, for instance 1800")
        return value


class DeferredSettings(BaseModel):
    """Enquiries whose answer takes time."""

    model_config = ConfigDict(extra="forbid")

    working_seconds: Seconds = 28_800.0
    """Working time from registration to the deadline: eight hours (§14)."""
    reminder: Annotated[float, Field(gt=0, lt=1)] = 0.75
    """The part of that time after which the supervisor is reminded."""
    prepare_seconds: Annotated[float, Field(ge=0)] = 1800.0
    """Working time that the appointed operator has to prepare the answer before the citizen is called."""
    operator_seconds: Seconds = 3600.0
    """The call waits so long for the appointed operator to be free; then any of the queue will do."""
