"""Prompts as sound files: made once, personal ones erased, and pleasant to hear."""

from __future__ import annotations

import asyncio
import math
import os
import shlex
import stat
import sys
import textwrap
import wave
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ivr.domain.errors import BadInput, Unavailable
from ivr.ports import Prompt
from ivr.settings import Settings
from ivr.speech import catalogue, recordings, sound
from ivr.speech.prompts import PromptStore
from ivr.speech.synthesis import Synthesiser

SECRET = "Пособие Иванова"
PERSONAL = Prompt.of(
    "status.result",
    service=SECRET,
    accepted_on=date(2026, 3, 3),
    status="рассмотрено",
    decision="",
    refusal_reason="",
    missing_documents=(),
)
MENU = Prompt.of("menu")
VOICE = """
    import sys, wave
    source, out, log = sys.argv[1:4]
    text = open(source, encoding="utf-8").read()
    open(log, "a", encoding="utf-8").write(text)
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((b"\\x00\\x10" * 8 + b"\\x00\\xf0" * 8) * 5 * len(text))
"""
"""Stands for a synthesiser: 10 ms of a 500 Hz tone for each character; notes what it was given."""


class Voice:
    """A store over the stand-in synthesiser, in a folder of the test."""

    def __init__(self, folder: Path, *, core: Path | None = None) -> None:
        self.folder, self.core = folder, core
        self.own = folder / "own"
        self.log = folder / "log"
        self.own.mkdir()
        self.log.touch()
        script = folder / "voice.py"
        script.write_text(textwrap.dedent(VOICE))
        self.command = f"{sys.executable} -I -S {script} {{input}} {{output}} {self.log}"

    def store(self, *, command: str = "", seconds: float = 10.0) -> PromptStore:
        return PromptStore(
            Synthesiser(command or self.command, seconds=seconds),
            voice=command or self.command,
            cache=self.folder / "cache",
            private=self.folder / "run" / "speech",
            own=self.own,
            core=self.core,
        )

    @property
    def said(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines()

    def private_files(self) -> list[Path]:
        return list((self.folder / "run" / "speech").rglob("*"))


@pytest.fixture
def voice(tmp_path: Path) -> Voice:
    return Voice(tmp_path)


@pytest.fixture
def core(tmp_path: Path) -> Path:
    """Recordings of numbers: each lasts 100 ms and has a level of its own."""
    folder = tmp_path / "core"
    for n, name in enumerate(recordings.FILES.values(), 1):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        tone(file, seconds=0.1, amplitude=n / 100)
    return folder


def tone(
    path: Path, *, seconds: float, amplitude: float = 0.5, hertz: float = 500.0, rate: int = 8000
) -> None:
    samples = [amplitude * math.sin(2 * math.pi * hertz * n / rate) for n in range(int(seconds * rate))]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(b"".join(int(s * 32767).to_bytes(2, "little", signed=True) for s in samples))


def seconds_of(path: Path) -> float:
    rate, samples = sound.read(path)
    assert rate == 8000
    return len(samples) / rate


async def test_a_prompt_is_synthesised_once_and_ready_afterwards(voice: Voice) -> None:
    store = voice.store()
    assert store.ready(MENU) is None
    path = await store.audio(MENU)
    assert await store.audio(MENU) == path == store.ready(MENU)
    assert voice.said == [catalogue.text(MENU)]


async def test_equal_prompts_asked_at_once_are_synthesised_once(voice: Voice) -> None:
    store = voice.store()
    paths = await asyncio.gather(*(store.audio(MENU) for _ in range(5)))
    assert len(set(paths)) == len(voice.said) == 1


async def test_one_who_no_longer_waits_does_not_stop_the_others(voice: Voice) -> None:
    store = voice.store()
    first, second = (asyncio.create_task(store.audio(MENU)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).is_file()
    assert first.cancelled()


async def test_another_engine_finds_what_was_made(voice: Voice) -> None:
    await voice.store().audio(MENU)
    assert voice.store().ready(MENU) is not None


async def test_another_command_makes_another_file(voice: Voice) -> None:
    path = await voice.store().audio(MENU)
    assert await voice.store(command=f"{voice.command} again").audio(MENU) != path


async def test_a_cached_file_is_named_by_a_hash_and_is_what_asterisk_plays(voice: Voice) -> None:
    path = await voice.store().audio(MENU)
    assert len(path.stem) == 32 and set(path.stem) <= set("0123456789abcdef") and path.suffix == ".wav"
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, 8000)


async def test_personal_speech_is_private_and_erased_by_release(voice: Voice) -> None:
    store = voice.store()
    first, second = await store.audio(PERSONAL), await store.audio(PERSONAL)
    assert first != second and store.ready(PERSONAL) is None
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700
    store.release(first)
    assert voice.private_files() == [second]
    store.release(second)
    store.release(second)
    assert voice.private_files() == []
    assert not list((voice.folder / "cache").glob("*.wav"))


async def test_release_keeps_what_everybody_hears(voice: Voice) -> None:
    store = voice.store()
    path = await store.audio(MENU)
    store.release(path)
    assert path.is_file()


async def test_no_text_stays_on_the_disk(voice: Voice) -> None:
    store = voice.store()
    store.release(await store.audio(PERSONAL))
    assert any(SECRET in line for line in voice.said)  # the control: the command did get the text
    voice.log.unlink()
    left = [path for path in voice.folder.rglob("*") if path.is_file()]
    assert not [path for path in left if SECRET.encode() in path.read_bytes() or SECRET in path.name]


async def test_wipe_erases_what_an_earlier_engine_left(voice: Voice) -> None:
    await voice.store().audio(PERSONAL)
    (voice.folder / "run" / "speech" / "tmpabc").mkdir()
    voice.store().wipe()
    assert voice.private_files() == []


async def test_speech_forgotten_for_an_hour_is_erased_with_the_next(voice: Voice) -> None:
    store = voice.store()
    forgotten, fresh = await store.audio(PERSONAL), await store.audio(PERSONAL)
    os.utime(forgotten, (1, 1))
    await store.audio(PERSONAL)
    assert not forgotten.exists() and fresh.exists()


async def test_a_recording_of_the_site_replaces_the_wording(voice: Voice) -> None:
    tone(voice.own / "menu.wav", seconds=2, rate=22050)
    path = await voice.store().audio(MENU)
    assert voice.said == []
    assert seconds_of(path) == pytest.approx(2, abs=0.02)


async def test_a_recorded_question_stands_for_who_may_speak_until_that_is_recorded_too(voice: Voice) -> None:
    store = voice.store()
    tone(voice.own / "menu.wav", seconds=2)
    assert seconds_of(await store.audio(MENU.voiced)) == pytest.approx(2, abs=0.02)
    tone(voice.own / "menu.voice.wav", seconds=1)
    assert seconds_of(await store.audio(MENU.voiced)) == pytest.approx(1, abs=0.02)
    assert voice.said == []


async def test_values_are_spoken_after_a_recording_of_the_site(voice: Voice) -> None:
    tone(voice.own / "closed.wav", seconds=1)
    zone = ZoneInfo("Asia/Yekaterinburg")
    opens, now = datetime(2026, 11, 25, 9, tzinfo=zone), datetime(2026, 11, 25, 7, tzinfo=zone)
    await voice.store().audio(Prompt.of("closed", opens_at=opens, now=now))
    assert voice.said == ["Мы откроемся сегодня, в девять часов утра."]


async def test_recording_is_announced_even_by_a_greeting_of_the_site(voice: Voice) -> None:
    tone(voice.own / "greeting.wav", seconds=1)
    store = voice.store()
    await store.audio(Prompt.of("greeting", recording=False))
    assert voice.said == []
    await store.audio(Prompt.of("greeting", recording=True))
    assert voice.said == ["Разговор записывается."]


async def test_a_new_recording_of_the_site_is_heard_without_a_restart(voice: Voice) -> None:
    store = voice.store()
    synthesised = await store.audio(MENU)
    tone(voice.own / "menu.wav", seconds=1)
    first = await store.audio(MENU)
    tone(voice.own / "menu.wav", seconds=2)
    second = await store.audio(MENU)
    assert len({synthesised, first, second}) == 3


async def test_numbers_are_spoken_by_the_recorded_voice(tmp_path: Path, core: Path) -> None:
    voice = Voice(tmp_path, core=core)
    store = voice.store()
    path = await store.audio(Prompt.of("queue.position", place=21))
    assert voice.said == ["Ваше место в очереди:"]
    spoken = len("Ваше место в очереди:\n") * 0.01
    assert seconds_of(path) == pytest.approx(spoken + 0.25 + 0.1 + 0.09 + 0.1, abs=0.02)


async def test_places_and_waits_are_joined_of_sounds_that_are_made_once(tmp_path: Path, core: Path) -> None:
    voice = Voice(tmp_path, core=core)
    store = voice.store()
    first = await store.audio(Prompt.of("queue.told", place=1, minutes=4))
    said = list(voice.said)
    other = await store.audio(Prompt.of("queue.told", place=2, minutes=4))
    assert voice.said == said, "only the number is another one, and that is recorded"
    assert len(said) == 2
    assert stat.S_IMODE(other.stat().st_mode) == 0o600
    texts = [await store.audio(Prompt.of("queue.position", place=place)) for place in (1, 2)]
    assert texts[0] != texts[1]
    with wave.open(str(first)) as one, wave.open(str(other)) as two:
        assert one.getparams()[:3] == (1, 2, 8000)
        assert abs(one.getnframes() - two.getnframes()) < 80, "both numbers last equally long"


async def test_joining_gives_the_very_sound_that_one_run_would_have_given(tmp_path: Path, core: Path) -> None:
    voice = Voice(tmp_path, core=core)
    joined = await voice.store().audio(Prompt.of("queue.position", place=21))
    parts = [*sorted((tmp_path / "cache").glob("*.wav"))]
    assert joined in parts and len(parts) == 4, "a half-sentence, two words, and all together"
    with wave.open(str(joined)) as whole:
        frames = whole.readframes(-1)
    for part in parts:
        with wave.open(str(part)) as sound_:
            assert sound_.readframes(-1) in frames


async def test_a_number_that_was_not_recorded_whole_is_synthesised(tmp_path: Path, core: Path) -> None:
    voice = Voice(tmp_path, core=core)
    await voice.store().audio(Prompt.of("queue.position", place=121))
    assert voice.said == ["Ваше место в очереди: сто двадцать один."]


async def test_pieces_of_different_level_come_out_equally_loud(tmp_path: Path) -> None:
    quiet, loud = tmp_path / "quiet.wav", tmp_path / "loud.wav"
    tone(quiet, seconds=1, amplitude=0.01)
    tone(loud, seconds=1, amplitude=0.99, rate=44100)
    joined = sound.join([quiet, 500, loud])
    assert max(joined[:7000]) == pytest.approx(max(joined[13000:]), rel=0.05)
    assert max(map(abs, joined)) <= sound.PEAK


@pytest.mark.parametrize(("hertz", "passes"), [(300, True), (3000, True), (4400, False), (7000, False)])
def test_resampling_keeps_the_telephone_band_and_folds_nothing_into_it(
    tmp_path: Path, hertz: float, passes: bool
) -> None:
    tone(tmp_path / "t.wav", seconds=0.3, hertz=hertz, rate=22050)
    rate, samples = sound.read(tmp_path / "t.wav")
    middle = sound.resample(samples, rate)[400:-400]
    assert max(middle) == pytest.approx(0.5, abs=0.03) if passes else max(middle) < 0.005


def test_a_sound_keeps_its_length_at_any_rate() -> None:
    for rate in (8000, 11025, 16000, 22050, 24000, 44100, 48000):
        assert len(sound.resample(np.full(rate, 0.1, np.float32), rate)) == pytest.approx(8000, abs=1)


def test_silence_stays_silence() -> None:
    silence = np.zeros(100, np.float32)
    assert sound.trim(silence).size == 0 and not sound.level(silence).any()


@pytest.mark.parametrize(
    "command",
    [
        "/no/such/program {input} {output}",
        "false {input} {output}",
        "true {input} {output}",
        "cp {input} {output}",
    ],
)
async def test_a_failing_synthesis_is_unavailable_and_leaves_nothing(voice: Voice, command: str) -> None:
    store = voice.store(command=command)
    for prompt in (MENU, PERSONAL):
        with pytest.raises(Unavailable) as failure:
            await store.audio(prompt)
        assert SECRET not in str(failure.value)
    assert voice.private_files() == [] and store.ready(MENU) is None


async def test_a_synthesis_that_failed_is_tried_again(voice: Voice) -> None:
    script = voice.folder / "voice.py"
    good = script.read_text()
    store = voice.store()
    script.write_text("raise SystemExit(3)")
    with pytest.raises(Unavailable):
        await store.audio(MENU)
    script.write_text(good)
    assert (await store.audio(MENU)).is_file()


async def test_a_synthesis_that_hangs_is_ended(voice: Voice) -> None:
    pid = voice.folder / "pid"
    hang = f"import os, sys, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    store = voice.store(
        command=f"{sys.executable} -I -S -c {shlex.quote(hang)} {{input}} {{output}}", seconds=0.5
    )
    with pytest.raises(Unavailable, match=r"more than 0\.5 s"):
        await store.audio(MENU)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_text_never_reaches_a_shell(voice: Voice) -> None:
    caught = voice.folder / "caught"
    evil = f"$(touch {caught}); `touch {caught}` && touch {caught}"
    await Synthesiser(voice.command, seconds=10).speak(evil, voice.folder)
    assert voice.said == [evil] and not caught.exists()


@pytest.mark.parametrize(
    "command", ["espeak-ng", "say {input}", "say '{input} {output}", "a {input} {input} {output}"]
)
def test_a_command_that_cannot_work_is_refused_at_once(command: str) -> None:
    with pytest.raises(BadInput):
        Synthesiser(command, seconds=1)


async def test_preparing_makes_all_that_can_be_made_and_names_some_for_the_dialplan(voice: Voice) -> None:
    store, seen = voice.store(), list[tuple[int, int]]()
    await store.prepare(lambda made, total: seen.append((made, total)))
    prompts = list(catalogue.prepared())
    assert all(store.ready(prompt) for prompt in prompts)
    assert seen == [(n, len(prompts)) for n in range(1, len(prompts) + 1)]
    emergency = voice.folder / "cache" / "emergency.wav"
    assert emergency.read_bytes() == (await store.audio(Prompt.of("emergency"))).read_bytes()
    said = len(voice.said)
    await voice.store().prepare()
    assert len(voice.said) == said


async def test_the_name_for_the_dialplan_follows_a_new_recording(voice: Voice) -> None:
    await voice.store().prepare()
    tone(voice.own / "emergency.wav", seconds=3)
    await voice.store().prepare()
    assert seconds_of(voice.folder / "cache" / "emergency.wav") == pytest.approx(3, abs=0.02)


async def test_preparing_without_a_synthesiser_is_reported_after_all_were_tried(voice: Voice) -> None:
    tone(voice.own / "emergency.wav", seconds=1)
    with pytest.raises(Unavailable, match="prompts not made"):
        await voice.store(command="false {input} {output}").prepare()
    assert (voice.folder / "cache" / "emergency.wav").is_file()


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> PromptStore:
    """What callers hear with the default command: made by the real synthesiser."""
    store = PromptStore.from_settings(Settings(state=tmp_path_factory.mktemp("state")), core=None)
    asyncio.run(store.prepare())
    return store


LONGEST = {"greeting": 15.0, "menu": 16.0, "silence.reminder": 6.0, "no_input": 3.0, "no_match": 3.0}
"""Seconds; a question that lasts longer is not remembered."""


def test_real_speech_is_short_loud_and_never_clips(spoken: PromptStore) -> None:
    for prompt in catalogue.prepared():
        path = spoken.ready(prompt)
        assert path is not None
        _, samples = sound.read(path)
        assert 1.0 < len(samples) / 8000 <= LONGEST.get(prompt.id, 16.0), prompt.id
        assert 0.4 < max(map(abs, samples)) <= sound.PEAK + 0.001, prompt.id


async def test_the_first_sentence_of_each_prompt_takes_less_than_ten_seconds(tmp_path: Path) -> None:
    firsts = {catalogue.sentences(prompt)[0] for prompt in catalogue.prepared()}
    longest = max(firsts, key=len)
    synthesiser = Synthesiser(Settings(state=tmp_path).synthesis_command, seconds=10)
    rate, samples = sound.read(await synthesiser.speak(longest, tmp_path))
    assert len(samples) / rate < 10
