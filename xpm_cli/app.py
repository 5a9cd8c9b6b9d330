"""The program that all commands belong to: common options, messages, and how an error ends it.

Owns: exit codes (0 good, 1 the job or the action failed, 2 usage or unknown name, 3 Redis or workspace out of reach,
4 the time of `xpm wait` is over, 130 Ctrl-C), and that only the command that is run is imported.
"""

from __future__ import annotations

import errno
import gc
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from io import TextIOWrapper
from typing import Any, ClassVar, TextIO, TypeVar

import click

from xpm_core import __version__
from xpm_core.errors import (
    AmbiguousJobError,
    AmbiguousWorkerError,
    EmbeddedServerError,
    ExperimentFileError,
    FilterError,
    ForgottenJobError,
    RedisUnavailableError,
    RedisUnfitError,
    RedisUrlError,
    ReproduceError,
    ResultsError,
    ScriptError,
    ServerNotFoundError,
    SettingsError,
    UnknownAttemptError,
    UnknownColumnError,
    UnknownExperimentError,
    UnknownJobError,
    UnknownQueueError,
    UnknownTokenError,
    UnknownWorkerError,
    UnknownWorkspaceError,
    WorkspaceError,
    XpmError,
)
from xpm_core.words.text import plain, shows_glyphs

Function = TypeVar("Function", bound=Callable[..., Any])

FAILED, USAGE, UNREACHABLE, TIMED_OUT, INTERRUPTED = 1, 2, 3, 4, 130

_EXIT_CODES: dict[tuple[type[XpmError], ...], int] = {
    (UnknownJobError, ForgottenJobError, AmbiguousJobError): USAGE,
    (UnknownAttemptError, UnknownExperimentError, UnknownTokenError, UnknownWorkspaceError): USAGE,
    (UnknownQueueError, UnknownWorkerError, AmbiguousWorkerError, ReproduceError): USAGE,
    (ExperimentFileError, FilterError, RedisUrlError, SettingsError, ScriptError): USAGE,
    (ResultsError, UnknownColumnError): USAGE,
    (WorkspaceError, RedisUnavailableError, RedisUnfitError, ServerNotFoundError, EmbeddedServerError): UNREACHABLE,
}
_SETTINGS = "xpm_cli."

COLLECTING = gc.get_threshold()
"""When Python collects garbage by itself, before `Program` changes it."""
VARIABLE = "_XPM_COMPLETE"
"""Variable with which a shell asks for the words that can come next."""
COMPLETION = "xpm_cli.completion.shells"
"""The module that answers. It knows the rooms above this one, so it is imported as a command is."""


class Program(click.Group):
    """The group of all commands. An error of xpm ends it with a message; with `--debug`, with its traceback.

    Attributes:
        homes: By the name of a command: the module that has it under this name, and the first line of its help. So
            neither help nor a command imports the other commands.
    """

    homes: ClassVar[dict[str, tuple[str, str]]] = {}

    def main(self, *args: Any, **more: Any) -> Any:
        """Run the program, or answer a shell that asks for words."""
        if os.environ.get(VARIABLE):
            import_module(COMPLETION).register()
            more["prog_name"] = "xpm"  # click makes the name of the variable of it
        return super().main(*args, **more)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order of `homes`."""
        return list(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None if there is none."""
        if cmd_name not in self.homes:
            return None
        module = import_module(self.homes[cmd_name][0])
        found = getattr(module, cmd_name, None) or getattr(module, f"{cmd_name}_")  # a name may be a word of Python
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands into the help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.homes.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed; an unknown one is an error with the near ones."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.homes:
            near = get_close_matches(name, self.homes, 2)
            hint = f" Did you mean {' or '.join(near)}?" if near else f" There are: {', '.join(self.homes)}."
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        gc.set_threshold(10**6)  # with Python's own 700, a list of 100,000 jobs would take twice as long
        ctx.color = _colour()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):  # the name of a file may not be UTF-8
                stream.reconfigure(errors="backslashreplace")
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except XpmError as error:
            if ctx.meta.get(_SETTINGS + "debug"):
                raise
            tell(f"Error: {error}")
            ctx.exit(next((code for kinds, code in _EXIT_CODES.items() if isinstance(error, kinds)), FAILED))
        except BrokenPipeError:
            _close(sys.stdout, sys.stderr)
            ctx.exit(0)
        except OSError as error:
            if ctx.meta.get(_SETTINGS + "debug"):
                raise
            _close(sys.stdout)  # else Python would fail at its end, too, to write what is left
            _tell_of(error)
            ctx.exit(FAILED)
        except (KeyboardInterrupt, click.Abort):
            if ctx.meta.get(_SETTINGS + "debug"):
                raise
            click.echo(err=True)  # the terminal has shown ^C
            ctx.exit(INTERRUPTED)


def setting(name: str) -> Any:
    """The value that the user gave for one of the common options; None without one."""
    return click.get_current_context().meta.get(_SETTINGS + name)


def say(text: str) -> None:
    """Print a message to standard error, or nothing with `-q`. Standard output is for data."""
    if not setting("quiet"):
        tell(text)


def _close(*streams: TextIO) -> None:
    """Write nowhere from now on: the program that reads has left, as `head` does when it has enough; or a disk is full.

    Streams that are no files are left alone.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        with suppress(OSError, ValueError):  # a test, or another program, may have put something else there
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _tell_of(error: OSError) -> None:
    """Say what the system has refused. If that cannot be said either, the exit code has to do."""
    forbidden = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    remedy = "Look who may read and write there" if forbidden else "Check the disk"
    try:
        tell(f"Error: {error.filename or 'the output'}: {error.strerror or error}. {remedy}, then try again.")
    except OSError:
        _close(sys.stderr)


def tell(text: str) -> None:
    """Print a message to standard error, also with `-q`: an error, or the report of a failure."""
    click.echo(text if shows_glyphs(sys.stderr) else plain(text), err=True)


def common_options(function: Function) -> Function:
    """Add the common options to a command. They may stand before or after its name."""
    options = [
        _option("-w", "--workspace", metavar="DIR|NAME", help="The workspace: its directory or its name."),
        _option("--redis", metavar="URL", help="The server that the workspace uses."),
        _option("-q", "--quiet", is_flag=True, help="Print no messages, only what was asked for."),
        _option("-v", "--verbose", is_flag=True, help="Print more messages."),
        _option("--debug", is_flag=True, help="Print the traceback of an error."),
        click.version_option(__version__, prog_name="xpm"),
    ]
    own = list(getattr(function, "__click_params__", ()))
    for option in reversed(options):
        function = option(function)
    added = function.__click_params__[len(own) :]  # type: ignore[attr-defined]
    function.__click_params__ = [*added, *own]  # type: ignore[attr-defined]  # help lists the command's own ones first
    return function


def _option(*names: str, **attributes: Any) -> Callable[[Function], Function]:
    return click.option(*names, expose_value=False, callback=_keep, **attributes)


def _keep(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if not value:
        return
    ctx.meta[f"{_SETTINGS}{parameter.name}"] = value
    if parameter.name == "verbose":
        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")


def _colour() -> bool | None:
    """Whether the environment wants colours; None lets click find out whether there is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None
