"""What this machine remembers of the directories of done jobs: `~/.cache/xpm/judging/`. It can be deleted at any time.

A script that reuses thousands of jobs asks for each what it ran. The record of an execution never changes. So each is
read once.

Owns: the file, and what is believed of it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import msgpack

from xpm_core.errors import WorkspaceError
from xpm_core.index.folders import memory_file
from xpm_core.judging.then import Packages, Then, then_of
from xpm_core.snapshot.provenance import Provenance
from xpm_core.workspace.files import write_atomic
from xpm_core.workspace.job_directory import JobDirectory

VERSION = 1
"""Of the file. A file of another version is not read."""

WORTH = 100
"""Executions that have to be new for the file to be written again."""


class Thens:
    """The code of done jobs, by the executions that count.

    Args:
        workspace: The workspace's directory.
        provenance_of: Returns the provenance of a digest.

    Example:
        >>> thens.of(directory, "train:Train", "3c70259e97945b42870f287f").snapshot[:7]
        '8c1f2e0'
    """

    def __init__(self, workspace: Path, provenance_of: Callable[[str], Provenance]) -> None:
        self._workspace, self._provenance_of = workspace, provenance_of
        index = memory_file(workspace)
        self._file = index.parents[1] / "judging" / index.name
        self._known: dict[str, Then] | None = None
        self._same: dict[Then, Then] = {}
        self._new = 0

    def of(self, directory: JobDirectory, task: str, execution: str = "") -> Then | str:
        """The code of a job; or why it is not known.

        Args:
            directory: The job's directory.
            task: The name of its class in identities, `train:Train`.
            execution: The execution that counts, as the index has it; empty if that is not known.
        """
        if self._known is None:
            self._known = self._read()
        found: Then | str | None = self._known.get(execution)
        if found is None:
            found = then_of(directory, task, self._provenance_of, execution)
            if isinstance(found, Then):
                found = self._same.setdefault(found, found)
                if execution:
                    self._known[execution] = found
                    self._new += 1
        return found

    def remember(self, executions: Collection[str]) -> None:
        """Write what is known of some executions, if enough is new. Others are forgotten.

        If it cannot be written, the directories have to be read again, which is enough.
        """
        if self._known is None or self._new < WORTH:
            return
        numbers: dict[Then, int] = {}
        of = {each: numbers.setdefault(self._known[each], len(numbers)) for each in executions if each in self._known}
        thens = [_data(then) for then in numbers]
        data = {"version": VERSION, "workspace": os.fspath(self._workspace), "thens": thens, "of": of}
        with contextlib.suppress(OSError, ValueError, WorkspaceError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._file, msgpack.packb(data), durable=False)
            self._new = 0

    def _read(self) -> dict[str, Then]:
        try:
            data = msgpack.unpackb(self._file.read_bytes())
            if data["version"] == VERSION and data["workspace"] == os.fspath(self._workspace):
                thens = [_then(*each) for each in data["thens"]]
                self._same = {then: then for then in thens}
                return {str(execution): thens[number] for execution, number in data["of"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, msgpack.UnpackException):
            pass
        return {}


def _data(then: Then) -> list[Any]:
    """The code of an execution, as the file has it."""
    return [*then[:3], sorted(then.taken), *then[4:7], [_data(each) for each in then.earlier]]


def _then(
    snapshot: str, ran: str, folders: Any, taken: Any, classes: Any, packages: Any, given: Any, earlier: Any
) -> Then:
    places = tuple((tree, path, name) for tree, path, name in classes)
    named = tuple((tree, path) for tree, path in folders)
    before = tuple(_then(*each) for each in earlier)
    return Then(snapshot, ran, named, frozenset(taken), places, Packages(*packages), Packages(*given), before)
