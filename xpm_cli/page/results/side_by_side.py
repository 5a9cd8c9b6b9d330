"""Some jobs beside each other: what differs among them, of parameters, tags, results and code.

Owns: which facts are compared, and that those that are alike are counted, not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from xpm_cli.lookup.code.ran_code import ran
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.code.code_differences import CodeDifference, CodeSide
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.results.columns import Column, key_of
from xpm_core.results.table import Row, Table

LEAST, MOST = 2, 10
"""How many jobs are compared."""
MOST_LINES = 4000
"""How many lines of differing files are shown."""
LARGEST = 200_000
"""Bytes of a file up to which its lines are compared: more would take the page's time."""
CODE = ("code", "commit", "packages")
"""The facts that say what ran."""
_FACTS = ("host", "seconds")


class Fact(NamedTuple):
    """What differs among the jobs.

    Attributes:
        column: What it is.
        values: The value of each job; None where it has none.
    """

    column: Column
    values: Sequence[Any]


class SideBySide(NamedTuple):
    """Some jobs, compared.

    Attributes:
        rows: The jobs.
        parameters: The tags and parameters that differ.
        alike: How many tags and parameters are alike.
        results: The results that differ.
        alike_results: How many results are alike.
        code: The facts of the code that differ.
        facts: Further facts of the jobs that differ: where they ran, and for how long.
    """

    rows: Sequence[Row]
    parameters: Sequence[Fact]
    alike: int
    results: Sequence[Fact]
    alike_results: int
    code: Sequence[Fact]
    facts: Sequence[Fact]


def side_by_side(table: Table) -> SideBySide:
    """Compare the jobs of a table."""
    rows = list(table)
    given = [column for column in table.columns if column.kind in ("tag", "param")]
    parameters = [fact for column in given if _differs(fact := _fact(rows, column))]
    results = [_fact(rows, column) for column in table.columns if column.kind == "result"]
    differing = [fact for fact in results if _differs(fact)]
    return SideBySide(
        rows,
        parameters,
        _alike(rows, lambda row: row.params) + _alike(rows, lambda row: row.tags),
        differing,
        len(results) - len(differing),
        [fact for name in CODE if _differs(fact := _fact(rows, Column(name, "fact", name)))],
        [fact for name in _FACTS if _differs(fact := _fact(rows, Column(name, "fact", name)))],
    )


def _fact(rows: Sequence[Row], column: Column) -> Fact:
    values = (row.value(column) for row in rows)
    return Fact(column, [None if column.kind == "fact" and value == "" else value for value in values])


def _differs(fact: Fact) -> bool:
    return len(set(map(key_of, fact.values))) > 1


def _alike(rows: Sequence[Row], given: Callable[[Row], Any]) -> int:
    """How many names have one value in all rows."""
    first, *rest = [given(row) for row in rows]
    return sum(
        all(name in other and key_of(other[name]) == key_of(value) for other in rest) for name, value in first.items()
    )


# -- code --------------------------------------------------------------------------------------------------------------


class FileOf(NamedTuple):
    """A file that differs.

    Attributes:
        path: Its path.
        change: added, removed or changed.
        lines: How it differs, as `diff -u` writes it.
    """

    path: str
    change: str
    lines: Sequence[str]


class CodeOfTwo(NamedTuple):
    """How the code of a job differs from that of the first one.

    Attributes:
        job: The other job.
        files: The files that differ; None if they cannot be compared.
        packages: The packages that differ, each with both versions; None if they are not known.
        why: Why files cannot be compared, sentences.
        more: How many further files differ that are not shown.
    """

    job: JobRow
    files: Sequence[FileOf] | None
    packages: Sequence[tuple[str, str, str]] | None
    why: Sequence[str]
    more: int = 0


def code_of(opened: OpenWorkspace, first: JobRow, second: JobRow, most: int = MOST_LINES) -> CodeOfTwo:
    """Compare the code of two jobs, as `xpm diff --code` does.

    Args:
        opened: The workspace.
        first: A job.
        second: Another one.
        most: How many lines are shown at most. Whole files are left out, and counted.

    Raises:
        SnapshotError: A file of a snapshot is missing, or was changed.
    """
    sides = [
        CodeSide(f"{short(row.identity)} {row.title}", ran(opened.directory(row), row)[0]) for row in (first, second)
    ]
    found = CodeDifference(*sides)
    files = found.files
    if files is None:
        return CodeOfTwo(second, None, found.packages, found.unknown)
    shown: list[FileOf] = []
    left = most
    for each in files:
        if left <= 0:
            break
        is_large = any(getattr(entry, "size", 0) > LARGEST for entry in (each.first, each.second))
        lines = list(found.of_file(each, with_lines=not is_large))
        left -= len(lines)
        shown.append(FileOf(each.path, each.change, lines))
    return CodeOfTwo(second, shown, found.packages, [], len(files) - len(shown))
