"""The Asterisk Manager Interface, for the live view: panoramisk with its dangerous habits taken away.

- Each connection gets a fresh `panoramisk.Manager`, which is never told to reconnect, and every action is
  forgetable: nothing asked before a loss can be asked again after it (an Originate would dial twice).
- Every action has a time limit, and fails at once while there is no connection.
- Events nobody wants are dropped by name before they are parsed: a slow reader blocks calls in Asterisk.
- A value with CR or LF would be a second header or action: refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import structlog
from panoramisk.actions import Action
from panoramisk.manager import Manager
from panoramisk.message import Message

from ivr.asterisk.ami_protocol import AmiProtocol
from ivr.domain.errors import BadInput, Unavailable

AmiMessage = Mapping[str, Any]
"""A reply or an event, by header name in any case; a header that comes twice is a list of strings."""
Value = str | Sequence[str]

PING_SECONDS = 10.0
"""Quiet connections are tried this often: TCP alone would not notice a hung Asterisk for hours."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 10.0
"""Seconds between attempts to connect: doubled from the first to the longest."""

_ALONE = frozenset({"QueueAdd", "PlayDTMF"})
"""Whose answer reads to panoramisk as if events of its own were to follow; of others it sees by itself."""
_log = structlog.get_logger(__name__)
_quiet = logging.getLogger(f"{__name__}.panoramisk")
_quiet.disabled = True  # it would log whole actions, the secret of Login among them


class _Everything(tuple[str, ...]):
    """Holds every name: `forgetable_actions` of panoramisk."""

    def __contains__(self, name: object) -> bool:
        return True


class _Session(Manager):  # type: ignore[misc]  # panoramisk has no types
    """One connection, from its socket to its loss; it never reconnects by itself."""

    def __init__(self, protocol: AmiProtocol, on_event: Callable[[AmiMessage], None]) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(loop=loop, log=_quiet, encoding="utf-8", forgetable_actions=_Everything())
        self.lost: asyncio.Future[None] = loop.create_future()
        self._ami = protocol
        self._on_event = on_event

    def adopt(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection that stands."""
        made: asyncio.Future[object] = self.loop.create_future()
        made.set_result((transport, self._ami))
        self.connection_made(made)
        self.pinger.cancel()  # ours (Ami._watch) also looks at the answer

    def connection_lost(self, exc: object) -> None:
        """Instead of panoramisk's reconnect: fail whoever waits."""
        if not self.lost.done():
            self.lost.set_result(None)

    def dispatch(self, event: Message) -> None:
        """Give an event to its listener."""
        self._on_event(event)

    async def ask(self, action: Mapping[str, Value], seconds: float) -> list[AmiMessage]:
        """Raises Unavailable after `seconds` or when the connection is lost."""
        sent = Action(dict(action))
        self._ami.send(sent, as_list=False if action.get("Action") in _ALONE else None)
        try:
            await asyncio.wait((sent.future, self.lost), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not sent.future.done():
                raise Unavailable(f"Asterisk does not answer the AMI action {action.get('Action')}")
            answer = sent.future.result()
            return answer if isinstance(answer, list) else [answer]
        finally:
            self._ami.forget(sent)


class Ami:
    """A connection to the Asterisk Manager Interface that comes back by itself."""

    def __init__(
        self,
        host: str,
        port: int,
        user: str,
        secret: str,
        *,
        timeout: float = 5.0,
        on_event: Callable[[AmiMessage], None] | None = None,
        on_connect: Callable[[], None] | None = None,
        wanted: frozenset[str] = frozenset(),
    ) -> None:
        """timeout: seconds for an action, and for connecting with login.

        wanted: names of the events that `on_event` gets, spelt as Asterisk does.
        on_connect: called after each login; events of the gap are lost, so ask for the state anew.
        """
        _check({"Username": user, "Secret": secret})
        self._address = (host, port)
        self._user, self._secret = user, secret
        self._timeout = timeout
        self._on_event = on_event
        self._on_connect = on_connect
        self._wanted = wanted
        self._session: _Session | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._up = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Logged in, as far as we know."""
        return self._session is not None and not self._session.lost.done()

    async def connect(self) -> None:
        """Start to keep a connection, and wait for the first one.

        Raises Unavailable when there is none within the time limit; the attempts go on even then.
        """
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name="ami")
        try:
            await asyncio.wait_for(self._up.wait(), self._timeout)
        except TimeoutError:
            raise Unavailable("Asterisk's manager interface cannot be reached") from None

    async def close(self) -> None:
        """Disconnect for good; actions in flight raise Unavailable."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait((keeper,))

    # --- asking ---

    async def action(self, action: Mapping[str, Value], *, seconds: float | None = None) -> list[AmiMessage]:
        """Ask; the reply and, for a list or an Originate, the events that belong to it.

        seconds: a time limit of its own, for an Originate that has to ring.
        action: headers, `Action` among them; a sequence repeats its header. The reply may be
        `Response: Error`. Raises BadInput for CR or LF in a value, Unavailable when there is no
        connection, when it is lost meanwhile and when the time is over. Never repeated by itself.
        """
        _check(action)
        session = self._session
        if session is None or session.lost.done():
            raise Unavailable("there is no connection to Asterisk's manager interface")
        return await session.ask(action, seconds or self._timeout)

    async def channels(self) -> int:
        """How many channels there are."""
        answer = await self._successful({"Action": "CoreShowChannels"})
        return sum(1 for message in answer if message.get("Event") == "CoreShowChannel")

    async def queue_status(self) -> list[AmiMessage]:
        """QueueParams, QueueMember and QueueEntry of every queue."""
        return (await self._successful({"Action": "QueueStatus"}))[1:-1]

    async def core_status(self) -> AmiMessage:
        """CoreStartupTime, CoreReloadTime, CoreCurrentCalls …"""
        return (await self._successful({"Action": "CoreStatus"}))[0]

    async def _successful(self, action: Mapping[str, Value]) -> list[AmiMessage]:
        answer = await self.action(action)
        if answer[0].get("Response") != "Success":
            raise Unavailable(f"Asterisk refused the AMI action {action['Action']}")
        return answer

    # --- the connection ---

    async def _keep(self) -> None:
        delay = FIRST_DELAY
        while True:
            try:
                async with contextlib.AsyncExitStack() as stack:
                    session = await asyncio.wait_for(self._open(stack), self._timeout)
                    delay = FIRST_DELAY
                    await self._watch(session)
            except (OSError, TimeoutError, Unavailable) as error:
                _log.warning("ami.not_connected", error=type(error).__name__, retry_in=delay)
            except Exception as error:  # noqa: BLE001 -- of the library or ours: a new connection helps
                _tell_of(error, "ami.broken")
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)

    async def _open(self, stack: contextlib.AsyncExitStack) -> _Session:
        """A session that is logged in; the stack ends it."""
        protocol = AmiProtocol(self._wanted)
        session = _Session(protocol, self._tell)
        protocol.owner = session
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: protocol, *self._address)
        stack.callback(self._end, session, transport)
        session.adopt(transport)
        login = {"Action": "Login", "Username": self._user, "Secret": self._secret}
        answer = await session.ask({**login, "Events": "on" if self._wanted else "off"}, self._timeout)
        if answer[0].get("Response") != "Success":
            raise Unavailable("Asterisk refused the login to its manager interface")
        self._session = session
        return session

    async def _watch(self, session: _Session) -> None:
        """Return when the connection is lost; ping it now and then."""
        _log.info("ami.connected")
        self._up.set()
        if self._on_connect is not None:
            _guarded(self._on_connect)
        while not session.lost.done():
            await asyncio.wait((session.lost,), timeout=PING_SECONDS)
            if not session.lost.done():
                await session.ask({"Action": "Ping"}, self._timeout)
        _log.warning("ami.lost")

    def _end(self, session: _Session, transport: asyncio.BaseTransport) -> None:
        self._session = None
        self._up.clear()
        session.connection_lost(None)
        session.close()
        cast(asyncio.Transport, transport).abort()

    def _tell(self, event: AmiMessage) -> None:
        if self._on_event is not None and event.get("Event") in self._wanted:
            _guarded(self._on_event, event)


def _guarded(listener: Callable[..., None], *arguments: object) -> None:
    """Call a listener, whose mistakes are told and must not break the connection."""
    try:
        listener(*arguments)
    except Exception as error:  # noqa: BLE001 -- logged
        _tell_of(error, "ami.listener_failed")


def _tell_of(error: Exception, event: str) -> None:
    """Without its message, which may quote a citizen."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error(event, error=type(error).__name__, traceback=frames)


def _check(action: Mapping[str, Value]) -> None:
    """Raise BadInput when a header would not stay one header."""
    for name, value in action.items():
        for text in (name, value) if isinstance(value, str) else (name, *value):
            if any(c in text for c in "\r\n\0"):
                raise BadInput("an AMI header cannot hold a carriage return, a newline or a NUL")
