"""The call that every contestant handles: twelve commands, the same for all.

ANSWER, two variables set, one read, a prompt, a key, another variable set and one read, a prompt, a variable
set, an application, HANGUP. Whoever gets anything else than expected stops there: the caller then hears
no goodbye, and the call counts as failed.
"""

from __future__ import annotations

KEY = "5"
KEY_MS = 5000
FIRST, SECOND, TYPED, NUMBER = "BENCH_A", "BENCH_B", "BENCH_KEY", "BENCH_NUMBER"
CALLER = "CALLERID(num)"
APPLICATION, ARGUMENT = "NoOp", "done"
PROMPT = "BENCH_PROMPT"
"""Environment variable: the sound without its ending, absolute."""
LONG_PROMPT = "BENCH_LONG_PROMPT"
"""Likewise, a sound of a minute."""
WAIT = "Wait(30)"
"""In the dialplan after AGI(): a contestant that broke off does not pass for one that hung up."""


def plain(prompt: str) -> dict[str, list[str]]:
    """The dialplan that does it all without anybody's help: applications by extension."""
    return {
        "s": [
            "Answer()",
            f"Set({FIRST}=1)",
            f"Set({SECOND}=2)",
            f"Set(BENCH_GOT=${{{FIRST}}})",
            f"Playback({prompt})",
            f"WaitExten({KEY_MS // 1000})",
            WAIT,
        ],
        KEY: [
            f"Set({TYPED}=${{EXTEN}})",
            f"Set(BENCH_CALLER=${{{CALLER}}})",
            f"Playback({prompt})",
            f"Set({NUMBER}=${{BENCH_CALLER}})",
            f"{APPLICATION}({ARGUMENT})",
            "Hangup()",
        ],
    }


def by_agi(port: int, route: str) -> list[str]:
    """The dialplan that asks a FastAGI server."""
    return [f"AGI(agi://127.0.0.1:{port}/{route})", WAIT, "Hangup()"]
