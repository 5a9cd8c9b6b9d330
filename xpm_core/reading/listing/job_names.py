"""Which job a name means.

A name is a prefix of the job's identity, `task/prefix`, the task if it has one job, tags that only this job has, its
directory, `last` or `failed`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

from xpm_core.errors import AmbiguousJobError, FilterError, UnknownJobError
from xpm_core.filters import Vocabulary, from_options
from xpm_core.labels import SHOWN
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.listing.states import StateReader
from xpm_core.reading.reader import Reader
from xpm_core.states import State

NAMED = 10
"""How many of the jobs that a name may mean are named."""

LAST, FAILED = "last", "failed"
"""The job that something happened to last, and the one that failed last."""

_PREFIX = re.compile(r"[0-9a-f]+", re.IGNORECASE)


def may_name_job(name: str) -> bool:
    """Whether a name has the form of one that only a job has. The name of a task is not told from others."""
    return name in (LAST, FAILED) or any(sign in name for sign in "=/") or bool(_PREFIX.fullmatch(name))


class JobNames:
    """The names of the jobs of one workspace.

    Args:
        workspace: The directory of the workspace.
        rows: All jobs, by identity.
        vocabulary: Their tags and parameters.
        reader: The readers of the server; None without one.
    """

    def __init__(
        self, workspace: Path, rows: Mapping[str, JobRow], vocabulary: Vocabulary, reader: Reader | None
    ) -> None:
        self._workspace, self._rows, self._vocabulary, self._reader = workspace, rows, vocabulary, reader

    def named(self, name: str) -> JobRow:
        """Return the job that a name means.

        Raises:
            UnknownJobError: No job has that name.
            AmbiguousJobError: Several have.
            FilterError: The name is a list of tags that cannot be understood.
        """
        found = list(islice(self._candidates(name), NAMED + 1))
        if not found:
            raise UnknownJobError(name)
        if len(found) > 1:
            prefix = name.rpartition("/")[2]
            length = max(SHOWN, len(prefix) + 2) if _PREFIX.fullmatch(prefix) else SHOWN
            texts = [f"{row.identity[:length]} ({row.title})" for row in found[:NAMED]]
            raise AmbiguousJobError(name, (*texts, *(["…"] if len(found) > NAMED else [])))
        return found[0]

    def _candidates(self, name: str) -> Iterable[JobRow]:
        if name == LAST:
            return self._latest(self._rows.values())
        if name == FAILED:
            return self._latest_failed()
        if (row := self._in_directory(name)) is not None:
            return [row]
        if "=" in name:
            return self._with_tags(name)
        task, _, prefix = name.rpartition("/")
        if task and not prefix:
            return self._of_task(task)
        if not _PREFIX.fullmatch(prefix):
            return () if task else self._of_task(name)
        return (row for row in self._with_prefix(prefix.lower()) if not task or _is_of(row, task))

    def _with_tags(self, tags: str) -> Iterable[JobRow]:
        try:
            wanted = from_options(tag=tags.split(",")).bind(self._vocabulary)
        except FilterError as error:
            raise FilterError("JOB", tags, error.problem, error.column, error.remedy) from None
        return (row for row in self._rows.values() if wanted.matches(row))

    def _of_task(self, task: str) -> Iterable[JobRow]:
        return (row for row in self._rows.values() if _is_of(row, task))

    def _with_prefix(self, prefix: str) -> Iterable[JobRow]:
        if len(prefix) == 64:
            return [self._rows[prefix]] if prefix in self._rows else []
        return (row for identity, row in self._rows.items() if identity.startswith(prefix))

    def _latest(self, rows: Iterable[JobRow]) -> list[JobRow]:
        if self._reader is not None and (identity := self._reader.events.last_job()) in self._rows:
            return [self._rows[identity]]
        newest = max(rows, key=lambda row: max(row.ended_s or 0, row.submitted_s or 0), default=None)
        return [newest] if newest is not None else []

    def _latest_failed(self) -> list[JobRow]:
        failed = [row for row in self._rows.values() if row.state is State.FAILED]
        if self._reader is not None and failed:
            states = StateReader(self._reader.client, self._reader.workspace_id)
            known = [self._rows[identity] for identity in states.newest(State.FAILED, 1) if identity in self._rows]
            if known:
                return known
        return [max(failed, key=lambda row: row.ended_s or 0)] if failed else []

    def _in_directory(self, name: str) -> JobRow | None:
        """The job whose directory, or a link to it, a path is."""
        try:
            place = Path(name).expanduser().resolve()
        except (OSError, RuntimeError, ValueError):  # `~` of a user that is none, a zero byte, links in a circle
            return None
        if self._workspace / "jobs" not in place.parents:
            return None
        return next((self._rows[part] for part in place.parts if part in self._rows), None)


def _is_of(row: JobRow, task: str) -> bool:
    return (row.name or "").lower() == task.lower()
