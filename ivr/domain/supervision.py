"""Who may listen to whose talks (§9.1: a supervisor, to the operators of the own agency)."""

from __future__ import annotations

from enum import StrEnum

from ivr.domain.operators import Operator, OperatorState


class Refusal(StrEnum):
    """Why somebody does not hear a talk; the first that fits is said."""

    NO_SUPERVISOR = "no_supervisor"  # who asks is none
    NO_OPERATOR = "no_operator"  # the extension is no operator's, or the operator is another agency's
    NOT_TALKING = "not_talking"  # there is nothing to be heard


def refusal(who: Operator | None, whom: Operator | None, *, talking: bool) -> Refusal | None:
    """None: `who` may listen to `whom`; an operator who does not exist is None.

    Whether somebody works or talks in another agency is not told: it is refused like an unknown extension.
    """
    if who is None or not who.supervisor or who.state is OperatorState.DISABLED:
        return Refusal.NO_SUPERVISOR
    if whom is None or whom.agency != who.agency or whom.extension == who.extension:
        return Refusal.NO_OPERATOR
    return None if talking else Refusal.NOT_TALKING
