"""A process that recognises: `python -m ivr.speech.worker MODEL` reads packets on stdin, writes on stdout.

Vosk's C library may end a process by a fault; one of these takes a few answers with it, and no call.
"""

from __future__ import annotations

import json
import os
import sys

from vosk import KaldiRecognizer, Model, SetLogLevel

from ivr.speech.worker_wire import UNKNOWN, Kind, Packet, Unpacker, pack

RATE = 8000
NICE = 5
"""Engine and Asterisk go first: a word that is understood a moment later is not noticed, a key is."""
_CHUNK = 1 << 16


class Worker:
    """The streams of one process."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._streams: dict[int, KaldiRecognizer] = {}
        self._begun: set[int] = set()
        """Streams whose caller is in the middle of words."""

    def take(self, packet: Packet) -> Packet | None:
        """What there is to say to that."""
        stream, kind, data = packet
        if kind is Kind.PING:
            return packet
        if kind is Kind.RESET:
            self._streams[stream] = self._recogniser(data)
            self._begun.discard(stream)
        elif kind is Kind.CLOSE:
            self._streams.pop(stream, None)
            self._begun.discard(stream)
        elif kind is Kind.AUDIO and stream in self._streams:
            return self._hear(stream, data)
        return None

    def _recogniser(self, phrases: bytes) -> KaldiRecognizer:
        """Of the phrases that the model knows whole: Vosk would listen for what is left of others."""
        known = [phrase for phrase in json.loads(phrases) if self._knows(phrase)]
        recogniser = KaldiRecognizer(self._model, RATE, json.dumps(known, ensure_ascii=False))
        recogniser.SetWords(True)
        return recogniser

    def _knows(self, phrase: str) -> bool:
        return all(self._model.vosk_model_find_word(word) >= 0 for word in phrase.split())

    def _hear(self, stream: int, sound: bytes) -> Packet | None:
        recogniser = self._streams[stream]
        if not recogniser.AcceptWaveform(sound):
            return self._begins(stream, recogniser)
        self._begun.discard(stream)
        result = recogniser.Result()
        return Packet(stream, Kind.RESULT, result.encode()) if json.loads(result).get("text") else None

    def _begins(self, stream: int, recogniser: KaldiRecognizer) -> Packet | None:
        if stream in self._begun:
            return None
        said = json.loads(recogniser.PartialResult()).get("partial", "")
        if all(word == UNKNOWN for word in said.split()):
            return None
        self._begun.add(stream)
        return Packet(stream, Kind.BEGUN)


def main() -> None:
    """Until stdin ends."""
    os.setpriority(os.PRIO_PROCESS, 0, NICE)  # whatever the engine's own is
    SetLogLevel(-1)
    out = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no packet
    worker, unpacker = Worker(Model(sys.argv[1])), Unpacker()
    os.write(out, pack(Packet(0, Kind.READY)))
    while data := os.read(sys.stdin.fileno(), _CHUNK):
        for packet in unpacker.feed(data):
            if (answer := worker.take(packet)) is not None:
                os.write(out, pack(answer))


if __name__ == "__main__":
    main()
