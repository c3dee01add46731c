"""The fakes that ship beside the real adapters, for tests of ours and of whoever builds on the engine.

The same tests run against them and against the real thing: the store's in tests/integration, the
channel's in tests/wire, the switchboard's in tests/integration/test_switchboard.py.
"""

from ivr.testing.caller import ScriptedCaller
from ivr.testing.channel import FakeChannel
from ivr.testing.clock import START, VirtualClock
from ivr.testing.outbound import FakeOutbound
from ivr.testing.speech import FakeDistributor, FakePrompts, FakeRecogniser
from ivr.testing.store import MemoryStore, MemoryUnitOfWork
from ivr.testing.switchboard import FakeSwitchboard
from ivr.testing.talk import Talk

__all__ = [
    "START",
    "FakeChannel",
    "FakeDistributor",
    "FakeOutbound",
    "FakePrompts",
    "FakeRecogniser",
    "FakeSwitchboard",
    "MemoryStore",
    "MemoryUnitOfWork",
    "ScriptedCaller",
    "Talk",
    "VirtualClock",
]
