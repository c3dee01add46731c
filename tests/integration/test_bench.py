"""The measurements run, on a real store, and print what they promise."""

from __future__ import annotations

import json

import pytest

from bench.__main__ import BENCHES, main
from bench.identification import CASES


@pytest.mark.parametrize("name", sorted(BENCHES))
def test_a_measurement_prints_one_json_document(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The table goes to stderr; every row has the same columns."""
    assert main([name, "--rounds", "1"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["bench"], document["rounds"]) == (name, 1)
    columns = {tuple(row) for row in document["rows"]}
    assert len(columns) == 1


def test_every_path_of_identification_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """Each came out as it should, or the measurement would have failed."""
    main(["identification", "--rounds", "1"])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["what"] for row in rows} == set(CASES)
    assert all(row["median_ms"] > 0 for row in rows)
