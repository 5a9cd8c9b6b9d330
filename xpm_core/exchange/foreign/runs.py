"""From what was read to the runs that a workspace keeps: with identities, and without what no table can show.

Owns: the identity of a run, which runs are the same, and what is said of values that do not fit together.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from xpm_core.errors import ExchangeError, ResultValueError
from xpm_core.exchange.foreign.cells import has_decimal_comma, result_of
from xpm_core.exchange.foreign.csv_file import comma_error
from xpm_core.exchange.foreign.roles import Chosen
from xpm_core.exchange.foreign.sheet import Line, Role, Sheet
from xpm_core.words.text import listed, plural
from xpm_core.workspace.reported.values import is_flat, plain

NAMED = 3
"""How many rows a note names."""
_PLACES: dict[Role, str] = {"param": "params", "tag": "tags", "result": "results"}


@dataclass
class Runs:
    """The runs of a source.

    Attributes:
        kept: Each as the file of an import keeps it (`xpm_core.results.foreign`).
        notes: What one should know, each a sentence.
    """

    kept: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def runs_of(sheet: Sheet, chosen: Chosen) -> Runs:
    """The runs of a source.

    Raises:
        ExchangeError: A number has a decimal comma; a run stands twice with different values; no run is left; a
            value is no JSON.
    """
    watch, found = _Watch(), Runs()
    same = _Same(sheet)
    for line in sheet.lines:
        kept = _kept(sheet, line, chosen, watch)
        if same.is_new(line, kept):
            kept["id"] = f"{sheet.kind}:{same.identity(line, kept)}"
            found.kept.append(kept)
    if not found.kept:
        raise ExchangeError(sheet.source, "no run of it has ended", "Export it again when runs have ended.")
    found.notes = [*sheet.notes, *watch.notes(), *same.notes()]
    return found


def _kept(sheet: Sheet, line: Line, chosen: Chosen, watch: _Watch) -> dict[str, Any]:
    """A run as it is kept, without its identity."""
    values: dict[str, dict[str, Any]] = {"params": {}, "tags": {}, "results": {}}
    not_finite: dict[str, str] = {}
    for key, value in line.values.items():
        if key not in chosen.columns:
            continue
        role, name = chosen.columns[key]
        place = _PLACES[role]
        if role == "result":
            if has_decimal_comma(value):
                raise comma_error(f"{sheet.source}: {line.where}", name, value)
            if (value := result_of(value)) is None:
                continue
        elif role == "tag" and isinstance(value, (list, dict)):
            value = json.dumps(value)
        if role != "param" and not is_flat(name, value):
            watch.unfit(name)
            continue
        try:
            values[place][name] = plain(value, f"{place}.{name}", not_finite)
        except ResultValueError as error:
            raise ExchangeError(f"{sheet.source}: {line.where}", str(error), "Leave out this column.") from None
        watch.see(role, name, value, line.where)
    started, ended = line.started_s, line.ended_s
    if ended is None and started is not None and line.seconds is not None and math.isfinite(line.seconds):
        ended = started + line.seconds
    facts = {
        "run": line.run, "failed": line.failed, "not_finite": not_finite, "started": started, "ended": ended,
        "host": line.host, "commit": line.commit,
    }  # fmt: skip
    kept = {"where": line.where, **values, **{name: value for name, value in facts.items() if value}}
    return kept if line.folder is None else {**kept, "folder": line.folder}


class _Watch:
    """Watches the values of each column: of which types they are, which are not finite, which do not fit."""

    def __init__(self) -> None:
        self._types: dict[tuple[Role, str], dict[str, tuple[int, str, Any]]] = {}
        self._not_finite: dict[str, tuple[int, str]] = {}
        self._unfit: dict[str, int] = {}

    def see(self, role: Role, name: str, value: Any, where: str) -> None:
        what = "number" if isinstance(value, (int, float)) else "text" if isinstance(value, str) else "other"
        types = self._types.setdefault((role, name), {})
        count, first, example = types.get(what, (0, where, value))
        types[what] = count + 1, first, example
        if isinstance(value, float) and not math.isfinite(value):
            count, first = self._not_finite.get(name, (0, where))
            self._not_finite[name] = count + 1, first

    def unfit(self, name: str) -> None:
        self._unfit[name] = self._unfit.get(name, 0) + 1

    def notes(self) -> Iterator[str]:
        for (_, name), types in self._types.items():
            if "number" in types and "text" in types:
                numbers, (texts, where, value) = types["number"][0], types["text"]
                told = f"{plural(numbers, 'number')} and {plural(texts, 'text')} ({value!r} in {where})"
                yield f"{name} has two types: {told}. They are kept as they are."
        for name, (count, where) in self._not_finite.items():
            verb = "value of it is" if count == 1 else "values of it are"
            yield f"{name}: {count} {verb} NaN or infinite (the first in {where}). They are kept."
        if self._unfit:
            names = listed(list(self._unfit), NAMED)
            yield f"Left out, because no cell of a table can hold them (lists, long texts, huge integers): {names}."


class _Same:
    """Finds runs that are the same. With an id of the source, one run counts once; without, equal rows are runs."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._runs: dict[str, tuple[str, str]] = {}
        self._rows: dict[str, list[str]] = {}
        self._once = 0

    def is_new(self, line: Line, kept: dict[str, Any]) -> bool:
        """Whether the run has not come before.

        Raises:
            ExchangeError: It has come before, with other values.
        """
        if not line.run:
            return True
        content = _digest(kept)
        first, where = self._runs.setdefault(line.run, (content, line.where))
        if first != content:
            problem = f"run {line.run} stands in {where} and in {line.where}, with different values"
            raise ExchangeError(self._sheet.source, problem, "Remove the one that is out of date.")
        if where != line.where:
            self._once += 1
        return where == line.where

    def identity(self, line: Line, kept: dict[str, Any]) -> str:
        """The digits of the identity of a run. Equal rows without ids have a number each, by their order."""
        content = _digest(kept)
        before = self._rows.setdefault(content, [])
        before.append(line.where)
        return content if len(before) == 1 else hashlib.sha256(f"{content} {len(before)}".encode()).hexdigest()

    def notes(self) -> Iterator[str]:
        if self._once:
            once = "counts once" if self._once == 1 else "count once"
            yield f"{plural(self._once, 'run')} came twice, with the same id and values, and {once}."
        equal = [" and ".join(places) for places in self._rows.values() if len(places) > 1]
        if equal:
            which = "; ".join(equal[:NAMED]) + (f"; and {len(equal) - NAMED} more" if len(equal) > NAMED else "")
            yield (
                f"Rows that are equal: {which}. Each of them counts. If one is a copy, remove it from "
                f"{self._sheet.source}, and import that again."
            )


def _digest(kept: dict[str, Any]) -> str:
    """The SHA-256 of what a run is: its values, how it ended, and the id of its source; not where it stands."""
    names = ("run", "params", "tags", "results", "failed", "not_finite")
    content = {name: kept[name] for name in names if name in kept}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
