"""`ekc reconcile` and `ekc journal` as strangers' scripts run them; neither engine nor Asterisk runs."""

from __future__ import annotations

import json

from ivr.services.journal_lines import ARRIVALS, CEL, QUEUE_LOG
from tests.acceptance.conftest import Ekc
from tests.journals import captured

KEYS = ["arrivals", "closed", "in_progress", "lost", "doubled", "unreachable"]
PLACES = {ARRIVALS: "spool/arrivals.log", QUEUE_LOG: "log/queue_log", CEL: "log/cel.csv"}


def came(ekc: Ekc, name: str, *, number: str = "79123456789") -> str:
    """The journals that Asterisk leaves behind; the call."""
    for journal, text in captured(name).items():
        path = ekc.state / "asterisk" / PLACES[journal]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(text.replace("79123456789", number))
    return captured(name)[ARRIVALS].split("\t")[2]


def test_where_nobody_came_all_agree(ekc: Ekc) -> None:
    found = ekc.json("reconcile")
    assert list(found) == KEYS
    assert found == {**dict.fromkeys(KEYS[:3], 0), **{key: [] for key in KEYS[3:]}}
    assert "Nobody is lost" in ekc.run("reconcile").stdout


def test_who_came_and_is_not_known_is_lost_until_the_journals_are_replayed(ekc: Ekc) -> None:
    call = came(ekc, "abandoned")
    done = ekc.run("reconcile", "--json", code=1)
    found = json.loads(done.stdout)
    assert (found["arrivals"], found["closed"]) == (1, 0)
    [lost] = found["lost"]
    assert (lost["call"], lost["why"], lost["number"]) == (call, "no_card", "+7912***6789")
    assert "`ekc journal replay`" in done.stderr
    assert ekc.json("reconcile", "--reveal", code=1)["lost"][0]["number"] == "+79123456789"
    replayed = ekc.json("journal", "replay")
    assert (replayed["files"], replayed["settled"]) == (3, True)
    assert ekc.json("reconcile")["closed"] == 1
    [callback] = ekc.json("callbacks", "list")
    assert (callback["source"], callback["state"]) == ("abandoned", "requested")
    assert ekc.json("cards", "list")[0]["outcome"] == "callback"


def test_replaying_again_doubles_nothing(ekc: Ekc) -> None:
    came(ekc, "killed_in_talk")
    for _ in range(2):
        ekc.run("journal", "replay")
    assert len(ekc.json("callbacks", "list")) == 1
    assert len(ekc.json("cards", "list")) == 3
    assert ekc.json("reconcile")["doubled"] == []


def test_who_cannot_be_dialled_is_listed_and_all_agree(ekc: Ekc) -> None:
    call = came(ekc, "abandoned", number="")
    ekc.run("journal", "replay")
    [row] = ekc.json("reconcile")["unreachable"]
    assert (row["call"], row["number"], row["why"]) == (call, None, "no_number")


def test_the_status_of_the_journals_tells_what_is_unread_and_replay_is_audited(ekc: Ekc) -> None:
    came(ekc, "answered")
    rows = ekc.json("journal", "status")
    assert [row["journal"] for row in rows] == [ARRIVALS, QUEUE_LOG, CEL]
    assert all(row["behind"] > 0 for row in rows)
    ekc.run("journal", "replay")
    assert [row["behind"] for row in ekc.json("journal", "status")] == [0, 0, 0]
    assert "journal.replay" in [row["action"] for row in ekc.json("audit", "list")]
