"""Bringing files in: good rows stay, bad ones are told, twice is as good as once, and no code is lost."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import ekc
from ivr.domain.codes import normalise
from ivr.domain.errors import StorageDown
from ivr.services import imports, records_in
from ivr.services.audit import By
from ivr.services.citizens_in import Citizens
from ivr.services.files_in import open_table
from ivr.services.imports import Counts, Kind
from ivr.services.rows import Refused
from tests.unit.memory import START, Site

Run = Callable[..., Result]
BY = By(actor="cli:test", at=START)
TODAY = START.date()
SNILS, OTHER, THIRD = "11223344595", "08765430200", "11111117864"
APPLICATIONS = ",".join(records_in.APPLICATIONS) + "\n"
CITIZENS = ",".join(records_in.CITIZENS) + "\n"
AGENCIES = ",".join(records_in.AGENCIES) + "\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def bring(site: Site, kind: Kind[Any], text: str, **more: Any) -> Counts:
    return imports.bring_in(site.store, BY, kind, open_table(io.BytesIO(text.encode()), kind.columns), **more)


def applications(site: Site, *rows: str, **more: Any) -> Counts:
    kind = imports.applications(site.store, today=TODAY)
    return bring(site, kind, APPLICATIONS + "".join(f"{row}\n" for row in rows), **more)


def citizens(site: Site, *rows: str, batch: int = 100, **more: Any) -> Counts:
    kind = Citizens(codes=site.codes, check_code=normalise, today=TODAY, batch=batch)
    return bring(site, kind, CITIZENS + "".join(f"{row}\n" for row in rows), **more)


def agencies(site: Site, *rows: str, **more: Any) -> Counts:
    return bring(site, imports.agencies(site.store), AGENCIES + "".join(f"{row}\n" for row in rows), **more)


def an_application(number: str = "56-1", *, status: str = "новое", snils: str = SNILS) -> str:
    return f"{snils},{number},2026-11-02,szn,пособие,{status},,,"


def a_citizen(snils: str = SNILS, *, code: str = "роза47", name: str = "Орлова") -> str:
    return f"{snils},{name},Анна,,,+79123456789,{code},паспорт,5304,123456"


def numbers(counts: Counts) -> tuple[int, int, int]:
    return counts.accepted, counts.changed, counts.rejected


# --- rows ------------------------------------------------------------------------------------------


def test_good_rows_stay_and_every_bad_one_is_told_with_its_line(site: Site) -> None:
    told: list[Refused] = []
    rows = (an_application("56-1"), "123,x", an_application("56-2", snils="1"), an_application("56-3"))
    assert numbers(applications(site, *rows, refuse=told.append)) == (2, 2, 2)
    assert [refused.number for refused in told] == [3, 4]
    assert [a.number for a in site.rows.applications.rows.values()] == ["56-1", "56-3"]


def test_twice_changes_nothing_and_a_new_status_changes_one(site: Site) -> None:
    rows = (an_application("56-1"), an_application("56-2"))
    assert numbers(applications(site, *rows)) == (2, 2, 0)
    assert numbers(applications(site, *rows)) == (2, 0, 0)
    assert numbers(applications(site, rows[0], an_application("56-2", status="завершено"))) == (2, 1, 0)


def test_a_row_that_stands_twice_is_taken_once_and_one_that_contradicts_is_refused(site: Site) -> None:
    """Else the last one would win today and the first one tomorrow: the same file would change something."""
    rows = (an_application("56-1"), an_application("56-1"), an_application("561", status="завершено"))
    for changed in (1, 0):
        counts = applications(site, *rows)
        assert numbers(counts) == (2, changed, 1)
        assert counts.first is not None
        assert (
            counts.first.reason == "the row is about the same as line 2, with other values; keep one of them"
        )


def test_rows_are_stored_in_batches_and_an_interruption_keeps_those_before_it(site: Site) -> None:
    kind = replace(imports.applications(site.store, today=TODAY), batch=2)
    text = APPLICATIONS + "".join(an_application(f"56-{n}") + "\n" for n in range(5))
    batches: list[int] = []
    site.store.failing_after = 2
    with pytest.raises(StorageDown):
        bring(site, kind, text, stored=lambda: batches.append(len(site.rows.applications.rows)))
    assert batches == [2, 4]
    site.store.down, site.store.failing_after = False, None
    assert numbers(bring(site, kind, text)) == (5, 1, 0)


def test_the_audit_knows_how_many_and_nobodys_name(site: Site) -> None:
    applications(site, an_application(), "x")
    [row] = site.rows.audit.list()
    assert (row.action, row.subject, row.result) == (
        "applications.import",
        "file",
        "accepted 1, changed 1, rejected 1",
    )


def test_an_import_that_was_broken_off_stands_in_the_audit_as_such(site: Site) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        applications(site, an_application(), stored=interrupt)
    [row] = site.rows.audit.list()
    assert row.result == "interrupted; accepted 1, changed 1, rejected 0"
    assert len(site.rows.applications.rows) == 1


def test_payments_and_notices_come_in_the_same_way(site: Site) -> None:
    payment = ",".join(records_in.PAYMENTS) + f"\n{SNILS},szn,пособие,1234.50,2026-12-05,planned\n"
    notice = ",".join(records_in.NOTICES) + f"\n{SNILS},szn,потеря работы,пособие,,\n"
    for changed in (1, 0):
        assert numbers(bring(site, imports.payments(site.store), payment)) == (1, changed, 0)
        assert numbers(bring(site, imports.notices(site.store), notice)) == (1, changed, 0)
    assert len(site.rows.payments.of(SNILS)) == len(site.rows.notices.of(SNILS)) == 1


# --- codes -----------------------------------------------------------------------------------------


def code_of(site: Site, snils: str = SNILS) -> str | None:
    known = site.rows.citizens.credentials(snils)
    return None if known is None or known.code is None else known.code.exact


def test_a_code_is_hashed_once_and_then_recognised_by_verifying(site: Site) -> None:
    assert numbers(citizens(site, a_citizen())) == (1, 1, 0)
    assert code_of(site) == "exact роза47"
    assert numbers(citizens(site, a_citizen(code="РОЗА47"))) == (1, 0, 0)
    assert (site.codes.hashed, site.codes.verified) == (["роза47"], ["роза47"])


def test_a_new_code_replaces_the_old_one_and_counts_as_one_change_whatever_else_changed(site: Site) -> None:
    citizens(site, a_citizen(), a_citizen(OTHER))
    assert numbers(citizens(site, a_citizen(code="4821", name="Петрова"), a_citizen(OTHER))) == (2, 1, 0)
    assert code_of(site) == "exact 4821"
    assert site.rows.citizens.get(SNILS).last_name == "Петрова"


def test_an_empty_code_leaves_the_code_as_it_is(site: Site) -> None:
    citizens(site, a_citizen())
    assert numbers(citizens(site, a_citizen(code=""))) == (1, 0, 0)
    assert code_of(site) == "exact роза47"


def test_a_citizen_without_a_code_has_none(site: Site) -> None:
    assert numbers(citizens(site, a_citizen(code=""))) == (1, 1, 0)
    assert code_of(site) is None
    assert site.codes.hashed == []


def test_an_interrupted_import_goes_on_without_hashing_what_is_in(site: Site) -> None:
    rows = [a_citizen(snils, code=f"код{n}") for n, snils in enumerate((SNILS, OTHER, THIRD))]
    site.store.failing_after = 2
    with pytest.raises(StorageDown):
        citizens(site, *rows, batch=1)
    assert site.codes.hashed == ["код0"]
    site.store.down, site.store.failing_after = False, None
    assert numbers(citizens(site, *rows, batch=1)) == (3, 2, 0)
    assert sorted(site.codes.hashed) == ["код0", "код1", "код2"]


# --- agencies --------------------------------------------------------------------------------------


def test_topics_that_make_no_menu_are_refused_one_by_one(site: Site) -> None:
    told: list[Refused] = []
    rows = [
        "soc,Соцзащита,31,Пособия,2",
        "soc,Соцзащита,3,Всё,1",
        "soc,Соцзащита,30,Ноль,1",
        "soc,Соцзащита,32,Субсидии,1",
        "soc,Соцзащита,33,Льготы,1",
        "soc,Соцзащита,34,Семьи,1",
        "soc,Соцзащита,35,Пятая,1",
        "soc,Другое имя,41,Льготы ветеранам,1",
    ]
    assert numbers(agencies(site, *rows, refuse=told.append)) == (4, 4, 4)
    assert [refused.number for refused in told] == [3, 4, 8, 9]
    assert "the shorter would hide the longer" in told[0].reason


def test_a_topic_may_move_to_another_key_and_takes_what_it_finds_there(site: Site) -> None:
    assert numbers(agencies(site, "szn,Центр занятости,2,Работа,1")) == (1, 1, 0)
    assert [(t.key, t.title) for t in site.rows.agencies.topics()] == [("2", "Работа")]
    assert numbers(agencies(site, "szn,Центр занятости,2,Обучение,1")) == (1, 1, 0)
    assert [(t.key, t.title) for t in site.rows.agencies.topics()] == [("2", "Обучение")]


def test_one_key_for_two_topics_is_a_contradiction(site: Site) -> None:
    assert numbers(agencies(site, "szn,Ц,2,Первая,1", "szn,Ц,2,Вторая,1", "szn,Ц,3,Первая,1")) == (1, 1, 2)


# --- the commands ----------------------------------------------------------------------------------


@pytest.fixture
def run(site: Site) -> Run:
    return lambda *args: CliRunner().invoke(ekc, [str(arg) for arg in args], obj=site)


def a_file(tmp_path: Path, *rows: str, head: str = APPLICATIONS) -> Path:
    path = tmp_path / "in.csv"
    path.write_text(head + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_all_rows_in_ends_with_0_and_some_rejected_with_1_and_the_first_reason(
    run: Run, tmp_path: Path
) -> None:
    done = run("applications", "import", a_file(tmp_path, an_application()), "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"accepted": 1, "changed": 1, "rejected": 0})
    bad = run(
        "applications", "import", a_file(tmp_path, an_application(), an_application(snils="9")), "--json"
    )
    assert (bad.exit_code, json.loads(bad.stdout)) == (1, {"accepted": 1, "changed": 0, "rejected": 1})
    assert "line 3: snils: a SNILS has 11 digits" in bad.stderr
    assert bad.stderr.count("\n") == 1


def test_rejects_are_private_and_can_be_mended_and_brought_in(run: Run, tmp_path: Path, site: Site) -> None:
    rejects = tmp_path / "rejects.csv"
    run("applications", "import", a_file(tmp_path, an_application(snils="9")), "--rejects", rejects)
    assert rejects.stat().st_mode & 0o777 == 0o600
    text = rejects.read_text(encoding="utf-8")
    assert text.startswith("line,reason,snils,")
    rejects.write_text(text.replace(",9,56-1", f",{SNILS},56-1"), encoding="utf-8")
    assert run("applications", "import", rejects, "--rejects", tmp_path / "more.csv").exit_code == 0
    assert (tmp_path / "more.csv").read_text(encoding="utf-8") == text.splitlines()[0] + "\n"
    assert len(site.rows.applications.rows) == 1


@pytest.mark.parametrize("kind", ["agencies", "applications", "citizens", "payments", "notices"])
def test_a_file_that_cannot_be_read_fails_in_one_sentence_and_stores_nothing(
    site: Site, run: Run, tmp_path: Path, kind: str
) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        done = run(kind, "import", path)
        assert done.exit_code == 1
        assert done.stderr.startswith(f"ekc: cannot read {path}: ")
    wrong = a_file(tmp_path, head="one,two\n")
    assert "the file has no header" in run(kind, "import", wrong).stderr
    assert site.rows.audit.list() == []


def test_rejects_never_overwrite_the_file_that_is_imported_or_a_folder(run: Run, tmp_path: Path) -> None:
    path = a_file(tmp_path, an_application())
    for rejects in (path, tmp_path, tmp_path / "no" / "such.csv"):
        done = run("applications", "import", path, "--rejects", rejects)
        assert done.exit_code == 1
        assert done.stderr.startswith("ekc: ")
    assert path.read_text(encoding="utf-8").startswith(APPLICATIONS)
    assert [found.name for found in tmp_path.iterdir()] == ["in.csv"]


def test_new_agencies_get_their_queues_at_once_and_known_ones_disturb_nothing(
    site: Site, run: Run, tmp_path: Path
) -> None:
    path = a_file(tmp_path, "soc,Соцзащита,31,Пособия,2", head=AGENCIES)
    run("agencies", "import", path)
    run("agencies", "import", path)
    assert site.applied == 1


def test_citizens_come_in_with_the_code_book_of_the_site(site: Site, run: Run, tmp_path: Path) -> None:
    path = a_file(tmp_path, a_citizen(), head=CITIZENS)
    assert run("citizens", "import", path).exit_code == 0
    assert code_of(site) == "exact роза47"
