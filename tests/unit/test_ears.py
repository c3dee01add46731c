"""The line's ears, put together: with and without a model, and while their port belongs to somebody else."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from ivr.assembly import speech
from ivr.assembly.speech import Ears
from ivr.asterisk import conf
from ivr.metrics import Metrics
from ivr.ports import Grammar
from ivr.services.alarms import Alarms
from ivr.settings import Settings, SpeechSettings
from ivr.testing import VirtualClock


def ears(state: Path, *, model: bool = True, **how: object) -> tuple[Ears, Alarms]:
    """Of a site whose model, if it has one, is an empty folder: its workers end at once."""
    settings = Settings(state=state, speech=SpeechSettings(**how))  # type: ignore[arg-type]
    settings.run_dir.mkdir(parents=True)
    if model:
        (settings.models_dir / "empty").mkdir(parents=True)
        (settings.models_dir / "in-use").write_text("empty")
    alarms = Alarms(settings.run_dir, "engine")
    return Ears(settings, Metrics.create(), alarms, VirtualClock()), alarms


@pytest.mark.parametrize("how", [{"model": False}, {"enabled": False}])
def test_without_a_model_or_by_the_sites_wish_nobody_listens(tmp_path: Path, how: dict[str, bool]) -> None:
    found, _ = ears(tmp_path / "state", **how)
    assert found.hearing is None and found.state is None


def test_what_listens_is_told(tmp_path: Path) -> None:
    found, _ = ears(tmp_path / "state", streams=3, confidence=70)
    assert found.state is not None
    assert (found.state.model, found.state.streams, found.state.taken) == ("empty", 3, 0)
    assert found.hearing is not None and found.hearing.confidence == 70


async def test_the_models_words_are_looked_up_one_process_at_a_time_and_not_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[int] = []
    over = threading.Event()

    def unknown_words(folder: Path, words: Collection[str]) -> Collection[str]:
        running.append(len(running))
        over.wait(20)
        return {word for word in words if folder.name == "empty" and word != "анна"}

    monkeypatch.setattr(speech.trying, "unknown_words", unknown_words)
    monkeypatch.setattr(speech, "WORDS_SECONDS", 0.05)
    found, _ = ears(tmp_path / "state")
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await found.unknown_words({"анна"})
    assert running == [0]
    over.set()
    monkeypatch.setattr(speech, "WORDS_SECONDS", 20)
    assert await found.unknown_words({"анна", "эдгар"}) == {"эдгар"}


async def test_without_a_model_no_word_is_known(tmp_path: Path) -> None:
    found, _ = ears(tmp_path / "state", model=False)
    assert await found.unknown_words({"анна"}) == {"анна"}


async def test_a_grammar_that_was_forgotten_is_listened_for_no_more(tmp_path: Path) -> None:
    pool = ears(tmp_path / "state")[0].pool
    pool.teach({"name-1": Grammar(name="name-1", phrases=("анна",), once=True)})
    stream = pool.open(lambda _heard: None)
    assert pool.listen(stream, "name-1")
    pool.forget("name-1")
    assert not pool.listen(stream, "name-1")
    pool.forget("name-1")


async def test_a_port_that_is_taken_is_an_alarm_until_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech, "AGAIN_SECONDS", 0.05)
    with socket.create_server((conf.SPEECH_HOST, 0)) as taken:
        found, alarms = ears(tmp_path / "state", port=taken.getsockname()[1])
        listening = asyncio.create_task(found.run())
        await until(lambda: ["EKC_SPEECH__PORT" in alarm.what for alarm in alarms.list()] == [True])
    await until(lambda: not alarms.list())
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_model_that_no_process_can_load_is_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech, "START_SECONDS", 0.1)
    monkeypatch.setattr(speech, "GAUGE_SECONDS", 0.05)
    with socket.create_server((conf.SPEECH_HOST, 0)) as free:
        port = free.getsockname()[1]
    found, alarms = ears(tmp_path / "state", port=port)
    listening = asyncio.create_task(found.run())
    await until(lambda: [alarm.what for alarm in alarms.list()] == [speech.SILENT])
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 -- alarms have no events
            await asyncio.sleep(0.01)
