"""`python -m tools.speech_model train | lexicon | build FOLDER | evaluate`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tools.speech_model import LEXICON, WEIGHTS


@click.group()
def main() -> None:
    """The model of the tests and the demonstration, from nothing."""


@main.command()
@click.option("--utterances", default=10_000, show_default=True)
@click.option("--epochs", default=8, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=WEIGHTS, show_default=True)
def train(utterances: int, epochs: int, seed: int, out: Path) -> None:
    """Speak, learn, and write the weights."""
    from tools.speech_model.corpus import examples
    from tools.speech_model.espeak import Espeak
    from tools.speech_model.train import train as learn

    material = []
    spoken = examples(Espeak(), count=utterances, seed=seed)
    with click.progressbar(spoken, length=utterances, label="speaking") as bar:
        material = list(bar)
    hours = sum(len(example.log_mels) for example in material) / 360_000
    click.echo(f"{hours:.1f} hours of speech")

    def told(epoch: int, loss: float, right: float) -> None:
        click.echo(f"epoch {epoch + 1}: loss {loss:.3f}, {right:.1%} of the frames right")

    learn(material, epochs=epochs, seed=seed, told=told).save(out)
    click.echo(f"{out}: {out.stat().st_size // 1024} KiB")


@main.command()
def lexicon() -> None:
    """Write how the line's words sound."""
    from tools.speech_model import asked, lexicon, words

    known = lexicon.pronounced({*words.VOCABULARY, *asked.vocabulary()})
    lexicon.save(known, LEXICON)
    click.echo(f"{LEXICON}: {len(known)} words")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--weights", type=click.Path(path_type=Path), default=WEIGHTS, show_default=True)
def build(folder: Path, weights: Path) -> None:
    """Put the model together in FOLDER."""
    from tools.speech_model import build, lexicon
    from tools.speech_model.net import Net

    build.build(Net.load(weights), lexicon.load(LEXICON), folder)


@main.command()
@click.option("--weights", type=click.Path(path_type=Path), default=WEIGHTS, show_default=True)
@click.option("--utterances", default=60, show_default=True)
def evaluate(weights: Path, utterances: int) -> None:
    """How often it is wrong, on voices that it was never trained on."""
    from tools.speech_model import build, lexicon
    from tools.speech_model.evaluate import evaluate as measured
    from tools.speech_model.net import Net

    with TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        build.build(Net.load(weights), lexicon.load(LEXICON), model)
        click.echo(f"{'grammar':10} {'line':6} {'words':>6} {'wrong':>7} {'other words accepted':>21}")
        for row in measured(model, utterances=utterances):
            line = "hard" if row.hard else "clean"
            wrong, accepted = row.wrong / row.spoken, row.accepted / utterances
            click.echo(f"{row.grammar:10} {line:6} {row.spoken:6} {wrong:7.1%} {accepted:21.1%}")


if __name__ == "__main__":
    main()
