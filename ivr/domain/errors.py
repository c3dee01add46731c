"""Every error of the product; a docstring is its default message.

EkcError
├── BadInput            exit code 1: what was given cannot be used
├── NotFound            exit code 4
├── NotRunning          exit code 3
├── Unavailable         a part does not answer; the call goes on without it
│   ├── StorageDown
│   │   ├── KeyLost     rows are sealed with a key that is not in the key directory
│   │   └── SealBroken  a sealed value was altered or moved
│   └── ResourceDown
└── CallOver            a conversation ends early; caught once, at the server's edge
    ├── CallerHungUp
    ├── CallerSilent
    └── OperatorWanted  caught by the incoming flow, which hands over
        ├── NotUnderstood   where a question has its own number of tries
        └── TurnedAway      the caller could not be identified, and was told that an operator helps
"""

from __future__ import annotations

from inspect import cleandoc


class EkcError(Exception):
    """Something went wrong in the contact centre."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or cleandoc(self.__doc__ or type(self).__name__))


class BadInput(EkcError):
    """The input cannot be used; correct it and try again."""


class NotFound(EkcError):
    """There is no such thing."""


class NotRunning(EkcError):
    """The system is not running; start it with `ekc up`."""


class Unavailable(EkcError):
    """A part of the system does not answer."""


class StorageDown(Unavailable):
    """The database does not answer; see `ekc doctor`."""


class KeyLost(StorageDown):
    """A key of the database is missing; restore the key directory from its backup."""


class SealBroken(StorageDown):
    """A sealed value was altered or moved; restore the database from its backup."""


class ResourceDown(Unavailable):
    """The agency's information resource does not answer."""


class CallOver(EkcError):
    """The conversation is over."""

    told = "over"
    """How a trace tells that a prompt or question ended so."""


class CallerHungUp(CallOver):
    """The caller has hung up."""

    told = "hangup"


class CallerSilent(CallOver):
    """The caller gave no answer for longer than the silence limit (§19)."""

    told = "silence"


class OperatorWanted(CallOver):
    """The caller asked for an operator."""

    told = "operator"


class NotUnderstood(OperatorWanted):
    """None of the caller's tries was an answer to the question."""

    told = "unclear"


class TurnedAway(OperatorWanted):
    """The caller could not be identified here and was told that an operator helps."""
