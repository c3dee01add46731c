"""What the dialplan asks the engine for, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from agi_scripts import callbacks, line, operators, supervisor, transfer
from ivr.assembly.callbacks import calling
from ivr.assembly.parts import Parts
from ivr.asterisk.agi import AgiChannel, Handler
from ivr.flows.office import Office
from ivr.services.called import Calling
from ivr.services.duty import Duty
from ivr.services.supervision import Supervision
from ivr.services.transfers import Transfers

ROUTES: Mapping[str, Callable[[AgiChannel, Office], Awaitable[None]]] = {
    "line": line.line,
    "after-queue": line.after_queue_,
}
"""What the dialplan asks for by AGI(agi://…/NAME)."""
DUTY_ROUTES: Mapping[str, Callable[[AgiChannel, Office, Duty], Awaitable[None]]] = {
    "operator-login": operators.login,
    "operator-logout": operators.logout,
    "operator-pause": operators.pause,
    "operator-ready": operators.ready,
    "operator-unreached": operators.unreached,
    "operator-defer": operators.defer,
}
TRANSFER_ROUTES: Mapping[str, Callable[[AgiChannel, Office, Transfers], Awaitable[None]]] = {
    "transfer": transfer.menu,
    "transfer-over": transfer.over,
    "transfer-consulted": transfer.consulted,
    "transfer-back": transfer.back,
    "operator-lost": transfer.lost,
}
SUPERVISOR_ROUTES: Mapping[str, Callable[[AgiChannel, Office, Supervision], Awaitable[None]]] = {
    "supervisor-listen": supervisor.listen,
    "supervisor-whisper": supervisor.whisper,
}

CALLBACK_ROUTES: Mapping[str, Callable[[AgiChannel, Office, Calling], Awaitable[None]]] = {
    "callback-place": callbacks.place,
    "callback-dial": callbacks.dial,
    "callback-greeting": callbacks.greeting,
    "callback-agreed": callbacks.agreed,
}


def handlers(parts: Parts) -> dict[str, Handler]:
    """For the FastAGI server: every route with what its script needs."""
    office = parts.office
    return {
        **{name: _bound(script, office) for name, script in ROUTES.items()},
        **{name: _bound(script, office, parts.duty) for name, script in DUTY_ROUTES.items()},
        **{name: _bound(script, office, parts.transfers) for name, script in TRANSFER_ROUTES.items()},
        **{name: _bound(script, office, parts.supervision) for name, script in SUPERVISOR_ROUTES.items()},
        **{name: _bound(script, office, calling(parts)) for name, script in CALLBACK_ROUTES.items()},
    }


def _bound(script: Callable[..., Awaitable[None]], *things: object) -> Handler:
    async def handle(channel: AgiChannel) -> None:
        await script(channel, *things)

    return handle
