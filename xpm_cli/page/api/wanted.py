"""Which table of results a URL asks for.

Owns: its parameters, which have the names of the options of `xpm results`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpm_cli.output.documents.result_table import Wanted
from xpm_cli.page.api.answering import wrong
from xpm_core.results.statistics.intervals import KINDS

if TYPE_CHECKING:
    from starlette.requests import Request


def wanted_table(request: Request) -> Wanted:
    """The table that is wanted: `experiment`, `filter`, `columns`, `sort`, `over`, `interval`, `range`, `pivot`."""
    query = request.query_params
    over, pivot = query.get("over") or None, query.getlist("pivot")
    columns = query.get("columns") or None
    lowest = query.get("lowest", "") not in ("", "0", "false")
    if pivot and (columns or len(pivot) != 3):
        raise wrong("pivot: it is given three times, without columns.", "Write pivot=ROWS&pivot=COLUMNS&pivot=VALUE.")
    if lowest and not (pivot and over):
        raise wrong("lowest: only folded values in a pivot have a best.", "Give over and pivot, too.")
    settings = {**_interval(query.get("interval", "")), **_range(query.get("range", ""))}
    if settings and not over:
        raise wrong("interval, range: without over, nothing is folded.", "Write over=seed.")
    rows = (pivot[0], pivot[1], pivot[2]) if pivot else None
    experiment, text, sort = query.get("experiment", ""), query.get("filter", ""), query.get("sort", "")
    if not experiment:
        raise wrong("experiment: it is missing.", "Write experiment=NAME. /api/experiments has the names.")
    return Wanted(experiment, text, columns, sort, over, settings, rows, lowest)


def _interval(text: str) -> dict[str, object]:
    if text and text not in KINDS:
        raise wrong(f"interval: there is none called {text[:40]!r}.", f"There are: {', '.join(KINDS)}.")
    return {"interval": text} if text else {}


def _range(text: str) -> dict[str, object]:
    if not text:
        return {}
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise wrong(f"range: expected two numbers, got {text[:40]!r}.", "Write range=0,1.") from None
    return {"range": (low, high)}
