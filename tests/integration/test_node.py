"""A real Asterisk with our configuration, and no engine but what a test plays."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from ivr.asterisk.node import Node
from ivr.domain.errors import BadInput, NotRunning
from ivr.settings import Settings
from tests.integration.nodes import account, running
from tests.integration.sip_client import Phone, status

pytestmark = pytest.mark.line

LINE = "88006000000"
DIGITS = "4815162342"
"""A secret a caller presses; it must be nowhere."""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder, queues = tmp_path_factory.mktemp("node"), ["social-1", "social-2"]
    ports = (28000, 28400)
    with running(folder, rtp_ports=ports, accounts=("201", "202"), queues=queues, queue_seconds=1) as node:
        yield node
    assert node.pid() is None
    with pytest.raises(NotRunning):
        node.console("core show uptime")


@pytest.fixture
def line(node: Node) -> Iterator[Phone]:
    with Phone(node.settings.sip_port) as phone:
        yield phone


@pytest.fixture
def operator(node: Node) -> Iterator[Phone]:
    """Operator 201, registered and a member of `general`."""
    with Phone(node.settings.operators_port) as phone:
        assert status(phone.register("201", "pw201")) == 200
        node.console("queue add member PJSIP/201 to general")
        node.console("queue pause member PJSIP/201")
        until(lambda: "Not in use" in node.console("queue show general"))
        yield phone
        node.console("queue remove member PJSIP/201 from general")


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


def arrivals(node: Node) -> list[list[str]]:
    return [line.split("\t") for line in node.layout.arrivals.read_text("ascii").splitlines()]


def queue_log(node: Node, call: str) -> list[str]:
    """The events of a call."""
    lines = [line.split("|") for line in node.layout.queue_log.read_text().splitlines()]
    return [fields[4] for fields in lines if fields[1] == call]


class Engine:
    """Plays the engine: answers each AGI request with the same commands, then closes."""

    def __init__(self, node: Node, commands: Sequence[str]) -> None:
        self._commands = commands
        self._listener = socket.create_server(("127.0.0.1", node.settings.agi_port))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.requests: list[dict[str, str]] = []
        self.answers: list[str] = []
        self._thread.start()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rw") as stream:
                pairs = (line.rstrip("\n").partition(": ") for line in iter(stream.readline, "\n"))
                self.requests.append({key: value for key, _, value in pairs})
                for command in self._commands:
                    stream.write(command + "\n")
                    stream.flush()
                    self.answers.append(stream.readline().rstrip("\n"))


def test_it_starts_without_a_word_of_complaint(node: Node) -> None:
    """Every module is there and every file is read: the log has nothing but Asterisk's own name."""
    lines = (node.layout.log / "messages.log").read_text().splitlines()
    started = [line for line in lines if "WARNING" in line or "ERROR" in line]
    assert [line for line in started if "res_agi.c" not in line] == []


@pytest.mark.parametrize("number", ["88006000001", "112", "201", "*11", "s", "89001234567"])
def test_a_number_that_is_not_the_line_is_404(node: Node, line: Phone, number: str) -> None:
    """From the trunk nothing else can be reached, and no arrival is written."""
    before = len(arrivals(node))
    assert status(line.invite(number)) == 404
    assert len(arrivals(node)) == before


@pytest.mark.parametrize("number", ["88006000000", "78006000000", "+78006000000"])
def test_without_an_engine_the_caller_waits_in_the_general_queue(
    node: Node, line: Phone, operator: Phone, number: str
) -> None:
    """FastAGI refused: the line answers, says its sentence and puts the caller in the queue."""
    assert status(line.invite(number, call=f"refused-{number}@test")) == 200
    at, of, call, sip_call, caller = arrivals(node)[-1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", at)
    assert (of, sip_call, caller) == ("node1", f"refused-{number}@test", "79123456789")
    until(lambda: "ENTERQUEUE" in queue_log(node, call))
    line.wait_request("BYE")
    assert queue_log(node, call)[-1] == "EXITWITHTIMEOUT"


def test_with_nobody_logged_in_the_call_ends_with_a_sentence(node: Node, line: Phone) -> None:
    """No engine and no operator: no endless music."""
    assert status(line.invite(LINE)) == 200
    line.wait_request("BYE")
    assert queue_log(node, arrivals(node)[-1][2]) == ["NOTJOINED"]


def test_a_caller_whose_from_is_an_operators_extension_is_a_caller(node: Node, line: Phone) -> None:
    """No 401, and the arrival says 201."""
    response = line.invite(LINE, from_="<sip:201@127.0.0.1>")
    assert status(response) == 200
    assert arrivals(node)[-1][4] == "201"


@pytest.mark.parametrize(
    ("headers", "sender", "number"),
    [
        (["P-Asserted-Identity: <sip:+79990001122@p>"], "<sip:79123456789@t>", "+79990001122"),
        (["P-Asserted-Identity: <tel:+79990001122>"], "<sip:anonymous@anonymous.invalid>", "+79990001122"),
        (["P-Asserted-Identity: <sip:+79990001122@p>", "Privacy: id"], "<sip:79123456789@t>", ""),
        (["Privacy: user;id"], "<sip:79123456789@t>", ""),
        (["Privacy: none"], "<sip:79123456789@t>", "79123456789"),
        (["Remote-Party-ID: <sip:+79990003344@p>"], '"Иван <П)" <sip:79123456789@t>', "79123456789"),
        ([], '"Anonymous" <sip:anonymous@anonymous.invalid>', ""),
        ([], "<sip:anonymous.invalid>", ""),
    ],
)
def test_the_number_is_the_trusted_one(
    node: Node, line: Phone, headers: list[str], sender: str, number: str
) -> None:
    """P-Asserted-Identity, else From; nothing when withheld; never Remote-Party-ID, which nobody named."""
    assert status(line.invite(LINE, *headers, from_=sender)) == 200
    assert arrivals(node)[-1][4] == number


@pytest.mark.parametrize(
    ("call", "sender", "written", "number"),
    [
        ("x)(:1:2\"'$[1+1]${EXTEN};,`|\\@h", "<sip:7@t>", "x)(:1:2\"'$[1+1]${EXTEN};,`|\\@h", "7"),
        ("a\tb\x01c\x7fd\x80@h", "<sip:7@t>", "abcd@h", "7"),
        ("z" * 300, "<sip:7@t>", "z" * 128, "7"),
        ("n1@h", '"a)b:3" <sip:7912%0a%09%22%7cx$%7bEXTEN%7d)%3a1@t>', "n1@h", ""),
        ("n2@h", "<sip:7%0a1795%7cx%7cgeneral%7cNONE%7cABANDON@t>", "n2@h", ""),
    ],
)
def test_what_comes_from_the_wire_forges_nothing(
    node: Node, line: Phone, call: str, sender: str, written: str, number: str
) -> None:
    """Brackets, quotes, tabs and line ends in Call-ID and From: one arrival of five printable fields."""
    before = len(arrivals(node))
    assert status(line.invite(LINE, call=call, from_=sender)) == 200
    until(lambda: len(arrivals(node)) > before)
    assert len(arrivals(node)) == before + 1
    assert arrivals(node)[-1][3:] == [written, number]
    assert "ABANDON|" not in node.layout.queue_log.read_text()


@pytest.mark.parametrize(("flow", "ends"), [("end", True), ("", False), ("nonsense", False)])
def test_a_sentinel_tells_a_finished_flow_from_a_broken_one(
    node: Node, line: Phone, operator: Phone, flow: str, ends: bool
) -> None:
    """`end` hangs up; a flow that broke off, whatever AGISTATUS says, goes the emergency way."""
    with Engine(node, ["ANSWER", f'SET VARIABLE EKC_FLOW "{flow}"']) as engine:
        assert status(line.invite(LINE)) == 200
        line.wait_request("BYE")
        assert engine.requests[0]["agi_network_script"] == "line"
    entered = "ENTERQUEUE" in queue_log(node, arrivals(node)[-1][2])
    assert entered is not ends


def test_the_engine_is_told_who_calls(node: Node, line: Phone) -> None:
    """Number, whether it is known, and when the call arrived; no name."""
    asked = ["GET VARIABLE EKC_NUMBER", "GET VARIABLE EKC_ARRIVED", "SET VARIABLE EKC_FLOW end"]
    with Engine(node, asked) as engine:
        line.invite(LINE, from_='"Иванов" <sip:79123456789@t>')
        until(lambda: len(engine.answers) == 3)
        assert engine.requests[0]["agi_callerid"] == "79123456789"
        assert "Иванов" not in str(engine.requests)
        assert engine.answers[0] == "200 result=1 (known)"
        assert re.fullmatch(r"200 result=1 \(\d{10}\)", engine.answers[1])


def test_a_flow_hands_over_to_a_queue_and_is_asked_again(node: Node, line: Phone) -> None:
    """After an empty queue the engine is asked on the route `after-queue`, after three rounds in all."""
    to_queue = [
        "ANSWER",
        "SET VARIABLE EKC_QUEUE social-1",
        "GET VARIABLE QUEUESTATUS",
        "SET VARIABLE EKC_FLOW queue",
    ]
    with Engine(node, to_queue) as engine:
        assert status(line.invite(LINE)) == 200
        line.wait_request("BYE")
        routes = [request["agi_network_script"] for request in engine.requests]
        assert routes == ["line", "after-queue", "after-queue", "after-queue"]
        assert engine.answers[6] == "200 result=1 (JOINEMPTY)"


def test_a_phone_needs_its_password(node: Node) -> None:
    """Without or with a wrong one: 401, also for an extension that does not exist."""
    with Phone(node.settings.operators_port) as phone:
        assert status(phone.invite("*11", from_="<sip:201@x>")) == 401
        assert status(phone.register("201", "wrong")) == 401
        assert status(phone.register("999", "wrong")) == 401
        assert status(phone.register("202", "pw202")) == 200


def test_transfer_by_refer_is_refused(node: Node, line: Phone, operator: Phone) -> None:
    """A caller cannot send a call anywhere: REFER meets silence, and the caller stays in the queue."""
    response = line.invite(LINE, call="refer@test", tag="r")
    line.patience = 1.0
    with pytest.raises(AssertionError, match="no answer to 2 REFER"):
        line.within(response, "REFER", "refer@test", "Refer-To: <sip:89001234567@x>", cseq="2", tag="r")
    until(lambda: "ENTERQUEUE" in queue_log(node, arrivals(node)[-1][2]))
    assert node.channels() <= 1
    assert "0 modules loaded" in node.console("module show like res_pjsip_refer")


def test_digits_and_names_leave_no_trace(node: Node, line: Phone, operator: Phone) -> None:
    """Digits by SIP INFO while waiting, a name in From: nowhere in the state directory."""
    response = line.invite(LINE, call="digits@test", tag="d", from_='"Marker Person" <sip:79120000001@t>')
    assert status(response) == 200
    info = "Content-Type: application/dtmf-relay"
    for number, digit in enumerate(DIGITS, start=2):
        body = f"Signal={digit}\r\nDuration=100\r\n"
        answer = line.within(response, "INFO", "digits@test", info, body=body, cseq=str(number), tag="d")
        assert status(answer) == 200
    line.wait_request("BYE")
    files = [path for path in node.settings.state.rglob("*") if path.is_file() and not path.is_symlink()]
    texts = {path: path.read_bytes() for path in files}
    assert [path for path, text in texts.items() if b"Marker Person" in text] == []
    assert [path for path, text in texts.items() if DIGITS.encode() in text] == []
    assert any(b"79120000001" in text for text in texts.values()), "the search must be able to find something"
    log = (node.layout.log / "messages.log").read_text()
    assert "DTMF" not in log
    assert "79120000001" not in log


def test_digits_by_info_reach_the_engine(node: Node, line: Phone) -> None:
    """SIP INFO is understood though the call offers no RFC 4733."""
    with Engine(node, ["ANSWER", "WAIT FOR DIGIT 5000", "SET VARIABLE EKC_FLOW end"]) as engine:
        response = line.invite(LINE, call="info@test", tag="i")
        info = "Content-Type: application/dtmf-relay"
        line.within(
            response, "INFO", "info@test", info, body="Signal=7\r\nDuration=100\r\n", cseq="2", tag="i"
        )
        line.wait_request("BYE")
        assert engine.answers[1] == f"200 result={ord('7')}"


def test_a_new_account_and_queue_work_at_once(node: Node) -> None:
    """No restart: the same process serves them."""
    before = node.pid()
    node.render([account("201"), account("202"), account("303")], ["social-1", "social-2", "pension-1"])
    node.reload_operators()
    node.reload_queues()
    with Phone(node.settings.operators_port) as phone:
        until(lambda: status(phone.register("303", "pw303")) == 200)
    assert "pension-1 has 0 calls" in node.console("queue show pension-1")
    assert node.pid() == before


def test_a_new_setting_of_the_general_queue_is_in_force(node: Node) -> None:
    """Its row is read at each call, while Asterisk keeps the file open."""
    shorter = Node(node.settings.model_copy(update={"queue_length": 7}))
    shorter.render([account("201"), account("202")], ["social-1", "social-2"])
    assert "(max 7)" in node.console("queue show general")


def test_the_node_tells_about_itself(node: Node, line: Phone, operator: Phone) -> None:
    """Version, process, calls in progress; a second start leaves the running one alone."""
    assert node.version().startswith("22.")
    assert node.start() == node.pid()
    assert (node.settings.run_dir / "asterisk.pid").read_text().strip() == str(node.pid())
    until(lambda: node.channels() == 0)
    response = line.invite(LINE, call="count@test", tag="c")
    assert (node.channels(), node.calls()) == (1, 1)
    assert status(line.within(response, "BYE", "count@test", cseq="2", tag="c")) == 200
    until(lambda: node.channels() == 0)


def test_what_does_not_run_says_so(tmp_path: Path) -> None:
    """One sentence with the remedy; a console command of two lines is refused."""
    idle = Node(Settings(state=tmp_path))
    assert idle.pid() is None
    assert not idle.is_ready()
    for act in (idle.stop, idle.console_command, idle.channels):
        with pytest.raises(NotRunning, match="ekc up"):
            act()
    with pytest.raises(BadInput, match="no configuration yet"):
        idle.start()
    with pytest.raises(BadInput, match="one line"):
        idle.console("core show uptime\ncore stop now")


def test_journals_are_private_and_documented(node: Node, line: Phone) -> None:
    """Mode 0600, twelve columns in each CEL line, no caller's number among them."""
    line.invite(LINE, from_="<sip:79127654321@t>")
    line.wait_request("BYE")
    for journal in (node.layout.arrivals, node.layout.queue_log, node.layout.cel):
        assert oct(journal.stat().st_mode & 0o777) == "0o600"
    import csv

    with node.layout.cel.open(newline="") as file:
        rows = list(csv.reader(file))
    assert {len(row) for row in rows} == {12}
    assert {row[0] for row in rows} >= {"CHAN_START", "ANSWER", "HANGUP", "CHAN_END", "LINKEDID_END"}
    assert "79127654321" not in node.layout.cel.read_text()
