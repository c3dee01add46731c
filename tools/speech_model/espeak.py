"""Synthetic speech with the time of every sound, from libespeak-ng.

Its C interface (speak_lib.h) in synchronous mode: the retrieval mode is asynchronous and crashes with phoneme
events.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 22050
_SYNCHRONOUS = 2
_PHONEME_EVENTS = 1
_PHONEME = 7
_UTF8 = 1
_WPM, _PITCH, _RANGE = 1, 3, 4


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


@dataclass(frozen=True, kw_only=True)
class Voice:
    """How something is said."""

    variant: str
    """Of espeak-ng's Russian voice; empty: the voice itself."""
    wpm: int = 150
    pitch: int = 50
    liveliness: int = 50


class Espeak:
    """One synthesiser; the library allows one for each process."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL("libespeak-ng.so.1")
        if self._lib.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS) != RATE:
            raise RuntimeError("espeak-ng could not be started: are its voices installed?")
        self._sound: list[NDArray[np.int16]] = []
        self._events: list[tuple[str, int]] = []
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
        )
        self._callback = kind(self._take)  # must live as long as the library may call it
        self._lib.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: Voice) -> tuple[NDArray[np.int16], list[tuple[str, int]]]:
        """16-bit samples at RATE, and each sound with the sample at which it begins.

        Raises ValueError when there is no such voice.
        """
        name = f"ru+{voice.variant}" if voice.variant else "ru"
        if self._lib.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {name}")
        for parameter, value in ((_WPM, voice.wpm), (_PITCH, voice.pitch), (_RANGE, voice.liveliness)):
            self._lib.espeak_SetParameter(parameter, value, 0)
        self._sound.clear()
        self._events.clear()
        data = text.encode()
        self._lib.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
        sound = np.concatenate(self._sound) if self._sound else np.zeros(0, np.int16)
        return sound, list(self._events)

    def _take(self, wav: Any, samples: int, events: Any) -> int:
        if samples:
            self._sound.append(np.ctypeslib.as_array(wav, (samples,)).copy())
        index = 0
        while events[index].type != 0:
            if events[index].type == _PHONEME:
                name = events[index].id.string.decode("utf-8", "replace")
                self._events.append((name, events[index].sample))
            index += 1
        return 0
