"""The fakes that ship beside the real adapters, for tests of ours and of whoever builds on the engine.

The same tests run against them and against the real thing: the store's in tests/integration, the
channel's in tests/wire.
"""

from ivr.testing.clock import START, VirtualClock
from ivr.testing.store import MemoryStore, MemoryUnitOfWork

__all__ = ["START", "MemoryStore", "MemoryUnitOfWork", "VirtualClock"]
