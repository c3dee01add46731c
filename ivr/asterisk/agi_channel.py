"""A telephone channel over one FastAGI connection: `ivr.ports.Channel`.

A digit that ends while Asterisk runs no command of ours is read and thrown away (run_agi of res_agi.c).
So a reply resolves the waiting command straight from the socket's callback, and the next command is
written in the following turn of the event loop. Nothing that was typed is ever logged here.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ivr.asterisk import agi_speech, channel_vars
from ivr.asterisk.agi_wire import Event, ProtocolError, Reply, command
from ivr.asterisk.deadline import Deadline
from ivr.asterisk.first_wait import MILLISECONDS as FIRST_MS
from ivr.asterisk.first_wait import FirstWait, key_of, off_beat
from ivr.domain.errors import BadInput, CallerHungUp, Unavailable
from ivr.ports import KEYS, Boarding, CallFacts, Heard

LONGEST_WAIT = 3600.0
"""Seconds of one WAIT FOR DIGIT; its argument is a C int of milliseconds and negative means for ever."""
_EVEN_IF_GONE = True


class AgiChannel:
    """One call in the hands of a handler; made by the server, which feeds it with events."""

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        environment: Mapping[str, str],
        *,
        reply_seconds: float,
    ) -> None:
        """reply_seconds: how long Asterisk may take beyond what a command itself takes."""
        self._transport = transport
        self._environment = environment
        self._reply_seconds = reply_seconds
        self._loop = asyncio.get_running_loop()
        self._reply: asyncio.Future[Reply] | None = None
        self._owed: asyncio.Future[None] | None = None
        self._first_wait = FirstWait()
        self._deadline = Deadline(self._loop, self._overdue)
        self._gone = False

    # --- what the server tells ---

    def feed(self, event: Event) -> None:
        """Take an event of the wire; raises ProtocolError for a reply nobody asked for."""
        if not isinstance(event, Reply):
            self._gone = True
        elif self._reply is not None:
            reply, self._reply = self._reply, None
            if self._first_wait.line is not None and not self._gone:
                self._first_wait.follow(event, self._transport.write)
            if reply.done():
                self._settle()
            else:
                reply.set_result(event)
        elif not self._first_wait.take(event):
            raise ProtocolError("an AGI reply came without a command")

    def closed(self) -> None:
        """The connection is no more; whoever waits for a reply learns that the caller is gone."""
        self._gone = True
        reply, self._reply = self._reply, None
        if reply is not None and not reply.done():
            reply.set_exception(CallerHungUp())
        self._first_wait.close()
        self._deadline.close()
        self._settle()

    def _settle(self) -> None:
        if self._owed is not None:
            self._owed.set_result(None)
            self._owed = None

    # --- the port ---

    @property
    def id(self) -> str:
        return self._environment.get("uniqueid", "")

    @property
    def environment(self) -> Mapping[str, str]:
        return self._environment

    async def facts(self) -> CallFacts:
        """In one command, for each costs a round trip. Raises BadInput for a channel that is not ours."""
        names = (*_FACTS, channel_vars.TURNS)
        reply = await self._ask(command("GET FULL VARIABLE", "|".join(f"${{{name}}}" for name in names)))
        parts = (reply.data or "").split("|")
        if len(parts) != len(names):
            raise BadInput("the dialplan does not tell what it knows of this call: render it anew")
        state, arrived, enquiry, queue, turns = parts
        return CallFacts(
            number=self._environment.get("callerid") if state == channel_vars.NUMBER_KNOWN else None,
            arrived_at=_moment(arrived),
            enquiry=enquiry,
            queue=queue,
            turns=int(turns) if turns.isdecimal() else 0,
        )

    async def answer(self) -> None:
        """Answer the call; Asterisk waits up to half a second for the caller's first RTP.

        Keys count from then on: a short wait for one follows with no turn of the loop between.
        """
        self._first_wait.prepare(command("WAIT FOR DIGIT", str(FIRST_MS)))
        if (await self._ask(command("ANSWER"))).result == -1:
            await self._check_alive()
            raise Unavailable("Asterisk could not answer the call")

    async def play(self, audio: Path, *, stop_on: str = KEYS) -> str | None:
        """Play a file; the key that stopped it, or None when it was heard to its end.

        stop_on: keys that stop it, empty for none. Raises Unavailable when Asterisk cannot open the file.
        """
        await self._end_first_wait()
        if (early := self._first_wait.take_key()) is not None and early in stop_on:
            return early
        reply = await self._ask(command("STREAM FILE", str(audio.with_suffix("")), stop_on))
        if reply.result == -1:
            await self._check_alive()
            raise Unavailable("Asterisk cannot play a prompt: the file is missing or unreadable")
        return key_of(reply)

    async def wait_key(self, seconds: float) -> str | None:
        """The next key of `ports.KEYS`, or None when the time has passed; at most an hour.

        It may wait up to 20 ms longer than asked (see `off_beat`); 0 does not wait at all.
        """
        until = self._loop.time() + min(seconds, LONGEST_WAIT)
        waited = await self._end_first_wait()
        early = self._first_wait.take_key()
        if early is not None or (waited and until <= self._loop.time()):
            return early
        while True:
            left = max(until - self._loop.time(), 0.0)
            milliseconds = off_beat(math.ceil(left * 1000))
            limit = left + self._reply_seconds
            reply = await self._ask(command("WAIT FOR DIGIT", str(milliseconds)), limit)
            if reply.result == -1:
                self._gone = True
                raise CallerHungUp
            key = key_of(reply)
            if key is not None or reply.result == 0:
                return key

    async def open_ears(self) -> bool:
        limit = agi_speech.CREATE_SECONDS + self._reply_seconds
        return (await self._ask(command("SPEECH CREATE", agi_speech.ENGINE), limit)).result == 1

    async def expect(self, grammar: str) -> bool:
        """Asterisk says yes whatever the recogniser says: when nobody is there it says so after a second."""
        asked = self._loop.time()
        reply = await self._ask(command("SPEECH SET", agi_speech.GRAMMAR, grammar), self._reply_seconds)
        return reply.result == 1 and self._loop.time() - asked < agi_speech.SET_SECONDS

    async def listen(self, audio: Path, seconds: float) -> str | Heard | None:
        """SPEECH RECOGNIZE. A file that Asterisk cannot open counts as one of no length."""
        await self._end_first_wait()
        if (early := self._first_wait.take_key()) is not None:
            return early
        sound = str(audio.with_suffix(""))
        reply = await self._ask(command("SPEECH RECOGNIZE", sound, agi_speech.whole(seconds)))
        self._gone = reply.data == agi_speech.HUNG_UP
        return agi_speech.heard_of(reply)

    async def get_variable(self, name: str) -> str | None:
        """A channel variable or function; None when it is unset. Asterisk cuts it at 1023 bytes."""
        reply = await self._ask(command("GET VARIABLE", name), self._reply_seconds)
        return None if reply.result == 0 else reply.data or ""

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable.

        Tried even after a hang-up, as long as the connection stands: the dialplan's `h` reads it.
        """
        await self._ask(command("SET VARIABLE", name, value), self._reply_seconds, _EVEN_IF_GONE)

    async def execute(self, application: str, *arguments: str) -> str:
        """Run a dialplan application; what it returned.

        arguments: without commas, which would make two of one. Raises BadInput for an unknown application.
        """
        if any("," in argument for argument in arguments):
            raise BadInput("a comma in an argument of a dialplan application makes two of it")
        reply = await self._ask(command("EXEC", application, ",".join(arguments)))
        if reply.result == -2:
            raise BadInput(f"Asterisk has no application {application}")
        if reply.result == -1:
            await self._check_alive()
        return str(reply.result)

    async def hang_up(self) -> None:
        """Hang up the channel; every further method but set_variable raises CallerHungUp."""
        await self._ask(command("HANGUP"), self._reply_seconds)
        self._gone = True

    async def listen_in(self, leg: str, *, whisper: bool) -> None:
        """By ChanSpy: q nothing is announced, b the leg talks, E and S it ends with that leg, w whisper."""
        await self.execute("ChanSpy", leg, "qbES" + ("w" if whisper else ""))

    async def hand_over(
        self, queue: str, *, priority: int, enquiry: str, boarding: Boarding | None = None
    ) -> None:
        """Let the dialplan put the caller into `queue`; the sentinel is set last (channel_vars.FLOW)."""
        for name, value in channel_vars.of_boarding(boarding or Boarding()).items():
            await self.set_variable(name, value)
        await self.set_variable(channel_vars.ENQUIRY, enquiry)
        await self.set_variable(channel_vars.QUEUE, queue)
        await self.set_variable(channel_vars.PRIORITY, str(priority))
        await self.set_variable(channel_vars.FLOW, channel_vars.FLOW_QUEUE)

    async def finish(self) -> None:
        """Let the dialplan hang up."""
        await self.set_variable(channel_vars.FLOW, channel_vars.FLOW_END)

    # --- one command at a time ---

    async def _end_first_wait(self) -> bool:
        """Whether it was still under way; it is over now."""
        if not self._first_wait.under_way:
            return False
        try:
            await self._first_wait.end(self._reply_seconds)
        except CallerHungUp:
            self._gone = True
            raise
        except Unavailable:
            self._gone = True
            self._transport.abort()
            raise
        return True

    async def _check_alive(self) -> None:
        """Raise CallerHungUp if the -1 just received means that.

        The same -1 says that a file cannot be opened or an application failed. WAIT FOR DIGIT of 0 ms
        reads nothing from the channel, and answers -1 or 511 when it is hung up.
        """
        await self.wait_key(0)

    async def _ask(self, line: bytes, limit: float | None = None, even_if_gone: bool = False) -> Reply:
        """The reply to a command, which is written before anything is awaited.

        limit: seconds after which Asterisk counts as hung and the connection is cut (Unavailable).
        """
        while self._owed is not None:
            await asyncio.wait([self._owed])
        if self._first_wait.reply is not None:
            with suppress(CallerHungUp):  # told below, where it matters
                await self._end_first_wait()
        if self._transport.is_closing() or (self._gone and not even_if_gone):
            raise CallerHungUp
        if self._reply is not None:
            raise RuntimeError("two AGI commands at once on one channel")
        self._reply = reply = self._loop.create_future()
        if limit is not None:
            self._deadline.set(limit)
        self._transport.write(line)
        try:
            answer: Reply = await reply
        except asyncio.CancelledError:
            if self._reply is reply:  # Asterisk still owes the reply: the next command waits for it
                self._owed = self._loop.create_future()
            raise
        finally:
            self._deadline.clear()
        if answer.code == 511:
            self._gone = True
        if self._gone and not (even_if_gone and answer.code == 200):
            raise CallerHungUp
        if answer.code != 200:
            name = line.partition(b' "')[0].decode().strip()
            raise BadInput(f"Asterisk refused {name} with {answer.code}")
        return answer

    def _overdue(self) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(Unavailable("Asterisk does not answer an AGI command"))
        self._gone = True
        self._transport.abort()


_FACTS = (channel_vars.NUMBER_STATE, channel_vars.ARRIVED, channel_vars.ENQUIRY, channel_vars.QUEUE)


def _moment(seconds: str) -> datetime:
    """When a call arrived; now for one that the line's dialplan has not seen (an operator's own)."""
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() else datetime.now(UTC)
