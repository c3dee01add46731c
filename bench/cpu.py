"""What processes have taken of the processor."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

_WHOLE_PROCESS = 2
"""CPUCLOCK_SCHED of the kernel's posix-timers."""


def seconds_of(pid: int) -> float:
    """All threads, those that have ended too, to the nanosecond: the clock of clock_getcpuclockid(3).

    /proc/PID/stat has the same in hundredths, too coarse for a call. Raises OSError when there is no such
    process.
    """
    return time.clock_gettime((~pid << 3) | _WHOLE_PROCESS)


def seconds_of_tree(pid: int) -> float:
    """With its children that live."""
    total = seconds_of(pid)
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(OSError):
            total += seconds_of(child.pid)
    return total
