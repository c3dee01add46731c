"""A small Vosk model made from synthetic speech, for tests and the demonstration: not for real callers.

`python -m tools.speech_model train` makes everything anew (needs the extra `speech-model`), `lexicon` the
pronunciations of the words that the line's questions use, `build FOLDER` the model's folder from the two
committed files, `evaluate` the table of errors. See docs/speech.md.
"""

from pathlib import Path

WEIGHTS = Path(__file__).with_name("weights.npz")
LEXICON = Path(__file__).with_name("lexicon.json")
