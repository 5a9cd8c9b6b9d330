"""How a workspace stands, as `xpm status` shows it: the sheet for people, which also has the document."""

from __future__ import annotations

from collections import Counter

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.sheets.files_sheet import FilesSheet
from xpm_cli.output.sheets.survey_sheet import SurveySheet
from xpm_core.errors import UnknownExperimentError
from xpm_core.results.foreign import with_foreign
from xpm_core.states import State


def standing_of(opened: OpenWorkspace, experiment: str = "") -> SurveySheet | FilesSheet:
    """How the workspace stands: by the server; by the files if the server cannot be had.

    Args:
        opened: The workspace.
        experiment: The experiment whose jobs are counted; empty for the whole workspace.

    Raises:
        UnknownExperimentError: There is no such experiment.
    """
    return _by_the_server(opened, experiment) if opened.view.away is None else _by_files(opened, experiment)


def _by_the_server(opened: OpenWorkspace, experiment: str) -> SurveySheet:
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


def _by_files(opened: OpenWorkspace, experiment: str) -> FilesSheet:
    """What the files say: experiments, and how many jobs have ended how."""
    from xpm_core.filters import from_options  # late, because most servers answer

    experiments = opened.view.experiments()
    if experiment and experiment not in (names := [each.name for each in experiments]):
        raise UnknownExperimentError(experiment, with_foreign(names, opened.workspace.path))
    counts = Counter(
        row.state for row in opened.view.jobs(from_options(experiment=[experiment] if experiment else None))
    )
    shown = [each for each in experiments if experiment in ("", each.name)]
    return FilesSheet(opened, shown, counts, experiment or None)
