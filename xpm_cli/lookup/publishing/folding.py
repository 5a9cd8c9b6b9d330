"""The options that fold a table over seeds, the same for every command that takes them.

Owns: these options, and what they mean for `Table.over`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from xpm_cli.lookup.selection import names_option
from xpm_core.results.statistics.intervals import KINDS

Function = TypeVar("Function", bound=Callable[..., Any])


def folding_options(function: Function) -> Function:
    """Add the options to a command. Of `over`, `interval` and `bounds`, it passes the latter two to `settings_of`."""
    options = [
        names_option("--over", "Fold what varies between equal runs, such as seed."),
        click.option("--interval", type=click.Choice(KINDS), help="What ± means with --over. Default: t, at 95 %."),
        click.option(
            "--range",
            "bounds",
            nargs=2,
            type=float,
            metavar="LOW HIGH",
            help="Values lie between these: so do intervals.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def names_in(text: str | None) -> list[str]:
    """The names of a list with commas."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def settings_of(over: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `Table.over`, taken out of the options that were given.

    Raises:
        UsageError: There is an interval or a range, and nothing is folded.
    """
    interval, bounds = given.pop("interval", None), given.pop("bounds", None)
    if not over and (interval or bounds):
        raise click.UsageError("--interval and --range need --over: without it, nothing is folded.")
    return {**({"interval": interval} if interval else {}), **({"range": bounds} if bounds else {})}
