"""What the flows and services ask of the outside world. Adapters implement these; tests run the same
contract against the real adapter and the fake in `ivr/testing.py`.

Storage is synchronous and short: a unit of work is a closure that runs in the store's own thread
(`Store.run`), so it cannot be open while a prompt plays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from ivr.domain.benefits import Citizen, Notice, Payment, PersonalRecords
from ivr.domain.callback import Callback
from ivr.domain.enquiry import Application, Card, Contact, ContactOutcome, Outcome
from ivr.domain.estimate import Told
from ivr.domain.guessing import GuessCounter as GuessCounter
from ivr.domain.menu import Topic
from ivr.domain.operators import Operator, OperatorState, Place, SipAccount, StateChange
from ivr.domain.passage import Passage
from ivr.domain.queue_rules import QueueRules
from ivr.domain.waiting import Announcement, Turn
from ivr.domain.worktime import DayException as DayException

T = TypeVar("T")

KEYS = "0123456789*#"


class Clock(Protocol):
    """The only way to ask for the time."""

    def now(self) -> datetime:
        """Aware wall-clock time, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...


# --- the telephone ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prompt:
    """A sentence of the catalogue: `id` and its parameters by name (see ivr/speech/catalogue.py)."""

    id: str
    values: Mapping[str, object]

    @classmethod
    def of(cls, id_: str, **values: object) -> Prompt:
        return cls(id_, values)


class WaitSounds(Protocol):
    """What waiting callers are told, laid where the telephone switch finds it."""

    async def lay(self, told: Told) -> None:
        """Make it if it is not there. Raises Unavailable: then the caller is told less."""
        ...


class Prompts(Protocol):
    """Turns prompts into sound."""

    async def audio(self, prompt: Prompt) -> Path:
        """A file Asterisk can play (8 kHz mono .wav), synthesised if need be.

        Prompts with personal values go to a file that `release` erases. Raises Unavailable when synthesis
        fails.
        """
        ...

    def ready(self, prompt: Prompt) -> Path | None:
        """The file if it exists already, without waiting."""
        ...

    def release(self, audio: Path) -> None:
        """Erase the file if it holds something personal; cached prompts stay."""
        ...


@dataclass(frozen=True, kw_only=True)
class CallFacts:
    """What the dialplan knows of a call when it asks the engine."""

    number: str | None
    """As the trunk sent it, not yet a number of ours; None when unknown or withheld."""
    arrived_at: datetime
    enquiry: str = ""
    """Opaque id of the card, from an earlier conversation of this call."""
    queue: str = ""
    """The queue the caller comes from, or was to go to."""
    turns: int = 0
    """How often the caller has been put into a queue."""


@dataclass(frozen=True, kw_only=True)
class Whisper:
    """A sound that many calls share, and digits of this one, spoken after it one by one."""

    sound: Path
    digits: str


@dataclass(frozen=True, kw_only=True)
class Boarding:
    """How a caller enters a queue, and what is known on both sides of the wait."""

    place: int | None = None
    """The wanted place, from 1, among those of the same priority; None: behind them."""
    seconds: float | None = None
    """How long the caller may wait; None: the site's limit."""
    penalty: int | None = None
    """Only operators up to this penalty are rung; None: all."""
    widen_after: int | None = None
    """Seconds after which all are rung, one of `ivr.domain.queue_rules.WIDENINGS`."""
    shown: str = ""
    """On the operator's display beside the caller's number; nothing personal."""
    whisper: Whisper | None = None
    """What the operator hears before the bridge."""
    told: Told | None = None
    """What the caller is told first; None: only how to be called back."""
    arrived_at: datetime | None = None
    """Of a caller who was cut off: when the first call arrived. None: this one."""


class Channel(Protocol):
    """What a telephone channel can do. Every method raises CallerHungUp once the caller is gone.

    A digit that ends between two commands is lost (Asterisk, res_agi.c): callers of this port must not
    await anything else between two commands while keys are expected.
    """

    @property
    def id(self) -> str:
        """Uniqueid of the channel."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The AGI environment without its `agi_` prefix."""
        ...

    async def facts(self) -> CallFacts: ...

    async def answer(self) -> None: ...

    async def play(self, audio: Path, *, stop_on: str = KEYS) -> str | None:
        """Play a file; the key that stopped it, or None when it was heard to its end."""
        ...

    async def wait_key(self, seconds: float) -> str | None:
        """The next key, or None when the time has passed."""
        ...

    async def get_variable(self, name: str) -> str | None: ...

    async def set_variable(self, name: str, value: str) -> None: ...

    async def execute(self, application: str, *arguments: str) -> str:
        """Run a dialplan application; its result. Raises BadInput for an unknown application."""
        ...

    async def hang_up(self) -> None: ...

    async def listen_in(self, leg: str, *, whisper: bool) -> None:
        """Hear both sides of the talk of a leg (Leg.name) until that leg is gone.

        whisper: that leg hears who is on this channel; its partner never does.
        """
        ...

    async def hand_over(
        self, queue: str, *, priority: int, enquiry: str, boarding: Boarding | None = None
    ) -> None:
        """Let the dialplan put the caller into `queue`: the last thing a handler does with a channel.

        priority: higher is served first, 0 is everybody. enquiry: opaque id of the card, or empty.
        """
        ...

    async def finish(self) -> None:
        """Let the dialplan hang up: the conversation is over. The last thing a handler does."""
        ...


class Call(Protocol):
    """A conversation: the verbs that flows are made of. Implemented by ivr/dialogue.py over a Channel.

    Every verb raises CallerHungUp when the caller is gone. The asking verbs also raise OperatorWanted
    (`0` in a menu, `**` or a lone `0` among digits) and CallerSilent (§19).
    """

    @property
    def id(self) -> str:
        """Uniqueid of the caller's leg."""
        ...

    @property
    def number(self) -> str | None:
        """The caller's number, E.164; None when unknown or withheld."""
        ...

    @property
    def arrived_at(self) -> datetime: ...

    @property
    def pressed_anything(self) -> bool: ...

    enquiry: str
    """Opaque id of the card; empty while there is none."""
    outcome: ContactOutcome | None
    """What the contact has come to if the call ends now; None: the journals tell."""

    async def answer(self) -> None: ...

    async def say(self, prompt: Prompt, *, whole: bool = False) -> None:
        """Play a prompt. A key stops it and is the first of the next answer; one typed ahead skips it.

        whole: nothing stops or skips it, and what was typed before its end is dropped. For last words and
        for sentences after which keys typed ahead make no sense.
        """
        ...

    async def ask_choice(self, prompt: Prompt, choices: str) -> str:
        """One key of `choices`. `*` repeats; `0` raises OperatorWanted unless it is a choice."""
        ...

    async def ask_digits(self, prompt: Prompt, *, length: int | None = None, most: int = 32) -> str:
        """Digits, ended by `#` or, with `length`, by themselves. `*` clears and asks again.

        length: exactly so many. most: more than these are a wrong answer. No digit is ever told or logged.
        """
        ...

    async def confirm(self, prompt: Prompt) -> bool:
        """True for 1, False for any other key, `0` and `#` too; `*` repeats the prompt."""
        ...

    async def offer(self, prompt: Prompt, *, seconds: float) -> bool:
        """Say something that `*` discards: whether it was discarded, within `seconds` of the prompt's end.

        The `*` is used up; any other key is left as the first of the next answer, and silence is consent.
        A second `*` on the next question is the `**` that raises OperatorWanted there.
        """
        ...

    async def during(self, work: Awaitable[T], *, notice: Prompt | None = None) -> T:
        """The result of `work`, while keys are still read; `notice` is said if it takes long.

        Keys pressed meanwhile are kept for the next question. When the caller hangs up, `work` is still
        finished before CallerHungUp is raised; an error of `work` comes through.
        """
        ...

    async def get_variable(self, name: str) -> str | None: ...

    async def set_variable(self, name: str, value: str) -> None: ...

    async def enqueue(self, queue: str, *, priority: int = 0, boarding: Boarding | None = None) -> None:
        """Hand the caller over to a queue: the flow's last verb; the dialplan goes on from here."""
        ...

    async def finish(self) -> None:
        """End the conversation: the flow's last verb; the dialplan hangs up."""
        ...


# --- who gets which caller -------------------------------------------------------------------------


class LeftQueue(StrEnum):
    """Why a caller came out of a queue without having been served."""

    NO_OPERATOR = "no_operator"  # nobody was logged in, or nobody is any more
    FULL = "full"  # as many wait as may
    TIMEOUT = "timeout"  # waited as long as the queue lets anybody wait
    CALLBACK = "callback"  # pressed 1 while waiting
    PAUSED = "paused"  # every operator has been away from the telephone for too long
    CLOSING = "closing"  # the line has closed, and the time for those who still waited is over (§12)


class Distributor(Protocol):
    """Decides which operator gets which waiting caller (architecture.md, rule 8); who may be rung is the
    Switchboard's to be told."""

    async def left(self, channel: Channel) -> LeftQueue:
        """Why the caller on this channel came back from the queue."""
        ...


class MemberStatus(StrEnum):
    """What an operator's telephone is doing."""

    FREE = "free"  # may be rung
    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"  # talks, the other side on hold
    AWAY = "away"  # not registered, or its place on the network is lost


@dataclass(frozen=True, kw_only=True)
class Member:
    """An operator's membership in one queue, as the distributor has it."""

    queue: str
    extension: str
    paused: bool
    reason: str
    """Of the pause."""
    status: MemberStatus
    penalty: int = 0


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A caller in a queue."""

    queue: str
    call: str
    """Uniqueid of the citizen's leg."""
    position: int
    """From 1."""
    since: datetime
    priority: int = 0
    leg: str = ""
    """Name of the citizen's leg (Leg.name); empty while it is not known."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """A channel of the telephone switch."""

    name: str
    """Opaque: only the switchboard reads it."""
    call: str
    """Its uniqueid."""
    linked: str
    """Uniqueid of the call's first leg."""
    extension: str | None
    """Of an operator's telephone; None: a citizen's leg."""
    bridge: str
    """Opaque id of the bridge it is in; empty outside of one."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything at one moment."""

    members: tuple[Member, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    legs: tuple[Leg, ...] = ()


class FloorKind(StrEnum):
    """What happened on the floor."""

    JOINED = "joined"  # a caller entered a queue
    LEFT = "left"  # a caller left a queue: connected, given back, or gone
    RINGING = "ringing"  # an operator's telephone rings for a caller
    NO_ANSWER = "no_answer"  # it rang in vain, or was refused
    CONNECTED = "connected"  # operator and caller talk
    COMPLETED = "completed"  # they have talked
    MEMBER = "member"  # a membership came, changed or went
    TALKING = "talking"  # a leg begins to speak (Switchboard.hear_out)
    SILENT = "silent"  # it stops
    KEY = "key"  # a citizen has pressed a key in a talk; which one is nobody's business
    BRIDGED = "bridged"  # a leg came into a bridge
    UNBRIDGED = "unbridged"  # and left it
    HELD = "held"  # a leg put the other side on hold
    RESUMED = "resumed"
    HUNG_UP = "hung_up"  # a leg is gone
    PHONE = "phone"  # an operator's telephone came or went (registration)


@dataclass(frozen=True, kw_only=True)
class FloorEvent:
    """One event; fields that do not belong to its kind are empty."""

    kind: FloorKind
    call: str = ""
    """Uniqueid of the leg it speaks of; of the citizen's for queue events."""
    linked: str = ""
    queue: str = ""
    extension: str = ""
    seconds: float = 0.0
    """NO_ANSWER: how long it rang; COMPLETED: how long they talked; CONNECTED: how long the caller waited;
    SILENT: how long ago the voice ended."""
    leg: str = ""
    """JOINED: name of the citizen's leg; of events that speak of one leg: its name."""
    place: int = 0
    """JOINED: in the queue, from 1; 0: not known."""
    detail: str = ""
    """COMPLETED: who ended it (`caller`, `agent`, `transfer`); BRIDGED, UNBRIDGED: the bridge;
    PHONE: `here` or `gone`."""
    member: Member | None = None
    """MEMBER: its present state; None when it is gone."""


class Switchboard(Protocol):
    """Commands to the telephone switch and the live view of it. Every method raises Unavailable when there is
    no connection, no answer in time, or a refusal; no command is ever repeated by itself."""

    async def snapshot(self) -> Snapshot: ...

    async def add_member(
        self, queue: str, extension: str, *, penalty: int = 0, paused: bool = False, reason: str = ""
    ) -> None:
        """Being a member already is as good."""
        ...

    async def remove_member(self, queue: str, extension: str) -> None:
        """Being none is as good."""
        ...

    async def pause(self, extension: str, *, paused: bool, reason: str = "", queue: str = "") -> None:
        """In one queue, or in all of them."""
        ...

    async def set_penalty(self, queue: str, extension: str, penalty: int) -> None:
        """Of a member of this queue."""
        ...

    async def withdraw(self, queue: str, leg: str, *, why: LeftQueue) -> None:
        """Have a waiting caller leave the queue, to be asked about by `Distributor.left`.

        It happens as soon as the queue looks; one who is connected or gone by then is left alone.
        """
        ...

    async def tell_wait(self, leg: str, told: Told) -> None:
        """What a waiting caller is told from now on; the sound must be there (`WaitSounds`)."""
        ...

    async def redirect(
        self, leg: str, *, context: str, exten: str = "s", other: str = "", other_exten: str = ""
    ) -> None:
        """Send a leg, and with `other` its partner at the same moment, on in the dialplan.

        other_exten: of the partner, in the same context; empty: the same as the leg's.
        """
        ...

    async def originate(
        self,
        *,
        id_: str,
        first: str,
        context: str,
        exten: str,
        variables: Mapping[str, str],
        seconds: float,
    ) -> bool:
        """Call `first` (`extension@context` of our dialplan) and, when it is up, go on at exten of context.

        id_: the uniqueid of the new leg; one that is alive is not made twice. seconds: to answer. Whether it
        was answered.
        """
        ...

    async def set_variable(self, leg: str, name: str, value: str) -> None: ...

    async def hear_out(self, leg: str) -> None:
        """Tell from now on when this leg begins and stops to speak (FloorKind.TALKING, SILENT)."""
        ...

    async def tone(self, leg: str) -> None:
        """A discreet tone that this leg hears and nobody it talks with; returns when it has begun."""
        ...

    async def hang_up(self, leg: str) -> None:
        """Being gone is as good."""
        ...

    async def journal(self, event: str, *, call: str, queue: str, extension: str) -> None:
        """Add a line of ours to the journal of queues. event: capital letters; nothing personal."""
        ...


class Patchboard(Protocol):
    """Moves the legs of one talk when a citizen goes from one operator to another (§23).

    Legs are names (`Leg.name`), operators extensions. Every method but `operator_of` raises Unavailable as
    Switchboard does; then the legs are where they were.
    """

    async def choosing(self, citizen: str, *, on: bool) -> None:
        """The operator is in the transfer menu: hanging up there does not end the citizen's call."""
        ...

    async def offer(self, citizen: str, *, queue: str, whisper: Whisper | None) -> None:
        """Before everybody in this queue; when nobody takes the call, `operator_of` is rung again.

        whisper: what the operator hears before the bridge.
        """
        ...

    async def consult(self, first: str, citizen: str, *, queue: str) -> None:
        """The operator's leg calls the queue, the citizen is on hold."""
        ...

    async def bridge(self, citizen: str, partner: str, *, extension: str, queue: str = "") -> None:
        """Citizen and operator into one bridge. queue: where the citizen belongs from now on; empty: as
        before."""
        ...

    async def join(self, citizen: str, partner: str, *, extension: str, queue: str) -> None:
        """The citizen into the bridge where the partner, an operator of this queue, talks already."""
        ...

    async def ring_again(self, citizen: str, *, at_once: bool = False) -> None:
        """The citizen rings `operator_of`, then goes to the head of the queue.

        at_once: rings anew in the time that is left, for the operator's telephone is just back.
        """
        ...

    async def operator_of(self, channel: Channel) -> str | None:
        """Extension of the operator that this citizen talks, or last talked, with."""
        ...


# --- storage ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TraceEvent:
    """One thing a caller lived through; never a secret, never a digit of an answer outside menus."""

    call: str
    at: datetime
    kind: str
    """prompt, ask, key, speech, level, queue, bridge, transfer, end"""
    id: str
    outcome: str


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """Who did what to whom."""

    at: datetime
    actor: str
    """`ivr`, `cli:<login>`, an operator's extension …"""
    action: str
    subject: str
    """An opaque id: card id, callback id, extension; never a name, number or document."""
    call: str | None
    result: str


@dataclass(frozen=True, kw_only=True)
class CallRow:
    """A line of `ekc calls list`."""

    call: str
    at: datetime
    number: str | None
    card: str
    state: str
    """`in_progress` or `ended`"""
    outcome: ContactOutcome | None


class Cards(Protocol):
    def open(self, *, call: str, node: str, number: str | None, at: datetime) -> Card:
        """The card of this inbound call, made with its registration number if the call has none yet.

        Idempotent by (node, call): the engine and the journal reader both call it. When the card exists
        and has no number while `number` is given, the number is completed.
        """
        ...

    def get(self, id_: str) -> Card:
        """By id or registration number; raises NotFound."""
        ...

    def of_call(self, call: str) -> Card | None: ...

    def list(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[Card]:
        """Newest first."""
        ...

    def change(self, id_: str, **fields: object) -> Card:
        """Set fields of Card by name (all but id, registration_number, registered_at, number, contacts)."""
        ...

    def add_topic(self, id_: str, *, agency: str, topic: str) -> None: ...

    def close(self, id_: str, *, outcome: Outcome, at: datetime) -> None: ...

    def contact(self, call: str) -> Contact | None: ...

    def change_contact(self, call: str, **fields: object) -> None:
        """Set waiting_s, talking_s, wrapup_s, outcome of the contact of a call; raises NotFound."""
        ...

    def calls(self, *, limit: int | None = None) -> Sequence[CallRow]:
        """Newest first."""
        ...

    def unfinished(self, node: str) -> Sequence[str]:
        """Calls of this node whose cards have no outcome yet, oldest first."""
        ...

    def contacts(self, since: datetime, until: datetime) -> Sequence[Contact]:
        """Those that began in this time (`until` itself not), oldest first."""
        ...


class Passages(Protocol):
    """What became of calls in queues: drawn from the journals, the source of all figures."""

    def put(self, call: str, found: Sequence[Passage]) -> None:
        """Instead of those the contact of this call had; the same ones again cost little. Raises NotFound."""
        ...

    def of_calls(self, calls: Sequence[str]) -> Sequence[Passage]:
        """Of each call in the order of entering."""
        ...

    def entered(self, since: datetime, until: datetime) -> Sequence[Passage]:
        """Those entered in this time (`until` itself not), oldest first."""
        ...


class Callbacks(Protocol):
    def request(self, callback: Callback) -> Callback:
        """Store it; when the number already has an open callback, that one is returned instead."""
        ...

    def get(self, id_: str) -> Callback: ...

    def save(self, callback: Callback) -> None:
        """Store its new state."""
        ...

    def list(self, *, open_only: bool = False) -> Sequence[Callback]:
        """In the order of due."""
        ...

    def open_for_card(self, card: str) -> Callback | None: ...


class Applications(Protocol):
    def upsert(self, applications: Iterable[Application]) -> int:
        """Insert or update by (agency, number digits, snils); how many rows really changed."""
        ...

    def by_receipt(self, digits: str, accepted_on: date) -> Sequence[Application]:
        """Applications whose number has these digits and which were accepted on this day."""
        ...

    def of(self, snils: str) -> Sequence[Application]:
        """All of one citizen, newest first."""
        ...


@dataclass(frozen=True, kw_only=True)
class CodeHashes:
    """The two hashes of one secret code (§21), argon2id with a pepper, as `services/codes.py` makes them: the
    pepper's id, then argon2's own text, which begins with `$`."""

    keypad: str
    """Of the form that a telephone keypad can say."""
    exact: str
    """Of the code as it was given, for operators."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a caller's answers are compared with; read in one query."""

    phone: str | None
    """E.164."""
    document: str
    """Digits of the document's series and number."""
    code: CodeHashes | None
    """None: no code was ever set."""


@dataclass(frozen=True, kw_only=True)
class KeyRotation:
    """What `ekc keys rotate` has done."""

    resumed: bool
    """It went on with one that had been interrupted, and made no new keys."""
    rows: int
    """Rows that were sealed and hashed anew."""
    removed: int
    """Keys that nothing refers to any more, whose files are gone."""
    kept: int
    """Old keys that counters of guesses or secret codes still need."""
    unreadable: int
    """Rows that do not open; while there are any, the old keys stay."""


class Peppers(Protocol):
    """The site's secrets that codes are hashed with besides their salt: files, never in the database."""

    def current(self) -> str:
        """The id of the pepper that new hashes get, ten ASCII letters. Raises StorageDown."""
        ...

    def key(self, id_: str) -> bytes:
        """The pepper itself, 32 bytes. Raises KeyLost."""
        ...


class Citizens(Protocol):
    """Keyed by SNILS; looked up by its keyed hash."""

    def upsert(self, citizens: Iterable[Citizen]) -> int:
        """Insert or update by SNILS; how many rows really changed. Codes stay as they are."""
        ...

    def get(self, snils: str) -> Citizen:
        """Raises NotFound, which does not repeat the SNILS."""
        ...

    def credentials(self, snils: str) -> Credentials | None: ...

    def set_code(self, snils: str, code: CodeHashes) -> None:
        """Replace the hashes: the old ones are gone. Raises NotFound, StorageDown when the pepper they were
        made with is in use no more (hash again)."""
        ...


class Payments(Protocol):
    def upsert(self, payments: Iterable[Payment]) -> int:
        """Insert or update by (snils, agency, title, date, amount); how many rows really changed."""
        ...

    def of(self, snils: str) -> Sequence[Payment]:
        """All of one citizen, newest first."""
        ...


class Notices(Protocol):
    def upsert(self, notices: Iterable[Notice]) -> int:
        """Insert or update by (snils, agency, event, measure); how many rows really changed."""
        ...

    def of(self, snils: str) -> Sequence[Notice]:
        """All of one citizen, in the order they were given."""
        ...


class Agencies(Protocol):
    def upsert(self, topics: Iterable[Topic]) -> int:
        """Insert or update agencies with their topics; how many rows really changed."""
        ...

    def topics(self) -> Sequence[Topic]: ...

    def codes(self) -> Sequence[str]: ...


class Operators(Protocol):
    def add(self, operator: Operator, ha1: str) -> None:
        """With the usual places of its agency and line. Raises BadInput when the extension is taken."""
        ...

    def get(self, extension: str) -> Operator:
        """Raises NotFound."""
        ...

    def list(self, *, today: datetime | None = None) -> Sequence[Operator]:
        """today: the start of the day that `calls_today` counts from."""
        ...

    def set_state(self, extension: str, state: OperatorState, *, reason: str, at: datetime) -> None:
        """Raises NotFound. The change is added to the history."""
        ...

    def history(self, *, since: datetime) -> Sequence[StateChange]:
        """Changes of states from then on, in the order of time; and for each operator the last one before."""
        ...

    def assign(self, extension: str, *, agency: str, line: int) -> None:
        """To another agency or line; the places stay. Raises NotFound."""
        ...

    def appoint(self, extension: str, *, supervisor: bool) -> None:
        """Make an operator a supervisor, or one no more. Raises NotFound."""
        ...

    def places(self) -> Mapping[str, Sequence[Place]]:
        """The queues each operator serves while logged in, by extension; in the order of queues."""
        ...

    def set_places(self, extension: str, places: Iterable[Place]) -> None:
        """Instead of those there were. Raises NotFound."""
        ...

    def note_talk(self, extension: str, call: str) -> None:
        """The operator talks with this citizen: the last call, and no ring in vain before the next."""
        ...

    def note_missed(self, extension: str, missed: int) -> None:
        """So many rings in vain in a row."""
        ...

    def set_ha1(self, extension: str, ha1: str) -> None: ...

    def sip_accounts(self) -> Sequence[SipAccount]:
        """Of every operator that is not disabled."""
        ...


class Reasons(Protocol):
    """Directories of numbered reasons; `kind` says of what: `pause`, `transfer` …"""

    def list(self, kind: str) -> Mapping[str, str]:
        """Titles by key, in the order of keys."""
        ...

    def set(self, kind: str, key: str, title: str) -> None: ...

    def remove(self, kind: str, key: str) -> bool:
        """Whether there was such a reason."""
        ...


class Queues(Protocol):
    """Rules of queues, callers' turns in them, and what everybody is told."""

    def rules(self) -> Mapping[str, QueueRules]:
        """Those that were set, by queue; any other queue has its defaults."""
        ...

    def set_rules(self, rules: QueueRules) -> None: ...

    def take_turn(self, turn: Turn) -> None:
        """Written when a caller is handed over to a queue; of one call the last one counts."""
        ...

    def turns(self, calls: Iterable[str]) -> Mapping[str, Turn]:
        """Of those calls that have one, by call."""
        ...

    def earlier(self, number: str, *, besides: str, limit: int = 5) -> Sequence[tuple[str, Turn | None]]:
        """(card id, turn) of the latest enquiries from this number but for one, the newest first."""
        ...

    def handling(self, queue: str, *, since: datetime, limit: int = 50) -> Sequence[int]:
        """Seconds of talk and wrap-up of the callers that were served last in this queue."""
        ...

    def announce(self, announcement: Announcement, recording: bytes | None) -> None:
        """In force from now on, instead of any other. recording: a wav, where `sound` is its hash."""
        ...

    def announcement(self, now: datetime) -> Announcement | None:
        """What is in force."""
        ...

    def recording(self, sound: str) -> bytes | None: ...

    def silence(self, now: datetime) -> bool:
        """Take back what is in force; whether anything was."""
        ...


class CalendarDays(Protocol):
    def list(self) -> Sequence[DayException]: ...

    def set(self, day: DayException) -> None: ...

    def clear(self, day: date) -> bool: ...


class Traces(Protocol):
    def add(self, events: Iterable[TraceEvent]) -> None: ...

    def of_call(self, call: str, *, after: int = 0) -> Sequence[tuple[int, TraceEvent]]:
        """(sequence number, event) in the order of time; `after`: only later sequence numbers."""
        ...


class Audit(Protocol):
    def add(self, row: AuditRow) -> None: ...

    def list(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[AuditRow]:
        """Newest first."""
        ...


@dataclass(frozen=True, kw_only=True)
class GuessLock:
    """A lock in force; whose it is cannot be told, for keys are hashed."""

    scope: str
    locked_until: datetime
    locks: int
    """How many in a row, this one included."""


class Guesses(Protocol):
    """Counters of failed look-ups; `key` is hashed with the site's key before it is stored."""

    def get(self, scope: str, key: str) -> GuessCounter | None: ...

    def put(self, scope: str, key: str, counter: GuessCounter) -> None: ...

    def clear(self, scope: str, key: str) -> None: ...

    def locked(self, now: datetime) -> Sequence[GuessLock]:
        """Every lock in force at `now`, by scope, then by its end."""
        ...


@dataclass(frozen=True, kw_only=True)
class JournalLine:
    """One line of a journal file; its identity is (node, journal, generation, offset), never its text."""

    node: str
    journal: str
    """arrivals, queue_log, cel"""
    generation: str
    offset: int
    """Bytes from the start of the file to the start of the line."""
    call: str
    """Uniqueid the line speaks of, or empty."""
    linked: str
    """Linkedid (CEL), or the call itself."""
    at: datetime
    event: str
    data: Mapping[str, str]
    """What is needed later; a caller's number is not part of it."""


@dataclass(frozen=True, kw_only=True)
class JournalPosition:
    """How far a journal file has been read."""

    generation: str
    offset: int


class Journal(Protocol):
    def position(self, node: str, journal: str) -> JournalPosition | None: ...

    def advance(
        self, node: str, journal: str, position: JournalPosition, *, read_from: JournalPosition | None
    ) -> bool:
        """Move on from `read_from`; False, and nothing changes, when that is not where the journal stands.

        Of two readers of one journal only one moves it: the other one waits, then has False.
        """
        ...

    def add(self, lines: Iterable[JournalLine]) -> None:
        """Store lines; one that is already there is left as it is."""
        ...

    def of_linked(self, linked: str) -> Sequence[JournalLine]:
        """All lines of a call and the legs linked with it, in the order of time, then of reading."""
        ...


class UnitOfWork(Protocol):
    """One transaction. Leaving it without `commit` rolls back."""

    cards: Cards
    passages: Passages
    callbacks: Callbacks
    applications: Applications
    agencies: Agencies
    operators: Operators
    reasons: Reasons
    queues: Queues
    calendar: CalendarDays
    traces: Traces
    audit: Audit
    guesses: Guesses
    journal: Journal
    citizens: Citizens
    payments: Payments
    notices: Notices

    def commit(self) -> None: ...


class Store(Protocol):
    """The database."""

    def transaction(self) -> AbstractContextManager[UnitOfWork]:
        """A unit of work in the caller's thread (CLI, tests). Raises StorageDown."""
        ...

    async def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` and commit, in the store's thread. Raises StorageDown."""
        ...


Backend = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, kw_only=True)
class KeyNeed:
    """A key without which a database cannot be read."""

    file: str
    """Its name in the key directory."""
    mark: bytes
    """What it is recognised by; tells nothing of the key."""


@dataclass(frozen=True, kw_only=True)
class CopyFacts:
    """What a copy of a database is of."""

    backend: Backend
    revision: str
    keys: tuple[KeyNeed, ...]
    """By name."""


class DatabaseCopies(Protocol):
    """The whole database into a file, and back."""

    @property
    def backend(self) -> Backend: ...

    def is_empty(self) -> bool:
        """Whether there are no tables yet. Raises StorageDown."""
        ...

    def files(self) -> Sequence[Path]:
        """What the database consists of where it is files; empty for a server's."""
        ...

    def write(self, file: Path) -> CopyFacts:
        """Copy the database of one moment into a new file (0600); it is read and written meanwhile.

        Raises StorageDown, BadInput when there is no room or a program is missing.
        """
        ...

    def examine(self, file: Path, backend: Backend) -> CopyFacts:
        """Read a copy of either database. Raises BadInput with why it cannot be used."""
        ...

    def is_key(self, key: bytes, need: KeyNeed) -> bool:
        """Whether these are the bytes of the key that is needed."""
        ...

    def load(self, file: Path) -> None:
        """Make an examined copy the empty database, whole or not at all; the file may be gone then.

        Raises StorageDown, BadInput.
        """
        ...


class InformationResource(Protocol):
    """An agency's information resource (§22)."""

    async def applications(self, digits: str, accepted_on: date) -> Sequence[Application]:
        """By the receipt's number (digits only) and date. Raises ResourceDown."""
        ...

    async def personal(self, snils: str) -> PersonalRecords:
        """Everything of one citizen who was identified (§21). Raises ResourceDown."""
        ...
