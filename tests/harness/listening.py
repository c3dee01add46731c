"""What is in a recording: is there sound, and was this very prompt heard?

A prompt is looked for twice: by its loudness over time, then by its waveform at the best place. So the proof
holds for any sound of ours that went through a-law, and for no other.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path

RATE = 8000
"""Samples a second, of everything here."""
FRAME = 80
"""Samples a window of loudness (10 ms)."""
PIECE = 150
"""Windows of a prompt that are compared: its loudest second and a half."""
PARTS = 5
SLIP = 160
"""Samples of a packet."""
QUIET = 200.0
"""Root mean square (of 32768) under which a window counts as silent."""
LIKE = 0.9
"""Likeness from which on it is the same sound. A-law leaves over 0.99; synthesised sentences that share words
have been seen at 0.77."""


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """Where a prompt fits best in a recording, and how well."""

    at: float
    """Seconds from the recording's start."""
    likeness: float
    """-1 to 1: correlation of the waveforms."""

    @property
    def heard(self) -> bool:
        return self.likeness >= LIKE


def samples(path: Path) -> array[int]:
    """The samples of a wav (8 kHz, mono, 16 bits); of one being written, those that are there already."""
    data = path.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError(f"{path} is no wav")
    place, rate, channels, bits = 12, 0, 0, 0
    while place + 8 <= len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        if name == b"fmt ":
            _, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, place + 8)
        if name == b"data":
            break
        place += 8 + size + size % 2
    if (rate, channels, bits) != (RATE, 1, 16):
        raise ValueError(f"{path}: {rate} Hz, {channels} channels, {bits} bits; wanted 8000, 1, 16")
    body = data[place + 8 :]  # the size in the header is 0 until the file is closed
    return array("h", body[: len(body) // 2 * 2])


def loudness(sound: Sequence[int]) -> list[float]:
    """Root mean square of each whole window of 10 ms."""
    windows = (sound[n : n + FRAME] for n in range(0, len(sound) - FRAME + 1, FRAME))
    return [math.sqrt(sum(map(mul, w, w)) / FRAME) for w in windows]


def seconds_of_sound(path: Path) -> float:
    """How long it was not silent in this recording."""
    return sum(level > QUIET for level in loudness(samples(path))) * FRAME / RATE


def listen_for(prompt: Path, recording: Path) -> Hearing:
    """Where the prompt is in the recording; its loudest second and a half must have been played."""
    wanted, sound = samples(prompt), samples(recording)
    piece, start = _loudest_piece(wanted)
    levels, pattern = loudness(sound), loudness(piece)
    if len(levels) < len(pattern):
        return Hearing(at=0.0, likeness=0.0)
    best = Hearing(at=0.0, likeness=-1.0)
    for place in _best_places(levels, pattern):
        at, likeness = _align(piece, sound, place * FRAME)
        if likeness > best.likeness:
            best = Hearing(at=(at - start) / RATE, likeness=likeness)
    return best


def was_heard(prompt: Path, recording: Path) -> bool:
    return listen_for(prompt, recording).heard


def share_heard(prompt: Path, recording: Path) -> float:
    """How much of the prompt, of its sounding pieces of a second and a half, was heard in its order: 0 to 1.

    For prompts that share words with others: of another one the shared words alone are found.
    """
    best = listen_for(prompt, recording)
    wanted, sound = samples(prompt), samples(recording)
    place, size, found = round(best.at * RATE), PIECE * FRAME, []
    for start in range(0, len(wanted) - size + 1, size):
        piece = wanted[start : start + size]
        if sum(map(mul, piece, piece)) / size < QUIET**2:
            continue
        at, likeness = _align(piece, sound, max(0, place + start))
        if likeness >= LIKE:
            place = at - start  # a lost packet shifts all that follows
        found.append(likeness >= LIKE)
    return sum(found) / len(found) if found else 0.0


def missing(prompt: Path, recording: Path) -> list[float]:
    """Where, in seconds of the prompt, a quarter second of speech is not in the recording as it should be.

    The recording may have slipped by some packets in between, never backwards through the sentence.
    """
    wanted, sound = samples(prompt), samples(recording)
    place, size, gone = round(listen_for(prompt, recording).at * RATE), RATE // 4, []
    for start in range(0, len(wanted) - size + 1, size):
        part = wanted[start : start + size]
        if sum(level > QUIET for level in loudness(part)) * FRAME <= size / 2:
            continue
        likeness, shift = _fit_slipped(part, sound, place + start)
        if likeness < LIKE:
            gone.append(start / RATE)
        else:
            place += shift
    return gone


def _fit_slipped(part: array[int], sound: array[int], place: int) -> tuple[float, int]:
    """The first good fit near `place`, then up to twelve packets off; likeness and shift."""
    likeness, shift = _fit(part, sound, place)
    for packets in sorted(range(-12, 13), key=abs):
        if likeness >= LIKE:
            break
        likeness, off = _fit(part, sound, place + packets * SLIP, reach=8)
        shift = packets * SLIP + off
    return likeness, shift


def _loudest_piece(sound: array[int]) -> tuple[array[int], int]:
    levels = loudness(sound)
    count = min(PIECE, len(levels))
    place = max(range(len(levels) - count + 1), key=lambda n: sum(levels[n : n + count]))
    return sound[place * FRAME : (place + count) * FRAME], place * FRAME


def _best_places(levels: list[float], pattern: list[float], most: int = 3) -> list[int]:
    """Windows where the loudness runs alike, the best first, none next to another."""
    count = len(pattern)
    scores = [(_correlation(pattern, levels[n : n + count]), n) for n in range(len(levels) - count + 1)]
    found: list[int] = []
    for _, place in sorted(scores, reverse=True):
        if all(abs(place - other) > 3 for other in found):
            found.append(place)
        if len(found) == most:
            break
    return found


def _align(piece: array[int], sound: array[int], place: int) -> tuple[int, float]:
    """The sample, near `place`, where the piece begins, and how alike the waveforms are.

    Each part is laid where it fits best, for one lost packet shifts what comes after it; the worst part does
    not count. One part alone proves nothing: a synthesiser says the same vowel the same way each time.
    """
    size = len(piece) // PARTS
    fits = [_fit(piece[n * size : (n + 1) * size], sound, place + n * size) for n in range(PARTS)]
    best = sorted(fits, reverse=True)[: PARTS - 1]
    shifts = sorted(shift for _, shift in best)
    return place + shifts[len(shifts) // 2], sum(likeness for likeness, _ in best) / len(best)


def _fit(part: array[int], sound: array[int], place: int, *, reach: int = 2 * FRAME) -> tuple[float, int]:
    """Normalised correlation at the best shift up to `reach` around `place`, and that shift."""
    spots = range(max(0, place - reach), min(place + reach, len(sound) - len(part)) + 1)
    if not spots:
        return 0.0, 0
    top, spot = max((sum(map(mul, part, sound[n : n + len(part)])), n) for n in spots)
    there = sound[spot : spot + len(part)]
    power = math.sqrt(sum(map(mul, part, part)) * sum(map(mul, there, there)))
    return (top / power if power else 0.0), spot - place


def _correlation(left: list[float], right: list[float]) -> float:
    """Pearson's."""
    n = len(left)
    sum_l, sum_r = sum(left), sum(right)
    top = n * sum(map(mul, left, right)) - sum_l * sum_r
    bottom = (n * sum(map(mul, left, left)) - sum_l**2) * (n * sum(map(mul, right, right)) - sum_r**2)
    return top / math.sqrt(bottom) if bottom > 0 else 0.0


# --- several at once -------------------------------------------------------------------------------

PITCH_WINDOW = 400
"""Samples (50 ms): pitches that are multiples of 20 Hz are told apart exactly."""
PITCH_LEVEL = 500.0
"""Amplitude from which on a pitch counts as heard."""


def seconds_of_pitch(path: Path, hertz: int) -> float:
    """How long a pure tone is in a recording, whatever else sounds with it (Goertzel's algorithm).

    For voices that overlap, where no waveform of one of them can be found. hertz: a multiple of 20.
    """
    sound = samples(path)
    windows = (sound[n : n + PITCH_WINDOW] for n in range(0, len(sound) - PITCH_WINDOW + 1, PITCH_WINDOW))
    return sum(_amplitude(window, hertz) > PITCH_LEVEL for window in windows) * PITCH_WINDOW / RATE


def _amplitude(window: Sequence[int], hertz: int) -> float:
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    now, before = 0.0, 0.0
    for sample in window:
        now, before = sample + turn * now - before, now
    power = max(now * now + before * before - turn * now * before, 0.0)
    return 2 * math.sqrt(power) / len(window)
