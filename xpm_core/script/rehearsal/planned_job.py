"""A job of a dry run, and what would become of it."""

from __future__ import annotations

from enum import Enum

from xpm_core.fingerprints.comparison import Answer
from xpm_core.script.follow.tracked_job import TrackedJob


class Fate(str, Enum):
    """What would become of a job."""

    REUSED = "reused"
    RETRIED = "retried"
    UNDER_WAY = "under way"
    NEW = "new"

    @property
    def verb(self) -> str:
        """The same as a verb: what a run would do with it."""
        return {Fate.REUSED: "reuse", Fate.RETRIED: "retry", Fate.UNDER_WAY: "join", Fate.NEW: "run"}[self]


class PlannedJob(TrackedJob):
    """A job of a dry run.

    Attributes:
        fate: What would become of it, once `plan_of` has decided that.
        project: The tag of the project of its class.
        min_time_s: How long it runs at least, seconds. Workers that have less time left do not take it.
        rehearsed: Always true: whoever waits for it goes on.
        code: What has become of the code of a job that is done: same, ran (changed, and it ran), reached (changed, but
            this job never ran it), unknown; None if nobody has asked.
        runs_again: Whether it is done, and runs again because of that.
    """

    fate = Fate.NEW
    project = ""
    min_time_s = 0
    rehearsed = True
    code: Answer | None = None
    runs_again = False
