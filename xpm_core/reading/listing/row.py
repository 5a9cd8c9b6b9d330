"""One row of a list of jobs: what the index says of the job, and what the server says if it was asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from types import MappingProxyType
from typing import Any

from xpm_core.index.entries import End, Entry, code_name
from xpm_core.labels import bare_class, title
from xpm_core.reading.jobs import Job
from xpm_core.states import State

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class JobRow:
    """A job in a list. A fact that is not known is None.

    Times are epoch seconds, 0 if that has not happened yet. Without the server, the index says how the job ended, and
    nothing of a job that has not.

    Attributes:
        entry: What the index says.
        job: All that the server says; None if it was not asked, or does not know the job.
        state: The state; None if it is not known.
    """

    __slots__ = ("entry", "job", "state")

    def __init__(self, entry: Entry, state: State | None, job: Job | None = None) -> None:
        self.entry, self.state, self.job = entry, state, job

    def __repr__(self) -> str:
        return f"<{self.title} {self.identity[:7]} {self.state.value if self.state else 'unknown'}>"

    @property
    def identity(self) -> str:
        """The identity, 64 hexadecimal digits."""
        return self.entry.identity

    @property
    def task(self) -> str | None:
        """The task, `module:Class`."""
        return self.entry.task or (self.job.task if self.job else None)

    @property
    def name(self) -> str | None:
        """The bare name of the task's class."""
        return None if self.task is None else bare_class(self.task) or self.task

    @property
    def title(self) -> str:
        """The job as people know it: `Train lr=0.1 model=mlp`."""
        return self.titled(self.tags or {})

    def titled(self, tags: Mapping[str, Any]) -> str:
        """The same, with these tags."""
        return title(self.name or "job", tags)

    @property
    def tags(self) -> Mapping[str, Any] | None:
        """The tags."""
        if self.entry.task:
            return self.entry.tags
        return self.job.tags if self.job else None

    @property
    def params(self) -> Mapping[str, Any] | None:
        """The parameters by path, such as `optim.lr`; None if the index lacks the job."""
        return self.entry.params if self.entry.task else None

    @property
    def experiments(self) -> Collection[str]:
        """The experiments that it belongs to."""
        return self.entry.experiments

    @property
    def queue(self) -> str | None:
        """The queue."""
        return self.job.queue if self.job else None

    @property
    def demand(self) -> Mapping[str, int] | None:
        """The units of each token that it asks for."""
        return self.job.demand if self.job else None

    @property
    def _end(self) -> End | None:
        """The end that the index has, if it is the one that counts."""
        return self.entry.end if self.state is not None and self.entry.state is self.state else None

    def _of_end(self, name: str, ended: Any) -> Any:
        """A fact that the server has, or, of a job that has ended, the index."""
        if self.job is not None and (found := getattr(self.job, name)):
            return found
        if self._end is not None:
            return ended(self._end)
        return getattr(self.job, name) if self.job is not None else None

    @property
    def worker(self) -> str | None:
        """The worker that runs it, or ran it last."""
        found: str | None = self._of_end("worker", lambda end: end.worker)
        return found

    @property
    def host(self) -> str | None:
        """The machine of that worker."""
        found: str | None = self._of_end("host", lambda end: end.host)
        return found

    @property
    def code(self) -> str | None:
        """The snapshot that it runs, the first digits of its digest; "live" for code that is not kept."""
        if self.job is not None and self.job.options and self.state is not State.DONE:
            return code_name(str(self.job.options.get("snapshot") or ""))
        return self._known("code")

    @property
    def commit(self) -> str | None:
        """The commit of the code that it ran, with `+` if files differed from it; empty outside of git."""
        return self._known("commit")

    @property
    def packages(self) -> str | None:
        """The list of the packages that it ran with, the first digits of its digest."""
        return self._known("packages")

    def _known(self, name: str) -> str | None:
        """What the index says of the code of a job that has ended. A worker of an earlier xpm has not said it."""
        return None if self._end is None or not self._end.code else str(getattr(self._end, name))

    @property
    def results(self) -> Mapping[str, Any] | None:
        """What it has reported, in one level, by the end that counts. Empty before it has ended.

        None if the job is done, and the index has not got its end.
        """
        end, state = self.entry.end, self.state
        if end is not None and (state is None or state is end.state):
            return end.results
        return None if state is State.DONE else _NOTHING

    @property
    def error(self) -> Mapping[str, Any]:
        """What went wrong: type, message, file, line, function. Empty without an error."""
        return self._of_end("error", lambda end: end.error) or {}

    @property
    def error_type(self) -> str | None:
        """The class of the error; empty without one."""
        if self.job is None and self._end is None:
            return None
        return str(self.error.get("type", ""))

    @property
    def attempts(self) -> int | None:
        """How many attempts there were."""
        found: int | None = self._of_end("attempts", lambda end: end.attempt)
        return found

    @property
    def submitted_s(self) -> float | None:
        """When it was first submitted."""
        return (self.job.submitted_s if self.job else 0.0) or self.entry.submitted_s or None

    @property
    def started_s(self) -> float | None:
        """When its last attempt began."""
        found: float | None = self._of_end("started_s", lambda end: end.started_s)
        return found

    @property
    def ended_s(self) -> float | None:
        """When it ended."""
        found: float | None = self._of_end("ended_s", lambda end: end.ended_s)
        return found


def still(row: JobRow) -> JobRow:
    """The same row as it stands now. A list's own rows change when more is read."""
    return JobRow(copy(row.entry), row.state, row.job)
