"""A participant's service that does not answer: what the caller, the breaker, alarms and logs learn of it."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest
from structlog.testing import capture_logs

from ivr.domain.errors import ResourceDown
from ivr.resources.breaker import BreakerState
from ivr.testing.clock import VirtualClock
from tests.harness.participant import (
    Behaviour,
    Participant,
    answers,
    drips,
    drops,
    half,
    hangs,
    head,
    redirects,
    says,
)
from tests.integration.http_resource.samples import PAYMENT, PERSONAL, SNILS, Ask

RUBBISH = [
    says(b"\x00\xff" * 500 + b"\r\n\r\n", then_close=True),
    says(b"SSH-2.0-marker\r\n", then_close=True),
    says(head(200, {"Content-Type": "application/json", "Content-Length": "many"}), then_close=True),
    says(b"HTTP/1.1 200 OK\r\nmarker without colon\r\n\r\n", then_close=True),
    says(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000, then_close=True),
    half(PERSONAL),
    drops,
    answers({}, status=502),
    answers({}, status=503),
    answers({}, status=504),
]


@pytest.mark.parametrize("behaviour", RUBBISH)
async def test_a_broken_connection_or_an_overloaded_gateway_is_asked_once_more(
    behaviour: Behaviour, soc: Participant, resource: Ask
) -> None:
    soc.personal[SNILS] = PERSONAL
    soc.next(behaviour)

    records = await resource(timeout_seconds=30).personal(SNILS)

    assert (len(records.payments), len(soc.asked)) == (1, 2)


@pytest.mark.parametrize("behaviour", RUBBISH)
async def test_what_breaks_twice_is_down(
    behaviour: Behaviour, soc: Participant, resource: Ask, counted: list[tuple[str, str]]
) -> None:
    soc.always(behaviour)

    with pytest.raises(ResourceDown):
        await resource(timeout_seconds=30).personal(SNILS)

    assert (len(soc.asked), counted) == (2, [("soc", "silent")])


async def test_who_asks_for_patience_is_not_asked_at_once_again(soc: Participant, resource: Ask) -> None:
    soc.always(answers({}, status=429))

    with pytest.raises(ResourceDown, match="status 429"):
        await resource().personal(SNILS)

    assert len(soc.asked) == 1


async def test_a_connection_the_service_has_closed_meanwhile_costs_nothing(
    soc: Participant, resource: Ask
) -> None:
    soc.personal[SNILS] = PERSONAL
    asked_by = resource()
    await asked_by.personal(SNILS)
    soc.stop()
    soc.start()

    assert (await asked_by.personal(SNILS)).payments


async def test_a_service_that_does_not_run_is_down(soc: Participant, resource: Ask) -> None:
    asked_by = resource()
    soc.stop()

    with pytest.raises(ResourceDown, match="ConnectError"):
        await asked_by.personal(SNILS)


@pytest.mark.parametrize("behaviour", [hangs, drips, says(b"HTTP/1.1 100 Continue\r\n\r\n")])
async def test_a_slow_service_is_given_up_after_the_time_for_the_whole_answer(
    behaviour: Behaviour, soc: Participant, resource: Ask
) -> None:
    soc.always(behaviour)
    started = time.monotonic()

    with pytest.raises(ResourceDown, match=r"no answer in 0\.3 s"):
        await resource(timeout_seconds=0.3).personal(SNILS)

    assert 0.25 < time.monotonic() - started < 5


async def test_the_second_try_has_what_is_left_of_the_time(soc: Participant, resource: Ask) -> None:
    soc.next(answers({}, status=503), hangs)
    started = time.monotonic()

    with pytest.raises(ResourceDown, match="no answer in"):
        await resource(timeout_seconds=0.3).personal(SNILS)

    assert (len(soc.asked), time.monotonic() - started < 5) == (2, True)


async def test_a_citizen_asked_for_beside_slow_ones_does_not_wait_for_them(
    soc: Participant, resource: Ask
) -> None:
    soc.personal[SNILS] = PERSONAL
    soc.next(hangs, hangs, hangs)
    asked_by = resource(timeout_seconds=30)
    slow = [asyncio.create_task(asked_by.personal(SNILS)) for _ in range(3)]
    await asyncio.to_thread(soc.wait_asked, 3)

    async with asyncio.timeout(10):
        assert (await asked_by.personal(SNILS)).payments
    for task in slow:
        task.cancel()
    assert all(
        isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*slow, return_exceptions=True)
    )


# --- the breaker, what is known of it, and what is not told ----------------------------------------


async def test_a_dead_service_is_left_in_peace_then_tried_once_and_taken_back(
    soc: Participant, resource: Ask, clock: VirtualClock, counted: list[tuple[str, str]]
) -> None:
    asked_by = resource(breaker_failures=2, breaker_seconds=30)
    soc.always(drops)
    for _ in range(4):
        with pytest.raises(ResourceDown):
            await asked_by.personal(SNILS)
    assert len(soc.asked) == 4  # two questions, two tries each; two were not asked
    health = asked_by.health()
    assert (health.breaker, health.ok, health.silent) == (BreakerState.OPEN, False, 2)
    assert health.failing_since == clock.now()
    assert health.what == "the information resource of soc does not answer (RemoteProtocolError)"

    clock.forward(30)
    soc.always(None)
    await asked_by.personal(SNILS)

    assert (asked_by.health().ok, asked_by.health().failing_since) == (True, None)
    assert [result for _, result in counted] == ["silent", "silent", "not_asked", "not_asked", "answered"]


async def test_a_caller_who_hangs_up_during_the_trial_leaves_it_to_the_next(
    soc: Participant, resource: Ask, clock: VirtualClock
) -> None:
    asked_by = resource(breaker_failures=1, breaker_seconds=30)
    soc.next(drops, drops, hangs)
    with pytest.raises(ResourceDown):
        await asked_by.personal(SNILS)
    clock.forward(30)
    trial = asyncio.create_task(asked_by.personal(SNILS))
    await asyncio.to_thread(soc.wait_asked, 3)
    assert asked_by.health().breaker is BreakerState.HALF_OPEN
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial

    assert (await asked_by.personal(SNILS)).payments == ()


async def test_wrong_answers_in_a_row_are_an_alarm_but_keep_nobody_from_asking(
    soc: Participant, resource: Ask
) -> None:
    asked_by = resource(breaker_failures=1)
    soc.always(answers({}, status=403))
    for _ in range(3):
        with pytest.raises(ResourceDown):
            await asked_by.personal(SNILS)

    health = asked_by.health()
    assert (len(soc.asked), health.breaker, health.ok) == (3, BreakerState.CLOSED, False)
    assert health.what == "the information resource of soc cannot be used (status 403)"


# --- what is not told ---

SECRETS = ("marker", SNILS, "56000123", "Выплата на ребёнка")


@pytest.mark.parametrize(
    "behaviour",
    [
        answers({**PERSONAL, "snils": "marker"}),
        answers({**PERSONAL, "payments": [{"marker": "marker"}]}),
        answers(b'{"marker'),
        answers({"marker": "marker"}, status=500, headers={"X-Marker": "marker"}),
        answers({}, content_type="marker/marker"),
        says(b"HTTP/1.1 200 OK\r\nmarker without colon\r\n\r\n", then_close=True),
        says(b"marker\r\n\r\n", then_close=True),
        redirects("http://127.0.0.1:9/marker"),
        answers({**PERSONAL, "payments": [{**PAYMENT, "title": "marker"}]}),
    ],
)
async def test_nothing_that_was_asked_or_answered_is_in_an_error_or_a_log(
    behaviour: Behaviour, soc: Participant, resource: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    soc.always(behaviour)
    said = ""
    with capture_logs() as ours:
        try:
            await resource().personal(SNILS)
        except ResourceDown as error:
            said = f"{error!r} {error.__cause__!r} {error.__context__!r}"
            said += repr(error.__context__ and error.__context__.__context__)
    told = f"{said}{ours}{caplog.text}"

    assert not [secret for secret in SECRETS if secret in told]
