"""A submission that is on its way: its facts, until Redis has answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING

from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.submit.options import Options
from xpm_core.store.records import Submission, Submitted
from xpm_core.store.scripts import Sent

if TYPE_CHECKING:
    from xpm_core.config import Task

Asked = Sent[list[Submitted | None]] | Sent[list[Submitted]]


class Pending:
    """A submission that is on its way, and the job that waits for the answer.

    Args:
        job: The job.
        task: Its task. Only this record keeps it, so that it can go once the answer is there.
        marked: Whether its directory has a `done` marker.
        needs: Identities of the jobs that it needs.
        options: The options of `submit`.
        origins: The files of classes that the server does not know yet.
        classes: The classes that the job imports.
    """

    __slots__ = ("asked_s", "classes", "done", "job", "marked", "needs", "options", "origins", "submission", "task")

    def __init__(
        self,
        job: TrackedJob,
        task: Task,
        marked: bool,
        needs: Sequence[str],
        options: Options,
        origins: Mapping[str, str],
        classes: Set[type],
    ) -> None:
        self.job, self.task, self.marked, self.needs = job, task, marked, needs
        self.options, self.origins, self.classes = options, origins, classes
        self.done = marked and not origins
        """Whether the server needs no more than the identity, because the job is done and its classes are known."""
        self.submission: Submission | None = None
        """The submission in full; it is made when it is needed."""
        self.asked_s = 0.0
        """When the server was asked last, epoch seconds."""

    def look_again(self) -> None:
        """Look at the job's directory again, because it may have gone since."""
        self.marked = self.marked and self.job.directory.is_marked()
        self.done = self.marked and not self.origins
        self.submission = None
