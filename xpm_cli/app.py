"""The program that all commands belong to: common options, messages, and how an error ends it.

Owns: exit codes (0 good, 1 the job or the action failed, 2 usage or unknown name, 3 Redis or workspace out of reach).
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TypeVar

import click

from xpm_core import __version__
from xpm_core.errors import (
    AmbiguousJobError,
    EmbeddedServerError,
    FilterError,
    RedisUnavailableError,
    RedisUnfitError,
    RedisUrlError,
    ScriptError,
    ServerNotFoundError,
    SettingsError,
    UnknownExperimentError,
    UnknownJobError,
    WorkspaceError,
    XpmError,
)

Function = TypeVar("Function", bound=Callable[..., Any])

FAILED, USAGE, UNREACHABLE = 1, 2, 3

_EXIT_CODES: dict[tuple[type[XpmError], ...], int] = {
    (UnknownJobError, AmbiguousJobError, UnknownExperimentError, FilterError): USAGE,
    (RedisUrlError, SettingsError, ScriptError): USAGE,
    (WorkspaceError, RedisUnavailableError, RedisUnfitError, ServerNotFoundError, EmbeddedServerError): UNREACHABLE,
}
_SETTINGS = "xpm_cli."


class Program(click.Group):
    """The group of all commands. An error of xpm ends it with a message; with `--debug`, with its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        ctx.color = _colour()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):  # the name of a file may not be UTF-8
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except XpmError as error:
            if ctx.meta.get(_SETTINGS + "debug"):
                raise
            click.echo(f"Error: {error}", err=True)
            ctx.exit(next((code for kinds, code in _EXIT_CODES.items() if isinstance(error, kinds)), FAILED))


def setting(name: str) -> Any:
    """The value that the user gave for one of the common options; None without one."""
    return click.get_current_context().meta.get(_SETTINGS + name)


def say(text: str) -> None:
    """Print a message to standard error, or nothing with `-q`. Standard output is for data."""
    if not setting("quiet"):
        click.echo(text, err=True)


def common_options(function: Function) -> Function:
    """Add the common options to a command. They may stand before or after its name."""
    options = [
        _option("--workspace", type=click.Path(path_type=Path), metavar="DIR", help="The workspace to look at."),
        _option("--redis", metavar="URL", help="The server that the workspace uses."),
        _option("-q", "--quiet", is_flag=True, help="Print no messages, only what was asked for."),
        _option("-v", "--verbose", is_flag=True, help="Print more messages."),
        _option("--debug", is_flag=True, help="Print the traceback of an error."),
        click.version_option(__version__, prog_name="xpm"),
    ]
    for option in reversed(options):
        function = option(function)
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
