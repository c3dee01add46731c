"""The documentation says what the program does: settings, metrics, commands, links, units."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import click
import pytest
from click.testing import CliRunner
from prometheus_client import Counter
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cli import ekc
from ivr.metrics import Metrics
from ivr.settings import HttpService, Settings

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
PAGES = sorted([*PROJECT.glob("*.md"), *DOCS.rglob("*.md")])
UNITS = sorted(DOCS.glob("systemd/*.service"))
EMPTY = "–"


def rows(page: str, columns: int) -> list[tuple[str, ...]]:
    """The cells of a page's tables, header lines left out, backquotes taken off."""
    lines = [line for line in (DOCS / page).read_text("utf-8").splitlines() if line.startswith("|")]
    cells = [tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")) for line in lines]
    return [row for row in cells if len(row) == columns and row[0].startswith(("EKC_", "ekc_"))]


# --- settings ---


def written(value: object) -> str:
    """A default as docs/settings.md writes it."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return "-".join(map(str, value)) or "[]"
    return str(value)


def default(field: FieldInfo) -> str:
    return "required" if field.is_required() else written(field.get_default(call_default_factory=True))


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The tables of ekc.toml that a setting stands for."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from models(part)


def settings_of(model: type[BaseModel], *above: str) -> Iterator[tuple[str, str, str]]:
    """Environment, name in ekc.toml and default of every setting."""
    for name, field in model.model_fields.items():
        path = (*above, name)
        if nested := list(models(field.annotation)):
            for table in nested:
                yield from settings_of(table, *path)
        elif path == ("resources",):
            yield from settings_of(HttpService, "resources", "CODE")
        else:
            toml = EMPTY if path == ("state",) else ".".join(path)
            yield "EKC_" + "__".join(path).upper(), toml, default(field)


def test_every_setting_stands_in_settings_md_with_its_names_and_default_and_nothing_else_does() -> None:
    told = {environment: (toml, value) for environment, toml, value, _ in rows("settings.md", 4)}
    real = {environment: (toml, value) for environment, toml, value in settings_of(Settings)}
    assert told == real


def test_every_setting_is_told_once_and_in_words() -> None:
    table = rows("settings.md", 4)
    assert len({row[0] for row in table}) == len(table)
    assert [row[0] for row in table if len(row[3]) < 10] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_setting_that_a_page_names_is_one_of_ours(page: Path) -> None:
    real = {environment for environment, _, _ in settings_of(Settings)}
    named = re.findall(r"\bEKC_[A-Z_]+[A-Z]\b", page.read_text("utf-8"))
    assert {re.sub(r"(?<=RESOURCES__)[A-Z]+", "CODE", name) for name in named} <= real


def test_the_example_of_ekc_toml_is_read_by_the_program(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", (DOCS / "settings.md").read_text("utf-8"), re.DOTALL)
    assert example is not None
    (tmp_path / "ekc.toml").write_text(example[1], "utf-8")
    settings = Settings(state=tmp_path)
    assert settings.trunk.host == "sip.example.org"
    assert settings.resources["soc"].ca_file == Path("/etc/ekc/soc-ca.pem")


# --- metrics ---


def test_metrics_md_names_every_metric_and_no_other() -> None:
    told = {row[0] for row in rows("metrics.md", 3)}
    real = set()
    for metric in vars(Metrics.create()).values():
        if hasattr(metric, "describe"):
            (family,) = metric.describe()
            real.add(f"{family.name}_total" if isinstance(metric, Counter) else family.name)
    real.discard("")
    assert told == real


# --- commands ---


def commands(command: click.Command, *above: str) -> Iterator[tuple[str, ...]]:
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, *above, name)
    else:
        yield above


@pytest.mark.parametrize("words", sorted(commands(ekc)), ids=" ".join)
def test_cli_md_tells_of_every_command(words: tuple[str, ...]) -> None:
    text = (DOCS / "cli.md").read_text("utf-8")
    *above, last = words
    told = [
        line for line in text.splitlines() if line.startswith("- ") and last in re.findall(r"[\w-]+", line)
    ]
    assert any(all(word in line for word in above) for line in told), f"ekc {' '.join(words)} is not told"


def quoted_commands() -> list[tuple[str, str]]:
    """(page, command) for each `ekc …` that stands in backquotes or in a block of shell."""
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        found += [(page.name, match) for match in re.findall(r"`ekc ([a-z][^`|\[…]*)[`|\[…]", text)]
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            found += [(page.name, match) for match in re.findall(r"\bekc ([a-z][^\n|&<>#]*)", block)]
    return found


def test_every_command_in_the_pages_exists() -> None:
    unknown = []
    for page, command in quoted_commands():
        words, group = shlex.split(command.replace("'", "")), ekc
        while words and isinstance(group, click.Group):
            word = words.pop(0)
            if word.startswith("-"):
                break
            below = group.commands.get(word)
            if below is None:
                unknown.append((page, command))
                break
            group = below  # type: ignore[assignment]
    assert len(quoted_commands()) > 30
    assert unknown == []


def command_of(words: list[str]) -> click.Command:
    """The command that these words begin with."""
    group: click.Command = ekc
    for word in words:
        if not isinstance(group, click.Group) or word not in group.commands:
            break
        group = group.commands[word]
    return group


def test_every_option_of_a_command_in_the_pages_exists() -> None:
    unknown, seen = [], 0
    for page, command in quoted_commands():
        words = command.replace("'", "").split()
        real = {name for param in command_of(words).params for name in (*param.opts, *param.secondary_opts)}
        given = {word.split("=")[0] for word in words if re.match(r"--[a-z]", word)}
        seen += len(given)
        unknown += [(page, command, name) for name in given - real]
    assert seen > 20
    assert unknown == []


# --- links ---


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_to_a_file_of_ours_leads_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_begins_with_the_two_commands_and_they_exist() -> None:
    text = (PROJECT / "README.md").read_text("utf-8")
    first = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert first is not None
    assert text.index("```sh") < 200
    targets = re.findall(r"^make (\w+)", first[1], re.MULTILINE)
    assert targets == ["demo", "test"]
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


# --- units ---


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_command_of_a_unit_is_one_of_ours(unit: Path) -> None:
    lines = re.findall(r"^Exec\w+=/opt/ekc/\.venv/bin/ekc (.+)$", unit.read_text("utf-8"), re.MULTILINE)
    assert lines
    for line in lines:
        assert CliRunner().invoke(ekc, [*line.split(), "--help"]).exit_code == 0


def test_a_unit_waits_longer_than_the_engine_drains() -> None:
    for unit in UNITS:
        (stop,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit.read_text("utf-8"), re.MULTILINE)
        assert int(stop) > Settings.model_fields["drain_seconds"].default + 5


def test_the_watchdog_of_the_units_is_as_patient_as_our_own() -> None:
    text = (DOCS / "systemd" / "ekc-engine.service").read_text("utf-8")
    assert f"WatchdogSec={Settings.model_fields['heartbeat_seconds'].default:g}\n" in text
