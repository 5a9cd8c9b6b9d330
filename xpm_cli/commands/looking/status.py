"""`xpm status`: how a workspace stands, and what needs somebody."""

from __future__ import annotations

import os
import sys
from collections import Counter

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.output.json_form import dumps
from xpm_cli.output.sheets.files_sheet import FilesSheet
from xpm_cli.output.sheets.survey_sheet import SurveySheet
from xpm_cli.output.terminal import Terminal
from xpm_core.errors import UnknownExperimentError
from xpm_core.results.foreign import with_foreign
from xpm_core.states import State


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
        if opened.view.away is not None:
            _show_files(opened, experiment, as_json)
            return
        sheet = _sheet(opened, experiment or "")
        if as_json:
            click.echo(dumps(sheet.as_data()))
        else:
            for line in sheet.lines(Terminal.of_stdout()):
                click.echo(line)
        if not any(sheet.survey.counts.values()):  # nothing was submitted yet, or the server was wiped
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


def _sheet(opened: OpenWorkspace, experiment: str) -> SurveySheet:
    survey = opened.view.survey()
    names = [each.name for each in survey.experiments]
    if experiment and experiment not in names:
        names = sorted({*names, *(opened.view.vocabulary.experiments or ())})  # also those that only the index has
        if experiment not in names:
            raise UnknownExperimentError(experiment, with_foreign(names, opened.workspace.path))
    forecast = opened.view.forecast(experiment, survey=survey) if survey.goes_on else None
    if experiment and names != [each.name for each in survey.experiments][:1]:
        from xpm_core.filters import from_options  # late, because most do not name an experiment

        listing = opened.view.jobs(from_options(experiment=[experiment]))
        counts = Counter(row.state for row in listing)
        survey.counts = {each: counts[each] for each in State}
        members = {row.identity for row in listing}
        survey.failed = [job for job in survey.failed if job.identity in members]
    view = opened.view
    path = str(view.workspace.path)
    return SurveySheet(path, view.workspace.id, view.server, opened.commands, survey, experiment, forecast)


def _show_files(opened: OpenWorkspace, experiment: str | None, as_json: bool) -> None:
    """Show what the files say: experiments, and how many jobs have ended how."""
    from xpm_core.filters import from_options

    experiments = opened.view.experiments()
    if experiment and experiment not in (names := [each.name for each in experiments]):
        raise UnknownExperimentError(experiment, with_foreign(names, opened.workspace.path))
    wanted = from_options(experiment=[experiment] if experiment else None)
    counts = Counter(row.state for row in opened.view.jobs(wanted))
    sheet = FilesSheet(opened, [each for each in experiments if experiment in (None, each.name)], counts, experiment)
    if as_json:
        click.echo(dumps(sheet.as_data()))
        return
    for line in sheet.lines(Terminal.of_stdout()):
        click.echo(line)
    for note in opened.view.notes:
        say(note)
