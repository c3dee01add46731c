"""Prompts under way to one conversation: made before they are wanted, and gone when nobody will hear them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ivr.ports import Prompt, Prompts


class Making:
    """At most one prompt is made ahead, while another one is heard."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self._ahead: tuple[Prompt, asyncio.Future[Path]] | None = None

    def begin(self, prompt: Prompt) -> None:
        """Have it made; it is wanted soon."""
        self.forget()
        if self._prompts.ready(prompt) is None:
            self._ahead = prompt, asyncio.ensure_future(self._prompts.audio(prompt))

    def take(self, prompt: Prompt) -> asyncio.Future[Path]:
        """The one that was begun, if it is this one, else it is begun now; from here on it is who asks's."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == prompt:
            return ahead[1]
        if ahead is not None:
            self.abandon(ahead[1])
        return asyncio.ensure_future(self._prompts.audio(prompt))

    def forget(self) -> None:
        """What was begun is not wanted."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            self.abandon(ahead[1])

    def abandon(self, making: asyncio.Future[Path]) -> None:
        """Nobody will hear it: it is erased, or not made at all."""

        def erase(made: asyncio.Future[Path]) -> None:
            if not made.cancelled() and made.exception() is None:
                self._prompts.release(made.result())

        making.add_done_callback(erase)
        making.cancel()
