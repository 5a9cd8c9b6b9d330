"""What a URL asks of a table of results.

Owns: its parameters, which have the names of the options of `xpm results`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpm_cli.lookup.publishing.asked_table import Asked, Places
from xpm_cli.lookup.publishing.folding import names_in
from xpm_cli.page.api.answering import wrong
from xpm_core.results.statistics.intervals import KINDS

if TYPE_CHECKING:
    from starlette.requests import Request


def asked_table(request: Request) -> Asked:
    """What is asked of the table: `columns`, `sort`, `over`, `interval`, `range`, `pivot` three times, `lowest`."""
    query = request.query_params
    pivot = query.getlist("pivot")
    if pivot and len(pivot) != 3:
        raise wrong("pivot: it is given three times.", "Write pivot=ROWS&pivot=COLUMNS&pivot=VALUE.")
    asked = Asked(
        names_in(query.get("columns")),
        names_in(query.get("sort")),
        names_in(query.get("over")),
        {**_interval(query.get("interval", "")), **_range(query.get("range", ""))},
        Places(names_in(pivot[0]), names_in(pivot[1]), pivot[2]) if pivot else None,
        query.get("lowest", "") not in ("", "0", "false"),
    )
    if asked.contradiction:
        raise wrong(asked.contradiction.replace("--", ""), "Leave out one of them, or give the other, too.")
    return asked


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
