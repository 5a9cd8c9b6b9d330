"""What all commands share: the options that each of them takes, messages, and how an error ends the program.

Owns: exit codes (0 good, 1 what was asked about failed, 2 usage or unknown name, 3 Redis or workspace out of reach).
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TypeVar

import click

from xpm_core.errors import (
    AmbiguousJobError,
    EmbeddedServerError,
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
    (UnknownJobError, AmbiguousJobError, UnknownExperimentError, RedisUrlError, SettingsError, ScriptError): USAGE,
    (WorkspaceError, RedisUnavailableError, RedisUnfitError, ServerNotFoundError, EmbeddedServerError): UNREACHABLE,
}
_SETTINGS = "xpm_cli."


class Program(click.Group):
    """The group of all commands. An error of xpm ends it with a message; with `--debug`, with its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        ctx.color = _colour()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):  # names of files, for one, need be no text
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except XpmError as error:
            if ctx.meta.get(_SETTINGS + "debug"):
                raise
            click.echo(f"Error: {error}", err=True)
            ctx.exit(next((code for kinds, code in _EXIT_CODES.items() if isinstance(error, kinds)), FAILED))


def setting(name: str) -> Any:
    """What the user gave for one of the common options; None when nothing."""
    return click.get_current_context().meta.get(_SETTINGS + name)


def say(text: str) -> None:
    """Print a message, which is no data: to standard error, and not at all with `-q`."""
    if not setting("quiet"):
        click.echo(text, err=True)


def common_options(function: Function) -> Function:
    """Give a command the options that each of them takes; they may stand before or after its name."""
    options = [
        _option("--workspace", type=click.Path(path_type=Path), metavar="DIR", help="The workspace to look at."),
        _option("--redis", metavar="URL", help="The server that the workspace uses."),
        _option("-q", "--quiet", is_flag=True, help="Print no messages, only what was asked for."),
        _option("-v", "--verbose", is_flag=True, help="Print more messages."),
        _option("--debug", is_flag=True, help="Print the traceback of an error."),
        click.version_option(version("xpm"), prog_name="xpm"),
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
    """Whether to print colours, as the environment says; None lets click see whether there is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None
