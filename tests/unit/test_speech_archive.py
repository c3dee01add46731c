"""Models' archives come from anywhere: what leads out, grows, links or is damaged is refused."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from ivr.domain.errors import BadInput
from ivr.speech import model_archive
from ivr.speech.model_archive import digest, unpack

FILES = {"model/am/final.mdl": b"weights", "model/conf/model.conf": b"--beam=13\n" * 50}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def tar_of(path: Path, info: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as archive:
        archive.addfile(info)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "make",
    [
        zipped,
        tarred,
        lambda path, files: tarred(path, files, "w"),
        lambda path, files: tarred(path, files, "w:xz"),
        lambda path, files: tarred(path, files, "w:bz2"),
    ],
    ids=["zip", "gz", "tar", "xz", "bz2"],
)
def test_the_files_of_every_kind_of_archive_are_unpacked_for_their_owner_only(
    tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    archive = make(tmp_path / "archive", FILES)
    assert unpack(archive, tmp_path / "out") == sum(map(len, FILES.values()))
    assert contents(tmp_path / "out") == FILES
    assert stat.S_IMODE((tmp_path / "out/model/am/final.mdl").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name", ["../out", "model/../../out", "/etc/out", "a\\..\\out", "c:out", "a\nb", "n" * 300]
)
@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_written_there(
    tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path], name: str
) -> None:
    archive = make(tmp_path / "archive", {name: b"x"})
    (tmp_path / "in").mkdir()
    with pytest.raises(BadInput, match="leads elsewhere"):
        unpack(archive, tmp_path / "in" / "new")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["archive", "in", "new"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_or_device_in_a_tar_is_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("model/link")
    info.type, info.linkname = kind, "/etc/passwd"
    with pytest.raises(BadInput, match="no plain file"):
        unpack(tar_of(tmp_path / "archive", info), tmp_path / "out")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("model/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(BadInput, match="no plain file"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_link_or_pipe_in_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "link").symlink_to("/etc")
    with pytest.raises(BadInput, match="no plain file"):
        unpack(tmp_path / "model", tmp_path / "out")
    (tmp_path / "model" / "link").unlink()
    os.mkfifo(tmp_path / "model" / "pipe")
    with pytest.raises(BadInput, match="no plain file"):
        digest(tmp_path / "model")


@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
def test_what_grows_a_hundredfold_is_refused_before_it_is_written(
    tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    bomb = make(tmp_path / "bomb", {"model/am/final.mdl": bytes(30_000_000)})
    with pytest.raises(BadInput, match="MB unpacked, which no model of its size has"):
        unpack(bomb, tmp_path / "out")
    assert contents(tmp_path / "out") == {}


def test_a_tar_header_that_asks_for_a_gigabyte_is_no_archive(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    (tmp_path / "archive").write_bytes(info.tobuf() + bytes(4096))
    with pytest.raises(BadInput, match="no whole zip or tar archive"):
        unpack(tmp_path / "archive", tmp_path / "out")


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"model/final.mdl": b"x" * 5000})
    data = archive.read_bytes()
    archive.write_bytes(data.replace((5000).to_bytes(4, "little"), (40).to_bytes(4, "little")))
    with pytest.raises(BadInput, match="fetch it anew"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
def test_an_archive_that_was_cut_is_refused(
    tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    archive = make(tmp_path / "archive", {"model/final.mdl": os.urandom(20_000)})
    archive.write_bytes(archive.read_bytes()[:9_000])
    with pytest.raises(BadInput, match="no whole zip or tar archive"):
        unpack(archive, tmp_path / "out")


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>not found</html>")
    with pytest.raises(BadInput, match=r"page\.html is no whole zip or tar archive"):
        unpack(tmp_path / "page.html", tmp_path / "out")


def test_more_files_than_any_model_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_archive, "MOST_FILES", 3)
    archive = tarred(tmp_path / "archive", {f"model/{n}": b"x" for n in range(4)})
    with pytest.raises(BadInput, match="more than 3 files"):
        unpack(archive, tmp_path / "out")


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "archive", "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("model/final.mdl"))
    with pytest.raises(BadInput, match="twice"):
        unpack(tmp_path / "archive", tmp_path / "out")


def test_what_the_disk_has_no_room_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_archive, "SPARE", 1 << 60)
    with pytest.raises(BadInput, match="make room"):
        unpack(zipped(tmp_path / "a.zip", FILES), tmp_path / "out")


def test_what_is_not_there_and_what_is_no_file_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no"):
        digest(tmp_path / "nothing")
    with pytest.raises(BadInput, match="neither a file nor a folder"):
        digest(Path("/dev/null"))


def test_the_sum_of_an_archive_is_that_of_its_bytes(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", FILES)
    assert digest(archive) == sha256(archive.read_bytes()).hexdigest()


def test_the_sum_of_a_folder_is_what_the_documented_command_prints(tmp_path: Path) -> None:
    unpack(zipped(tmp_path / "a.zip", FILES), tmp_path / "out")
    command = "find -type f -printf '%P\\n' | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"
    page = (Path(__file__).parents[2] / "docs/speech.md").read_text("utf-8")
    assert command in page
    said = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path / "out", check=True, capture_output=True, text=True
    ).stdout
    assert said.split()[0] == digest(tmp_path / "out")
