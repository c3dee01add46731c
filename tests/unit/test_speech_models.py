"""`ekc speech`: models are put in place whole or not at all, one is in use, and none is lost by a slip."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from ivr.domain.errors import BadInput
from ivr.speech.model_download import without_password
from ivr.speech.models import ModelFolder
from tests.unit.memory import Site
from tests.unit.test_speech_archive import tarred, zipped

FILES = {
    "small/am/final.mdl": b"weights",
    "small/README": "Модель. License: Apache 2.0\n".encode(),
}


class ModelSite(Site):
    """A site whose models are tried by what the test says of them."""

    def __init__(self, state: Path) -> None:
        super().__init__(state)
        self.refused: set[bytes] = {b"broken"}

    def speech_models(self) -> ModelFolder:
        return ModelFolder(
            self.settings.models_dir, own=lambda path: path.mkdir(exist_ok=True), attempt=self._attempt
        )

    def _attempt(self, folder: Path) -> None:
        if (folder / "am/final.mdl").read_bytes() in self.refused:
            raise BadInput("Vosk cannot use that model")


@pytest.fixture
def site(tmp_path: Path) -> ModelSite:
    return ModelSite(tmp_path / "state")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return zipped(tmp_path / "vosk-small.zip", FILES)


def run(site: ModelSite, *args: object) -> Result:
    return CliRunner().invoke(cli.ekc, ["speech", *map(str, args)], obj=site)


def listed(site: ModelSite) -> list[dict[str, object]]:
    return json.loads(run(site, "list", "--json").stdout)  # type: ignore[no-any-return]


def left(site: ModelSite) -> list[str]:
    """What lies in the models' folder."""
    return sorted(path.name for path in site.settings.models_dir.iterdir() if path.name != ".lock")


def deeds(site: ModelSite) -> list[tuple[str, str]]:
    return [(row.action, row.subject) for row in reversed(site.rows.audit.list())]


def test_looking_makes_nothing(site: ModelSite) -> None:
    assert listed(site) == []
    assert "no models" in run(site, "list").stdout
    assert not site.settings.state.exists()


def test_an_installed_model_is_told_with_size_licence_and_sum_and_is_not_in_use_yet(
    site: ModelSite, archive: Path
) -> None:
    done = run(site, "install", archive)
    assert (done.exit_code, done.stderr) == (0, "")
    (model,) = listed(site)
    assert {key: model[key] for key in ("name", "in_use", "size", "licence")} == {
        "name": "small",
        "in_use": False,
        "size": sum(map(len, FILES.values())),
        "licence": "Apache-2.0",
    }
    assert f"licence Apache-2.0, SHA-256 {model['sha256']}" in done.stdout
    assert model["source"] == str(archive)
    assert left(site) == ["small"]
    assert deeds(site) == [("speech.install", "small")]


def test_a_folder_and_an_archive_without_a_folder_in_it_are_called_after_themselves(
    site: ModelSite, tmp_path: Path
) -> None:
    flat = {name.removeprefix("small/"): data for name, data in FILES.items()}
    assert run(site, "install", tarred(tmp_path / "flat-0.1.tar.gz", flat)).exit_code == 0
    assert run(site, "install", site.settings.models_dir / "flat-0.1").exit_code == 1  # its own name again
    (site.settings.models_dir / "flat-0.1").rename(tmp_path / "moved")
    assert run(site, "install", tmp_path / "moved").exit_code == 0
    assert left(site) == ["moved"]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"small/am/final.mdl": b"broken"}, "Vosk cannot use that model"),
        ({"small/readme.txt": b"x"}, "no Vosk model: it has no am/final.mdl"),
        ({"моё/am/final.mdl": b"weights"}, "odd name"),
        ({".hidden/am/final.mdl": b"weights"}, "odd name"),
    ],
)
def test_what_is_no_usable_model_is_refused_in_one_sentence_and_leaves_nothing(
    site: ModelSite, tmp_path: Path, files: dict[str, bytes], sentence: str
) -> None:
    result = run(site, "install", zipped(tmp_path / "a.zip", files))
    assert (result.exit_code, result.stdout) == (1, "")
    assert sentence in result.stderr and result.stderr.count("\n") == 1
    assert left(site) == [] and deeds(site) == []


def test_another_sum_than_the_given_one_is_refused_before_anything_is_unpacked(
    site: ModelSite, archive: Path
) -> None:
    assert run(site, "install", archive, "--sha256", "0" * 64).exit_code == 1
    assert left(site) == []


def test_the_same_name_is_not_taken_twice(site: ModelSite, archive: Path) -> None:
    run(site, "install", archive)
    result = run(site, "install", archive)
    assert result.exit_code == 1 and "already" in result.stderr


def test_what_a_killed_command_left_is_neither_listed_nor_kept(site: ModelSite, archive: Path) -> None:
    (site.settings.models_dir / ".new-1" / "unpacked").mkdir(parents=True)
    assert listed(site) == []
    run(site, "install", archive)
    assert left(site) == ["small"]


def test_two_commands_do_not_change_models_at_once(site: ModelSite, archive: Path) -> None:
    seen: list[Result] = []

    def meanwhile(folder: Path) -> None:
        if not seen:
            seen.append(run(site, "install", archive))

    site.refused.clear()
    models = ModelFolder(
        site.settings.models_dir, own=lambda path: path.mkdir(exist_ok=True), attempt=meanwhile
    )
    models.install(str(archive), sha256=None, now=site.clock.now(), progress=lambda done, total: None)
    assert seen[0].exit_code == 1 and "another command" in seen[0].stderr
    assert left(site) == ["small"]


def test_use_points_to_a_model_and_another_use_to_another(
    site: ModelSite, archive: Path, tmp_path: Path
) -> None:
    run(site, "install", archive)
    run(site, "install", zipped(tmp_path / "b.zip", {"big/am/final.mdl": b"more"}))
    for name in ("small", "big"):
        used = run(site, "use", name)
        assert used.exit_code == 0 and "next start of the line" in used.stdout
        assert site.speech_models().in_use() == site.settings.models_dir / name
        assert [model["name"] for model in listed(site) if model["in_use"]] == [name]
    assert deeds(site)[-2:] == [("speech.use", "small"), ("speech.use", "big")]


@pytest.mark.parametrize("name", ["nothing", "../small", ".lock", ""])
def test_a_model_that_is_not_there_is_exit_code_4(site: ModelSite, archive: Path, name: str) -> None:
    run(site, "install", archive)
    assert run(site, "use", name).exit_code == 4
    assert run(site, "remove", name).exit_code == 4
    assert left(site) == ["small"]


def test_the_model_in_use_is_removed_only_by_force_and_then_none_is_in_use(
    site: ModelSite, archive: Path
) -> None:
    run(site, "install", archive)
    run(site, "use", "small")
    refused = run(site, "remove", "small")
    assert refused.exit_code == 1 and "in use" in refused.stderr
    assert listed(site)[0]["in_use"] is True
    assert run(site, "remove", "small", "--force").exit_code == 0
    assert left(site) == [] and site.speech_models().in_use() is None


@pytest.mark.parametrize("said", ["gone\n", "../..\n", "", "\n", "small/am\n"])
def test_a_pointer_that_leads_nowhere_means_no_model(site: ModelSite, archive: Path, said: str) -> None:
    run(site, "install", archive)
    (site.settings.models_dir / "in-use").write_text(said)
    assert site.speech_models().in_use() is None
    assert listed(site)[0]["in_use"] is False


def test_a_recording_is_not_tried_without_a_model(site: ModelSite, tmp_path: Path) -> None:
    assert run(site, "test", tmp_path / "said.wav").exit_code == 4


# --- from the web ---


class Served(BaseHTTPRequestHandler):
    data = b""
    moved = ""
    length: int | None = None

    def do_GET(self) -> None:
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", self.moved)
        elif self.path.startswith("/small"):
            self.send_response(200)
            self.send_header("Content-Length", str(self.length or len(self.data)))
        else:
            self.send_response(404)
        self.end_headers()
        if self.path.startswith("/small"):
            self.wfile.write(self.data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def web(archive: Path) -> Iterator[Callable[..., str]]:
    class Handler(Served):
        data = archive.read_bytes()

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def address(path: str, **attributes: object) -> str:
            for name, value in attributes.items():
                setattr(Handler, name, value)
            return f"http://user:secret@127.0.0.1:{server.server_port}/{path}"

        yield address
        server.shutdown()
        thread.join()


def test_a_model_comes_from_an_address_whose_password_is_told_to_nobody(
    site: ModelSite, web: Callable[..., str]
) -> None:
    result = run(site, "install", web("moved", moved="/small.zip?token=secret"), "--json")
    assert result.exit_code == 0
    model = json.loads(result.stdout)
    assert model["name"] == "small"
    assert "secret" not in result.output + "".join(
        path.read_text("utf-8", "replace") for path in site.settings.models_dir.rglob("*.json")
    )


@pytest.mark.parametrize(
    ("path", "attributes", "sentence"),
    [
        ("nothing.zip", {}, "the server answers 404"),
        ("small.zip", {"length": 9_000_000_000}, "which no model has"),
        ("small.zip", {"length": 100_000}, "could not be fetched"),
        ("moved", {"moved": "/moved"}, "could not be fetched"),
        ("moved", {"moved": "ftp://127.0.0.1/a"}, "could not be fetched"),
    ],
)
def test_what_the_web_does_not_give_whole_is_refused_in_one_sentence_and_leaves_nothing(
    site: ModelSite, web: Callable[..., str], path: str, attributes: dict[str, object], sentence: str
) -> None:
    result = run(site, "install", web(path, **attributes))
    assert result.exit_code == 1
    assert sentence in result.stderr and "secret" not in result.stderr
    assert left(site) == []


def test_an_address_that_is_none_is_refused(site: ModelSite) -> None:
    assert "names no host" in run(site, "install", "https:///model.zip").stderr
    assert without_password("https://u:p@host/a.zip?token=t#f") == "https://host/a.zip"
