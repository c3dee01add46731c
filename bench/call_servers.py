"""bench/script.py by others: `python -m bench.call_servers NAME`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import uvloop

from bench import others, script
from bench.contestant import until_stdin_ends

PANORAMISK, PYST2 = "panoramisk, uvloop", "pyst2, threads"


async def _panoramisk_script(request: Any) -> None:
    prompt, said = os.environ[script.PROMPT], request.send_command
    await said("ANSWER")
    await said(f'SET VARIABLE "{script.FIRST}" "1"')
    await said(f'SET VARIABLE "{script.SECOND}" "2"')
    if (await said(f'GET VARIABLE "{script.FIRST}"'))["result"] != ("1", "1"):
        return
    await said(f'STREAM FILE "{prompt}" ""')
    if (await said(f"WAIT FOR DIGIT {script.KEY_MS}"))["result"][0] != str(ord(script.KEY)):
        return
    await said(f'SET VARIABLE "{script.TYPED}" "{script.KEY}"')
    number = (await said(f'GET VARIABLE "{script.CALLER}"'))["result"][1]
    await said(f'STREAM FILE "{prompt}" ""')
    await said(f'SET VARIABLE "{script.NUMBER}" "{number}"')
    await said(f'EXEC {script.APPLICATION} "{script.ARGUMENT}"')
    await said("HANGUP")


def panoramisk() -> None:
    until_stdin_ends()
    uvloop.run(others.panoramisk(_panoramisk_script))


def _pyst2_script(agi: Any) -> None:
    prompt = os.environ[script.PROMPT]
    agi.answer()
    agi.set_variable(script.FIRST, "1")
    agi.set_variable(script.SECOND, "2")
    if agi.get_variable(script.FIRST) != "1":
        return
    agi.stream_file(prompt)
    if agi.wait_for_digit(script.KEY_MS) != script.KEY:
        return
    agi.set_variable(script.TYPED, script.KEY)
    number = agi.get_variable(script.CALLER)
    agi.stream_file(prompt)
    agi.set_variable(script.NUMBER, number)
    agi.appexec(script.APPLICATION, script.ARGUMENT)
    agi.hangup()


def pyst2() -> None:
    others.pyst2(_pyst2_script)


SERVERS: Mapping[str, Callable[[], None]] = {PANORAMISK: panoramisk, PYST2: pyst2}


if __name__ == "__main__":
    SERVERS[sys.argv[1]]()
