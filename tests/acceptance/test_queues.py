"""`ekc queues` through the command line: what one process has set the next one shows."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Ekc

pytestmark = pytest.mark.usefixtures("agencies")
TOPIC = "Поиск работы"


def test_rules_outlast_the_command_and_only_their_queue_has_them(ekc: Ekc) -> None:
    """The keys of the outer interface; every queue there is."""
    ekc.run("queues", "set", "szn-1", "--longest-wait", "300", "--too-long", "general", "--widen", "30")
    ekc.run("queues", "set", "szn-1", "--topic", TOPIC, "--penalty", "1")
    rows = {row["queue"]: row for row in ekc.json("queues", "list")}
    assert list(rows) == ["general", "soc-1", "soc-2", "szn-1", "szn-2"]
    assert rows["szn-1"] == ekc.json("queues", "show", "szn-1")
    found = {key: rows["szn-1"][key] for key in ("longest_wait_s", "too_long", "widen_s", "topics")}
    assert found == {"longest_wait_s": 300, "too_long": "general", "widen_s": 30, "topics": {TOPIC: 1}}
    assert (rows["szn-2"]["topics"], rows["szn-2"]["no_operator"]) == ({}, "szn-1")
    actions = [(row["action"], row["subject"]) for row in ekc.json("audit", "list")]
    assert actions.count(("queues.set", "szn-1")) == 2


def test_mistakes_have_their_exit_codes_and_one_sentence(ekc: Ekc) -> None:
    """1 for what cannot be meant, 4 for what there is not; nothing on stdout."""
    for args, code in ((("set", "szn-1", "--paused", "0"), 1), (("show", "szn-9"), 4)):
        done = ekc.run("queues", *args, "--json", code=code)
        assert (done.stdout, len(done.stderr.strip().splitlines())) == ("", 1), args
