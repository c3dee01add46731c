"""The wait for a key that follows the answer of a call at once.

Between two commands Asterisk throws a key away. Right after the answer that hurts most: who knows the menu by
heart types it at once, and where many calls begin together the handler's turn of the event loop is long in
coming. So this wait is written by whoever reads the reply to ANSWER, before any handler has its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ivr.asterisk.agi_wire import Reply
from ivr.domain.errors import CallerHungUp, Unavailable
from ivr.ports import KEYS

MILLISECONDS = 110
"""Off the beat of packets (agi_channel.py), and as long as a slice of waiting beside other work."""
_KEY_CODES = frozenset(map(ord, KEYS))
_DEAD = Reply(code=511)
_PACKET, _HALF_PACKET = 20, 10


def key_of(reply: Reply) -> str | None:
    """The key whose character code is the result; None for none and for what no telephone has."""
    code = reply.result
    return chr(code) if isinstance(code, int) and code in _KEY_CODES else None


def off_beat(milliseconds: int) -> int:
    """The next number of milliseconds that is half an RTP packet (20 ms) off the beat.

    A digit that ends between two commands is not lost yet: Asterisk emulates it and reports its end
    80 ms later, in time with a packet (__ast_read of channel.c). A wait of whole packets would end
    exactly then again, and the digit would be lost. Off the beat a loss is rare, not impossible: 20 calls
    at once that did nothing but short waits lost 1 of 8000 digits. One long wait has no gap at all.
    """
    return milliseconds + (_HALF_PACKET - milliseconds) % _PACKET if milliseconds > 0 else 0


class FirstWait:
    """One for each channel."""

    def __init__(self) -> None:
        self.line: bytes | None = None
        """What follows the reply that is awaited, if anything does."""
        self.reply: asyncio.Future[Reply] | None = None
        """Of the wait that is under way, if one is."""
        self._key: str | None = None

    def prepare(self, line: bytes) -> None:
        """line: the command, to be written when the answer has come."""
        self.line = line

    def follow(self, answer: Reply, write: Callable[[bytes], None]) -> None:
        """A command has been answered: write what was prepared, unless there is nobody to wait for."""
        line, self.line = self.line, None
        if line is not None and answer.code == 200 and answer.result != -1:
            self.reply = asyncio.get_running_loop().create_future()
            write(line)

    @property
    def under_way(self) -> bool:
        return self.reply is not None

    def take(self, reply: Reply) -> bool:
        """Whether this reply was the wait's."""
        if self.reply is None or self.reply.done():
            return False
        self.reply.set_result(reply)
        return True

    def close(self) -> None:
        """There will be no reply."""
        if self.reply is not None and not self.reply.done():
            self.reply.set_result(_DEAD)

    async def end(self, seconds: float) -> None:
        """Wait for its end if it is under way, and keep its key.

        seconds: what Asterisk may take beyond the wait itself. Raises CallerHungUp, Unavailable.
        """
        if self.reply is None:
            return
        reply = self.reply
        await asyncio.wait({reply}, timeout=MILLISECONDS / 1000 + seconds)
        self.reply = None
        if not reply.done():
            raise Unavailable("Asterisk does not answer an AGI command")
        if reply.result().code != 200 or reply.result().result == -1:
            raise CallerHungUp
        self._key = key_of(reply.result())

    def take_key(self) -> str | None:
        """The key that came in it, once."""
        key, self._key = self._key, None
        return key
