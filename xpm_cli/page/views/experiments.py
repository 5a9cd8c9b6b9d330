"""The first view: how the workspace stands. What needs somebody, experiments with their jobs by state, when it ends.

Owns: what it reads. It says what `xpm status` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from starlette.routing import Route

from xpm_cli.output.documents.standing import counted, with_forgotten
from xpm_cli.output.sheets.survey_sheet import Need, SurveySheet
from xpm_cli.page.rendering import links_of, page
from xpm_core.filters import from_options
from xpm_core.forecast.records import Forecast
from xpm_core.reading.experiments import Experiment
from xpm_core.server.connection import OUTAGES
from xpm_core.states import State

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from xpm_cli.page.desk.desk import Desk
    from xpm_core.reading.look import View
    from xpm_core.reading.survey.survey import Survey

SHOWN = 100
"""How many experiments are shown, the latest ones."""


class Standing(NamedTuple):
    """How the workspace stands.

    Attributes:
        now_s: The time, epoch seconds.
        counts: How many jobs are in each state; the state None is not known.
        experiments: The experiments, the latest run first; each with its jobs by state.
        needs: What needs somebody.
        forecast: When the unfinished jobs may have ended; None if none is left, or nobody knows.
        notes: What one should know of these facts, each a sentence.
    """

    now_s: float
    counts: Mapping[State | None, int]
    experiments: Sequence[tuple[Experiment, Mapping[State | None, int]]]
    needs: Sequence[Need] = ()
    forecast: Forecast | None = None
    notes: Sequence[str] = ()


def routes() -> list[Route]:
    """The URLs of this view."""
    return [Route("/", show)]


def show(request: Request) -> Response:
    """How the workspace stands."""
    desk: Desk = request.app.state.desk
    ready = desk.is_ready or desk.away is not None
    standing = None if ready else _at_first(desk)
    ready = standing is None
    if standing is None:
        standing = desk.remembered("standing", lambda view: _standing(desk, view))
    links = links_of(request)
    return page(
        request,
        "experiments.jinja",
        ready=ready,
        standing=standing,
        shown=SHOWN,
        more=max(len(standing.experiments) - SHOWN, 0),
        filter_of=_filter_of,
        state_url=lambda state: links.jobs(str(from_options(state=state.value))),
        url_of=lambda experiment: lambda state: links.jobs(_filter_of(experiment, state)),
    )


def _at_first(desk: Desk) -> Standing | None:
    """The same while the jobs are being listed: what the server says at once. The desk's look does not ask it.

    None if it does not answer now: the desk then says so.
    """
    try:
        return _of_survey(desk, desk.view.reader.survey.read(), {}, None)
    except OUTAGES:
        return None


def _standing(desk: Desk, view: View) -> Standing:
    counts, of_experiment = counted(view)
    if view.away is not None:
        return Standing(view.now_s, counts, _each(view.experiments(), of_experiment), notes=view.notes)
    survey = view.survey()
    forecast = view.forecast(survey=survey) if survey.goes_on else None
    found = _of_survey(desk, with_forgotten(survey, counts, of_experiment), of_experiment, forecast)
    return found._replace(notes=view.notes)


def _of_survey(
    desk: Desk, survey: Survey, of_each: Mapping[str, Mapping[State | None, int]], forecast: Forecast | None
) -> Standing:
    workspace, server = desk.view.workspace, desk.view.server
    sheet = SurveySheet(str(workspace.path), workspace.id, server, desk.opened.commands, survey, forecast=forecast)
    experiments = _each(survey.experiments, of_each)
    counts: dict[State | None, int] = {None: survey.unknown}
    counts.update(survey.counts.items())
    return Standing(survey.now_s, counts, experiments, list(sheet.needed()), forecast)


def _each(
    experiments: Iterable[Experiment], counts: Mapping[str, Mapping[State | None, int]]
) -> list[tuple[Experiment, Mapping[State | None, int]]]:
    return [(each, counts.get(each.name, {})) for each in experiments]


def _filter_of(experiment: str, state: State | None = None) -> str:
    """The filter of the jobs of an experiment, maybe of one state."""
    return str(from_options(experiment=[experiment], state=state.value if state else None))
