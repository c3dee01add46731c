"""Operators on duty: their accounts, their telephones, and talks of a length that the test chooses."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tests.harness.processes import wait_for
from tests.harness.softphone import Softphone
from tests.harness.system import System

TALK_SECONDS = 6.5
"""More than what counts as served (5 s), with room for the way from one bridge to the other."""
LOGIN_SECONDS = 30.0
EVENT, MOMENT, CHANNEL = 0, 1, 4
"""Columns of cel.csv (asterisk-conf/cel_custom.conf)."""
_MOVES = ("CHAN_START", "BRIDGE_ENTER", "BRIDGE_EXIT", "CHAN_END")


class Duty:
    """The operators of one system; `close` logs them out and closes their phones."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._secrets: dict[str, str] = {}
        self.phones: dict[str, Softphone] = {}

    def hire(self, extension: str, *, agency: str, line: int = 1) -> None:
        """An account, once."""
        if extension not in self._secrets:
            name = f"Оператор {extension}"
            secret = self.system.add_operator(name, extension=extension, agency=agency, line=line)
            self._secrets[extension] = secret

    def phone(self, extension: str, *, answers: bool = True) -> Softphone:
        """A telephone that has registered, not yet logged in."""
        assert extension not in self.phones, f"{extension} has a telephone already"
        secret = self._secrets[extension]
        made = Softphone(extension, password=secret, server=self.system.operators, answers=answers)
        self.phones[extension] = made
        made.register()
        return made

    def log_in(self, extension: str, *, answers: bool = True) -> Softphone:
        """A telephone on duty: it has dialled *11 and been told so."""
        made = self.phone(extension, answers=answers)
        self.dial(extension, "*11")
        return made

    def log_out(self, extension: str) -> None:
        """*12, and the phone is gone."""
        self.dial(extension, "*12")
        self.phones.pop(extension).close()

    def state(self, extension: str) -> str:
        """What the list of operators says."""
        rows = self.system.ekc("operators", "list", "--json").json
        return str(next(row["state"] for row in rows if row["extension"] == extension))

    def dial(self, extension: str, code: str) -> None:
        """A feature code, to its end; a caller may ring the telephone the very next moment."""
        phone = self.phones[extension]
        mark = phone.mark()
        phone.dial(code)
        phone.wait_event("CALL_CLOSED", timeout=LOGIN_SECONDS, since=mark)

    def talk(self, done: Callable[[], bool], *, timeout: float, seconds: float = TALK_SECONDS) -> None:
        """Every phone hangs up that has talked with a citizen for so many seconds, until `done`."""

        def look() -> bool:
            for extension, phone in self.phones.items():
                since = self._talking_since(extension) if phone.state == "talking" else None
                if since is not None and time.time() - since >= seconds:
                    phone.hang_up()
            return done()

        wait_for(look, timeout, "the operators to have talked", step=0.1)

    def _talking_since(self, extension: str) -> float | None:
        """When this phone's present leg came into a bridge (seconds since the epoch), by Asterisk's journal.

        An answered phone is not there yet: the operator is told first who comes.
        """
        legs = [row for row in self.system.cel() if row[CHANNEL].startswith(f"PJSIP/{extension}-")]
        last = next((row for row in reversed(legs) if row[EVENT] in _MOVES), None)
        return float(last[MOMENT]) if last is not None and last[EVENT] == "BRIDGE_ENTER" else None

    def close(self, extensions: Sequence[str] | None = None) -> None:
        """Log out these, by default all."""
        for extension in list(self.phones if extensions is None else extensions):
            self.phones[extension].hang_up()
            self.log_out(extension)

    def abandon(self) -> None:
        """Close what is left without logging out: the system is gone or going."""
        for phone in self.phones.values():
            phone.close()
        self.phones.clear()
