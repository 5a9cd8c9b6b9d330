"""`xpm import --csv FILE` and the like: runs that xpm has not made become rows of tables of results."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from xpm_cli.app import say, setting
from xpm_cli.lookup.find_workspace import find_workspace
from xpm_cli.output.json_form import dumps
from xpm_cli.output.sheets.foreign_sheet import ForeignSheet
from xpm_core.exchange.foreign.csv_file import read_csv
from xpm_core.exchange.foreign.hydra import read_hydra
from xpm_core.exchange.foreign.placing import draft
from xpm_core.exchange.foreign.roles import Asked, choose, words_of
from xpm_core.exchange.foreign.runs import runs_of
from xpm_core.exchange.foreign.sheet import Sheet
from xpm_core.exchange.foreign.wandb import read_wandb
from xpm_core.results.foreign import forget
from xpm_core.script.this_process import about
from xpm_core.words.commands import Commands
from xpm_core.workspace.workspace import Workspace

Function = TypeVar("Function", bound=Callable[..., Any])

_SOURCES = {"csv": "--csv", "hydra": "--hydra-multirun", "wandb": "--wandb-export", "forget": "--forget"}
_DETAILS = {
    "experiment": "--experiment", "params": "--params", "results": "--results", "tags": "--tags",
    "results_file": "--results-file", "task": "--task", "called": "--name",
}  # fmt: skip


def foreign_options(function: Function) -> Function:
    """Add the options of foreign runs to a command."""
    options = [
        click.option("--csv", metavar="FILE", help="Take in a table of runs: a row for each, with a header."),
        click.option(
            "--hydra-multirun", "hydra", metavar="DIR", help="Take in the runs below a folder that Hydra has made."
        ),
        click.option("--wandb-export", "wandb", metavar="FILE", help="Take in an export of wandb: CSV, JSON or JSONL."),
        click.option("--experiment", metavar="NAME", help="The experiment whose tables get these runs."),
        click.option("--params", metavar="NAMES", multiple=True, help="The columns that are parameters: lr,model."),
        click.option("--results", metavar="NAMES", multiple=True, help="The columns that are results: accuracy."),
        click.option("--tags", metavar="NAMES", multiple=True, help="The columns that are tags."),
        click.option(
            "--results-file", metavar="PATH", help="With --hydra-multirun: the file of results in each run's folder."
        ),
        click.option("--task", metavar="TASK", help="The task that the runs count as in filters. Default: their name."),
        click.option("--name", "called", metavar="NAME", help="What they are called. Default: the name of the source."),
        click.option("--forget", metavar="NAME", help="Remove the foreign runs of a name from the workspace."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def is_foreign(file: str | None, options: Mapping[str, Any], own: Mapping[str, object]) -> bool:
    """Whether foreign runs are asked for; else, an export of xpm is.

    Args:
        file: The export of xpm.
        options: The options of foreign runs.
        own: The options of an export of xpm, by how they are typed.

    Raises:
        UsageError: Both, or neither, or an option that goes with the other.
    """
    sources = [typed for name, typed in _SOURCES.items() if options[name] is not None]
    details = [typed for name, typed in _DETAILS.items() if options[name]]
    if len(sources) + (file is not None) != 1:
        given = [*(["FILE"] if file is not None else []), *sources]
        told = f"got {' and '.join(given)}" if given else "got none"
        raise click.UsageError(f"Expected one of FILE, {', '.join(_SOURCES.values())}; {told}.")
    if file is not None:
        if details:
            raise click.UsageError(f"{details[0]} goes with --csv, --hydra-multirun or --wandb-export.")
        return False
    if wrong := [typed for typed, value in own.items() if value]:
        raise click.UsageError(f"{wrong[0]} goes with FILE, which xpm export has written.")
    if options["forget"] is not None and details:
        raise click.UsageError(f"{details[0]} does not go with --forget.")
    if options["forget"] is None and not options["experiment"]:
        raise click.UsageError(f"{sources[0]} needs --experiment NAME: the experiment whose tables get the runs.")
    if options["results_file"] and options["hydra"] is None:
        raise click.UsageError("--results-file goes with --hydra-multirun.")
    return True


def import_foreign(options: Mapping[str, Any], dry_run: bool, as_json: bool) -> None:
    """Take in foreign runs, or remove them."""
    if options["forget"] is not None:
        _forget(options["forget"], dry_run or as_json)
        return
    place = Path(os.path.realpath(find_workspace(setting("workspace"), create=True).path))
    sheet = _read(options)
    asked = Asked(*(words_of(options[name]) for name in ("params", "tags", "results")))
    chosen = choose(sheet, asked)
    runs = runs_of(sheet, chosen)
    found = draft(
        place,
        sheet,
        runs,
        options["experiment"],
        name=options["called"] or "",
        task=options["task"] or "",
        by=str(about()["user"]),
    )
    if not dry_run:
        found.place(Workspace.open(place).path)
    commands = Commands.of_program(place, setting("workspace"))
    shown = ForeignSheet(found, chosen, runs.notes, place, not dry_run, commands)
    for line in shown.lines():
        say(line)
    if as_json:
        click.echo(dumps(shown.as_data()))


def _read(options: Mapping[str, Any]) -> Sheet:
    if options["csv"] is not None:
        return read_csv(Path(options["csv"]))
    if options["wandb"] is not None:
        return read_wandb(Path(options["wandb"]))
    return read_hydra(Path(options["hydra"]), options["results_file"] or "")


def _forget(name: str, more: bool) -> None:
    if more:
        raise click.UsageError("--forget takes neither --dry-run nor --json.")
    place = Path(os.path.realpath(find_workspace(setting("workspace")).path))
    forget(place, name)
    say(f"{name}: its foreign rows were removed. The source itself stays as it is.")
