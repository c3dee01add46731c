"""`ekc speech`: recognition models are put in place, chosen, removed and tried."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, acting, with_site
from ivr.commands.output import Output

if TYPE_CHECKING:
    from ivr.commands.site import Site
    from ivr.ports import SpeechModel

COLUMNS = ("name", "in_use", "size", "licence", "installed_at", "sha256", "source")
_SHOWN = ("name", "in_use", "size", "licence", "installed_at")


@click.group(cls=EkcGroup)
def speech() -> None:
    """Recognition models of Vosk: the line listens to its callers with the one in use."""


@speech.command()
@click.argument("source", metavar="PATH-OR-URL")
@click.option("--sha256", metavar="SUM", help="Refuse it when its SHA-256 is another one.")
@with_site
def install(site: Site, out: Output, source: str, sha256: str | None) -> None:
    """Put a model in place, whole or not at all: a folder, a zip or tar archive, or an http(s) URL of one."""
    from ivr.commands.progress import progress

    with progress(out, "model") as told:
        model = site.speech_models().install(source, sha256=sha256, now=site.clock.now(), progress=told)
    _note(site, "speech.install", model)
    out.done(
        _view(model),
        f"{model.name} is in place: {_size(model.size)}, licence {model.licence or 'not said in its files'}, "
        f"SHA-256 {model.sha256}. `ekc speech use {model.name}` takes it.",
    )


@speech.command("list")
@with_site
def list_(site: Site, out: Output) -> None:
    """The models that are in place, and which of them is in use."""
    models = site.speech_models().list()
    rows = [_view(model) | ({} if out.as_json else {"size": _size(model.size)}) for model in models]
    out.rows(rows, _SHOWN, empty="There are no models; `ekc speech install PATH-OR-URL` puts one in place.")


@speech.command()
@click.argument("name")
@with_site
def use(site: Site, out: Output, name: str) -> None:
    """Take this model from the next start of the line on."""
    model = site.speech_models().use(name)
    _note(site, "speech.use", model)
    out.done(
        _view(model),
        f"{model.name} is in use from the next start of the line on. A line that runs listens as it did; "
        "stop `ekc up` and start it again.",
    )


@speech.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Even the one in use; then none is.")
@with_site
def remove(site: Site, out: Output, name: str, force: bool) -> None:
    """Erase a model."""
    model = site.speech_models().remove(name, force=force)
    _note(site, "speech.remove", model)
    out.done({"name": model.name, "was_in_use": model.in_use}, f"{model.name} is erased.")


@speech.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--phrase", "phrases", multiple=True, help="What may have been said; several times. Else: anything."
)
@with_site
def test(site: Site, out: Output, file: Path, phrases: tuple[str, ...]) -> None:
    """What the model in use understands of FILE, a mono .wav of 16 bits."""
    said = site.speech_models().transcribe(file, phrases)
    words = [{"word": w.word, "start": w.start, "end": w.end, "conf": w.conf} for w in said.words]
    result = {"model": said.model, "text": said.text, "seconds": said.seconds, "words": words}
    out.done(result, said.text or "(nothing was understood)")


def _view(model: SpeechModel) -> dict[str, object]:
    return {column: getattr(model, column) for column in COLUMNS}


def _size(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def _note(site: Site, action: str, model: SpeechModel) -> None:
    with site.store.transaction() as uow:
        acting(site).note(uow, action, model.name, result="ok")
        uow.commit()
