"""`ekc serve` as systemd would run it: an engine of its own process, without an Asterisk."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from ivr.engine import NICENESS
from tests.acceptance.conftest import PROGRAM, SECONDS, Ekc


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def engine(ekc: Ekc) -> Ekc:
    """The same state, with free ports and no speech synthesis."""
    ports = {f"EKC_{name}_PORT": str(free_port()) for name in ("SIP", "OPERATORS", "WEB", "AMI", "AGI")}
    return replace(ekc, environment={**ports, "EKC_SYNTHESIS_COMMAND": "false {input} {output}"})


@contextmanager
def serving(engine: Ekc) -> Iterator[subprocess.Popen[str]]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("EKC_")}
    process = subprocess.Popen(
        [*PROGRAM, "serve"],
        env={**inherited, "EKC_STATE": str(engine.state), **engine.environment},
        cwd=engine.state.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def health(engine: Ekc, process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    """Status code and document, once there is one."""
    url = f"http://127.0.0.1:{engine.environment['EKC_WEB_PORT']}/health"
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=15) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no answer; the engine's exit code is {process.poll()}")


def test_without_speech_and_asterisk_the_engine_takes_calls_and_says_what_is_missing(engine: Ekc) -> None:
    with serving(engine) as process:
        code, document = health(engine, process)
        assert code == 503 and document["ready"] is False
        assert document["engine"]["pid"] == process.pid
        whats = " | ".join(alarm["what"] for alarm in document["alarms"])
        assert "speech synthesis" in whats and "Asterisk does not answer" in whats
        assert "the engine takes no calls" not in whats
        agi = int(engine.environment["EKC_AGI_PORT"])
        with socket.create_connection(("127.0.0.1", agi), timeout=5) as call:
            call.sendall(b"agi_network_script: line\nagi_uniqueid: 1764000000.1\n\n")
            assert call.recv(100).startswith(b"GET FULL VARIABLE")
        assert engine.run("status", code=3).stderr.startswith("ekc: the line cannot take a call")


def test_the_engine_goes_before_the_threads_of_calls(engine: Ekc) -> None:
    with serving(engine) as process:
        health(engine, process)
        allowed = 20 - resource.getrlimit(resource.RLIMIT_NICE)[0]
        preferred = os.geteuid() == 0 or allowed <= NICENESS
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == (NICENESS if preferred else 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_exits_0_and_leaves_neither_pid_nor_alarm(
    engine: Ekc, number: signal.Signals
) -> None:
    with serving(engine) as process:
        health(engine, process)
        process.send_signal(number)
        assert process.wait(SECONDS) == 0
        assert [path.name for path in (engine.state / "run").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("port", ["EKC_AGI_PORT", "EKC_WEB_PORT"])
def test_a_port_that_is_taken_is_one_sentence_with_the_remedy(engine: Ekc, port: str) -> None:
    with closing(socket.create_server(("127.0.0.1", int(engine.environment[port])))):
        done = engine.run("serve", code=1)
    assert done.stderr.splitlines()[-1].startswith("ekc: port ") and port in done.stderr
    assert "Traceback" not in done.stderr
