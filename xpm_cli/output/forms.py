"""The forms in which a list is printed: a table for people; JSON, CSV and bare ids for programs.

Owns: the option `-o`, and how records are written as JSON, JSON lines and CSV.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from xpm_cli.output.json_form import SCHEMA, dumps
from xpm_core.words.csv_line import csv_line

Function = TypeVar("Function", bound=Callable[..., Any])

TABLE, WIDE, JSON, JSONL, CSV, NAME = FORMS = ("table", "wide", "json", "jsonl", "csv", "name")


def form_option(function: Function) -> Function:
    """Add `-o FORM` and `--json` to a command. It gets the form as `form`."""
    return list_forms(*FORMS)(function)


def list_forms(*forms: str) -> Callable[[Function], Function]:
    """Add the same options with only some forms, the first of which is the default."""

    def added(function: Function) -> Function:
        as_json = click.option("--json", "form", flag_value=JSON, help="The same as -o json.")
        form = click.option(
            "-o", "--output", "form", type=click.Choice(forms), default=forms[0], help="The form of the output."
        )
        return form(as_json(function))

    return added


def is_list(ctx: click.Context) -> bool:
    """Whether a group was called without a command of its own, and so prints its list.

    Raises:
        UsageError: A form of the list was asked for, and a command named that prints no list.
    """
    if ctx.invoked_subcommand is None:
        return True
    if any(ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ("form", "as_document")):
        own, problem = f"{ctx.command_path} {ctx.invoked_subcommand}", "--json and -o are for the list"
        raise click.UsageError(f"{problem} that `{ctx.command_path}` prints. `{own}` takes neither.")
    return False


def as_json(head: Mapping[str, Any], name: str, records: Iterable[Mapping[str, Any]]) -> str:
    """A document of JSON: the version of the form, what `head` says, and the records as a list of that name."""
    return dumps({"schema": SCHEMA, **head, name: list(records)})


def as_json_lines(records: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """One object of JSON a line."""
    return (dumps(record, indent=None) for record in records)


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterable[str]:
    """Comma-separated values, the header first. What is no text or number is written as JSON; None as nothing."""
    for row in (header, *rows):
        yield csv_line(map(_cell, row), end="")


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    return dumps(value, indent=None)
