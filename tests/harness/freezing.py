"""Single threads of a process are made to stand still while the others run: alive, but deaf or dumb.

By ptrace(2), which the tests may do to what they have started. The tracer is a thread of ours, which also
takes away the dead thread when the process is killed; else its parent would wait for ever.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterable
from pathlib import Path

PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
WALL = 0x40000000
"""waitpid: of whatever kind the child is."""
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


def threads(pid: int, *, name: str = "", waits_in: str = "") -> list[int]:
    """Threads with this name, or that wait in this function of the kernel; never the first one."""
    found = (task for task in Path(f"/proc/{pid}/task").iterdir() if task.name != str(pid))
    return [
        int(task.name)
        for task in found
        if (not name or (task / "comm").read_text().strip() == name)
        and (task / "wchan").read_text().startswith(waits_in)
    ]


def freeze(tids: Iterable[int]) -> None:
    """From now on they stand still, until their process is killed."""
    for tid in tids:
        stopped, failed = threading.Event(), list[int]()
        threading.Thread(target=_hold, args=(tid, stopped, failed), daemon=True).start()
        assert stopped.wait(10), f"thread {tid} did not stop"
        assert not failed, f"thread {tid} cannot be stopped: {os.strerror(failed[0])}"


def _hold(tid: int, stopped: threading.Event, failed: list[int]) -> None:
    try:
        _ptrace(PTRACE_SEIZE, tid)
        _ptrace(PTRACE_INTERRUPT, tid)
        os.waitpid(tid, WALL)
        stopped.set()
        os.waitpid(tid, WALL)
    except OSError as error:
        failed.append(error.errno or 0)
        stopped.set()


def _ptrace(request: int, tid: int) -> None:
    if _LIBC.ptrace(request, tid, None, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
