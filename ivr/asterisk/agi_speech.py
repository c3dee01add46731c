"""What Asterisk's SPEECH commands answer (res_agi.c, res_speech_aeap.c), without a socket."""

from __future__ import annotations

import math

from ivr.asterisk.agi_wire import Reply
from ivr.domain.errors import CallerHungUp, Unavailable
from ivr.ports import KEYS, Heard

ENGINE = "vosk"
"""The section of asterisk-conf/aeap.conf.j2."""
GRAMMAR = "grammar"
"""The setting that names a grammar (ivr/speech/aeap.py)."""
LONGEST_SECONDS = 3600
CREATE_SECONDS = 3.0
"""What Asterisk may take to connect to the recogniser and to agree with it (res_speech_aeap.c)."""
SET_SECONDS = 0.9
"""It waits a second for the recogniser to take a setting, by a clock that may be a bit ahead of ours."""
HUNG_UP = "hangup"


def whole(seconds: float) -> str:
    """The argument of SPEECH RECOGNIZE: it counts whole seconds, and 0 would be for ever."""
    return str(min(max(math.ceil(seconds), 1), LONGEST_SECONDS))


def heard_of(reply: Reply) -> str | Heard | None:
    """The key, the words or, for a time that has passed, None.

    Raises CallerHungUp, and Unavailable when there is no recogniser behind the channel.
    """
    if reply.result != 1:
        raise Unavailable("Asterisk has no recogniser for this call")
    match reply.data:
        case "digit":
            key = reply.extra.get("digit", "")
            return key if key and key in KEYS else None
        case "speech":
            return Heard(text=reply.extra.get("text0", ""), score=_score(reply.extra.get("score0", "")))
        case "timeout":
            return None
    if reply.data == HUNG_UP:
        raise CallerHungUp
    raise Unavailable("Asterisk does not say what its recogniser has heard")


def _score(text: str) -> int:
    return min(int(text), 100) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
