"""What a URL asks of a table, and the command that asks for the same.

Owns: the names of the parameters of such URLs: over, interval, low, high, rows, across, value, best, columns, sort.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from xpm_cli.lookup.publishing.asked_table import Asked, Places
from xpm_cli.lookup.publishing.folding import names_in
from xpm_core.errors import ResultsError
from xpm_core.results.statistics.intervals import KINDS
from xpm_core.words.commands import Commands

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams


def names_of(query: QueryParams, name: str, known: Collection[str]) -> list[str]:
    """The names that a parameter has: once with commas, or several times, as a form sends them.

    A name with a comma in it is one name if a column is called so.
    """
    found: list[str] = []
    for text in query.getlist(name):
        found += [text] if text.removeprefix("-") in known else names_in(text)
    return list(dict.fromkeys(found))


def asked_by(query: QueryParams, known: Collection[str]) -> Asked:
    """What a URL asks of a table.

    Args:
        query: Its parameters.
        known: The names of the columns.

    Raises:
        ResultsError: It contradicts itself.
    """
    over = names_of(query, "over", known)
    asked = Asked(
        columns=names_of(query, "columns", known),
        sort=names_of(query, "sort", known),
        over=over,
        settings=_settings(query) if over else {},
        pivot=_places(query, known),
        lowest=query.get("best", "") == "lowest",
    )
    if asked.lowest and not (asked.pivot and asked.over):  # a form sends it with each table
        asked = Asked(asked.columns, asked.sort, asked.over, asked.settings, asked.pivot)
    if asked.contradiction:
        problem, _, remedy = asked.contradiction.partition(": ")
        raise ResultsError("results", problem, f"{remedy[:1].upper()}{remedy[1:]}")
    return asked


def _settings(query: QueryParams) -> dict[str, Any]:
    interval, low, high = (query.get(name, "").strip() for name in ("interval", "low", "high"))
    found: dict[str, Any] = {"interval": interval} if interval else {}
    if low or high:
        found["range"] = _bound("low", low, -math.inf), _bound("high", high, math.inf)
    return found


def _bound(name: str, text: str, without: float) -> float:
    try:
        return float(text) if text else without
    except ValueError:
        raise ResultsError(
            f"--range {name}", f"expected a number, got {text!r}", "Write one, or leave it out."
        ) from None


def _places(query: QueryParams, known: Collection[str]) -> Places | None:
    rows, across = names_of(query, "rows", known), names_of(query, "across", known)
    value = query.get("value", "").strip()
    if not (rows or across):
        return None  # a form sends the value with each table
    if not (rows and across and value):
        problem = "expected rows, columns and a value"
        raise ResultsError("--pivot", problem, "Choose what tells rows apart, what columns, and one result.")
    return Places(rows, across, value)


def command_of(commands: Commands, experiment: str, filter: str, asked: Asked) -> str:
    """The command that prints the same table."""
    options: list[tuple[str, Sequence[str]]] = [
        ("--where", [filter] if filter else []),
        ("--columns", _joined(asked.columns)),
        ("--sort", _joined(asked.sort)),
        ("--over", _joined(asked.over)),
        ("--interval", [asked.settings["interval"]] if "interval" in asked.settings else []),
        ("--range", [f"{bound:g}" for bound in asked.settings.get("range", ())]),
        (
            "--pivot",
            [*_joined(asked.pivot.rows), *_joined(asked.pivot.across), asked.pivot.value] if asked.pivot else [],
        ),
    ]
    words = [_option(name, values) for name, values in options if values] + ["--lowest"] * asked.lowest
    return " ".join([commands.results(experiment), *words])


def _option(name: str, values: Sequence[str]) -> str:
    joins = len(values) == 1 and values[0].startswith("-")  # --sort=-accuracy
    return f"{name}={shlex.quote(values[0])}" if joins else " ".join([name, *map(shlex.quote, values)])


def _joined(names: Sequence[str]) -> list[str]:
    return [",".join(names)] if names else []


INTERVALS = tuple(kind for kind in KINDS if kind != "bootstrap")
"""The intervals that curves can have: a bootstrap at each step would take minutes."""


def curve_interval(query: QueryParams) -> str:
    """The interval of bands.

    Raises:
        ResultsError: It is none that curves can have.
    """
    found = str(query.get("interval", "") or "t")
    if found not in INTERVALS:
        remedy = f"Write one of {', '.join(INTERVALS)}."
        raise ResultsError("interval", f"curves have no interval {found!r}", remedy)
    return found


def changed(path: str, query: QueryParams, **changes: Any) -> str:
    """The URL of a view with the parameters of this one, some of them changed; None takes one out."""
    kept = [(name, value) for name, value in query.multi_items() if name not in changes]
    pairs = [*kept, *((name, str(value)) for name, value in changes.items() if value is not None)]
    return f"{path}?{urlencode(pairs, errors='replace')}" if pairs else path
