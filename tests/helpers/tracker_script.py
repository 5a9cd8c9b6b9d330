"""A script's tracker and follower without the script: a desk submits, claims and ends the jobs.

`from helpers.tracker_script import Script`.
"""

from __future__ import annotations

from pathlib import Path

from helpers.store_client import StoreClient, W, identity, submission

from xpm_core.index.writers import EndWriter, UnreportedEnds
from xpm_core.script.follow.follower import Follower
from xpm_core.script.follow.outage import Outage
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.follow.tracker import Tracker
from xpm_core.server import connection
from xpm_core.store import keys
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace


class Script:
    """A script's tracker, its follower, and what they track."""

    def __init__(self, desk: StoreClient, url: str, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        self.blocking = connection.open(url, blocking=True)
        self.tracker = Tracker(desk.run.cursor, Outage("x", self.blocking))
        ends = UnreportedEnds(Workspace(folder, W), EndWriter(folder, "run-1"))
        self.follower = Follower(self.tracker, desk.store, self.blocking, 30.0, ends)
        self.done: list[str] = []

    def submit(self, name: str, **more: object) -> TrackedJob:
        """Submit and track a job."""
        directory = JobDirectory(self.folder, f"jobs/demo.task/{identity(name)}")
        job = TrackedJob(self.tracker, identity(name), "Task", directory, ("", 0), "default")
        self.tracker.add(job)
        self.tracker.listen(job, self.done.append, name)
        (answer,) = self.desk.submit(submission(name, **more))  # type: ignore[arg-type]
        self.tracker.answered([(job, answer)])
        return job

    def stop(self) -> None:
        """Stop following; make the callbacks that are due."""
        self.follower.stop()
        self.tracker.callbacks.close()
        self.blocking.close()

    def cut(self) -> None:
        """Drop all events so far but the last."""
        self.desk.client.xtrim(keys.events(W), maxlen=1, approximate=False)
