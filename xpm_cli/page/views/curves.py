"""A metric over the steps: means of all runs, grouped over all but what is named; or the curves of chosen jobs.

Owns: which chart a URL asks for, and its numbers for those who see no chart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from xpm_cli.page.rendering import links_of, page
from xpm_cli.page.results.charts import MOST_JOBS, MOST_SERIES, Chart, Charts, Series
from xpm_cli.page.results.questions import INTERVALS, changed, curve_interval, names_of
from xpm_cli.page.results.side_by_side import MOST
from xpm_cli.page.results.tables import chosen_jobs, foldable_columns, jobs_of, metrics_of, over, seeds_of
from xpm_core.errors import FilterError, ResultsError, UnknownColumnError, UnknownJobError
from xpm_core.results.digits import fixed
from xpm_core.results.folding.folded import Folded
from xpm_core.words.csv_line import csv_line
from xpm_core.words.text import plural

if TYPE_CHECKING:
    from starlette.requests import Request

    from xpm_cli.page.desk.desk import Desk
    from xpm_core.results.table import Table

MOST_ROWS = 25
"""At so many steps the numbers of a chart are shown. Its CSV has all."""


MOST_LISTED = 20_000
"""Of more jobs no table is made: not even their metrics are looked for."""


class Shown(NamedTuple):
    """What a URL asks for.

    Attributes:
        table: The jobs, folded or not.
        all_but: What is folded.
        identities: The jobs, if they were chosen one by one.
    """

    table: Table | Folded
    all_but: Sequence[str]
    identities: Sequence[str]


def routes() -> list[Route]:
    """The URLs of this view."""
    return [Route("/curves", show), Route("/curves/data", data)]


def show(request: Request) -> Response:
    """The chart, or the metrics from which one can be chosen. What cannot be had is said above."""
    desk: Desk = request.app.state.desk
    query, links = request.query_params, links_of(request)
    charts: Charts = request.app.state.charts
    facts: dict[str, Any] = {"wrong": [], "metrics": [], "foldable": [], "all_but": [], "numbers": None, "status": 200}
    metric, chart = query.get("metric", ""), None
    try:
        bare = _jobs(desk, request)
        names = [column.name for column in foldable_columns(bare)]
        facts |= {"foldable": names, "metrics": metrics_of(bare), "jobs": len(bare)}
        if not metric and len(facts["metrics"]) == 1:
            metric = facts["metrics"][0]
        shown = _shown(desk, request)
        facts["all_but"] = shown.all_but
        curve_interval(query)
        if len(bare) > MOST_JOBS and metric:
            raise ResultsError("curves", f"{len(bare):,} jobs match", f"Narrow the filter to at most {MOST_JOBS:,}.")
        if metric and query.get("show") == "numbers":
            chart = charts.of(shown.table, metric, whole=bool(shown.identities))
            facts["numbers"] = numbers_of(chart)
    except (FilterError, ResultsError, UnknownColumnError, UnknownJobError) as error:
        facts |= {"wrong": str(error).splitlines(), "status": 404 if isinstance(error, UnknownJobError) else 400}
    return page(
        request,
        "curves.jinja",
        **{"jobs": 0, **facts},
        metric=metric,
        chart=chart,
        identities=_identities(request),
        intervals=INTERVALS,
        interval=query.get("interval", "") or "t",
        most=MOST_SERIES,
        data_url=changed(links.curve_data(), query, metric=metric, show=None),
        url=lambda **changes: changed(links.curves(), query, **changes),
    )


def data(request: Request) -> Response:
    """The chart as JSON, or as CSV. If it is that of `version`, there is no content."""
    desk: Desk = request.app.state.desk
    charts: Charts = request.app.state.charts
    query = request.query_params
    metric = query.get("metric", "")
    try:
        shown = _shown(desk, request)
        if not metric:
            known = ", ".join(metrics_of(_jobs(desk, request))) or "no job has logged any"
            raise ResultsError("curves", "expected the name of a metric", f"There are: {known}.")
        chart = charts.of(shown.table, metric, whole=bool(shown.identities))
    except (FilterError, ResultsError, UnknownColumnError, UnknownJobError) as error:
        return _json({"error": str(error)}, 404 if isinstance(error, UnknownJobError) else 400)
    if query.get("form") == "csv":
        if chart.unread:
            raise ResultsError("curves", f"{plural(chart.unread, 'job')} not read yet", "Reload the page.")
        head = {"Content-Disposition": 'attachment; filename="curves.csv"'}
        return Response(
            as_csv(chart).encode("utf-8", "backslashreplace"), media_type="text/csv; charset=utf-8", headers=head
        )
    if chart.version and query.get("version") == chart.version:
        return Response(status_code=204)
    return _json(chart.as_data())


def _json(data: Any, status: int = 200) -> Response:
    """An answer in JSON, of ASCII alone: half a surrogate pair in a name is none of UTF-8."""
    return Response(json.dumps(data, allow_nan=False), status, media_type="application/json")


def _identities(request: Request) -> list[str]:
    return [each for each in request.query_params.get("ids", "").split(",") if each]


def _jobs(desk: Desk, request: Request) -> Table:
    """The jobs, one by one."""
    identities = _identities(request)
    if not identities:
        filter = request.query_params.get("filter", "")
        if (count := desk.listed(filter, count=0).matched) > MOST_LISTED:
            raise ResultsError("curves", f"{count:,} jobs match", f"Narrow the filter to at most {MOST_JOBS:,}.")
        return jobs_of(desk, filter)
    if len(identities) > MOST:
        raise ResultsError("curves", f"{len(identities)} jobs are named", f"Name at most {MOST}, or write a filter.")
    found = chosen_jobs(desk, identities)
    if not len(found):
        raise UnknownJobError(identities[0])
    return found


def _shown(desk: Desk, request: Request) -> Shown:
    """The jobs as they are drawn. Without a word on what is folded, that is what is called a seed."""
    query, identities = request.query_params, _identities(request)
    jobs = _jobs(desk, request)
    if identities:
        return Shown(jobs, (), identities)
    if "all_but" in query:
        names = names_of(query, "all_but", {column.name for column in foldable_columns(jobs)})
    else:
        names = seeds_of(jobs)
    return Shown(over(desk, query.get("filter", ""), names, curve_interval(query)), names, ())


# -- numbers -----------------------------------------------------------------------------------------------------------


class Numbers(NamedTuple):
    """The numbers of a chart at some of its steps.

    Attributes:
        heads: The names of the curves, each with how many runs it has.
        rows: For each step, what each curve has there; empty where it has nothing.
        left: How many steps are not shown.
    """

    heads: Sequence[tuple[str, int]]
    rows: Sequence[tuple[str, Sequence[str]]]
    left: int


def numbers_of(chart: Chart) -> Numbers:
    """The numbers of a chart, at evenly chosen steps with the first and the last one."""
    steps, most = chart.steps, MOST_ROWS
    if len(steps) > most:
        steps = [steps[at * (len(steps) - 1) // (most - 1)] for at in range(most)]
    columns = [_at_steps(each) for each in chart.series]
    rows = [(f"{step:.15g}", [column.get(step, "") for column in columns]) for step in steps]
    return Numbers([(each.name, each.count) for each in chart.series], rows, len(chart.steps) - len(steps))


def _at_steps(series: Series) -> dict[float, str]:
    return {step: _text(series, at) for at, step in enumerate(series.steps)}


def _text(series: Series, at: int) -> str:
    value, low, high, count = series.values[at], series.lows[at], series.highs[at], series.counts[at]
    fewer = f" (n={count})" if count != series.count else ""
    if value is None:
        return f"no mean{fewer}" if series.count > 1 else "no finite number"
    if low is None or high is None:
        return f"{fixed(value, None)}{fewer}"
    return f"{fixed(value, None)} [{fixed(low, None)}, {fixed(high, None)}]{fewer}"


def as_csv(chart: Chart) -> str:
    """All numbers of a chart: a line for each step of each curve."""
    lines = [csv_line(["curve", "step", chart.metric, "low", "high", "n"])]
    for each in chart.series:
        rows = zip(each.steps, each.values, each.lows, each.highs, each.counts, strict=True)
        lines += [csv_line([each.name, *row]) for row in rows]
    return "".join(lines)
