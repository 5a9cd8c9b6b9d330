"""How a workspace stands, as `xpm status` shows it: the sheet for people, which also has the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.sheets.files_sheet import FilesSheet
from xpm_cli.output.sheets.survey_sheet import SurveySheet
from xpm_core.errors import UnknownExperimentError
from xpm_core.reading.experiments import Experiment
from xpm_core.reading.offline import first_run_s, linked, listed
from xpm_core.results.foreign import with_foreign
from xpm_core.states import State

if TYPE_CHECKING:
    from xpm_core.reading.look import View
    from xpm_core.reading.survey.survey import Survey

Counts = Counter[State | None]
"""How many jobs are in each state; the state None is not known."""
CLOCKS_S = 5.0
"""How far the clocks of the server and of a script's machine may be apart, seconds."""


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
    forgotten = _may_have_forgotten(opened.view, survey)
    if forgotten:
        survey = with_forgotten(survey, *counted(opened.view))
    names = [each.name for each in survey.experiments]
    if experiment and experiment not in names:
        names = sorted({*names, *(opened.view.vocabulary.experiments or ())})  # also those that only the index has
        if experiment not in names:
            raise UnknownExperimentError(experiment, with_foreign(names, opened.workspace.path))
    forecast = opened.view.forecast(experiment, survey=survey) if survey.goes_on else None
    if experiment and (forgotten or names != [each.name for each in survey.experiments][:1]):
        from xpm_core.filters import from_options  # late, because most do not name an experiment

        listing = opened.view.jobs(from_options(experiment=[experiment]))
        counts = Counter(row.state for row in listing)
        survey.counts, survey.unknown = {each: counts[each] for each in State}, counts[None]
        members = {row.identity for row in listing}
        survey.failed = [job for job in survey.failed if job.identity in members]
    view = opened.view
    path = str(view.workspace.path)
    return SurveySheet(path, view.workspace.id, view.server, opened.commands, survey, experiment, forecast)


def _may_have_forgotten(view: View, survey: Survey) -> bool:
    """Whether the server may lack jobs: it knows none, or lacks an experiment, or the first run and jobs of one.

    The index itself takes long to read. So does a folder of links, which is listed only if a run seems to be missing.
    """
    folder, names = view.workspace.path / "experiments", {each.name for each in survey.experiments}
    if not any(survey.counts.values()) or not names.issuperset(listed(folder)):
        return True
    return any(_lacks_first_run(folder / each.name, each) for each in survey.experiments)


def _lacks_first_run(folder: Path, known: Experiment) -> bool:
    """Whether the server may lack jobs of an experiment: its first run is older, and not all of its links are known."""
    return 0 < first_run_s(folder) < known.created_s - CLOCKS_S and not 0 < linked(folder) <= known.jobs


def counted(view: View) -> tuple[Counts, dict[str, Counts]]:
    """How many jobs of the server and of the index are in each state: in all, and of each experiment."""
    counts: Counts = Counter()
    of_experiment: dict[str, Counts] = {}
    for row in view.known():
        counts[row.state] += 1
        for name in row.experiments:
            of_experiment.setdefault(name, Counter())[row.state] += 1
    return counts, of_experiment


def with_forgotten(survey: Survey, counts: Counts, of_experiment: Mapping[str, Counts]) -> Survey:
    """The survey with the jobs and experiments that only the index has: the server was wiped, or is another one.

    Args:
        survey: How the workspace stands, by the server.
        counts, of_experiment: See `counted`.
    """
    forgotten = counts.total() - sum(survey.counts.values())
    if forgotten <= 0:
        return survey
    named = {each.name for each in survey.experiments}
    sizes = {name: of_it.total() for name, of_it in of_experiment.items()}
    known = [replace(each, jobs=max(each.jobs, sizes.get(each.name, 0))) for each in survey.experiments]
    lost = [Experiment(name, 0, 0, {}, size) for name, size in sizes.items() if name not in named]
    return replace(
        survey,
        counts={each: counts[each] for each in State},
        unknown=counts[None],
        forgotten=forgotten,
        experiments=[*known, *lost],
    )


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
