"""One run: a real system, citizens, operators, blows by the seed; then rest, and the audit."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ivr.asterisk.tree import AsteriskTree, find_asterisk
from ivr.settings import Settings
from tests.chaos import product_files, rows
from tests.chaos.audit import audit
from tests.chaos.blows import Blows
from tests.chaos.citizens import Fleet, receipt_of, scripts
from tests.chaos.desk import Desk
from tests.chaos.disk import Disk
from tests.chaos.evidence import Blow, Evidence
from tests.chaos.plan import Stroke, kinds_of, strokes
from tests.chaos.remains import FEWEST_CALLS
from tests.chaos.report import figures
from tests.chaos.trunk import Trunk
from tests.harness.postgres import Postgres, cluster
from tests.harness.processes import HOST, TooLate, wait_for
from tests.harness.scenario import HangUp, Scenario
from tests.harness.sipp import dial
from tests.harness.system import READY_SECONDS, System
from tests.harness.voices import tones

RATE = 1.2
"""Calls a second: some fifteen in progress at a time."""
AGENCIES = ("soc", "szn", "sfr", "soc", "szn", "sfr")
"""Of the operators on duty."""
BUSY_SECONDS = 180.0
"""For five calls to be in progress before a blow: `ekc up` may have to start first."""
DRAIN_SECONDS = 150.0
"""For the last call to end, for cards to close, for callbacks to be at rest."""
REST_SECONDS = 4.0
"""Before open files are counted."""
SETTINGS: Mapping[str, object] = {
    "wrapup_seconds": 1,
    "heartbeat_seconds": 3,
    "drain_seconds": 3,
    "opens": "00:00",
    "closes": "24:00",
    "max_calls": 100,
    "callbacks__first_seconds": 2,
    "callbacks__gap_seconds": 5,
    "callbacks__busy_seconds": 10,
    "callbacks__no_answer_seconds": 10,
    "callbacks__too_short_seconds": 10,
    "callbacks__unknown_seconds": 45,
    "callbacks__again_seconds": 3,
    "callbacks__grace_seconds": 5,
    "callbacks__ring_seconds": 10,
    "callbacks__per_day": 20,
    "callbacks__most_attempts": 20,
    "callbacks__attempts_per_hour": 100_000,
    "callbacks__minutes_per_hour": 100_000,
}
"""Callbacks come soon. An attempt of unknown outcome is repeated when its telephone has surely stopped
ringing (trunk.RINGS_AT_MOST, TALKS_AT_MOST)."""
WARM_SECONDS = 60.0
CALLBACK_SECONDS = 90.0
"""After the last call in; then operators go home, and nobody else is called."""
SHORTENED = ("callback.greeting", "callback.privacy", "whisper", "whisper.callback")
"""Half a second each here: the operators of a run hang up before the real ones are over."""
_SOCKET = "socket"
"""How /proc names one."""
_PARTS = ("engine", "asterisk", "supervisor")


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be run."""

    seed: int
    seconds: float
    postgresql: bool
    keep: Path | None = None
    """A folder for the logs of the system and of sipp, and the database."""


def run(order: Order) -> dict[str, Any]:
    """The figures (report.figures) of one run."""
    with ExitStack() as stack:
        postgres = stack.enter_context(cluster()) if order.postgresql else None
        disk = Disk()
        stack.callback(disk.close)
        trunk = Trunk()
        stack.callback(trunk.close)
        site = stack.enter_context(_site(order, disk, postgres, trunk))
        evidence = site.live()
        found = figures(evidence, audit(evidence), seed=order.seed, seconds=order.seconds)
        if order.keep is not None:
            site.keep(order.keep, found)
        return {"database": "postgresql" if order.postgresql else "sqlite", **found}


@contextmanager
def _site(order: Order, disk: Disk, postgres: Postgres | None, trunk: Trunk) -> Iterator[Site]:
    more: dict[str, object] = {"trunk__host": HOST, "trunk__port": trunk.port}
    more["prompts_dir"] = tones(trunk.folder / "prompts", SHORTENED)
    if postgres is not None:
        name = postgres.create()
        # the harness's server forgets the last commits when it is killed, which no site's does
        postgres.sql(f'ALTER DATABASE "{name}" SET synchronous_commit = on')
        more["database_url"] = postgres.url(name)
    system = System(state=disk.state, **SETTINGS, **more)
    try:
        system.start()
        yield Site(order, system, disk, postgres, trunk)
    finally:
        system.close()


class Site:
    """A running system and what is around it."""

    def __init__(
        self, order: Order, system: System, disk: Disk, postgres: Postgres | None, trunk: Trunk
    ) -> None:
        self.order, self.system, self.trunk = order, system, trunk
        self.database = system.command_env.get("EKC_DATABASE_URL", str(disk.state / "ekc.db"))
        self.kinds = kinds_of(postgresql=postgres is not None, disk=disk.own)
        self._tree: AsteriskTree = find_asterisk(Settings(state=disk.state))
        self._blows = Blows(system, postgres=postgres, disk=disk)
        self._dealt: list[Blow] = []
        self._told: dict[str, Any] = {}
        """More for `keep`."""

    def live(self) -> Evidence:
        """The whole run, from the first call to the last."""
        self.system.open_today()
        receipt = receipt_of(self.system.demo_data(seed=1))
        with ExitStack() as stack:
            desk = Desk(self.system, AGENCIES, seed=self.order.seed)
            stack.callback(desk.close)
            self._warm_up()
            before = self._descriptors()
            fleet = Fleet(self.system.line, scripts(receipt), rate=RATE)
            stack.callback(fleet.close)
            self._storm(fleet)
            self._drain(fleet, desk)
            if self.order.keep is not None:
                self.order.keep.mkdir(parents=True, exist_ok=True)
                fleet.keep(self.order.keep)
                self.trunk.keep(self.order.keep)
            return self._evidence(fleet, desk, before)

    def _warm_up(self) -> None:
        """A few calls on every way, so that what is opened once is open."""
        steps = [HangUp(6.0)]  # of nobody who would have to be called back
        dial(self.system.line, Scenario(steps=steps), numbers=[f"7952{n:07}" for n in range(6)], rate=3)
        wait_for(self._warm, WARM_SECONDS, "the first calls to end", step=0.5)
        time.sleep(REST_SECONDS)

    def _warm(self) -> bool:
        return self._settled() and not self._channels()

    # --- the storm ---

    def _storm(self, fleet: Fleet) -> None:
        begun = time.monotonic()
        for stroke in strokes(self.order.seed, self.order.seconds, self.kinds):
            time.sleep(max(0.0, begun + stroke.at - time.monotonic()))
            calls = self._wait_busy(fleet, stroke)
            self._dealt.append(Blow(kind=stroke.kind, at=time.time(), calls=calls))
            _say(f"{time.monotonic() - begun:6.1f} s  {stroke.kind} for {stroke.lasts:.1f} s, {calls} calls")
            self._blows.deal(stroke)

    def _wait_busy(self, fleet: Fleet, stroke: Stroke) -> int:
        """How many calls are in progress, once there are enough."""

        def busy() -> int | None:
            if not self._blows.ready_for(stroke.kind):
                return None
            calls = fleet.in_progress(self._blows.asterisk_since)
            return calls if calls >= FEWEST_CALLS else None

        return wait_for(busy, BUSY_SECONDS, f"five calls in progress, for {stroke.kind}", step=0.2)

    def _drain(self, fleet: Fleet, desk: Desk) -> None:
        """No new calls; everything comes to rest, or the audit tells what did not."""
        fleet.begin_no_more()
        _say("no new calls")
        wait_for(lambda: fleet.over, DRAIN_SECONDS, "the last citizen to hang up", step=0.5)
        self.system.ekc("status", "--wait", f"{READY_SECONDS:g}", timeout=READY_SECONDS + 30)
        _say("callbacks only")
        with suppress(TooLate):
            wait_for(self._called_back, CALLBACK_SECONDS, "everybody to be called back", step=1.0)
        _say("operators go home")
        desk.stop()
        with suppress(TooLate):
            wait_for(self._at_rest, DRAIN_SECONDS, "the system to be at rest", step=1.0)
        time.sleep(REST_SECONDS)
        _say("at rest")

    def _settled(self) -> bool:
        with suppress(rows.Unready):
            contacts, cards, _ = rows.unfinished(self.database)
            return contacts == cards == 0
        return False

    def _called_back(self) -> bool:
        with suppress(rows.Unready):
            return rows.waiting(self.database) == 0
        return False

    def _at_rest(self) -> bool:
        with suppress(rows.Unready):
            return rows.unfinished(self.database) == (0, 0, 0) and not self._channels()
        return False

    # --- what is left ---

    def _channels(self) -> list[str]:
        config = self.system.state / "asterisk" / "etc" / "asterisk.conf"
        argv = [*self._tree.argv_prefix, "-C", str(config), "-rx", "core show channels concise"]
        done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30)
        return [line.partition("!")[0] for line in done.stdout.splitlines() if "!" in line]

    def _descriptors(self) -> dict[str, list[str]]:
        """What each part has open, but for connections to the database: their pool fills under load."""
        found = {part: _open_files(self.system.pid(part)) for part in _PARTS}
        for _ in range(rows.connections(self.database)):
            found["engine"].remove(_SOCKET)
        return found

    def _strangers(self) -> list[str]:
        """Processes that the system has started and that are none of its parts."""
        parts = {self.system.pid(part) for part in _PARTS}
        return [" ".join(p.cmdline())[:80] for p in self.system.processes() if p.pid not in parts]

    def _reconciled(self) -> Mapping[str, object] | None:
        done = self.system.ekc("reconcile", "--json", check=False)
        try:
            found: dict[str, object] = json.loads(done.out)
        except json.JSONDecodeError:
            return None
        return found

    def _evidence(self, fleet: Fleet, desk: Desk, before: Mapping[str, list[str]]) -> Evidence:
        after = self._descriptors()
        self._told["open_files"] = {part: {"before": before[part], "after": after[part]} for part in _PARTS}
        asterisk = self.system.state / "asterisk"
        found = rows.read(self.database)
        return Evidence(
            citizens=fleet.calls(),
            arrivals=product_files.arrivals(asterisk / "spool"),
            queued=product_files.queued(asterisk / "log"),
            told=found.told,
            joined=product_files.joined(asterisk / "log"),
            contacts=found.contacts,
            cards=found.cards,
            callbacks=found.callbacks,
            ends=found.ends,
            talks=desk.talks(),
            dialled=self.trunk.calls(),
            blows=self._dealt,
            kinds=self.kinds,
            channels=self._channels(),
            descriptors={part: (len(before[part]), len(after[part])) for part in _PARTS},
            processes=self._strangers(),
            reconciled=self._reconciled(),
        )

    def keep(self, folder: Path, found: Mapping[str, Any]) -> None:
        """Everything that tells what happened."""
        told = {**found, **self._told, "blows": [asdict(blow) for blow in self._dealt]}
        (folder / "figures.json").write_text(json.dumps(told, ensure_ascii=False, indent=1))
        (folder / "rows.json").write_text(json.dumps(rows.story(self.database), ensure_ascii=False))
        state = self.system.state
        for path in (self.system.output, *state.glob("log/*"), *state.glob("ekc.db*")):
            shutil.copy(path, folder / path.name)
        for name in ("spool/arrivals.log", "log/queue_log", "log/cel.csv", "log/messages.log"):
            with suppress(FileNotFoundError):
                shutil.copy(state / "asterisk" / name, folder / Path(name).name)


def _open_files(pid: int) -> list[str]:
    """Sockets and pipes without their numbers, so that two lists can be compared."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            found.append(str(link.readlink()).partition(":[")[0])
    return sorted(name for name in found if "/ekc.db" not in name)


def _say(text: str) -> None:
    sys.stderr.write(f"chaos: {time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()
