"""What an operator hears before the bridge: topic, level (§20, §21), the enquiry's number."""

from __future__ import annotations

from ivr.domain.enquiry import Level
from ivr.domain.errors import Unavailable
from ivr.observe import get_logger
from ivr.ports import Prompt, Prompts, Whisper

_log = get_logger("ivr.whispers")


class Whispers:
    """The sound is the same for every caller of one topic and level, so it is made once."""

    def __init__(self, prompts: Prompts | None = None) -> None:
        """prompts: None: nothing is whispered."""
        self._prompts = prompts

    async def prepare(
        self, *, topic: str, level: Level, enquiry: str, callback: bool = False
    ) -> Whisper | None:
        """enquiry: the last digits of the registration number. callback: we call the citizen.

        None when the sound cannot be made: the operator still sees number and level.
        """
        if self._prompts is None:
            return None
        id_ = "whisper.callback" if callback else "whisper"
        prompt = Prompt.of(id_, topic=topic, level=level.value)
        try:
            sound = self._prompts.ready(prompt) or await self._prompts.audio(prompt)
        except Unavailable as error:
            _log.warning("whisper_unmade", reason=str(error))
            return None
        return Whisper(sound=sound, digits=enquiry)
