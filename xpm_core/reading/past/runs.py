"""An experiment of a workspace, and its past runs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from xpm_core.errors import UnknownRunError, WorkspaceError
from xpm_core.index.entries import Entry
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.past.configurations import Configurations, PastJob
from xpm_core.reading.past.sources import Sources, params_of
from xpm_core.reading.past.tasks import SHOWN, PastTask, PastTasks
from xpm_core.tracebacks.edges import edge
from xpm_core.words import html
from xpm_core.words.text import plural
from xpm_core.workspace.experiment_directory import ExperimentDirectory, RunDirectory
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_spec import JobSpec
from xpm_core.workspace.workspace import Workspace

LATEST = "latest"

_RUN = re.compile(r"([0-9]{8}-[0-9]{6})(?:-([0-9]+))?")


class Known(NamedTuple):
    """What a view knows of its workspace.

    Attributes:
        workspace: The workspace.
        rows: Returns jobs by their identities; unknown ones are left out.
        spec: Returns what a job runs, by the server; None if it does not know that, or cannot be had.
    """

    workspace: Workspace
    rows: Callable[[Iterable[str]], list[JobRow]]
    spec: Callable[[str], JobSpec | None]


class PastExperiment:
    """An experiment whose runs are looked at. `View.experiment` returns it.

    Attributes:
        name: Its name.
        path: Its directory.

    Example:
        >>> look("workspace").experiment("digits").run("latest").tasks()
        [<Train lr=0.1 3f2a91c done>, <Train lr=0.01 9bc04e1 done>]
    """

    def __init__(self, directory: ExperimentDirectory, known: Known) -> None:
        self.name: str = directory.name
        self.path: Path = directory.path
        self._latest, self._known = directory.latest, known

    @edge
    def runs(self) -> list[PastRun]:
        """Return the runs that have a directory, the latest first."""
        names = [name for name in _listed(self.path / "runs") if _RUN.fullmatch(name)]
        return [self._run(name) for name in sorted(names, key=_order, reverse=True)]

    @edge
    def run(self, name: str = LATEST) -> PastRun:
        """Return one run.

        Args:
            name: `latest`, or when it began, as its directory is named: `20261124-053312`. The first characters are
                enough, if no other run begins with them.

        Raises:
            UnknownRunError: No run has that name, or several have.
        """
        names = [run.name for run in self.runs()]
        if name == LATEST and names:
            linked = os.path.basename(os.readlink(self._latest)) if self._latest.is_symlink() else ""
            return self._run(linked if linked in names else names[0])
        found = [each for each in names if each == name] or [each for each in names if name and each.startswith(name)]
        if len(found) != 1:
            raise UnknownRunError(self.name, name, tuple(found or names), bool(found))
        return self._run(found[0])

    def _run(self, name: str) -> PastRun:
        return PastRun(self.name, RunDirectory(self.path / "runs" / name), self._known)

    def __repr__(self) -> str:
        return f"<experiment {self.name}, {plural(len(self.runs()), 'run')}>"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        runs = self.runs()
        rows = [(html.code(run.name), run.count) for run in runs[:SHOWN]]
        head = html.line(html.text(self.name, bold=True), plural(len(runs), "run"))
        return html.frame(head, html.table(rows))


class PastRun:
    """One run of an experiment's script.

    Attributes:
        experiment: The name of the experiment.
        name: When it began, in local time: `20261124-053312`.
        path: Its directory.
    """

    def __init__(self, experiment: str, directory: RunDirectory, known: Known) -> None:
        self.experiment, self.name, self.path = experiment, directory.name, directory.path
        self._directory, self._known = directory, known

    @property
    def started_s(self) -> float:
        """When it began, epoch seconds."""
        return datetime.strptime(self.name[:15], "%Y%m%d-%H%M%S").timestamp()

    @property
    def ended(self) -> bool:
        """Whether the script has left its experiment. One that was killed has not."""
        record = self._directory.record
        return record is not None and record.ended

    @property
    def results(self) -> Path:
        """The folder for files of the script. It need not exist."""
        return self.path / "results"

    @property
    def log(self) -> Path:
        """The run's log."""
        return self._directory.log

    @property
    def count(self) -> str:
        """How many jobs it has named, in words."""
        named = self._directory.named
        return "jobs not known" if named is None else plural(len(named), "job")

    @edge
    def tasks(self, *, trust: bool = False) -> PastTasks:
        """Return the tasks that the run has submitted, in that order. Each has a `config` with its parameters.

        Reading a configuration imports modules, from the folders of this process or from the job's snapshot. So it is
        done for your own jobs only, or, if XPM_SIGNING_KEY is set, for jobs that are signed with it. Other tasks have
        the values that their `params.json` has, and a `problem`.

        Args:
            trust: Whether to read also the jobs of other users, and imported ones.

        Raises:
            WorkspaceError: The run has no list of its jobs.

        Example:
            >>> for task in run.tasks():
            ...     print(task.tags, task.config.lr, (task.jobpath / "accuracy.txt").read_text())
        """
        named = self._directory.named
        if named is None:
            remedy = f"All jobs of the experiment: view.jobs('experiment={self.experiment}')."
            raise WorkspaceError(str(self.path), "which jobs the run has submitted is not known", remedy)
        jobs = self._jobs(named)
        workspace = self._known.workspace
        configurations = Configurations(jobs, workspace.path, Sources(workspace, self._known.spec, trust=trust))
        return PastTasks(PastTask(job, configurations) for job in jobs)

    def _jobs(self, named: Sequence[str]) -> list[PastJob]:
        rows = {row.identity: row for row in self._known.rows(named)}
        return [self._job(rows.get(identity) or JobRow(Entry(identity), None)) for identity in named]

    def _job(self, row: JobRow) -> PastJob:
        workspace = self._known.workspace
        if row.task:
            return PastJob(row, row.task, workspace.job(row.task, row.identity))
        directory = _found(workspace, row.identity)
        return PastJob(row, str(params_of(directory).get("task", "")), directory)

    def __repr__(self) -> str:
        return f"<run {self.name} of {self.experiment}, {self.count}>"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        facts = {"began": self.name, "jobs": self.count, "directory": html.code(self.path)}
        return html.card(f"{self.experiment}, a run", facts)


def _found(workspace: Workspace, identity: str) -> JobDirectory:
    """The directory of a job whose task nobody knows: the one that exists."""
    folders = _listed(workspace.path / "jobs")
    there = [name for name in folders if (workspace.path / "jobs" / name / identity).is_dir()]
    return JobDirectory(workspace.path, f"jobs/{there[0] if there else 'unknown'}/{identity}")


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _order(name: str) -> tuple[str, int]:
    """When a run began; of several in one second, the number."""
    match = _RUN.fullmatch(name)
    return (match[1], int(match[2] or 1)) if match else ("", 0)
