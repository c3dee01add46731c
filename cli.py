"""`ekc`, the administrator's command line: puts the commands of `ivr/commands` together, nothing more."""

from __future__ import annotations

import click

from ivr.commands import (
    backup,
    board,
    calendar,
    callbacks,
    calls,
    cards,
    deferred,
    demo,
    duty,
    identification,
    imports,
    journal,
    keys,
    parts,
    people,
    queues,
    reports,
    running,
    scenario_versions,
    scenarios,
    speech,
)
from ivr.commands.common import Root


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="ekc", prog_name="ekc")
def ekc() -> None:
    """ЕКЦ: a contact-centre engine on Asterisk.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not running, 4 no such thing.
    """


for command in (
    running.up,
    running.serve,
    running.status,
    running.doctor,
    calendar.calendar,
    imports.agencies,
    imports.applications,
    imports.citizens,
    imports.payments,
    imports.notices,
    demo.demo_data,
    people.operators,
    calls.calls,
    calls.audit,
    cards.cards,
    callbacks.callbacks,
    deferred.deferred,
    journal.journal,
    journal.reconcile,
    queues.queues,
    board.board,
    reports.report,
    scenarios.scenarios,
    identification.identification,
    keys.keys,
    speech.speech,
    backup.backup,
    parts.db,
    parts.asterisk,
):
    ekc.add_command(command)
imports.citizens.add_command(identification.set_code)
for command in duty.COMMANDS:
    people.operators.add_command(command)
for command in scenario_versions.COMMANDS:
    scenarios.scenarios.add_command(command)


def main() -> None:
    """The console script `ekc`."""
    ekc(prog_name="ekc")


if __name__ == "__main__":
    main()
