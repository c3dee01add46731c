"""The outside world: a second Asterisk that plays citizens, many at once, through the line's SIP port.

    with World(line_port=15060) as world:
        call = world.call("79123456789", script=[wait(1), keys("11"), hang_up()])
        assert call.ended(30) and call.heard

Its digits are real RFC 4733 ones, with on and off times to choose.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ivr.asterisk.tree import AsteriskTree, find_asterisk
from ivr.settings import Settings
from tests.harness.closing import Closing
from tests.harness.processes import HOST, Group, free_ports, release_ports, wait_for

CONF = Path(__file__).with_name("world_conf")
PASSWORD = "outside-world"
"""Of account 900, which the tests of the harness register as."""
RTP_BLOCKS = 20
PORT_BLOCKS = 1 + RTP_BLOCKS
_KEY_NAMES = {"*": "star", "#": "hash"}
_HANGUP_CAUSES = {"0": "none", "16": "normal", "17": "busy", "19": "no answer", "34": "congestion"}


def wait(seconds: float) -> str:
    """A step of a script: do nothing."""
    return f"w{seconds:g}"


def until_told(most: float) -> str:
    """A step: wait for `WorldCall.go_on`, at most so many seconds."""
    return f"u{round(most * 5)}"


def keys(digits: str, *, gap_ms: int = 100, on_ms: int = 100) -> str:
    """A step: press these keys, each `on_ms` long with `gap_ms` of silence after it."""
    return f"k{digits}/{gap_ms}/{on_ms}"


def speak(wav: Path) -> str:
    """A step: say what is in the file (8 kHz mono wav)."""
    return f"p{wav.with_suffix('')}"


def hang_up() -> str:
    """A step: end the call. A script without it stays until the other side ends."""
    return "x"


@dataclass(frozen=True)
class Note:
    """One line of a call's result: answered, keys, keyed, failed, ended, key."""

    at: datetime
    event: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class WorldCall:
    """A call in progress or over."""

    id: str
    folder: Path

    @property
    def notes(self) -> list[Note]:
        return read_notes(self.folder / self.id)

    def find(self, event: str) -> Note | None:
        return next((n for n in self.notes if n.event == event), None)

    @property
    def answered(self) -> bool:
        return self.find("answered") is not None

    @property
    def sip_call_id(self) -> str:
        """The same as in the product's arrivals.log; empty before the answer."""
        note = self.find("answered")
        return note.detail if note else ""

    @property
    def over(self) -> bool:
        return self.find("ended") is not None or self.find("failed") is not None

    @property
    def duration(self) -> float:
        """Seconds from answer to end; 0 for a call that failed."""
        begin, end = self.find("answered"), self.find("ended")
        return (end.at - begin.at).total_seconds() if begin and end else 0.0

    @property
    def ended_by(self) -> str:
        """us, them, or nobody (in progress, or never answered)."""
        note = self.find("ended")
        return note.detail.split()[0] if note and self.answered else "nobody"

    @property
    def cause(self) -> str:
        """Why it ended: normal, busy, …, else Q.850's number."""
        note = self.find("ended")
        code = note.detail.split()[-1] if note else "0"
        return _HANGUP_CAUSES.get(code, code)

    @property
    def heard(self) -> Path:
        """A wav of what the citizen heard from the answer on, whole but for the last half second."""
        return self.folder / f"{self.id}.wav"

    def go_on(self) -> None:
        """End the step `until_told`."""
        (self.folder / f"{self.id}.go").touch()

    def wait_answered(self, timeout: float = 15) -> Self:
        wait_for(lambda: self.answered or self.over, timeout, f"call {self.id} to be answered")
        assert self.answered, f"call {self.id} failed: {self.notes}"
        return self

    def ended(self, timeout: float) -> Self:
        """Wait until it is over."""
        wait_for(lambda: self.over, timeout, f"call {self.id} to end")
        return self


def read_notes(path: Path) -> list[Note]:
    """The lines of a result file; the last one is left out while it is being written."""
    if not path.is_file():
        return []
    lines = path.read_text().split("\n")[:-1]
    parts = [line.split(maxsplit=2) for line in lines if line]
    return [Note(datetime.fromisoformat(p[0]), p[1], p[2] if len(p) > 2 else "") for p in parts]


class World(Closing):
    """One outside world. Everything of it is in a folder of its own, gone after `close`."""

    def __init__(
        self, line_port: int, *, tree: AsteriskTree | None = None, speech: Path | None = None
    ) -> None:
        """line_port: where calls go. speech: what extension `speaks` says."""
        self.folder = Path(tempfile.mkdtemp(prefix="ekc-world-"))
        self.tree = tree or find_asterisk(Settings(state=self.folder))
        self.results = self.folder / "results"
        self._ids = count(1)
        first = free_ports(PORT_BLOCKS)
        self.port, self._rtp = first, (first + 10, first + 9 + 10 * RTP_BLOCKS)
        self._values = {"line_port": line_port, "speech": speech.with_suffix("") if speech else "beep"}
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        names = ("etc", "lib", "spool", "log", "run", "data", "results")
        for folder in (self.folder / n for n in names):
            folder.mkdir()
        for folder in (self.folder / "spool" / n for n in ("outgoing", "tmp")):
            folder.mkdir()
        for name in ("documentation", "sounds"):
            (self.folder / "data" / name).symlink_to(self.tree.data / name)
        self._render()
        self._config = self.folder / "etc" / "asterisk.conf"
        argv: list[str | Path | float] = [*self.tree.argv_prefix, "-C", self._config, "-f"]
        self._group = Group(argv, output=self.folder / "out")
        wait_for(self._booted, 30, "the outside world to start")

    def _render(self) -> None:
        values = {
            **self._values,
            **{n: self.folder / n for n in ("etc", "lib", "spool", "log", "run", "data", "results")},
            "modules": self.tree.modules,
            "port": self.port,
            "rtp_low": self._rtp[0],
            "rtp_high": self._rtp[1],
            "password": PASSWORD,
        }
        templates = Environment(  # noqa: S701 - these are no web pages
            loader=FileSystemLoader(CONF), undefined=StrictUndefined, keep_trailing_newline=True
        )
        for source in CONF.glob("*.j2"):
            text = templates.get_template(source.name).render(values)
            (self.folder / "etc" / source.stem).write_text(text)

    def _booted(self) -> bool:
        assert self._group.alive, f"the outside world ended:\n{self._group.tail()}"
        return "fully booted" in self.console("core waitfullybooted")

    def console(self, command: str) -> str:
        """What Asterisk's console prints for a command."""
        argv = [*self.tree.argv_prefix, "-C", str(self._config), "-rx", command]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout

    def call(
        self,
        number: str,
        *,
        to: str = "88006000000",
        script: Sequence[str] = (),
        asserted: str | None = None,
        privacy: str | None = None,
        id_: str | None = None,
        patience: int = 30,
    ) -> WorldCall:
        """Begin a call and go on; ask the answer of it how it goes.

        number: the user in From. asserted: the number in P-Asserted-Identity. privacy: for example `id`.
        patience: seconds to wait for the answer.
        """
        made = WorldCall(id=id_ or f"call{next(self._ids)}", folder=self.results)
        headers = {"P-Asserted-Identity": asserted and f"<sip:{asserted}@{HOST}>", "Privacy": privacy}
        lines = [
            f"Channel: PJSIP/line/sip:{to}@{HOST}:{self._values['line_port']}",
            f"CallerID: <{number}>",
            f"WaitTime: {patience}",
            "MaxRetries: 0",
            "Context: citizen",
            "Extension: s",
            "Priority: 1",
            f"Set: ID={made.id}",
            f"Set: SCRIPT={'~'.join(script)}",
            *(f"Set: PJSIP_HEADER(add,{name})={value}" for name, value in headers.items() if value),
        ]
        draft = self.folder / "spool" / "tmp" / made.id
        draft.write_text("\n".join(lines) + "\n")
        draft.rename(self.folder / "spool" / "outgoing" / f"{made.id}.call")
        return made

    def call_all(self, numbers: Sequence[str], **how: object) -> list[WorldCall]:
        """The same call from each of these numbers, all at once."""
        return [self.call(number, **how) for number in numbers]  # type: ignore[arg-type]

    def hang_up(self, call: WorldCall) -> None:
        """The citizen of this call puts the receiver down, wherever the script is."""
        channel = self._channel(call)
        self.console(f"dialplan set chanvar {channel} WE yes")
        self.console(f"channel request hangup {channel}")

    def press(self, call: WorldCall, key: str) -> None:
        """The citizen of this call presses a key now; whatever is left of the script is dropped."""
        self.console(f"channel redirect {self._channel(call)} pressed,{_KEY_NAMES.get(key, key)},1")

    def say(self, call: WorldCall, wav: Path) -> None:
        """The citizen of this call says now what is in the file; the rest of the script is dropped."""
        channel = self._channel(call)
        self.console(f"dialplan set chanvar {channel} SPEECH {wav.with_suffix('')}")
        self.console(f"channel redirect {channel} said,s,1")

    def _channel(self, call: WorldCall) -> str:
        note = wait_for(lambda: call.find("channel"), 10, f"call {call.id} to be answered")
        return note.detail

    def answer_with(self, *script: str) -> None:
        """What the world does from now on when somebody calls one of its numbers."""
        self.console(f'database put script all "{"~".join(script)}"')

    def incoming(self) -> list[list[Note]]:
        """The results of calls that came to extension `keys` or to numbers of the world."""
        return [read_notes(p) for p in sorted(self.results.glob("in-*")) if p.suffix != ".wav"]

    def close(self) -> None:
        if (group := getattr(self, "_group", None)) is not None:
            group.kill(patience=5)
        release_ports(self.port, PORT_BLOCKS)
        shutil.rmtree(self.folder, ignore_errors=True)
