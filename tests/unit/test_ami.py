"""The AMI client against a manager interface played by the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from ivr.asterisk import ami as ami_module
from ivr.asterisk import ami_protocol
from ivr.asterisk.ami import Ami, AmiMessage
from ivr.asterisk.ami_protocol import AmiProtocol
from ivr.domain.errors import BadInput, Unavailable

SECRET = "s3cret-of-the-engine"
Headers = dict[str, str]


class FakeManager:
    """One manager interface: answers logins and pings, collects the rest for the test."""

    def __init__(self) -> None:
        self.logins = 0
        self.accepts = True
        self.asked: asyncio.Queue[Headers] = asyncio.Queue()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        while block := await self._read(reader):
            headers = dict(line.split(": ", 1) for line in block.split("\r\n") if ": " in line)
            if headers["Action"] == "Login":
                self.logins += 1
                known = self.accepts and headers["Secret"] == SECRET
                self.say(Response="Success" if known else "Error", ActionID=headers["ActionID"])
            elif headers["Action"] == "Ping":
                self.say(Response="Success", ActionID=headers["ActionID"], Ping="Pong")
            else:
                self.asked.put_nowait(headers)
        writer.close()

    @staticmethod
    async def _read(reader: asyncio.StreamReader) -> str:
        try:
            return (await reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return ""

    def say(self, **headers: str) -> None:
        self.say_raw("".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n")

    def say_raw(self, data: bytes) -> None:
        self._writers[-1].write(data)

    async def hears(self) -> Headers:
        return await asyncio.wait_for(self.asked.get(), 5)

    async def hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        await self.hang_up()
        await asyncio.sleep(0.01)


@pytest.fixture
async def manager() -> AsyncIterator[FakeManager]:
    fake = FakeManager()
    await fake.start()
    yield fake
    await fake.stop()


class Events:
    """A listener."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[AmiMessage] = asyncio.Queue()

    def __call__(self, event: AmiMessage) -> None:
        self.queue.put_nowait(event)

    async def next(self) -> AmiMessage:
        return await asyncio.wait_for(self.queue.get(), 5)


@asynccontextmanager
async def connected(
    manager: FakeManager, events: Events | None = None, seconds: float = 5.0
) -> AsyncIterator[Ami]:
    ami = Ami(
        "127.0.0.1",
        manager.port,
        "engine",
        SECRET,
        timeout=seconds,
        on_event=events,
        wanted=frozenset({"QueueCallerJoin", "FullyBooted"}),
    )
    await ami.connect()
    try:
        yield ami
    finally:
        await ami.close()


async def test_an_action_gets_the_reply_with_its_id(manager: FakeManager) -> None:
    async with connected(manager) as ami:
        first = asyncio.ensure_future(ami.action({"Action": "CoreStatus"}))
        second = asyncio.ensure_future(ami.action({"Action": "CoreSettings"}))
        ids = {(heard := await manager.hears())["Action"]: heard["ActionID"] for _ in range(2)}
        manager.say(Response="Success", ActionID=ids["CoreSettings"], Message="second")
        manager.say(Response="Success", ActionID=ids["CoreStatus"], Message="first")
        assert [(await first)[0]["message"], (await second)[0]["message"]] == ["first", "second"]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("QueueAdd", "Added interface to queue"),
        ("PlayDTMF", "DTMF successfully queued"),
    ],
)
async def test_an_answer_that_reads_as_if_events_followed_is_whole_by_itself(
    manager: FakeManager, action: str, message: str
) -> None:
    """And the connection stands: the library breaks off over «successfully queued» of any but Originate."""
    async with connected(manager) as ami:
        answer = asyncio.ensure_future(ami.action({"Action": action}))
        heard = await manager.hears()
        manager.say(Response="Success", ActionID=heard["ActionID"], Message=message)
        assert [m["message"] for m in await answer] == [message]
        assert ami.connected


async def test_a_list_is_gathered_whole_though_its_events_are_not_wanted(manager: FakeManager) -> None:
    async with connected(manager) as ami:
        count = asyncio.ensure_future(ami.channels())
        id_ = (await manager.hears())["ActionID"]
        manager.say(Response="Success", ActionID=id_, EventList="start", Message="Channels will follow")
        manager.say(Event="CoreShowChannel", ActionID=id_, Channel="PJSIP/line-1")
        manager.say(Event="CoreShowChannel", ActionID=id_, Channel="PJSIP/201-2")
        manager.say(Event="CoreShowChannelsComplete", ActionID=id_, EventList="Complete", ListItems="2")
        assert await count == 2


async def test_the_rows_of_the_queues_come_without_their_frame(manager: FakeManager) -> None:
    async with connected(manager) as ami:
        rows = asyncio.ensure_future(ami.queue_status())
        id_ = (await manager.hears())["ActionID"]
        manager.say(Response="Success", ActionID=id_, EventList="start", Message="Queue status will follow")
        manager.say(Event="QueueParams", ActionID=id_, Queue="general")
        manager.say(Event="QueueStatusComplete", ActionID=id_, EventList="Complete", ListItems="1")
        assert [row["Queue"] for row in await rows] == ["general"]


async def test_a_refused_question_is_unavailable_and_a_refused_action_is_a_reply(
    manager: FakeManager,
) -> None:
    async with connected(manager) as ami:
        status = asyncio.ensure_future(ami.core_status())
        manager.say(Response="Error", ActionID=(await manager.hears())["ActionID"], Message="denied")
        with pytest.raises(Unavailable):
            await status
        action = asyncio.ensure_future(ami.action({"Action": "Redirect"}))
        manager.say(Response="Error", ActionID=(await manager.hears())["ActionID"], Message="denied")
        assert (await action)[0]["Response"] == "Error"


async def test_an_action_without_an_answer_ends_with_the_time_limit(manager: FakeManager) -> None:
    async with connected(manager, seconds=0.05) as ami:
        with pytest.raises(Unavailable):
            await ami.action({"Action": "CoreStatus"})
        assert ami.connected


async def test_a_lost_connection_fails_actions_at_once_and_nothing_is_replayed(manager: FakeManager) -> None:
    async with connected(manager) as ami:
        started = time.monotonic()
        dial = asyncio.ensure_future(ami.action({"Action": "Originate", "Async": "true"}))
        assert (await manager.hears())["Action"] == "Originate"
        await manager.hang_up()
        with pytest.raises(Unavailable):
            await dial
        assert not ami.connected
        with pytest.raises(Unavailable):
            await ami.action({"Action": "Originate"})
        assert time.monotonic() - started < 4
        await ami.connect()
        assert (manager.logins, ami.connected) == (2, True)
        status = asyncio.ensure_future(ami.core_status())
        heard = await manager.hears()
        assert heard["Action"] == "CoreStatus"
        manager.say(Response="Success", ActionID=heard["ActionID"])
        await status
        assert manager.asked.empty()


async def test_it_says_each_time_it_is_connected(manager: FakeManager) -> None:
    times = asyncio.Semaphore(0)
    ami = Ami("127.0.0.1", manager.port, "engine", SECRET, on_connect=times.release)
    await ami.connect()
    await asyncio.wait_for(times.acquire(), 5)
    await manager.hang_up()
    await asyncio.wait_for(times.acquire(), 5)
    await ami.close()


async def test_no_asterisk_is_unavailable_while_the_attempts_go_on(
    manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami_module, "FIRST_DELAY", 0.02)
    await manager.stop()
    ami = Ami("127.0.0.1", manager.port, "engine", SECRET, timeout=0.05)
    with pytest.raises(Unavailable):
        await ami.connect()
    await manager.start()
    async with asyncio.timeout(5):
        while not ami.connected:  # noqa: ASYNC110 -- nothing else tells
            await asyncio.sleep(0.005)
    await ami.close()


async def test_a_refused_login_is_unavailable_and_its_secret_is_not_told(manager: FakeManager) -> None:
    manager.accepts = False
    ami = Ami("127.0.0.1", manager.port, "engine", SECRET, timeout=0.1)
    with capture_logs() as logs, pytest.raises(Unavailable):
        await ami.connect()
    await ami.close()
    assert [entry["event"] for entry in logs] == ["ami.not_connected"]
    assert SECRET not in repr(logs)


async def test_closing_ends_the_connection_and_leaves_no_task(manager: FakeManager) -> None:
    before = asyncio.all_tasks()
    async with connected(manager) as ami:
        pass
    await asyncio.sleep(0.01)
    assert not ami.connected
    assert asyncio.all_tasks() == before


async def test_wanted_events_come_and_others_do_not(manager: FakeManager) -> None:
    events = Events()
    async with connected(manager, events):
        manager.say(Event="VarSet", Value="4815")
        manager.say(Event="QueueCallerLeave", Queue="general")
        manager.say(Event="QueueCallerJoin", Queue="general")
        assert (await events.next())["Queue"] == "general"
        assert events.queue.empty()


async def test_a_listener_that_fails_loses_no_further_event(manager: FakeManager) -> None:
    got: asyncio.Queue[str] = asyncio.Queue()

    def listener(event: AmiMessage) -> None:
        got.put_nowait(event["Queue"])
        raise RuntimeError(event["CallerIDNum"])

    ami = Ami(
        "127.0.0.1",
        manager.port,
        "engine",
        SECRET,
        on_event=listener,
        wanted=frozenset({"QueueCallerJoin"}),
    )
    with capture_logs() as logs:
        await ami.connect()
        for queue in ("a", "b"):
            manager.say(Event="QueueCallerJoin", Queue=queue, CallerIDNum="79123456789")
        assert [await asyncio.wait_for(got.get(), 5) for _ in range(2)] == ["a", "b"]
        await ami.close()
    assert [entry["event"] for entry in logs].count("ami.listener_failed") == 2
    assert "79123456789" not in repr(logs)


async def test_characters_cut_in_two_are_whole_again(manager: FakeManager) -> None:
    events = Events()
    async with connected(manager, events):
        data = "Event: QueueCallerJoin\r\nQueue: очередь\r\n\r\n".encode()
        for i in range(len(data)):
            manager.say_raw(data[i : i + 1])
            await asyncio.sleep(0)
        assert (await events.next())["Queue"] == "очередь"


@pytest.mark.parametrize(
    "action",
    [
        {"Action": "Originate", "Channel": "PJSIP/201\r\nAction: Command"},
        {"Action": "Originate", "Variable": ["A=1", "B=2\nX: y"]},
        {"Action": "Originate", "X\r\nAction": "y"},
        {"Action": "Originate", "CallerID": "\0"},
    ],
)
async def test_a_value_that_would_be_another_header_is_refused(
    manager: FakeManager, action: dict[str, str | list[str]]
) -> None:
    async with connected(manager) as ami:
        with pytest.raises(BadInput):
            await ami.action(action)
        assert manager.asked.empty()


async def test_an_endless_message_cuts_the_connection(
    manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami_protocol, "MAX_MESSAGE", 1000)
    async with connected(manager) as ami:
        manager.say_raw(b"x" * 2000)
        async with asyncio.timeout(5):
            while ami.connected:  # noqa: ASYNC110 -- nothing else tells
                await asyncio.sleep(0.001)


def test_unwanted_events_are_dropped_before_they_are_parsed() -> None:
    handled: list[object] = []
    protocol = AmiProtocol(frozenset({"QueueCallerJoin"}))
    protocol.handle_message = handled.append
    protocol.data_received(b"Event: VarSet\r\nA: b\r\n\r\nEvent: QueueCallerJoin\r\nQueue: a\r\n\r\n")
    assert [message.event for message in handled] == ["QueueCallerJoin"]  # type: ignore[attr-defined]
