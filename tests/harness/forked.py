"""`ekc`, each run a process of its own that begins where Python and the program are loaded: so much quicker.

The tests of the program as it is installed run the script itself (tests/acceptance/test_usage.py).
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

_STREAMS = {"in": os.O_RDONLY, "out": os.O_WRONLY, "err": os.O_WRONLY}
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["cli", "ivr.bootstrap", "ivr.services.demo_data", __name__])


def run_ekc(
    arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path, input: str = "", timeout: float
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` of the script; raises TimeoutExpired, after which nothing of it is left."""
    with TemporaryDirectory(prefix="ekc-command-") as name:
        streams = {stream: Path(name, stream) for stream in _STREAMS}
        for stream, path in streams.items():
            path.write_text(input if stream == "in" else "", encoding="utf-8")
        process = _processes.Process(target=_command, args=(list(arguments), dict(env), cwd, streams))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["ekc", *arguments], timeout)
        said = [streams[stream].read_text(encoding="utf-8") for stream in ("out", "err")]
        return subprocess.CompletedProcess(["ekc", *arguments], process.exitcode, *said)


def _command(arguments: list[str], env: dict[str, str], cwd: Path, streams: dict[str, Path]) -> None:
    """In the new process: everything that a process is given at its start, then the console script."""
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    for number, (stream, flags) in enumerate(_STREAMS.items()):
        os.dup2(os.open(streams[stream], flags), number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.argv = ["ekc", *arguments]
    from cli import main

    main()
