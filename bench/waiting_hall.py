"""The hall of the waiting bench: operators on duty with telephones, one queue of the product's and one of
Asterisk's alone, with the same settings."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.calls_report import ENGINE, PLAIN
from bench.phones import Phones
from bench.stand import Stand
from ivr.domain.errors import NotRunning, Unavailable
from ivr.services import operators, working_day
from ivr.services.audit import By
from ivr.services.working_day import Limits
from ivr.settings import Settings
from tests.harness.processes import wait_for
from tests.harness.scenario import LINE
from tests.harness.voices import tones

OPERATORS = 50
AGENCY = "soc"
QUEUE, PLAIN_QUEUE = "general", "benchplain"
WATCHED = "soc-2"
"""A queue that nobody else enters: the board is watched by it."""
NUMBERS = {ENGINE: LINE, PLAIN: "benchplain"}
QUEUES = {ENGINE: QUEUE, PLAIN: PLAIN_QUEUE}
KEY = "0"
"""That leads to an operator."""
BOARD_NUMBER = "benchboard"
TALK_SECONDS, WRAPUP_SECONDS = (10.0, 20.0), 4
"""From the operator's answer to BYE; the sentence that the operator hears first is part of it."""
LONGEST = 3600
"""Seconds, of what must not end a wait here: sipp sends no sound."""
FIRST_EXTENSION = 301
WATCHER = "299"
"""The only operator of the watched queue, always on a pause."""
SHORT = ("greeting", "menu", "connecting", "whisper")
PROMPT_SECONDS = 0.3
"""Of these, which are tones here: they are not what is measured."""


def accounts() -> dict[str, str]:
    """Passwords by extension."""
    names = [str(FIRST_EXTENSION + n) for n in range(OPERATORS)]
    return {name: secrets.token_urlsafe(12) for name in [*names, WATCHER]}


@contextmanager
def hall(callers: int) -> Iterator[tuple[Stand, Phones]]:
    """Open, everybody on duty; callers: at once, at most."""
    words = accounts()
    with TemporaryDirectory(prefix="ekc-bench-") as folder, _stand(callers, Path(folder)) as system:
        system.open_today()
        system.demo_data(count=10)
        hire(system, words)
        _add_plain(system, Path(folder))
        with Phones(system.operators, words, talk=TALK_SECONDS) as phones:
            yield system, phones


def _stand(callers: int, folder: Path) -> Stand:
    return Stand(
        calls=callers + 2 * OPERATORS,
        queue_length=callers,
        queue_seconds=LONGEST,
        rtp_timeout_seconds=LONGEST,
        phone_rtp_timeout_seconds=LONGEST,
        wrapup_seconds=WRAPUP_SECONDS,
        prompts_dir=tones(folder, SHORT, seconds=PROMPT_SECONDS),
    )


def hire(system: Stand, words: Mapping[str, str]) -> None:
    """Accounts and duty as the commands do it; the last account by a command, which tells Asterisk of all."""
    store, limits = system.records.store, Limits.of(Settings(state=system.state))
    by = By(actor="bench", at=datetime.now(UTC))
    with store.transaction() as uow:
        for who in words.keys() - {WATCHER}:
            name = f"Оператор {who}"
            operators.add(uow, by, name=name, extension=who, agency=AGENCY, line=1, password=words[who])
        uow.commit()
    system.add_operator("Оператор доски", extension=WATCHER, agency=AGENCY, line=2, password=words[WATCHER])
    with store.transaction() as uow:
        for extension in words:
            working_day.log_in(uow, by, extension, limits)
        working_day.pause(uow, by, WATCHER, "2", limits)
        uow.commit()


def _add_plain(system: Stand, sounds: Path) -> None:
    """What Asterisk does alone: a menu of one key, and a queue with the settings of ours, whose wrap-up is
    app_queue's own; and the way into the watched queue."""
    own = [f"[{PLAIN_QUEUE}](settings)", "membergosub =", "context =", f"wrapuptime = {WRAPUP_SECONDS}", ""]
    with (system.state / "asterisk" / "etc" / "queues_agencies.conf").open("a") as file:
        file.write("\n".join(own))
    system.node.console("queue reload all")
    language = "Set(CHANNEL(language)=ru_q)"
    wait = [language, f"Queue({PLAIN_QUEUE},c,,,{LONGEST})", "Hangup()"]
    ask = ["Answer()", f"Playback({sounds / 'menu'})", "WaitExten(30)"]
    system.add_extensions("bench-wait", {"s": ask, KEY: wait})
    watched = ["Answer(,i)", language, f"Queue({WATCHED},c,,,{LONGEST})"]
    system.add_extensions("from-trunk", {NUMBERS[PLAIN]: ["Goto(bench-wait,s,1)"], BOARD_NUMBER: watched})


@contextmanager
def turn(system: Stand, name: str) -> Iterator[int | None]:
    """The operators serve this contestant's queue; the engine's process id, None for Asterisk alone."""
    if name == PLAIN:
        members = [f"PJSIP/{FIRST_EXTENSION + n}" for n in range(OPERATORS)]
        for member in members:
            system.node.console(f"queue add member {member} to {PLAIN_QUEUE}")
        yield None
        for member in members:
            system.node.console(f"queue remove member {member} from {PLAIN_QUEUE}")
    else:
        with system.engine("bench.engine") as pid:
            wait_for(lambda: members_of(system) >= OPERATORS, 30, "the operators to be on duty")
            yield pid


def members_of(system: Stand) -> int:
    return system.node.console(f"queue show {QUEUE}").count("PJSIP/")


def queued(system: Stand, queue: str) -> int:
    """Callers in this queue, as Asterisk says; 0 when it is too busy to say."""
    try:
        said = system.node.console(f"queue show {queue}")
    except (NotRunning, Unavailable):
        return 0
    found = re.search(r" has ([0-9]+) calls? ", said)
    return int(found[1]) if found else 0
