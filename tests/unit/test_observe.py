"""Logs survive carelessness with personal data; metrics live on a registry of their own."""

from __future__ import annotations

import io
import json
import logging
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ivr.metrics import Metrics
from ivr.observe import MASK, configure_logs, get_logger, mask_personal, masked


@pytest.mark.parametrize(
    "secret",
    [
        "+79123456789",
        "89123456789",
        "9123456789",
        "8 (912) 345-67-89",
        "8(3532)77-12-34",
        "+7 912 345 67 89",
        "8.912.345.67.89",
        "912–345–67–89",
        "123-45-67",
        "1234567",
        "112-233-445 95",
        "11223344595",
        "112 233 445 95",
        "ivanova@example.org",
        "iva.nova+x@mail.example.ru",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "caller {} came", "<{}>", "tel:{},", "x='{}'", "номер:{}!"])
def test_a_number_or_address_is_masked_wherever_it_stands(secret: str, frame: str) -> None:
    assert masked(frame.format(secret)) == frame.format(MASK)


@pytest.mark.parametrize(
    "harmless",
    [
        "node1-1732459612.12",
        "node-1-1732459612.12",
        "1732459612.12",
        "1795533600.1234567",
        "ekc-cb-42-1",
        "1732459612",
        "2026-11-24T15:19:18.123456Z",
        "2026-11-24T15:19:18+05:00",
        "2026-11-24 15:19",
        "127.0.0.1:5060",
        "20000-21000",
        "PJSIP/201-00000012",
        "Local/42@callback-queue-0000001a;2",
        "22.10.1",
        "5e884898da28047151d0e56f8dc62927",
        "12345678-1234-1234-1234-123456789012",
        "0x7f1234567890",
        "pid 123456",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "call {} ended", "({})", "id={},"])
def test_ids_times_ports_and_addresses_survive(harmless: str, frame: str) -> None:
    assert masked(frame.format(harmless)) == frame.format(harmless)


@pytest.mark.parametrize(
    "text", ["79123456789-1732459612.12", "PJSIP/79123456789-00000012", "79123456789@example.org"]
)
def test_a_number_hidden_in_an_id_is_masked(text: str) -> None:
    assert "9123456789" not in masked(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (79123456789, MASK),
        (11223344595, MASK),
        (1732459612, 1732459612),
        (1732459612.12, 1732459612.12),
        (4194303, 4194303),
        (True, True),
        (None, None),
        (["+79123456789", 5], [MASK, 5]),
        ({"number": "+79123456789"}, {"number": MASK}),
        ({"+79123456789": 1}, {MASK: 1}),
        (b"+79123456789", MASK),
        (ValueError("bad +79123456789"), f"bad {MASK}"),
        (Path("/x/+79123456789.wav"), f"/x/{MASK}.wav"),
        (datetime(2026, 11, 24, 15, tzinfo=UTC), "2026-11-24T15:00:00+00:00"),
    ],
)
def test_every_kind_of_value_is_looked_into(value: Any, expected: Any) -> None:
    assert mask_personal(None, "info", {"field": value}) == {"field": expected}


def test_fields_of_ids_keep_long_digits_but_no_telephone_number() -> None:
    event = {"card": "2026000123", "call": "node1-1732459612.12", "callback": "+79123456789"}
    assert mask_personal(None, "info", event) == event | {"callback": MASK}


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs = configure_logs("info", directory=tmp_path / "log", stream=stream)
    yield stream
    logs.close()


def test_a_line_is_json_with_its_event_level_time_and_context(lines: io.StringIO) -> None:
    get_logger("ivr.test").info("call_ended", call="node1-1732459612.12", outcome="served")
    line = json.loads(lines.getvalue())
    assert line["event"] == "call_ended"
    assert (line["level"], line["logger"], line["outcome"]) == ("info", "ivr.test", "served")
    assert line["call"] == "node1-1732459612.12"
    assert datetime.fromisoformat(line["at"]).tzinfo is not None


def test_libraries_logs_and_tracebacks_are_masked_json_as_well(lines: io.StringIO) -> None:
    try:
        raise ValueError("no such number +79123456789")
    except ValueError:
        logging.getLogger("some.library").exception("failed for %s", "+79123456789")
    line = json.loads(lines.getvalue())
    assert line["event"] == f"failed for {MASK}"
    assert "ValueError" in line["exception"]
    assert "9123456789" not in lines.getvalue()


def test_lines_below_the_level_are_not_written(lines: io.StringIO) -> None:
    get_logger("ivr.test").debug("noise")
    assert lines.getvalue() == ""


def test_an_unconfigured_logger_keeps_stdout_clean_and_masks(capsys: pytest.CaptureFixture[str]) -> None:
    get_logger("ivr.test").error("bad", number="+79123456789")
    out, err = capsys.readouterr()
    assert out == ""
    assert "9123456789" not in err


def test_the_log_file_and_its_older_generations_are_private(tmp_path: Path, lines: io.StringIO) -> None:
    path = tmp_path / "log" / "engine.log"
    get_logger("ivr.test").info("first")
    handler = next(h for h in logging.getLogger().handlers if hasattr(h, "doRollover"))
    handler.doRollover()
    get_logger("ivr.test").info("second")
    assert json.loads(path.read_text())["event"] == "second"
    assert json.loads(path.with_name("engine.log.1").read_text())["event"] == "first"
    assert {stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_metrics_of_two_engines_do_not_meet() -> None:
    one, other = Metrics.create(), Metrics.create()
    one.calls.labels(outcome="served").inc()
    assert b'ekc_calls_total{outcome="served"} 1.0' in one.render()
    assert b'outcome="served"' not in other.render()
    assert b"ekc_heartbeat_timestamp_seconds" in other.render()
