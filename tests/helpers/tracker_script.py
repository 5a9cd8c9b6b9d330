"""A script's tracker without the script. A desk submits, claims and ends the jobs that it tracks.

`from helpers.tracker_script import Script`.
"""

from __future__ import annotations

from pathlib import Path

from helpers.store_client import Desk, W, identity, submission

from xpm_core.script.follow.outage import Outage
from xpm_core.script.follow.tracker import TrackedJob, Tracker
from xpm_core.server import connection
from xpm_core.store import keys
from xpm_core.workspace.job_directory import JobDirectory


class Script:
    """A script's tracker, and what it tracks."""

    def __init__(self, desk: Desk, url: str, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        self.blocking = connection.open(url, blocking=True)
        self.tracker = Tracker(desk.store, self.blocking, desk.run.cursor, 30.0, Outage("x"))
        self.done: list[str] = []

    def submit(self, name: str, **more: object) -> TrackedJob:
        """Submit and track a job."""
        directory = JobDirectory(self.folder, f"jobs/t.task/{identity(name)}")
        job = TrackedJob(self.tracker, identity(name), "Task", directory, ("", 0), "default")
        self.tracker.add(job)
        self.tracker.listen(job, self.done.append, name)
        (answer,) = self.desk.submit(submission(name, **more))  # type: ignore[arg-type]
        self.tracker.answered([(job, answer)])
        return job

    def cut(self) -> None:
        """Drop all events so far but the last."""
        self.desk.client.xtrim(keys.events(W), maxlen=1, approximate=False)
