"""The measurements run, on a real store, and print what they promise."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bench import wire
from bench.__main__ import main
from bench.identification import CASES
from bench.options import Options
from bench.wire_load import AGI, COMMAND, Outcome, measure
from bench.wire_servers import SERVERS


@pytest.mark.parametrize("name", ["identification", "wire"])
def test_a_measurement_prints_one_json_document(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The table goes to stderr; every row has the same columns."""
    assert main([name, "--rounds", "1", "--seconds", "0.1"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["bench"], document["rounds"]) == (name, 1)
    for table in document["tables"]:
        assert len({tuple(row) for row in table["rows"]}) == 1


def test_every_path_of_identification_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """Each came out as it should, or the measurement would have failed."""
    main(["identification", "--rounds", "1"])
    rows = json.loads(capsys.readouterr().out)["tables"][0]["rows"]
    assert {row["what"] for row in rows} == set(CASES)
    assert all(row["median_ms"] > 0 for row in rows)


def test_every_contestant_on_the_wire_says_commands() -> None:
    rows = wire.measure(Options(rounds=1, seconds=0.2), connections=(1, 5))
    cells = [(row["what"], row["connections"]) for row in rows]
    assert cells == [(name, many) for many in (1, 5) for name in SERVERS]
    assert [row["note"] for row in rows if row["failed"]] == []
    assert all(isinstance(row["per_second"], int) and row["per_second"] > 0 for row in rows)


def test_the_document_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "bench.json"
    assert main(["identification", "--rounds", "1", "--json", str(file)]) == 0
    assert json.loads(file.read_text("utf-8"))["bench"] == "identification"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("words", [["--rounds", "0"], ["--seconds", "0"], ["--seconds", "nan"]])
def test_what_cannot_be_measured_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(["wire", *words])


@contextmanager
def server(says: bytes) -> Iterator[int]:
    """The port of a server that says this to its first caller and closes."""

    def serve() -> None:
        with suppress(OSError), listener.accept()[0] as line:
            line.recv(4096)
            line.sendall(says)
            line.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def measured(port: int) -> Outcome:
    return measure(AGI, port=port, connections=1, seconds=0.1)


def test_a_contestant_that_closes_in_the_middle_has_failed() -> None:
    with server(COMMAND) as port:
        assert list(measured(port).failures.values()) == [1]


def test_a_contestant_that_says_something_else_has_failed() -> None:
    with server(b"VERBOSE hello\n") as port:
        assert measured(port).failures == {"another command than expected": 1}


def test_a_contestant_that_is_not_there_has_failed() -> None:
    with server(b"") as port:
        socket.create_connection(("127.0.0.1", port)).close()
    assert measured(port).failures == {"not connected: ConnectionRefusedError": 1}
