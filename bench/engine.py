"""The engine that `ekc up` starts, with one conversation more: `python -m bench.engine` (EKC_STATE)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench import script
from bench.wire_load import ROUTE
from ivr.assembly import routes
from ivr.asterisk.agi import AgiChannel
from ivr.bootstrap import open_site
from ivr.flows.office import Office

PROMPT_ROUTE = "bench-prompt"


async def conversation(channel: AgiChannel, _office: Office) -> None:
    """bench/script.py by the verbs of our channel."""
    sound = Path(os.environ[script.PROMPT])
    await channel.answer()
    await channel.set_variable(script.FIRST, "1")
    await channel.set_variable(script.SECOND, "2")
    if await channel.get_variable(script.FIRST) != "1":
        return
    await channel.play(sound, stop_on="")
    if await channel.wait_key(script.KEY_MS / 1000) != script.KEY:
        return
    await channel.set_variable(script.TYPED, script.KEY)
    number = await channel.get_variable(script.CALLER)
    await channel.play(sound, stop_on="")
    await channel.set_variable(script.NUMBER, number or "")
    await channel.execute(script.APPLICATION, script.ARGUMENT)
    await channel.hang_up()


async def prompt(channel: AgiChannel, _office: Office) -> None:
    """A prompt that goes on until the caller has enough of it."""
    await channel.answer()
    await channel.play(Path(os.environ[script.LONG_PROMPT]), stop_on="")


def main() -> int:
    routes.ROUTES = {**routes.ROUTES, ROUTE: conversation, PROMPT_ROUTE: prompt}
    site = open_site()
    try:
        return site.run_engine()
    finally:
        site.close()


if __name__ == "__main__":
    sys.exit(main())
