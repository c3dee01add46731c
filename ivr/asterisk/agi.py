"""The FastAGI server: it accepts calls from Asterisk and gives each to the handler of its route.

Whatever goes wrong here ends with a closed connection and no sentinel (see channel_vars.FLOW), and then
the dialplan takes the call its own way. Hang-up is caught here and nowhere else.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import structlog

from ivr.asterisk.agi_channel import AgiChannel
from ivr.asterisk.agi_wire import AgiConnection, Environment, ProtocolError
from ivr.domain.errors import CallerHungUp, EkcError

__all__ = ["AgiChannel", "FastAgiServer", "Handler"]

Handler = Callable[[AgiChannel], Awaitable[None]]
_log = structlog.get_logger(__name__)

CANCEL_SECONDS = 2.0
"""What a cancelled handler may take to clean up before drain() leaves it behind."""
_TURNS = 3


class FastAgiServer:
    """Serves AGI(agi://host:port/route); the counters are for metrics."""

    def __init__(
        self,
        routes: Mapping[str, Handler],
        *,
        limit: int,
        idle_seconds: float,
        on_error: Callable[[str, BaseException], None] | None = None,
        on_refused: Callable[[], None] | None = None,
    ) -> None:
        """routes: handlers by the path of the AGI URL (`agi_network_script`), without slashes.

        limit: connections at once; one more is closed without a word.
        idle_seconds: how long a client may take for its environment, and Asterisk for a quick reply.
        on_error: told the route and the exception when a handler fails; on_refused: one call per refusal.
        """
        self.accepted = 0
        self.refused = 0
        self.active = 0
        """Connections that stand or whose handler still runs."""
        self.failed = 0
        """Handlers ended by an exception, unknown routes and clients that do not speak AGI."""
        self.timed_out = 0
        self.idle_seconds = idle_seconds
        self.draining = False
        self._routes = dict(routes)
        self._limit = limit
        self._on_error = on_error
        self._on_refused = on_refused
        self._refused_in_a_row = 0
        self._connections: set[_Connection] = set()
        self._listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on; 0 when it does not."""
        sockets = self._listener.sockets if self._listener is not None else ()
        return int(sockets[0].getsockname()[1]) if sockets else 0

    async def start(self, host: str, port: int) -> None:
        """Listen; raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        # A full backlog would cost the caller two seconds before the dialplan goes on.
        backlog = max(self._limit, 128)
        self._listener = await loop.create_server(lambda: _Connection(self), host, port, backlog=backlog)

    async def drain(self, seconds: float) -> None:
        """Stop: refuse new calls at once, let running handlers finish, cancel what is left after `seconds`.

        Calls that are only now saying their environment are let go to the dialplan's own way.
        """
        self.draining = True
        if self._listener is not None:
            self._listener.close()
        for connection in tuple(self._connections):
            connection.give_up_unless_running()
        tasks = {c.task for c in self._connections if c.task is not None}
        _log.info("agi.draining", running=len(tasks))
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                _log.warning("agi.drain_cancels", calls=len(late))
                await asyncio.wait(late, timeout=CANCEL_SECONDS)
        for connection in tuple(self._connections):
            connection.abort()
        for _ in range(_TURNS):  # the loop tells each connection of its end in one of its next turns
            await asyncio.sleep(0)

    # --- told by the connections ---

    def admit(self, connection: _Connection) -> bool:
        """Whether there is room for one more."""
        if self.draining or self.active >= self._limit:
            self._refuse()
            return False
        if self._refused_in_a_row:
            _log.warning("agi.refusals_over", refused=self._refused_in_a_row)
            self._refused_in_a_row = 0
        self.accepted += 1
        self.active += 1
        self._connections.add(connection)
        return True

    def _refuse(self) -> None:
        self.refused += 1
        self._refused_in_a_row += 1
        if self._refused_in_a_row == 1:
            _log.warning("agi.refusing", limit=self._limit, active=self.active, draining=self.draining)
        if self._on_refused is not None:
            self._on_refused()

    def release(self, connection: _Connection) -> None:
        """A connection and its handler are both over."""
        self._connections.discard(connection)
        self.active -= 1

    def handler(self, route: str) -> Handler | None:
        return self._routes.get(route)

    def failure(self, route: str, call: str, error: Exception) -> None:
        """Count and log a handler's failure: frames and types only, for a message may quote a citizen."""
        self.failed += 1
        _log.error(
            "agi.handler_failed",
            route=route,
            call=call,
            error=_chain(error),
            reason=str(error) if isinstance(error, EkcError) else None,
            traceback="".join(traceback.format_tb(error.__traceback__)),
        )
        if self._on_error is not None:
            self._on_error(route, error)


class _Connection(asyncio.Protocol):
    """One connection: environment, then its handler as a task."""

    def __init__(self, server: FastAgiServer) -> None:
        self.task: asyncio.Task[None] | None = None
        self._server = server
        self._wire = AgiConnection()
        self._channel: AgiChannel | None = None
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._admitted = False
        self._lost = False

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._admitted = self._server.admit(self)
        if not self._admitted:
            self.abort()
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._server.idle_seconds, self._overdue)

    def data_received(self, data: bytes) -> None:
        if not self._admitted:
            return
        try:
            for event in self._wire.receive(data):
                if self._channel is not None:
                    self._channel.feed(event)
                elif isinstance(event, Environment):
                    self._begin(event)
        except ProtocolError as error:
            self._server.failed += 1
            _log.warning("agi.protocol_error", call=self._call, reason=str(error))
            self.abort()

    def eof_received(self) -> bool:
        return False  # nothing can be said to an Asterisk that has closed its side

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._timer is not None:
            self._timer.cancel()
        if self._channel is not None:
            self._channel.closed()
        self._release_when_over()

    # --- the conversation ---

    @property
    def _call(self) -> str:
        return self._channel.id if self._channel is not None else ""

    def _begin(self, environment: Environment) -> None:
        if self._timer is not None:
            self._timer.cancel()
        values = environment.values
        transport = cast(asyncio.Transport, self._transport)  # data comes after connection_made
        seconds = self._server.idle_seconds
        self._channel = AgiChannel(transport, values, reply_seconds=seconds)
        route = values.get("network_script", "").partition("?")[0].strip("/")
        handler = self._server.handler(route)
        if self._server.draining or handler is None:
            self._turn_away(route)
            return
        self.task = asyncio.get_running_loop().create_task(self._run(route, handler, self._channel))
        self.task.add_done_callback(self._done)

    def _turn_away(self, route: str) -> None:
        if not self._server.draining:
            self._server.failed += 1
            _log.warning("agi.unknown_route", route=ascii(route[:64]), call=self._call)
        self._close()

    async def _run(self, route: str, handler: Handler, channel: AgiChannel) -> None:
        try:
            await handler(channel)
        except CallerHungUp:
            _log.info("agi.caller_hung_up", route=route, call=channel.id)
        except Exception as error:  # noqa: BLE001 -- the edge: logged, and the dialplan takes the call
            self._server.failure(route, channel.id, error)

    def _done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            _log.warning("agi.handler_cancelled", call=self._call)
        self._close()
        self._release_when_over()

    def _release_when_over(self) -> None:
        if self._admitted and self._lost and (self.task is None or self.task.done()):
            self._admitted = False
            self._server.release(self)

    # --- endings ---

    def _overdue(self) -> None:
        self._server.timed_out += 1
        _log.warning("agi.silent_client", seconds=self._server.idle_seconds)
        self.abort()

    def give_up_unless_running(self) -> None:
        """For drain(): let go of a call whose handler has not begun."""
        if self.task is None:
            self._close()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection without sending what may still wait to be sent."""
        if self._transport is not None:
            self._transport.abort()


def _chain(error: BaseException) -> str:
    """The type of the error and of what caused it."""
    names: list[str] = []
    link: BaseException | None = error
    while link is not None and len(names) < 8:
        names.append(type(link).__name__)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return " < ".join(names)
