"""Read a CSV file of runs: one row for each, with a header.

Owns: which character separates the values, and what is wrong with a file that is no such table.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from xpm_core.errors import ExchangeError
from xpm_core.exchange.foreign.cells import (
    DONE,
    FAILED,
    UNFINISHED,
    has_decimal_comma,
    is_number,
    moment_of,
    value_of,
)
from xpm_core.exchange.foreign.sheet import Column, Line, Role, Sheet
from xpm_core.exchange.foreign.texts import read_text
from xpm_core.words.text import listed, plural

_QUOTED = re.compile(r'"(?:[^"]|"")*"')

Fact = Literal["state", "run", "started", "ended", "seconds", "host", "commit", "left"]
"""What a column says of the run itself. `left`: it says nothing that a table shows."""

FACTS: Mapping[str, Fact] = {
    "state": "state", "status": "state", "runid": "run", "starttime": "started", "startedat": "started",
    "createdat": "started", "endtime": "ended", "endedat": "ended", "finishedat": "ended", "artifacturi": "left",
    "experimentid": "left", "id": "left", "uuid": "left", "runname": "left", "index": "left",
    "notes": "left", "note": "left", "comment": "left", "comments": "left", "description": "left", "timestamp": "left",
}  # fmt: skip
"""By its name in small letters alone: what such a column of any CSV file says."""

_PREFIXES: Mapping[str, Role] = {
    "params": "param", "param": "param", "config": "param", "hparams": "param", "tags": "tag", "tag": "tag",
    "metrics": "result", "results": "result", "result": "result", "summary": "result",
}  # fmt: skip
"""What stands before the name of a column, and what it then is: MLflow writes `params.lr`."""

NAMED = 3


class Table(NamedTuple):
    """A CSV file as texts.

    Attributes:
        header: The names of the columns.
        rows: The rows, each with the number of its first line.
        separator: The character between the values.
    """

    header: list[str]
    rows: list[tuple[int, list[str]]]
    separator: str


def read_csv(file: Path) -> Sheet:
    """The runs of a CSV file.

    Raises:
        ExchangeError: It is no such file: where, and what to do.
    """
    text, digest = read_text(file)
    table = table_of(text, str(file))
    sheet = Sheet("csv", str(file), digest)
    add_rows(sheet, table, {each: column_of(each, FACTS) for each in table.header if each}, FACTS)
    return sheet


def table_of(text: str, where: str) -> Table:
    """A text as a table of texts.

    Raises:
        ExchangeError: It has no rows, a row of another length, a column twice, or quotes that do not fit.
    """
    header_line = text.lstrip("\r\n").partition("\n")[0]
    separator = _separator(header_line)
    rows = list(_rows(text, separator, where, blanks=_has_blanks(header_line, separator)))
    if not rows:
        raise ExchangeError(where, "it is empty", "Name a file with runs.")
    header = [" ".join(name.split()) for name in rows[0][1]]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ExchangeError(f"{where}:{rows[0][0]}", f"two columns are named {twice[0]!r}", "Rename one of them.")
    if len(rows) == 1:
        raise ExchangeError(where, "it has a header and no rows", "Name a file with runs.")
    body = rows[1:]
    for line, row in body:
        if len(row) != len(header) and (len(row) < len(header) or any(row[len(header) :])):
            raise _unequal(f"{where}:{line}", row, header)
    return _indexed(Table(header, body, separator), where)


def _separator(header: str) -> str:
    bare = _QUOTED.sub("", header)
    found = max(",;\t", key=bare.count)
    return found if found in bare else ","


def _has_blanks(header: str, separator: str) -> bool:
    """Whether a blank follows each separator, as people write lists: a quote behind it begins a value, too."""
    bare = _QUOTED.sub("", header)
    return 0 < bare.count(separator) == bare.count(f"{separator} ")


def _rows(text: str, separator: str, where: str, *, blanks: bool) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=blanks, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"it is no CSV ({error})"
            remedy = 'Close each quote, and write a quote within quotes twice: "a ""b""".'
            raise ExchangeError(f"{where}:{line}", problem, remedy) from None
        if any(each.strip() for each in row):
            yield line, row


def _unequal(where: str, row: Sequence[str], header: Sequence[str]) -> ExchangeError:
    problem = f"it has {plural(len(row), 'value')}, and the header has {plural(len(header), 'column')}"
    remedy = "Correct it."
    if len(row) > len(header):
        remedy = 'Are there decimal commas? Write points (0.912). Quote a value that has a comma: "64,32".'
    return ExchangeError(where, problem, remedy)


def _indexed(table: Table, where: str) -> Table:
    """The table without columns that have no name: the numbers of rows, which pandas writes, and empty ones.

    Raises:
        ExchangeError: Another column has no name.
    """
    for at, name in enumerate(table.header):
        if name and not re.fullmatch(r"Unnamed: \d+", name):
            continue
        cells = [row[at].strip() for _, row in table.rows]
        numbers = [str(number) for number in range(len(cells))]
        if any(cells) and cells != numbers:
            if not name:
                raise ExchangeError(where, f"column {at + 1} has no name", "Write one into the header.")
            continue
        table.header[at] = ""
    return table


def column_of(name: str, facts: Mapping[str, Fact]) -> Column:
    """The column of a name in a header, with what the name says of it."""
    if _bare(name) in facts or name.startswith("tags.mlflow."):
        return Column(name, name, fact=True)
    for sign in "./":
        start, found, rest = name.partition(sign)
        if found and rest and start.lower() in _PREFIXES:
            return Column(name, rest, _PREFIXES[start.lower()])
    return Column(name, name)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def add_rows(
    sheet: Sheet,
    table: Table,
    columns: Mapping[str, Column],
    facts: Mapping[str, Fact],
    unfold: Callable[[Line, str, str], bool] | None = None,
) -> None:
    """Add the rows of a table to a sheet.

    Args:
        sheet: The sheet.
        table: The table.
        columns: Its columns, by their names in the header.
        facts: What the columns say of a run itself, by their bare names.
        unfold: Takes a run, a column and a cell that hold several values; whether it has taken them.

    Raises:
        ExchangeError: A column has decimal commas.
    """
    if table.separator != ",":
        _refuse_commas(table, sheet.source)
    is_state = _has_states(table, facts)
    left: dict[str, int] = {}
    for number, row in table.rows:
        line = Line(f"line {number}")
        for name, cell in zip(table.header, row, strict=False):
            if not name or (unfold is not None and unfold(line, name, cell)) or (value := value_of(cell)) is None:
                continue
            column = columns[name]
            fact = facts.get(_bare(name))
            if fact == "state" and not is_state:
                column = Column(name, name)
            elif fact is not None and set_fact(line, fact, value):
                left[str(value)] = left.get(str(value), 0) + 1
                break
            sheet.add(column)
            line.values[name] = value
        else:
            sheet.append(line)
    note_unfinished(sheet, left)


def _refuse_commas(table: Table, where: str) -> None:
    for at, name in enumerate(table.header):
        cells = [(line, row[at]) for line, row in table.rows if row[at].strip()]
        with_comma = [(line, cell) for line, cell in cells if has_decimal_comma(cell)]
        if with_comma and all(has_decimal_comma(cell) or is_number(value_of(cell)) for _, cell in cells):
            raise comma_error(f"{where}:{with_comma[0][0]}", name, with_comma[0][1])


def comma_error(where: str, name: str, cell: str) -> ExchangeError:
    """The error of a number with a decimal comma."""
    remedy = f"Write points: {cell.strip().replace('.', '').replace(',', '.')}. A list is written as [64, 32]."
    return ExchangeError(where, f"{name}: {cell.strip()!r} has a decimal comma", remedy)


def _has_states(table: Table, facts: Mapping[str, Fact]) -> bool:
    """Whether the column that is named as a state has words for states, and no others."""
    known = DONE | FAILED | UNFINISHED
    for at, name in enumerate(table.header):
        if facts.get(_bare(name)) == "state":
            return all(row[at].strip().lower() in known for _, row in table.rows)
    return False


def set_fact(line: Line, fact: Fact, value: Any) -> bool:
    """Note what a value says of a run; whether the run has not ended."""
    if fact == "state":
        word = str(value).strip().lower()
        line.failed = word in FAILED
        return word in UNFINISHED
    if fact == "run":
        line.run = str(value)
    elif fact == "started":
        line.started_s = moment_of(value)
    elif fact == "ended":
        line.ended_s = moment_of(value)
    elif fact == "seconds" and is_number(value):
        line.seconds = float(value)
    elif fact == "host":
        line.host = str(value)
    elif fact == "commit":
        line.commit = str(value)[:12]
    return False


def note_unfinished(sheet: Sheet, states: Mapping[str, int]) -> None:
    """Say which runs are left out because they had not ended."""
    if states:
        told = listed([f"{count} {state}" for state, count in states.items()], NAMED)
        sheet.notes.append(f"Left out, because they had not ended: {plural(sum(states.values()), 'run')} ({told}).")
