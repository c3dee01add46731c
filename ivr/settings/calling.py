"""The table `[callbacks]` of `ekc.toml`: how and when citizens are called; see docs/callbacks.md."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ivr.domain.callback_rules import ALLOWED, BARRED
from ivr.settings.kinds import Seconds

Beginnings = tuple[Annotated[str, Field(pattern=r"^\+[1-9][0-9]{0,14}$")], ...]
"""Of numbers in E.164."""


class CallbackSettings(BaseModel):
    """Callbacks: whom, when, how often, and what all of them may cost."""

    model_config = ConfigDict(extra="forbid")

    allowed: Beginnings = ALLOWED
    """How numbers that may be dialled begin; the dialplan is rendered from the same."""
    barred: Beginnings = BARRED
    """Of those the ones that may not."""
    own_numbers: Beginnings = ("+78006000000",)
    """Whole numbers of our own: never dialled."""

    earliest: time = time(9)
    """By the clock where the number is."""
    latest: time = time(21)
    unknown_zone_from: time = time(12)
    """By the site's clock, where the number does not say its zone; mobile numbers do not."""
    awake_seconds: Annotated[float, Field(ge=0)] = 7200.0
    """So long after the citizen's own call there are no quiet hours."""

    first_seconds: Annotated[float, Field(ge=0)] = 30.0
    """From the promise to the first attempt."""
    per_day: Annotated[int, Field(ge=1)] = 3
    gap_seconds: Seconds = 900.0
    """Between the beginnings of two attempts to reach one citizen."""
    most_attempts: Annotated[int, Field(ge=1)] = 9
    """Then the callback is given up."""
    invalid_attempts: Annotated[int, Field(ge=1)] = 2
    """So often the network says that there is no such number; then the callback is given up."""
    busy_seconds: Seconds = 900.0
    """From the end of an attempt to the next one, by what came of it."""
    no_answer_seconds: Seconds = 3600.0
    machine_seconds: Seconds = 7200.0
    invalid_seconds: Seconds = 3600.0
    too_short_seconds: Seconds = 900.0
    unknown_seconds: Seconds = 3600.0
    again_seconds: Seconds = 30.0
    """After a leg that ended before the citizen was dialled: no attempt, and no reason to hurry."""

    attempts_per_hour: Annotated[int, Field(ge=1)] = 300
    """All callbacks together; then they wait, with an alarm."""
    minutes_per_hour: Annotated[float, Field(gt=0)] = 900.0
    """The same for minutes of talk."""

    ring_seconds: Annotated[float, Field(ge=5)] = 60.0
    """How long the citizen's telephone rings."""
    place_seconds: Annotated[float, Field(ge=60)] = 3600.0
    """How long a leg holds its place in the queue before it is made anew."""
    operator_seconds: Annotated[float, Field(ge=0)] = 60.0
    """How long the operator who agreed the time is waited for; then anybody is rung (§13)."""
    grace_seconds: Annotated[float, Field(ge=5)] = 20.0
    """A leg that Asterisk does not know so long after it was begun never came to be, or is gone."""

    @model_validator(mode="after")
    def _the_day_begins_first(self) -> CallbackSettings:
        if not self.earliest < self.latest or not self.unknown_zone_from < self.latest:
            raise ValueError("callbacks.latest must be later than earliest and unknown_zone_from")
        return self
