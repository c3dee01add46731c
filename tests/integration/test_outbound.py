"""The legs of callbacks without telephones and the real ones over AMI: one contract for both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from ivr.asterisk import conf
from ivr.asterisk.node import Node
from ivr.asterisk.outbound import AmiOutbound
from ivr.domain.callback import call_of
from ivr.domain.errors import Unavailable
from ivr.domain.ids import new_id
from ivr.ports import CallbackLeg, Outbound
from ivr.testing import FakeOutbound
from tests.integration.nodes import over_ami, running

SECONDS = 20.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("outbound")
    with running(folder, rtp_ports=(28600, 28700), accounts=("201",), queues=[]) as node:
        yield node


@dataclass(kw_only=True)
class Line:
    """Where legs are made."""

    outbound: Outbound
    cut: Callable[[], None]
    """The connection to Asterisk is lost from here on."""
    count: Callable[[str], Awaitable[int]]
    """How many first channels there are of this uniqueid."""

    async def until_alive(self, *calls: str) -> None:
        async with asyncio.timeout(10):
            while await self.outbound.alive() != frozenset(calls):  # noqa: ASYNC110 -- Asterisk's to say
                await asyncio.sleep(0.05)


@asynccontextmanager
async def on_the_fake(_request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    outbound = FakeOutbound()

    async def count(made: str) -> int:
        return len([leg for leg in outbound.made if call(leg) == made])

    yield Line(outbound=outbound, cut=lambda: setattr(outbound, "down", True), count=count)


@asynccontextmanager
async def on_asterisk(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    """Instead of an engine somebody who never answers, and lets go of who has hung up as an engine does."""
    node: Node = request.getfixturevalue("node")

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"HANGUP\n")
        writer.close()

    agi = await asyncio.start_server(silent, conf.LOOPBACK, node.settings.agi_port, limit=2**20)
    ami, board = over_ami(node, lambda _event: None)
    await ami.connect()
    closing: list[asyncio.Task[None]] = []

    async def count(made: str) -> int:
        return len([leg for leg in (await board.snapshot()).legs if leg.call == made])

    def cut() -> None:
        closing.append(asyncio.ensure_future(ami.close()))

    yield Line(outbound=AmiOutbound(board), cut=cut, count=count)
    await asyncio.gather(*closing)
    if not closing:
        for leg in (await board.snapshot()).legs:
            await board.hang_up(leg.name)
        await ami.close()
    agi.close()
    await agi.wait_closed()


@pytest.fixture(
    params=[
        pytest.param(on_the_fake, id="fake"),
        pytest.param(on_asterisk, id="asterisk", marks=pytest.mark.line),
    ]
)
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    async with request.param(request) as made:
        yield made


def a_leg(**fields: object) -> CallbackLeg:
    values = {
        "callback": new_id(datetime.now(UTC)),
        "leg": 1,
        "queue": "general",
        "seconds": SECONDS,
        **fields,
    }
    return CallbackLeg(**values)  # type: ignore[arg-type]


def call(leg: CallbackLeg) -> str:
    return call_of(leg.callback, leg.leg)


async def test_a_leg_is_alive_until_it_is_ended(line: Line) -> None:
    leg = a_leg()
    making = asyncio.create_task(line.outbound.begin(leg))
    await line.until_alive(call(leg))
    await line.outbound.end(call(leg))
    await line.until_alive()
    await asyncio.wait_for(making, 10)


async def test_a_leg_that_is_alive_is_not_made_twice(line: Line) -> None:
    """Whether the switch refuses at once or says that nothing came of it is its own affair."""
    leg = a_leg()
    making = asyncio.create_task(line.outbound.begin(leg))
    await line.until_alive(call(leg))
    with suppress(Unavailable):
        await asyncio.wait_for(line.outbound.begin(leg), 10)
    assert await line.outbound.alive() == {call(leg)}
    assert await line.count(call(leg)) == 1
    await line.outbound.end(call(leg))
    await line.until_alive()
    await asyncio.wait_for(making, 10)


async def test_ending_one_leg_leaves_the_others(line: Line) -> None:
    ended, other = a_leg(), a_leg()
    making = [asyncio.create_task(line.outbound.begin(leg)) for leg in (ended, other)]
    await line.until_alive(call(ended), call(other))
    await line.outbound.end(call(ended))
    await line.until_alive(call(other))
    await line.outbound.end(call(other))
    await asyncio.wait_for(asyncio.gather(*making), 10)


async def test_ending_a_leg_that_is_gone_is_as_good(line: Line) -> None:
    await line.outbound.end(call(a_leg()))
    assert await line.outbound.alive() == frozenset()


async def test_without_a_connection_nothing_is_known_and_nothing_made(line: Line) -> None:
    line.cut()
    await asyncio.sleep(0.1)
    with pytest.raises(Unavailable):
        await line.outbound.begin(a_leg())
    with pytest.raises(Unavailable):
        await line.outbound.alive()
