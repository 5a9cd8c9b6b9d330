"""The table of what jobs have reported, folded or not, as `xpm results` prints it.

Owns: how much of a table is shown, and the forms in which it can be copied and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from click import unstyle
from starlette.responses import Response
from starlette.routing import Route

from xpm_cli.lookup.publishing.asked_table import Asked, Shown, notes_on
from xpm_cli.output.publishing.result_lines import Cells, said_below
from xpm_cli.output.terminal import Terminal
from xpm_cli.page.rendering import first_place, links_of, page
from xpm_cli.page.results.questions import asked_by, changed, command_of
from xpm_cli.page.results.side_by_side import LEAST, MOST
from xpm_cli.page.results.tables import answered, foldable_columns, results_of, seeds_of
from xpm_core.errors import FilterError, ResultsError, UnknownColumnError, UnknownExperimentError
from xpm_core.results.columns import Column
from xpm_core.results.folding.cells import Cell
from xpm_core.results.folding.folded import FoldedRow
from xpm_core.results.folding.pivot import PivotRow
from xpm_core.results.formats.sheet import is_number
from xpm_core.results.statistics.intervals import KINDS
from xpm_core.results.table import Row, Table

if TYPE_CHECKING:
    from starlette.requests import Request

    from xpm_cli.page.desk.desk import Desk

PAGE = 200
"""Rows that are shown at once."""
COPIED = 1_000_000
"""Characters of a table that are shown to be copied. A longer one is kept as a file."""
INTERVALS = KINDS


class Form(NamedTuple):
    """A form of a table.

    Attributes:
        label: What people call it.
        method: The method of the table that writes it.
        ending: How a file of it ends.
        kind: Its media type.
    """

    label: str
    method: str
    ending: str
    kind: str


FORMS = {
    "latex": Form("LaTeX", "to_latex", "tex", "application/x-tex"),
    "csv": Form("CSV", "to_csv", "csv", "text/csv"),
    "md": Form("Markdown", "to_markdown", "md", "text/markdown"),
}


class Line(NamedTuple):
    """A row.

    Attributes:
        job: The identity of its job; empty for several jobs.
        state: The state of its job; None for several.
        task: The task of its job.
        jobs: The identities of its jobs, if they can be compared.
        size: How many jobs it has; None if that is not asked for.
        cells: What stands in each column: its text, whether it is a number, its mark, and what it says when pointed at.
    """

    job: str
    state: Any
    task: str
    jobs: Sequence[str]
    size: int | None
    cells: Sequence[tuple[str, bool, str, str]]


def routes() -> list[Route]:
    """The URLs of this view."""
    return [Route("/results", show), Route("/results/table.{ending}", download)]


def show(request: Request) -> Response:
    """The table that a URL asks for. What cannot be had is said above the form that asks."""
    desk: Desk = request.app.state.desk
    query, links = request.query_params, links_of(request)
    facts: dict[str, Any] = {"wrong": [], "found": None, "known": None, "seeds": [], "status": 200}
    experiment, filter = query.get("experiment", ""), query.get("filter", "")
    try:
        known = results_of(desk, experiment, filter)
        facts |= _offers(known)
        asked = asked_by(query, _names(known))
        facts |= _answer(desk, answered(desk, experiment, filter, asked), asked, request)
    except (FilterError, ResultsError, UnknownColumnError, UnknownExperimentError) as error:
        facts |= {"wrong": str(error).splitlines(), "status": 404 if isinstance(error, UnknownExperimentError) else 400}
    return page(
        request,
        "results.jinja",
        experiments=_experiments(desk),
        experiment=experiment,
        query=query,
        forms=FORMS,
        intervals=INTERVALS,
        url=lambda **changes: changed(links.results(), query, **changes),
        file_url=lambda form: changed(links.table(FORMS[form].ending), query, form=None, first=None),
        **facts,
    )


def download(request: Request) -> Response:
    """The table as a file."""
    desk: Desk = request.app.state.desk
    query, ending = request.query_params, request.path_params["ending"]
    form = next((form for form in FORMS.values() if form.ending == ending), None)
    if form is None:
        forms = ", ".join(each.ending for each in FORMS.values())
        raise ResultsError(f"table.{ending}", "is no form of a table", f"Write one of {forms}.")
    experiment, filter = query.get("experiment", ""), query.get("filter", "")
    asked = asked_by(query, _names(results_of(desk, experiment, filter)))
    text = str(getattr(answered(desk, experiment, filter, asked), form.method)())
    head = {"Content-Disposition": f'attachment; filename="table.{ending}"'}
    return Response(text.encode("utf-8", "backslashreplace"), media_type=f"{form.kind}; charset=utf-8", headers=head)


def _offers(table: Table) -> dict[str, Any]:
    """What the forms offer: the columns that there are."""
    return {
        "known": table,
        "foldable": [column.name for column in foldable_columns(table)],
        "values": [column.name for column in table.columns if column.kind == "result"],
        "seeds": seeds_of(table),
    }


def _names(table: Table) -> set[str]:
    return {column.name for column in table.columns}


def _experiments(desk: Desk) -> list[str]:
    return desk.remembered("names of experiments", lambda view: [each.name for each in view.experiments()])


def _answer(desk: Desk, found: Shown, asked: Asked, request: Request) -> dict[str, Any]:
    """What the template shows of a table."""
    query = request.query_params
    first = first_place(request)
    cells = Cells(found, Terminal(), desk.opened.now_s)
    form = FORMS.get(query.get("form", ""))
    text = str(getattr(found, form.method)()) if form and len(found) else ""
    experiment = query.get("experiment", "")
    return {
        "found": found,
        "kind": asked.form,
        "asked": asked,
        "columns": found.columns,
        "lines": [_line(row, found.columns, cells) for row in found[first : first + PAGE]],
        "first": first,
        "page": PAGE,
        "below": said_below(found) if len(found) else [],
        "said": notes_on(found, shows_states=True, nothing=bool(experiment or query.get("filter"))),
        "form": form,
        "text": text if len(text) <= COPIED else "",
        "too_long": len(text) > COPIED,
        "command": command_of(desk.opened.commands, experiment, query.get("filter", ""), asked) if experiment else "",
    }


def _line(row: Row | FoldedRow | PivotRow, columns: Sequence[Column], cells: Cells) -> Line:
    marks = row.marks if isinstance(row, PivotRow) else {}
    shown = [
        _cell(unstyle(cells.text(row, column)), row.value(column), marks.get(column.name, ""), column.kind == "result")
        for column in columns
    ]
    if isinstance(row, Row):
        return Line(row.identity if row.foreign is None else "", row.state, row.task, (), None, shown)
    if isinstance(row, FoldedRow):
        jobs = [line.identity for line in row.lines if line.foreign is None]
        return Line("", None, "", jobs if LEAST <= len(jobs) <= MOST else (), len(row.jobs), shown)
    return Line("", None, "", (), None, shown)


def _cell(text: str, value: Any, mark: str, right: bool) -> tuple[str, bool, str, str]:
    is_cell = isinstance(value, Cell)
    return text, is_cell or is_number(value) or (value is None and right), mark, str(value) if is_cell else ""
