"""Finite-state transducers in OpenFst's binary vector form, written by hand.

A phone has one emitting state: its k-th triple (k from 1) has the transition-ids 2k - 1 (stay) and 2k
(enter). The word's label stands on the first arc of its pronunciation, the loop on the state behind the arc
that enters (Kaldi's reorder=true, which Vosk's word times assume).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import inf, log
from typing import NamedTuple

from tools.speech_model.lexicon import Lexicon
from tools.speech_model.phones import PHONES

_MAGIC = 2125659606
_EXPANDED_MUTABLE = 3
_OUTPUT_SORTED, _INPUT_SORTED = 0x40000000, 0x10000000
BEGIN, INTERNAL, END, SINGLETON = range(4)
FILLER_COST = 0.8
"""For each frame that no word explains: what makes [unk] a last resort (at acoustic scale 0.4)."""
_EPSILON = 0


class Arc(NamedTuple):
    """One step."""

    into: int
    """Label read."""
    out: int
    """Label written."""
    weight: float
    to: int


class Machine:
    """States with their final weights and arcs; state 0 is the start."""

    def __init__(self) -> None:
        self.final: list[float] = []
        self.arcs: list[list[Arc]] = []

    def state(self, final: float = inf) -> int:
        self.final.append(final)
        self.arcs.append([])
        return len(self.final) - 1

    def written(self, properties: int) -> bytes:
        header = struct.pack(
            "<ii6si8siiQqqq", _MAGIC, 6, b"vector", 8, b"standard", 2, 0, properties, 0, 0, 0
        )
        count = sum(map(len, self.arcs))
        header = header[:-16] + struct.pack("<qq", len(self.final), count)
        parts = [header]
        for final, arcs in zip(self.final, self.arcs, strict=True):
            parts.append(struct.pack("<fq", final, len(arcs)))
            parts += [struct.pack("<iifi", *arc) for arc in arcs]
        return b"".join(parts)


def phone_id(pdf: int, place: int) -> int:
    """Kaldi's number of a phone (`pdf`: its output, from 1) at a place in a word; silence is 1."""
    return 2 + 4 * (pdf - 1) + place


def pronunciations(lexicon: Lexicon, words: Sequence[str]) -> bytes:
    """Any words in any order, and silence between them. words: by their numbers.

    Silence never follows silence, nor [unk] [unk]: a quiet stretch would have as many readings as it can be
    cut into parts, and Vosk's lattices would take seconds to make, and hours.
    """
    machine = Machine()
    between, quiet, hub, silence, known = (machine.state(final) for final in (0.0, 0.0, 0.0, inf, 0.0))
    for before in (between, quiet):
        machine.arcs[before].append(Arc(2, _EPSILON, 0.0, silence))
    machine.arcs[silence] += [Arc(1, _EPSILON, 0.0, silence), Arc(_EPSILON, _EPSILON, 0.0, hub)]
    machine.arcs[between].append(Arc(_EPSILON, _EPSILON, 0.0, hub))
    machine.arcs[quiet].append(Arc(_EPSILON, _EPSILON, 0.0, known))
    _unknown(machine, hub, quiet, words.index("[unk]"))
    for number, word in enumerate(words):
        if word in lexicon:
            _chain(machine, (hub, known), between, _placed(lexicon[word]), label=number)
    for arcs in machine.arcs:
        arcs.sort(key=lambda arc: arc.out)
    return machine.written(_EXPANDED_MUTABLE | _OUTPUT_SORTED)


def _placed(phones: Sequence[str]) -> list[int]:
    numbers = [PHONES.index(phone) for phone in phones]
    if len(numbers) == 1:
        return [phone_id(numbers[0], SINGLETON)]
    places = [BEGIN, *[INTERNAL] * (len(numbers) - 2), END]
    return [phone_id(number, place) for number, place in zip(numbers, places, strict=True)]


def _chain(
    machine: Machine, starts: Iterable[int], behind: int, phones: Sequence[int], *, label: int
) -> None:
    """A word that may begin in any of `starts` and leads to `behind`."""
    ends = [machine.state() for _ in phones]
    for start in starts:
        machine.arcs[start].append(Arc(2 * phones[0], label, 0.0, ends[0]))
    for phone, end in zip(phones, ends, strict=True):
        machine.arcs[end].append(Arc(2 * phone - 1, _EPSILON, 0.0, end))
    for phone, (end, following) in zip(phones[1:], pairwise(ends), strict=True):
        machine.arcs[end].append(Arc(2 * phone, _EPSILON, 0.0, following))
    machine.arcs[ends[-1]].append(Arc(_EPSILON, _EPSILON, 0.0, behind))


def _unknown(machine: Machine, start: int, behind: int, label: int) -> None:
    """Speech of any kind: three phones of the filler, only the middle one of any length."""
    begin, internal, end = (phone_id(len(PHONES), place) for place in (BEGIN, INTERNAL, END))
    first, middle, last = machine.state(), machine.state(), machine.state()
    machine.arcs[start].append(Arc(2 * begin, label, FILLER_COST, first))
    machine.arcs[first].append(Arc(2 * internal, _EPSILON, FILLER_COST, middle))
    machine.arcs[middle].append(Arc(2 * internal - 1, _EPSILON, FILLER_COST, middle))
    machine.arcs[middle].append(Arc(2 * end, _EPSILON, FILLER_COST, last))
    machine.arcs[last].append(Arc(_EPSILON, _EPSILON, 0.0, behind))


def any_word(words: int) -> bytes:
    """The grammar when none is given: every word but <eps> as likely as any other."""
    machine = Machine()
    start = machine.state(final=0.0)
    cost = log(max(1, words - 1))
    machine.arcs[start] = [Arc(word, word, cost, start) for word in range(1, words)]
    return machine.written(_EXPANDED_MUTABLE | _OUTPUT_SORTED | _INPUT_SORTED)
