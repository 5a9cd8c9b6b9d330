"""`xpm status`: how a workspace stands, and what needs somebody."""

from __future__ import annotations

import os
import sys

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.output.documents.standing import standing_of
from xpm_cli.output.json_form import dumps
from xpm_cli.output.sheets.files_sheet import FilesSheet
from xpm_cli.output.terminal import Terminal
from xpm_core.errors import UnknownExperimentError
from xpm_core.results.foreign import with_foreign


@click.command()
@common_options
@click.argument("experiment", metavar="[EXPERIMENT]", required=False)
@click.option("--watch", "watches", is_flag=True, help="Go on showing it on the terminal, and take keys.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(experiment: str | None, watches: bool, as_json: bool) -> None:
    """Show how a workspace stands: what needs you, jobs by state, tokens, workers.

    With EXPERIMENT, the jobs are those of this experiment. With --watch, the screen is drawn again when something
    happens: j and k choose a job, Enter shows it and its log, c cancels it, r runs it again, f lists failures, / takes
    a filter, ? shows all keys, q quits.
    """
    if watches:
        _watch(experiment or "", as_json)
        return
    with open_workspace(surveys=True) as opened:
        sheet = standing_of(opened, experiment or "")
        if as_json:
            click.echo(dumps(sheet.as_data()))
            if isinstance(sheet, FilesSheet):
                return
        else:
            for line in sheet.lines(Terminal.of_stdout()):
                click.echo(line)
        # without the server; or nothing was submitted yet, or the server was wiped
        if isinstance(sheet, FilesSheet) or sheet.survey.forgotten or not any(sheet.survey.counts.values()):
            for note in opened.view.notes:
                say(note)


def _watch(experiment: str, as_json: bool) -> None:
    """Show it on the terminal until somebody presses q."""
    if as_json:
        raise click.UsageError("--watch draws on a terminal. For programs: xpm events -f -o jsonl, or without --watch.")
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM", "dumb") == "dumb":
        raise click.UsageError("--watch needs a terminal. Without one: xpm events -f, or xpm status.")
    from xpm_cli.watch.watch import watch  # late, because most do not watch

    with open_workspace(live=True) as opened:
        names = opened.view.reader.experiments.names()
        if experiment and experiment not in names:
            names = sorted({*names, *(opened.view.vocabulary.experiments or ())})
            if experiment not in names:
                raise UnknownExperimentError(experiment, with_foreign(names, opened.workspace.path))
        watch(opened, experiment)
