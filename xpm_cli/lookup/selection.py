"""The options that select jobs, the same for every command that takes them.

Owns: these options, the filter that they write together, and options that take several names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from xpm_core.filters import Filter, from_options

if TYPE_CHECKING:
    from xpm_core.reading.look import View

Function = TypeVar("Function", bound=Callable[..., Any])

NAMES = ("where", "state", "tag", "task", "experiment", "since")
"""The options, which `selected` takes as keyword arguments."""

CHANGING = frozenset({"state", "since", "worker", "host", "error", "attempts", "started", "ended"})
"""Fields of a job that change while it waits, runs and ends."""


def selection_options(function: Function) -> Function:
    """Add the options that select jobs to a command. It gets them as keyword arguments: pass them to `selected`."""
    return _added(function, _EXPERIMENT)


def selection_within(function: Function) -> Function:
    """Add the same options to a command that takes the name of an experiment as an argument."""
    return _added(function)


_EXPERIMENT = click.option("--experiment", multiple=True, metavar="NAME", help="Jobs of this experiment.")


def _added(function: Function, *more: Callable[[Any], Any]) -> Function:
    options: list[Callable[[Any], Any]] = [
        click.option(
            "--where", multiple=True, metavar="FILTER", help="Jobs that match: 'lr>0.01 and state=failed,blocked'."
        ),
        click.option("--state", multiple=True, metavar="STATE[,...]", help="Jobs in one of these states."),
        click.option("--tag", multiple=True, metavar="NAME=VALUE", help="Jobs with this tag."),
        click.option("--task", multiple=True, metavar="TASK", help="Jobs of this task."),
        *more,
        click.option("--since", metavar="TIME", help="Jobs that changed since: 2h, 3d, or 2026-01-31."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def names_option(name: str, help: str) -> Callable[[Function], Function]:
    """An option that takes names with commas between them. If it is given several times, all of its names count.

    The command gets them as one text, with commas; None without the option.
    """
    return click.option(name, multiple=True, callback=_joined, metavar="NAME[,...]", help=help)


def _joined(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> str | None:
    return ",".join(given) if given else None


def selected(**given: Any) -> Filter | None:
    """The filter that the options of `selection_options` write together; None if none was given.

    Raises:
        FilterError: An option cannot be understood.
    """
    chosen = {name: given[name] for name in NAMES if given.get(name) not in (None, ())}
    return from_options(**chosen) if chosen else None


def is_lasting(chosen: Filter, view: View) -> bool:
    """Whether a job that matches goes on to match, whatever happens to it: the filter asks only what it is."""
    return CHANGING.isdisjoint(chosen.bind(view.vocabulary).fields)
