"""What the flows and services ask of the outside world. Adapters implement these; tests run the same
contract against the real adapter and the fake in `ivr/testing.py`.

Storage is synchronous and short: a unit of work is a closure that runs in the store's own thread
(`Store.run`), so it cannot be open while a prompt plays.
"""

from ivr.domain.guessing import GuessCounter
from ivr.domain.worktime import DayException
from ivr.ports.appointments import Agreements, DeferredEnquiries, Typed
from ivr.ports.call import Call
from ivr.ports.citizens import (
    Applications,
    Citizens,
    CodeHashes,
    Credentials,
    Guesses,
    GuessLock,
    KeyRotation,
    Notices,
    Payments,
    Peppers,
)
from ivr.ports.clock import Clock
from ivr.ports.enquiries import (
    Audit,
    AuditRow,
    Callbacks,
    CallRow,
    Cards,
    CardSearch,
    Passages,
    TraceEvent,
    Traces,
)
from ivr.ports.floor import (
    Distributor,
    FloorEvent,
    FloorKind,
    LeftQueue,
    Leg,
    Member,
    MemberStatus,
    Patchboard,
    Snapshot,
    Switchboard,
    Waiting,
)
from ivr.ports.information import InformationResource
from ivr.ports.journals import Journal, JournalLine, JournalPosition
from ivr.ports.models import HeardWord, SpeechModel, SpeechModels, Transcript
from ivr.ports.outbound import CallbackCounts, CallbackLeg, Outbound
from ivr.ports.questions import Keyed, Question, Said, Spoken
from ivr.ports.scenarios import Scenarios
from ivr.ports.site import Agencies, CalendarDays, Operators, Queues, Reasons
from ivr.ports.speech import Grammar, Heard, Recogniser
from ivr.ports.standings import Standings
from ivr.ports.storage import Backend, CopyFacts, DatabaseCopies, KeyNeed, Store, UnitOfWork
from ivr.ports.telephone import KEYS, Boarding, CallFacts, Channel, Prompt, Prompts, WaitSounds, Whisper

__all__ = [
    "KEYS",
    "Agencies",
    "Agreements",
    "Applications",
    "Audit",
    "AuditRow",
    "Backend",
    "Boarding",
    "CalendarDays",
    "Call",
    "CallFacts",
    "CallRow",
    "CallbackCounts",
    "CallbackLeg",
    "Callbacks",
    "CardSearch",
    "Cards",
    "Channel",
    "Citizens",
    "Clock",
    "CodeHashes",
    "CopyFacts",
    "Credentials",
    "DatabaseCopies",
    "DayException",
    "DeferredEnquiries",
    "Distributor",
    "FloorEvent",
    "FloorKind",
    "Grammar",
    "GuessCounter",
    "GuessLock",
    "Guesses",
    "Heard",
    "HeardWord",
    "InformationResource",
    "Journal",
    "JournalLine",
    "JournalPosition",
    "KeyNeed",
    "KeyRotation",
    "Keyed",
    "LeftQueue",
    "Leg",
    "Member",
    "MemberStatus",
    "Notices",
    "Operators",
    "Outbound",
    "Passages",
    "Patchboard",
    "Payments",
    "Peppers",
    "Prompt",
    "Prompts",
    "Question",
    "Queues",
    "Reasons",
    "Recogniser",
    "Said",
    "Scenarios",
    "Snapshot",
    "SpeechModel",
    "SpeechModels",
    "Spoken",
    "Standings",
    "Store",
    "Switchboard",
    "TraceEvent",
    "Traces",
    "Transcript",
    "Typed",
    "UnitOfWork",
    "WaitSounds",
    "Waiting",
    "Whisper",
]
