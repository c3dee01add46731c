"""What every command about one operator does: change the account in one transaction, and look at it then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ivr.commands.common import acting

if TYPE_CHECKING:
    from ivr.commands.site import Site
    from ivr.domain.operators import Operator
    from ivr.ports import UnitOfWork
    from ivr.services.audit import By

    Change = Callable[[UnitOfWork, By, str], object]
    """Of the operator with this extension."""


def changed(site: Site, extension: str, change: Change) -> Operator:
    """The operator afterwards. Raises what the change raises; then nothing is changed."""
    with site.store.transaction() as uow:
        change(uow, acting(site), extension)
        operator = uow.operators.get(extension)
        uow.commit()
    return operator
