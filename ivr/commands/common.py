"""What every command shares: the site, the options `--state` and `--json`, and one way to fail."""

from __future__ import annotations

import errno
import getpass
import os
import re
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, TypeVar

import click

from ivr.commands.output import Output
from ivr.domain.errors import EkcError, NotFound, NotRunning

if TYPE_CHECKING:
    from ivr.commands.site import Site
    from ivr.services.audit import By

FAILED, NOT_RUNNING, NOT_FOUND = 1, 3, 4
_STATE, _JSON = "ekc.state", "ekc.json"

P = ParamSpec("P")
R = TypeVar("R")


# --- options and errors ----------------------------------------------------------------------------


def _remember(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Keep the option for the whole run, wherever on the command line it stood."""
    if value:
        ctx.find_root().meta[f"ekc.{param.name}"] = value


def _shared_options() -> list[click.Option]:
    return [
        click.Option(
            ["--state"],
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            expose_value=False,
            callback=_remember,
            help="The state directory (default: EKC_STATE, then ./state).",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_remember,
            help="JSON on stdout and nothing else.",
        ),
    ]


class EkcCommand(click.Command):
    """A command that takes the shared options, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_shared_options())


class EkcGroup(click.Group):
    """A group of such commands."""

    command_class = EkcCommand
    group_class = type


class Root(EkcGroup):
    """The program: takes the shared options before the command, and turns every error into an exit code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_shared_options())

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a reader that went away is noticed here, not at the interpreter's end
            return result
        except EkcError as error:
            fail(str(error), _code_of(error))
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            fail("Interrupted.")
        except OSError as error:
            if error.errno != errno.EPIPE:
                _unexpected(ctx, error)
            _reader_went_away()
        except Exception as error:  # noqa: BLE001  # the program's edge: the last place to say it in words
            _unexpected(ctx, error)


def _code_of(error: EkcError) -> int:
    if isinstance(error, NotFound):
        return NOT_FOUND
    return NOT_RUNNING if isinstance(error, NotRunning) else FAILED


def fail(sentence: str, code: int = FAILED) -> NoReturn:
    """Say what went wrong on stderr and end with an exit code."""
    click.echo(f"ekc: {sentence}", err=True)
    raise click.exceptions.Exit(code)


def _reader_went_away() -> NoReturn:
    """`ekc … | head` has what it wanted."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise click.exceptions.Exit(0)


def _unexpected(ctx: click.Context, error: Exception) -> NoReturn:
    """One sentence, and where the details are: the exception's text may be personal, so it is not kept."""
    where = "run it again with EKC_LOG_LEVEL=debug to see where"
    site = ctx.find_root().obj
    if os.environ.get("EKC_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exception(error)
        where = "the traceback is above"
    elif site is not None and (log := _keep(site.settings.log_dir, error)) is not None:
        where = f"the details are in {log}"
    fail(f"an error of the program ({type(error).__name__}); {where}")


def _keep(directory: Path, error: Exception) -> Path | None:
    """Add type and place of an error to cli.log (0600); None where it cannot be written."""
    path = directory / "cli.log"
    lines = [
        datetime.now(UTC).isoformat(),
        " ",
        type(error).__name__,
        "\n",
        *traceback.format_tb(error.__traceback__),
    ]
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError:
        return None
    return path


# --- the site --------------------------------------------------------------------------------------


def site_of(ctx: click.Context) -> Site:
    """The site this run speaks of, opened once, closed at the end of the run. Raises BadInput."""
    root = ctx.find_root()
    if root.obj is None:
        from ivr.bootstrap import open_site  # everything is behind it: --help must not wait for that

        root.obj = open_site(root.meta.get(_STATE))
        root.call_on_close(root.obj.close)
    site: Site = root.obj
    return site


def output_of(ctx: click.Context) -> Output:
    return Output(as_json=bool(ctx.find_root().meta.get(_JSON)), zone=site_of(ctx).settings.zone)


def with_site(command: Callable[Concatenate[Site, Output, P], R]) -> Callable[P, R]:
    """Hand a command the site and the way to print, before its own parameters."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        ctx = click.get_current_context()
        return command(site_of(ctx), output_of(ctx), *args, **kwargs)

    return run


def acting(site: Site) -> By:
    """Who runs this command, for the audit."""
    from ivr.services.audit import By

    return By(actor=f"cli:{_login()}", at=site.clock.now())


def _login() -> str:
    """The login behind this process; under sudo the one who called it."""
    name = os.environ.get("SUDO_USER")
    if name is None or os.geteuid() != 0:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):  # a process whose user has no entry in passwd
            name = f"uid{os.getuid()}"
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:64]
