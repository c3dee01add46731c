"""Information resources (§22): where what citizens ask for comes from, for each agency."""

from __future__ import annotations

from ivr.metrics import Metrics
from ivr.ports import Clock, Store
from ivr.resources.combined import Resources as Resources
from ivr.resources.embedded import EmbeddedResource
from ivr.resources.http import HttpResource
from ivr.resources.watch import ResourceHealth as ResourceHealth
from ivr.settings import Settings


def build(settings: Settings, store: Store, clock: Clock, metrics: Metrics | None = None) -> Resources:
    """The line's information resource: our tables, and the services named by the settings.

    Nothing is connected before the first question. Raises BadInput for a certificate, key or token that
    cannot be used.
    """

    def count(agency: str, result: str) -> None:
        if metrics is not None:
            metrics.resource_questions.labels(agency=agency, result=result).inc()

    services = {
        agency: HttpResource(agency, service, clock, count) for agency, service in settings.resources.items()
    }
    return Resources(EmbeddedResource(store), services)
