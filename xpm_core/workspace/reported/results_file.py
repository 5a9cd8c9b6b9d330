"""The file `results.json` in a job's directory: what the job has reported, for people and for tables.

    schema      1
    execution   the execution that has reported it
    results     by name, any JSON value
    not_finite  the paths of numbers that JSON does not have, each with "nan", "inf" or "-inf"
    files       the files that it has announced, relative to the job's directory
    problems    what could not be kept, each a line

The record of an execution, and the index, have the flat form of it: `Summary`.

Owns: both forms, and reading them so that a damaged one counts as missing. Imports nothing heavy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from xpm_core.workspace.files import write_atomic
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_records import object_in, read_whole
from xpm_core.workspace.reported.values import MOST_FLAT, NOT_FINITE, Scalar, flat, is_flat, plain, restored

NAME = "results.json"
SCHEMA = 1
REPORTED = ("results", "not_finite", "files", "result_problems", "more_results")
"""What the record of an execution has of it."""
MOST_FILES, MOST_PROBLEMS, LONGEST_PROBLEM = 1000, 20, 500
LARGEST_FILES = 64_000
"""How many characters the names of files have together that the record lists. The file lists all of them."""


@dataclass
class Reported:
    """What a job has reported.

    Attributes:
        execution: The execution that has.
        results: By name, values as strict JSON: null stands for a number in `not_finite`.
        not_finite: The word for each number that JSON does not have, by its path.
        files: The files that the job has announced, relative to its directory.
        problems: What could not be kept, each a line.

    Example:
        >>> read(directory).values
        {'accuracy': 0.93, 'loss': nan}
    """

    execution: str = ""
    results: dict[str, Any] = field(default_factory=dict)
    not_finite: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def values(self) -> dict[str, Any]:
        """The results as they were reported, with NaN and infinity."""
        return {name: restored(value, name, self.not_finite) for name, value in self.results.items()}

    def written(self) -> bytes:
        """The file."""
        known: dict[str, Any] = {"schema": SCHEMA, "execution": self.execution, "results": self.results}
        known |= {"not_finite": self.not_finite} if self.not_finite else {}
        known |= {"files": self.files} if self.files else {}
        known |= {"problems": self.problems} if self.problems else {}
        return json.dumps(known, indent=1, allow_nan=False).encode() + b"\n"

    def write(self, directory: JobDirectory) -> None:
        """Write the file.

        Raises:
            WorkspaceError: It cannot be written.
        """
        write_atomic(directory.path / NAME, self.written(), durable=False)

    def summary(self) -> dict[str, Any]:
        """What the record of the execution says of it; empty if nothing was reported."""
        found, more = flat(self.results)
        marks = {path: word for path, word in self.not_finite.items() if path in found}
        ends = accumulate(map(len, self.files[:MOST_FILES]))
        files = self.files[: sum(end <= LARGEST_FILES for end in ends)]
        known = {"results": found, "not_finite": marks, "files": files}
        known |= {"result_problems": self.problems, "more_results": more}
        return {name: value for name, value in known.items() if value}


def read(directory: JobDirectory) -> Reported | None:
    """What a job has reported; None if it has reported nothing, or the file is damaged, or of a later xpm."""
    try:
        found = object_in(read_whole(f"{directory.path}/{NAME}"))
    except OSError:
        return None
    results = found.get("results")
    if found.get("schema") != SCHEMA or not isinstance(results, dict):
        return None
    return Reported(
        str(found.get("execution") or ""),
        results,
        marks_in(found),
        _texts(found.get("files"), MOST_FILES),
        _texts(found.get("problems"), MOST_PROBLEMS),
    )


def kept(directory: JobDirectory, execution: str) -> dict[str, Any]:
    """The summary of what an execution has reported, by the file that it has left; empty if that is another one's."""
    found = read(directory)
    return found.summary() if found is not None and found.execution == execution else {}


def checked(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A summary without what can be none: the job's code may have sent anything."""
    known: dict[str, Any] = results_form(found) if (found := results_in(summary)) else {}
    for name, most in (("files", MOST_FILES), ("result_problems", MOST_PROBLEMS)):
        if lines := _texts(summary.get(name), most):
            known[name] = lines
    return {**known, "more_results": True} if summary.get("more_results") is True else known


def _texts(value: Any, most: int) -> list[str]:
    if not isinstance(value, list):
        return []
    return [each[:LONGEST_PROBLEM] for each in value if isinstance(each, str)][:most]


def marks_in(found: Mapping[str, Any]) -> dict[str, str]:
    """The marks of numbers that are not finite, of a file or of a line."""
    marks = found.get("not_finite")
    if not isinstance(marks, dict):
        return {}
    return {path: word for path, word in marks.items() if isinstance(word, str) and word in NOT_FINITE}


def results_form(results: Mapping[str, Scalar]) -> dict[str, Any]:
    """Results in flat form as strict JSON: what `results_in` reads.

    Example:
        >>> results_form({"accuracy": 0.93, "loss": float("nan")})
        {'results': {'accuracy': 0.93, 'loss': None}, 'not_finite': {'loss': 'nan'}}
    """
    marks: dict[str, str] = {}
    known = {name: plain(value, name, marks) for name, value in results.items()}
    return {"results": known, "not_finite": marks} if marks else {"results": known}


def results_in(record: Mapping[str, Any]) -> dict[str, Scalar]:
    """The results that the record of an execution has, in flat form. What is malformed is left out.

    Example:
        >>> results_in({"results": {"accuracy": 0.93, "loss": None}, "not_finite": {"loss": "nan"}})
        {'accuracy': 0.93, 'loss': nan}
    """
    found = record.get("results")
    if not isinstance(found, dict):
        return {}
    marks = marks_in(record)
    known = {name: restored(value, name, marks) for name, value in found.items() if is_flat(name, value)}
    return dict(list(known.items())[:MOST_FLAT])
