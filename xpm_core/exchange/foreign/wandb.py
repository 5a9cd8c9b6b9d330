"""Read an export of runs of Weights & Biases: the table that its page writes, or what its Python API gives.

Both come as CSV. The API's has a dict of all parameters in a column `config`, and of all results in a column `summary`;
such objects come as JSON, too: a list, or one a line.

Owns: what the fields of a run are called.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xpm_core.errors import ExchangeError
from xpm_core.exchange.foreign.cells import is_number, object_of, result_of
from xpm_core.exchange.foreign.csv_file import Fact, add_rows, column_of, note_unfinished, set_fact, table_of
from xpm_core.exchange.foreign.sheet import Column, Line, Role, Sheet, leaves
from xpm_core.exchange.foreign.texts import printable, read_text

FACTS: Mapping[str, Fact] = {
    "state": "state", "id": "run", "runid": "run", "createdat": "started", "created": "started",
    "startedat": "started", "endedat": "ended", "finishedat": "ended", "runtime": "seconds", "duration": "seconds",
    "host": "host", "hostname": "host", "commit": "commit", "gitcommit": "commit",
    **dict.fromkeys(
        (
            "name", "displayname", "notes", "user", "username", "tags", "sweep", "sweepid", "sweepname", "jobtype",
            "entity", "project", "path", "url", "group", "heartbeatat", "updated", "updatedat", "systemmetrics",
            "historykeys", "lasthistorystep", "readonly", "metadata", "description",
        ),
        "left",
    ),
}  # fmt: skip
"""By its name in small letters alone: what a field of a run says."""

_OBJECTS: Mapping[str, Role] = {
    "config": "param", "jsonconfig": "param", "summary": "result", "summarymetrics": "result",
}  # fmt: skip
"""The fields that hold several values, and what these are."""


def read_wandb(file: Path) -> Sheet:
    """The runs of an export.

    Raises:
        ExchangeError: It is none: where, and what to do.
    """
    text, digest = read_text(file)
    sheet = Sheet("wandb", str(file), digest)
    try:
        if text.lstrip()[0] in "[{":
            _add_objects(sheet, text)
        else:
            _add_table(sheet, text)
    except RecursionError:  # JSON is read deeper than its values can be gone through
        raise _too_deep(sheet.source) from None
    _only_numbers(sheet)
    return sheet


def _too_deep(source: str) -> ExchangeError:
    return ExchangeError(source, "it is nested too deep", "Export it anew.")


def _only_numbers(sheet: Sheet) -> None:
    """Let texts of a summary be no results, unless they are named: they are paths and the like."""
    for key, column in sheet.columns.items():
        if column.role == "result":
            values = (line.values.get(key) for line in sheet.lines)
            if not any(is_number(result_of(value)) for value in values):
                sheet.columns[key] = column._replace(role=None, fact=True)


def _add_table(sheet: Sheet, text: str) -> None:
    table = table_of(text, sheet.source)
    if table.header[0].lower() in ("step", "_step", "relative time (process)") and any(
        " - " in name for name in table.header
    ):
        problem = "it is the export of a chart: a row for each step, not for each run"
        raise ExchangeError(sheet.source, problem, "Export the table of runs: the button above it says CSV export.")

    def unfold(line: Line, name: str, cell: str) -> bool:
        role = _OBJECTS.get(_bare(name))
        found = object_of(cell) if role else None
        if role is None or found is None:
            if role is not None and cell.strip():
                where = f"{sheet.source}:{line.where.removeprefix('line ')}"
                problem = f"{name}: expected a dict or JSON, got {cell.strip()[:40]!r}"
                raise ExchangeError(where, problem, "Export it anew: write config and summary as JSON.")
            return role is not None
        _add_values(sheet, line, name, found, role)
        return True

    columns = {name: column_of(name, FACTS) for name in table.header if name}
    add_rows(sheet, table, columns, FACTS, unfold)


def _bare(name: str) -> str:
    return "".join(each for each in name.lower() if "a" <= each <= "z")


def _add_objects(sheet: Sheet, text: str) -> None:
    left: dict[str, int] = {}
    for where, run in _objects(sheet.source, text):
        line = Line(where)
        if state := _add_run(sheet, line, run):
            left[state] = left.get(state, 0) + 1
        else:
            sheet.append(line)
    note_unfinished(sheet, left)


def _add_run(sheet: Sheet, line: Line, run: Mapping[str, Any]) -> str:
    """Add the fields of a run; returns its state if it had not ended."""
    for name, value in run.items():
        bare = _bare(name)
        if role := _OBJECTS.get(bare):
            found = object_of(value)
            if found is None and value not in (None, ""):
                problem = f"{line.where}: {name}: expected an object, got {type(value).__name__}"
                raise ExchangeError(sheet.source, problem, "Export it anew, with config and summary as objects.")
            _add_values(sheet, line, name, found or {}, role)
        elif (fact := FACTS.get(bare)) and not isinstance(value, Mapping):
            if value is not None and set_fact(line, fact, value):
                return str(value)
            sheet.add(Column(name, name, fact=True))
            line.values[name] = printable(value)
        elif fact is None and value is not None:
            for path, each in leaves({name: value}):
                sheet.add(column_of(path, {}))
                line.values[path] = printable(each)
    return ""


def _add_values(sheet: Sheet, line: Line, field: str, values: Mapping[Any, Any], role: Role) -> None:
    """Add the values of an object. What wandb keeps for itself begins with `_`; media and histograms have a `_type`."""
    for name, value in values.items():
        if str(name).startswith("_"):
            if name == "_runtime" and line.seconds is None:
                set_fact(line, "seconds", value)
            continue
        value = _unwrapped(value)
        if isinstance(value, Mapping) and "_type" in value:
            continue
        for path, each in leaves({printable(str(name)): value}):
            key = f"{field}.{path}"
            sheet.add(Column(key, path, role))
            if each is not None:
                line.values[key] = printable(each)


def _unwrapped(value: Any) -> Any:
    """A value of wandb's own `config.yaml`: it stands beside its description."""
    if isinstance(value, Mapping) and "value" in value and value.keys() <= {"value", "desc"}:
        return value["value"]
    return value


# -- JSON --------------------------------------------------------------------------------------------------------------


def _objects(source: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The runs of a text of JSON, each with its place."""
    try:
        whole = json.loads(text)
    except RecursionError:
        raise _too_deep(source) from None
    except ValueError as error:
        if text.lstrip()[0] == "{" and "\n" in text.strip():
            yield from _lines(source, text)
            return
        raise _no_json(source, error, 0) from None
    runs = _runs(whole)
    if not runs:
        raise ExchangeError(source, "it has no runs", "Export a list of runs, each with config and summary.")
    for number, run in enumerate(runs, start=1):
        if not isinstance(run, Mapping):
            problem = f"run {number}: expected an object, got {type(run).__name__}"
            raise ExchangeError(source, problem, "Export a list of runs, each with config and summary.")
        yield f"run {number}", run


def _runs(whole: Any) -> list[Any]:
    """The runs in a document: a list, a list within an object, columns as pandas writes them, or one run."""
    if isinstance(whole, list):
        return whole
    if isinstance(whole.get("runs"), list):
        return list(whole["runs"])
    columns = list(whole.values())
    if columns and all(isinstance(each, Mapping) and all(str(key).isdigit() for key in each) for each in columns):
        rows = dict.fromkeys(key for each in columns for key in each)
        return [{name: column[row] for name, column in whole.items() if row in column} for row in rows]
    return [whole] if whole else []


def _lines(source: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            run = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _no_json(source, error, number) from None
        if not isinstance(run, dict):
            problem = f"expected an object, got {type(run).__name__}"
            raise ExchangeError(f"{source}:{number}", problem, "Write one run a line, with config and summary.")
        yield f"line {number}", run


def _no_json(source: str, error: Exception, line: int) -> ExchangeError:
    at = line or getattr(error, "lineno", 0)
    problem = f"it is no JSON ({getattr(error, 'msg', error)})"
    return ExchangeError(f"{source}:{at}", problem, "Export it anew: a list of runs, or one run a line.")
