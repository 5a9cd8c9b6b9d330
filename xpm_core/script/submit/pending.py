"""A submission on its way: what the script asked for, until Redis has answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.submit.options import Options
from xpm_core.store.records import Submission, Submitted
from xpm_core.store.scripts import Sent

if TYPE_CHECKING:
    from xpm_core.config import Task

Asked = Sent[list[Submitted | None]] | Sent[list[Submitted]]


class Parcel:
    """A submission on its way, and the job that waits for its answer.

    Args:
        job: The job.
        task: Its task, which nothing else here keeps once the answer is there.
        marked: Whether its directory says that it is done.
        needs: Identities of the jobs that it needs.
        options: What `submit` was told.
        origins: Of classes that the server has not been told of yet.
    """

    __slots__ = ("done", "job", "marked", "needs", "options", "origins", "submission", "task")

    def __init__(
        self,
        job: TrackedJob,
        task: Task,
        marked: bool,
        needs: Sequence[str],
        options: Options,
        origins: Mapping[str, str],
    ) -> None:
        self.job, self.task, self.marked, self.needs = job, task, marked, needs
        self.options, self.origins = options, origins
        self.done = marked and not origins
        """Whether the server need not be told more than that."""
        self.submission: Submission | None = None
        """What the server is to be told; made when it is needed."""
