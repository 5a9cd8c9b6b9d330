"""`xpm graph`: which jobs of an experiment need which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.output.forms import JSON, TABLE, as_json
from xpm_cli.output.job_graph import dot, mermaid, nodes_of, table
from xpm_cli.output.json_form import moment
from xpm_cli.output.terminal import Terminal
from xpm_core.errors import UnknownExperimentError
from xpm_core.filters import from_options
from xpm_core.reading.listing.row import JobRow
from xpm_core.results.foreign import with_foreign
from xpm_core.words.text import plural

MERMAID, DOT = "mermaid", "dot"


@click.command()
@common_options
@click.argument("experiment", metavar="EXPERIMENT")
@click.option("--mermaid", "form", flag_value=MERMAID, help="Write a flowchart for Mermaid.")
@click.option("--dot", "form", flag_value=DOT, help="Write a graph for Graphviz.")
@click.option("--json", "form", flag_value=JSON, help="Print all jobs as JSON, however many there are.")
def graph(experiment: str, form: str | None) -> None:
    """Show which jobs of an experiment need which. What is needed comes first.

    An experiment of more than 50 jobs is shown by task, with the number of its jobs. Jobs of other experiments are
    shown if jobs of this one need them.
    """
    with open_workspace() as opened:
        names = sorted(opened.view.vocabulary.experiments or ())
        if experiment not in names:
            raise UnknownExperimentError(experiment, with_foreign(names, opened.workspace.path))
        inside = list(opened.view.jobs(from_options(experiment=[experiment])))
        needs = opened.view.needs(inside)
        known = {row.identity for row in inside}
        outside = opened.view.rows(sorted({need for found in needs.values() for need in found or ()} - known))
        rows = [*outside, *inside]
        for line in _lines(opened, experiment, form or TABLE, rows, needs):
            click.echo(line)
        if unknown := sum(needs[row.identity] is None for row in inside):
            say(f"What they need is not known of {plural(unknown, 'job')}.")


def _lines(
    opened: OpenWorkspace, name: str, form: str, rows: Sequence[JobRow], needs: Mapping[str, list[str] | None]
) -> Iterable[str]:
    if form == JSON:
        return [_document(opened, name, rows, needs)]
    if form == TABLE and not rows:
        return ["no jobs yet"]
    nodes = nodes_of(rows, opened.title, needs)
    if form == MERMAID:
        return mermaid(nodes)
    return dot(nodes, name) if form == DOT else table(nodes, Terminal.of_stdout())


def _document(opened: OpenWorkspace, name: str, rows: Sequence[JobRow], needs: Mapping[str, list[str] | None]) -> str:
    head = {
        "time": moment(opened.now_s),
        "source": opened.view.server,
        "age_s": round(opened.view.age_s, 3),
        "experiment": name,
    }
    return as_json(head, "jobs", [_record(row, row.identity in needs, needs.get(row.identity)) for row in rows])


def _record(row: JobRow, inside: bool, needs: list[str] | None) -> dict[str, Any]:
    return {
        "id": row.identity,
        "task": row.task,
        "tags": None if row.tags is None else dict(row.tags),
        "state": row.state.value if row.state else None,
        "inside": inside,
        "needs": needs,
    }
