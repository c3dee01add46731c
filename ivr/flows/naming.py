"""A caller says surname, name and patronymic (§20): compared by sound with the register, spelled on doubt.

Each question's grammar is the citizen's own name among some thirty to sixty that many people have, and
`[unk]`: with the right answer alone a recogniser would take almost anything for it. All three are asked
whatever was said, so that nobody learns which of them was wrong, and nothing is ever said back: it would tell
a stranger the name.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from ivr import grammars
from ivr.domain.errors import NotUnderstood
from ivr.domain.names import NO_PATRONYMIC, Likeness, Part, compare, spelled_out
from ivr.flows.desk import Desk
from ivr.ports import Call, Grammar, Prompt, Question, Said, Spoken
from ivr.services.identification import Caller
from ivr.services.names import NameAttempt

_CHECKING, _FAILED = Prompt.of("checking"), Prompt.of("identify.failed")


async def says_own_name(call: Call, desk: Desk, snils: str) -> bool:
    """Whether the caller has said the full name of this SNILS; False as well where it cannot be asked.

    Raises StorageDown, and what questions raise.
    """
    if desk.names is None or not call.listens:
        return False
    caller = Caller(call=call.id, card=call.enquiry, number=call.number)
    attempt = await call.during(desk.names.begin(caller, snils), notice=_CHECKING)
    if attempt is None:
        return False
    right = [await _is_right(call, attempt, part) for part in Part]
    enough = await call.during(desk.names.settle(attempt, right=all(right)), notice=_CHECKING)
    if not enough:
        await call.say(_FAILED, whole=True)
    return enough


async def _is_right(call: Call, attempt: NameAttempt, part: Part) -> bool:
    own = attempt.own[part]
    said = await _ask(call, Prompt.of(f"name.{part}"), _name(attempt, part))
    if said is not None and said.sure:
        if said.answer == NO_PATRONYMIC:
            return not own
        likeness = compare(said.answer, own)
        if likeness is not Likeness.NEAR:
            return likeness is Likeness.SAME
    spelled = await _ask(call, Prompt.of("name.spell"), _letters(attempt))
    return spelled is not None and compare(spelled.answer, own) is Likeness.SAME


async def _ask(call: Call, prompt: Prompt, spoken: Spoken) -> Said | None:
    """None: not understood, or no longer listened to."""
    if not call.listens:
        return None
    question = Question(prompt=prompt, keys="", spoken=replace(spoken, prompt=prompt.voiced), tries=1)
    try:
        answer = await call.ask(question)
    except NotUnderstood:
        return None
    return answer if isinstance(answer, Said) else None


def _name(attempt: NameAttempt, part: Part) -> Spoken:
    """The grammar is this question's alone and says nothing by its name."""
    none = (NO_PATRONYMIC,) if part is Part.PATRONYMIC else ()
    own = (attempt.own[part],) if attempt.own[part] else ()
    phrases = {phrase: (phrase,) for phrase in (*attempt.common(part), *own, *none)}
    spoken = grammars.choice(f"name-{uuid4().hex}", Prompt.of(f"name.{part}"), phrases, family="name")
    return replace(spoken, grammar=replace(spoken.grammar, once=True), told_back="never")


def _letters(attempt: NameAttempt) -> Spoken:
    def meant(said: tuple[str, ...]) -> Said | None:
        letters = spelled_out(said)
        return None if letters is None else Said(answer=letters, words=letters, whole=False)

    grammar = Grammar(name="letters", phrases=attempt.letters())
    return Spoken(grammar=grammar, understand=meant, told_back="never")
