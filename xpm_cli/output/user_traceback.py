"""The traceback of an error in the user's code, without the frames of the programs that called the code."""

from __future__ import annotations

import importlib
import os
import traceback

import click

import xpm_cli
import xpm_core
from xpm_core.tracebacks.edges import debugging
from xpm_core.words.text import plural

PACKAGES = (xpm_core, xpm_cli, click, importlib)
OURS = tuple(f"{os.path.dirname(os.path.abspath(str(each.__file__)))}{os.sep}" for each in PACKAGES)
"""Where the files lie whose frames are hidden."""


def print_traceback(error: BaseException, *, whole: bool = False) -> None:
    """Print the traceback of an error to standard error.

    Args:
        error: The error.
        whole: Whether to hide no frame.
    """
    shown = traceback.TracebackException.from_exception(error)
    if not whole and not debugging():
        hidden = sum(_fold(each) for each in _all(shown))
        if hidden and shown.stack:
            click.echo(f"({plural(hidden, 'frame')} hidden that are not yours, --debug shows them)", err=True)
    click.echo("".join(shown.format()), err=True, nl=False)


def _all(shown: traceback.TracebackException) -> list[traceback.TracebackException]:
    """A traceback and those that are shown before it."""
    before = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)
    return [shown, *(_all(before) if before is not None else [])]


def _fold(shown: traceback.TracebackException) -> int:
    """Take the frames that are not the user's out of a traceback, unless it has no others; returns how many."""
    kept = [frame for frame in shown.stack if not frame.filename.startswith((*OURS, "<frozen "))]
    hidden = len(shown.stack) - len(kept)
    if not kept and not isinstance(shown, SyntaxError):
        return 0
    shown.stack[:] = kept
    return hidden
