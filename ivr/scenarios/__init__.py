"""Dialogue scenarios as data (§9.3): model, checks, and one step after the other. Knows the domain only."""

from ivr.scenarios.faults import Fault
from ivr.scenarios.loading import Loaded, load, shipped, shipped_names
from ivr.scenarios.model import Answer, Ask, Choice, End, HandOver, LookUp, Scenario
from ivr.scenarios.walking import (
    Keyed,
    Position,
    Result,
    Said,
    Step,
    answered,
    begin,
    chosen,
    for_operator,
    given_up,
    looked_up,
)

__all__ = [
    "Answer",
    "Ask",
    "Choice",
    "End",
    "Fault",
    "HandOver",
    "Keyed",
    "Loaded",
    "LookUp",
    "Position",
    "Result",
    "Said",
    "Scenario",
    "Step",
    "answered",
    "begin",
    "chosen",
    "for_operator",
    "given_up",
    "load",
    "looked_up",
    "shipped",
    "shipped_names",
]
