"""The engine of a site, put together: what runs in it again and again, and what it closes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from ivr import resources
from ivr.assembly import build_engine
from ivr.assembly.parts import Parts
from ivr.assembly.routes import handlers
from ivr.bootstrap import LocalSite, open_site
from ivr.resources import ResourceHealth
from ivr.resources.breaker import BreakerState
from ivr.services.alarms import read_alarms
from ivr.testing import START


@dataclass
class Services:
    """Information resources of two agencies, as far as their health goes."""

    states: dict[str, BreakerState] = field(default_factory=dict)
    closed: bool = False

    def health(self) -> Sequence[ResourceHealth]:
        return [
            ResourceHealth(
                agency=agency,
                breaker=state,
                silent=0 if state is BreakerState.CLOSED else 5,
                wrong=0,
                failing_since=None if state is BreakerState.CLOSED else START - timedelta(minutes=5),
                last_failure="" if state is BreakerState.CLOSED else "no answer",
            )
            for agency, state in self.states.items()
        ]

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    services = Services()
    monkeypatch.setattr(resources, "build", lambda *_: services)
    return services


@pytest.fixture
def site(tmp_path: Path) -> Iterator[LocalSite]:
    with closing(open_site(tmp_path / "state")) as site:
        site.settings.state.mkdir()
        site.settings.run_dir.mkdir()
        yield site


DIALPLANS = Path(__file__).resolve().parents[2] / "dialplans"


async def test_every_route_that_the_dialplan_names_is_served(site: LocalSite) -> None:
    named = {
        part.split(")")[0].split(",")[0]
        for file in DIALPLANS.iterdir()
        for part in file.read_text("utf-8").split("AGI(${ENGINE}/")[1:]
    }
    served = handlers(Parts(site))
    assert named and named <= served.keys()


@pytest.mark.parametrize("model", [True, False])
@pytest.mark.parametrize("by_voice", [True, False])
async def test_names_are_asked_only_by_the_sites_wish_and_with_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_voice: bool, model: bool
) -> None:
    monkeypatch.setenv("EKC_SPEECH__NAMES_BY_VOICE", str(by_voice))
    with closing(open_site(tmp_path / "state")) as site:
        site.settings.run_dir.mkdir(parents=True)
        if model:
            (site.settings.models_dir / "empty").mkdir(parents=True)
            (site.settings.models_dir / "in-use").write_text("empty")
        parts = Parts(site)
        assert (parts.office.desk.names is not None) is (by_voice and model)
        await parts.close()


async def test_an_information_resource_that_fails_is_an_alarm_since_it_failed(
    site: LocalSite, services: Services
) -> None:
    engine = build_engine(site)
    [watch] = [routine for routine in engine.routines if routine.name == "resources"]
    services.states = {"soc": BreakerState.OPEN, "szn": BreakerState.CLOSED}
    await watch.work()
    [alarm] = read_alarms(site.settings.run_dir)
    assert alarm.since == START - timedelta(minutes=5)
    assert "soc" in alarm.what and "[resources.soc]" in alarm.remedy
    services.states["soc"] = BreakerState.CLOSED
    await watch.work()
    assert read_alarms(site.settings.run_dir) == []
    await engine.close_parts()


async def test_services_are_let_go_of_at_the_end(site: LocalSite, services: Services) -> None:
    engine = build_engine(site)
    assert engine.calls() == 0
    await engine.close_parts()
    assert services.closed
