"""What a recording must be, what a model says of its licence, and which way from the web is refused."""

from __future__ import annotations

import wave
from pathlib import Path

import httpx
import pytest

from ivr.domain.errors import BadInput
from ivr.speech.licences import licence_in
from ivr.speech.model_download import agree
from ivr.speech.trying import seconds_of


def recording(path: Path, *, channels: int = 1, width: int = 2, rate: int = 8000, seconds: float = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(bytes(int(rate * seconds) * channels * width))
    return path


def test_a_recording_is_mono_with_16_bits(tmp_path: Path) -> None:
    assert seconds_of(recording(tmp_path / "a.wav", seconds=1.5)) == 1.5
    for odd in ({"channels": 2}, {"width": 1}, {"rate": 4000}):
        with pytest.raises(BadInput, match="must be mono, 16 bits"):
            seconds_of(recording(tmp_path / "a.wav", **odd))
    with pytest.raises(BadInput, match="longer than 600 s"):
        seconds_of(recording(tmp_path / "a.wav", seconds=601))
    (tmp_path / "a.wav").write_bytes(b"ID3")
    with pytest.raises(BadInput, match=r"no PCM \.wav file"):
        seconds_of(tmp_path / "a.wav")
    with pytest.raises(BadInput, match="cannot read"):
        seconds_of(tmp_path / "b.wav")


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("Apache License\nVersion 2.0, January 2004", "Apache-2.0"),
        ("licensed under apache-2.0", "Apache-2.0"),
        ("GNU Affero General Public License", "AGPL-3.0"),
        ("License: MIT", "MIT"),
        ("CC-BY-NC-SA 4.0", "CC-BY-NC"),
        ("# Model\nLicence: for\x1b[31m friends only", "Licence: for[31m friends only"),
        ("WER 4.5 %", None),
    ],
)
def test_the_licence_is_read_from_what_a_model_says_of_itself(text: str, licence: str | None) -> None:
    assert licence_in(text) == licence


@pytest.mark.parametrize(
    ("hops", "refused"),
    [
        (["https://a", "https://b"], False),
        (["http://a", "https://b"], False),
        (["http://a"], False),
        (["https://a", "http://b"], True),
        (["http://a", "https://b", "http://c", "https://d"], True),
    ],
)
def test_from_https_no_way_leads_through_http(hops: list[str], refused: bool) -> None:
    answers = [httpx.Response(200, request=httpx.Request("GET", hop)) for hop in hops]
    answers[-1].history = answers[:-1]
    if refused:
        with pytest.raises(BadInput, match="from https to http"):
            agree(answers[-1])
    else:
        agree(answers[-1])
