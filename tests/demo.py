"""The demo (`make demo`): from nothing to a citizen who was served, on real telephony, in 100 seconds.

It starts a system in a state of its own (.run/demo), loads invented people, lets a citizen's softphone talk
with an operator's, who transfers to a second one, and shows what each of them lived through. It is a check,
too: exit code 0 only when the citizen heard the answer and talked with both, and nothing is left running.
"""

from __future__ import annotations

import fcntl
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.markup import escape

from ivr.domain.menu import Topic
from ivr.ports import Prompt
from ivr.services.demo_words import AGENCIES
from ivr.speech.catalogue import entry, text
from ivr.speech.parts import Wording
from tests.harness.commands import PROJECT
from tests.harness.following import Follower
from tests.harness.listening import seconds_of_sound
from tests.harness.scenario import LINE
from tests.harness.softphone import Softphone
from tests.harness.system import System
from tests.harness.voices import say
from tests.telling import Story, show_card, show_trace

STATE = PROJECT / ".run" / "demo"
OPERATOR = "Анна Орлова"
EXTENSION = "201"
SPECIALIST, SECOND = "Олег Ветров", "301"
"""Of the second line of the same agency."""
FIRST_SECONDS = 2.0
"""How long the first operator talks before transferring."""
TALK_SECONDS = 5.5
"""The second one: a little more than what counts as served."""
REASON = "2"
"""«нужна вторая линия»"""
LISTEN_SECONDS = 1.2
"""How long the citizen listens before pressing a key: keys work during prompts."""


class DemoFailed(Exception):
    """The demo did not show what it promises."""


@dataclass(frozen=True, kw_only=True)
class Citizen:
    """One of the invented people, and an application of theirs."""

    phone: str
    application: Mapping[str, Any]

    @property
    def number_keys(self) -> str:
        """Digits only: that is how numbers of receipts are compared."""
        return re.sub(r"\D", "", self.application["number"]) + "#"

    @property
    def date_keys(self) -> str:
        return date.fromisoformat(self.application["accepted_on"]).strftime("%d%m%Y")

    @property
    def answer(self) -> str:
        """What the line says of the application."""
        names = ("service", "status", "decision", "refusal_reason")
        values: dict[str, object] = {name: self.application[name] or "" for name in names}
        values["accepted_on"] = date.fromisoformat(self.application["accepted_on"])
        values["missing_documents"] = tuple(self.application["missing_documents"] or ())
        return text(Prompt("status.result", values))


def choose_citizen(people: list[dict[str, Any]]) -> Citizen:
    """Somebody with an application whose number nobody else's has, and a decision that is told quickly."""
    keys = [re.sub(r"\D", "", a["number"]) for p in people for a in p["applications"]]
    found = [
        Citizen(phone=p["phone"], application=a)
        for p in people
        if p["phone"]
        for a in p["applications"]
        if keys.count(re.sub(r"\D", "", a["number"])) == 1
    ]
    if not found:
        raise DemoFailed("nobody among the invented people has a phone and an application")
    return min(found, key=lambda c: (not c.application["decision"], len(c.answer)))


def wording(id_: str) -> str:
    """The fixed words of a prompt."""
    parts = (p.text for p in entry(id_).parts if isinstance(p, Wording))
    return " ".join(words for words in parts if isinstance(words, str))


@contextmanager
def alone() -> Iterator[None]:
    """One demo at a time: the kernel's lock, which ends with its holder, however that ends."""
    STATE.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with STATE.with_name("demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed(
                f"a demo is running already in {STATE}: wait for its end, or stop it with Ctrl-C"
            ) from None
        yield


def prepare_state() -> None:
    """Begin anew, but keep the synthesised prompts: the second demo is quick."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    if System(state=STATE).ekc("status", "--json", check=False).code == 0:  # left behind by a killed demo
        raise DemoFailed(f"a system runs still in {STATE}: stop its `ekc up` first")
    for path in STATE.iterdir():
        if path.name != "prompts":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def answered(follower: Follower, question: str) -> None:
    """Wait until the line has taken the answer to its question."""
    event = follower.wait("ask", question, timeout=20)
    if event["outcome"] != "answered":
        raise DemoFailed(f"the question {question} ended with {event['outcome']}")


def press(story: Story, phone: Softphone, keys: str) -> None:
    time.sleep(LISTEN_SECONDS)
    story.presses(keys)
    phone.press_all(keys)


def ask_for_status(story: Story, phone: Softphone, follower: Follower, citizen: Citizen) -> None:
    """From the greeting to the answer: 1, 1, the number and the date of the receipt (§20)."""
    story.hears(wording("greeting"))
    follower.wait("prompt", "greeting", timeout=30)
    questions = {
        "menu": "1",
        "status.menu": "1",
        "status.number": citizen.number_keys,
        "status.date": citizen.date_keys,
    }
    for question, keys in questions.items():
        story.hears(wording(question))
        press(story, phone, keys)
        answered(follower, question)
    story.hears(citizen.answer)
    outcome = follower.wait("prompt", "status.result", timeout=60)["outcome"]
    if outcome != "played":
        raise DemoFailed(f"the answer was not heard to its end, but {outcome}")


def reach_operator(story: Story, citizen: Softphone, operator: Softphone, follower: Follower) -> None:
    """0, the queue, the operator's telephone, and a talk."""
    story.hears(wording("status.more"))
    press(story, citizen, "0")
    operator.wait_talking(30)
    follower.wait("bridge", EXTENSION, timeout=20)
    story.step("The operator's telephone rang; they are connected and talk")
    time.sleep(FIRST_SECONDS)


def transfer(story: Story, first: Softphone, second: Softphone, topic: Topic) -> None:
    """*2, the topic, second line, a reason, at once (§23)."""
    story.step(f"The operator transfers: topic «{topic.title}», second line; the citizen hears music")
    story.presses("*2")
    first.press_all("*2")
    time.sleep(LISTEN_SECONDS)
    keys = f"{topic.key}#2{REASON}1"
    story.presses(keys)
    first.press_all(keys)
    second.wait_talking(30)


def talk_to_the_end(story: Story, citizen: Softphone, follower: Follower) -> None:
    follower.wait("bridge", SECOND, timeout=30)
    story.step("The second operator has answered and talks with the citizen")
    time.sleep(TALK_SECONDS)
    citizen.hang_up()
    story.step("The citizen hangs up")
    follower.wait("end", timeout=20)


def check_sound(story: Story, phone: Softphone, who: str, least: float) -> None:
    """Sound has really gone over the wire."""
    seconds = sum(seconds_of_sound(recording) for recording in phone.heard())
    if seconds < least:
        raise DemoFailed(f"the {who} heard {seconds:.1f} s of sound, at least {least:g} s were expected")
    story.console.print(f"          the {who} heard {seconds:.0f} s of sound")


def speech(name: str, words: str) -> Path:
    """A wav in which somebody says this."""
    return say(STATE / f"{name}.wav", words)


def check_card(card: Mapping[str, Any]) -> None:
    """The card tells of the service: who, how, and that it was done (§15)."""
    (contact,) = card["contacts"]
    found = (card["outcome"], card["level"], card["operator"], contact["outcome"])
    if found != ("served", "application", SECOND, "served"):
        raise DemoFailed(f"the card says outcome, level, operator, contact {found}; served was expected")
    if not FIRST_SECONDS + 5 <= contact["talking_s"] <= 40:
        raise DemoFailed(f"the card says that they talked for {contact['talking_s']} s")
    if "Передано:" not in card["comment"]:
        raise DemoFailed("the card says nothing of the transfer")


def log_in(story: Story, operators: Sequence[Softphone]) -> None:
    for operator in operators:
        operator.register()
        operator.dial("*11")
    story.step("The operators have registered and log in by *11")
    for operator in operators:
        operator.wait_hung_up(20)


def serve(story: Story, system: System) -> None:
    """The whole call."""
    system.open_today()
    story.step("The calendar is open today; invented people and their applications are loaded")
    citizen = choose_citizen(system.demo_data(seed=1))
    agency = citizen.application["agency"]
    topic = next(t for t in AGENCIES if (t.agency, t.line) == (agency, 2))
    secret = system.add_operator(OPERATOR, extension=EXTENSION, agency=agency)
    story.step(f"Operator {OPERATOR} of agency {agency} has got extension {EXTENSION}")
    his_secret = system.add_operator(SPECIALIST, extension=SECOND, agency=agency, line=2)
    story.step(f"Operator {SPECIALIST} of its second line has got extension {SECOND}")
    his = speech("specialist", "Здравствуйте! Олег, вторая линия. Слушаю вас.")
    hers = speech("operator", "Здравствуйте! Меня зовут Анна. Чем я могу вам помочь?")
    theirs = speech("citizen", "Добрый день! Когда можно забрать документы?")
    with (
        Softphone(EXTENSION, password=secret, server=system.operators, answers=True, speech=hers) as operator,
        Softphone(SECOND, password=his_secret, server=system.operators, answers=True, speech=his) as second,
        Softphone(citizen.phone.lstrip("+"), server=system.line, speech=theirs) as phone,
    ):
        log_in(story, (operator, second))
        story.step(f"A citizen calls {LINE} from {citizen.phone} and hears")
        phone.dial(LINE)
        with Follower(system, system.wait_call(citizen.phone)) as follower:
            ask_for_status(story, phone, follower, citizen)
            reach_operator(story, phone, operator, follower)
            transfer(story, operator, second, topic)
            talk_to_the_end(story, phone, follower)
        check_sound(story, phone, "citizen", least=20)
        check_sound(story, operator, "operator", least=2)
        check_sound(story, second, "second operator", least=2)
    show_trace(story, system.trace("last"))
    card = system.wait_card(follower.call)
    show_card(story, system.card())
    check_card(card)


def show(story: Story) -> None:
    """From nothing to nothing."""
    prepare_state()
    story.step("Starting the system: Asterisk, the engine, the web pages (ekc up)")
    with System(state=STATE, wrapup_seconds=1) as system:
        story.step(f"The line is ready at {system.line}")
        serve(story, system)
        story.step("Stopping it, as Ctrl-C does")
    story.step("Nothing is left running")


def main() -> int:
    story = Story()
    try:
        with alone():
            show(story)
    except (AssertionError, DemoFailed) as error:
        story.console.print(f"[bold red]The demo failed:[/] {escape(str(error))}")
        return 1
    except FileNotFoundError as missing:
        story.console.print(f"[bold red]{escape(str(missing.filename))} is missing:[/] run `make setup`")
        return 1
    except KeyboardInterrupt:
        story.console.print("Stopped.")
        return 130
    story.done()
    return 0


if __name__ == "__main__":
    sys.exit(main())
