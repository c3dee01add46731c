"""The bytes of the manager interface: messages are cut out of the stream, unwanted ones dropped unparsed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

MAX_MESSAGE = 1 << 20
"""Bytes of one message; more is no AMI."""
_END = b"\r\n\r\n"
_log = structlog.get_logger(__name__)


class AmiProtocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """Cuts the stream into messages and drops the unwanted ones unparsed."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.owner: Manager | None = None
        self._wanted = frozenset(name.encode() for name in wanted)
        self._bytes = bytearray()
        self._scanned = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As panoramisk, which forgets its factory here until the connection is adopted."""
        super().connection_made(transport)
        self.factory = self.owner

    def data_received(self, data: bytes) -> None:
        """Handle what is whole. Characters are decoded message by message, so none is cut in two."""
        self._bytes += data
        for block in self._blocks():
            if self._is_wanted(block):
                message = Message.from_line(block.decode(errors="replace"))
                if message is not None:
                    self.handle_message(message)
        if len(self._bytes) > MAX_MESSAGE:
            _log.error("ami.message_too_long", limit=MAX_MESSAGE)
            self.transport.abort()
            self._bytes.clear()

    def _blocks(self) -> Iterator[bytes]:
        while (end := self._bytes.find(_END, self._scanned)) >= 0:
            block = bytes(self._bytes[:end])
            del self._bytes[: end + len(_END)]
            self._scanned = 0
            yield block.lstrip(b"\r\n")
        self._scanned = max(len(self._bytes) - len(_END) + 1, 0)

    def _is_wanted(self, block: bytes) -> bool:
        """Answers, rows of a list that was asked for, and wanted events."""
        if not block.startswith(b"Event: "):
            return True
        name, _, rest = block[7:].partition(b"\r\n")
        return name in self._wanted or rest.startswith(b"ActionID: ") or b"\r\nActionID: " in rest

    def forget(self, action: Action) -> None:
        """Nobody waits for this action any more."""
        self.responses.pop(action.id, None)
        self.responses.pop(action.action_id, None)
