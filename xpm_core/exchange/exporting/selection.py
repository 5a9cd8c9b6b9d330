"""Which jobs go into the file of an experiment: its own ones that are done, and all that these need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xpm_core.cleaning.needs import Needs
from xpm_core.cleaning.places import Places, listed
from xpm_core.cleaning.runs import links_of
from xpm_core.errors import ExchangeError, UnknownExperimentError
from xpm_core.index.entries import Entry
from xpm_core.index.merged import MergedIndex
from xpm_core.index.rebuild import described
from xpm_core.labels import label, short
from xpm_core.results.foreign import with_foreign
from xpm_core.wire.unpacker import UNREADABLE, opened
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.kept_job import KeptJob
from xpm_core.workspace.workspace import Workspace

Ask = Callable[[str], KeptJob | None]
"""Returns what a job runs that is not done, as only the server knows it; None if it does not know the job."""


@dataclass(frozen=True)
class ChosenJob:
    """A job to export.

    Attributes:
        directory: Its directory.
        state: "done" or "failed".
        kept: What it runs, as its worker got it.
        task: Its task.
        entry: What the index says of it.
        own: Whether it belongs to the experiment; else a job of the experiment needs it.
    """

    directory: JobDirectory
    state: str
    kept: KeptJob
    task: str
    entry: Entry
    own: bool

    @property
    def identity(self) -> str:
        """Its identity."""
        return self.directory.identity

    @property
    def label(self) -> str:
        """The job as messages name it."""
        return label(self.kept.spec.name, self.identity)


@dataclass
class Selection:
    """What was selected.

    Attributes:
        jobs: The jobs, by identity.
        unfinished: How many jobs of the experiment stay behind, because they are not done.
        failed: How many, because they have failed.
        missing: Jobs that are needed, and whose directories are gone.
    """

    jobs: dict[str, ChosenJob] = field(default_factory=dict)
    unfinished: int = 0
    failed: int = 0
    missing: list[str] = field(default_factory=list)


def select(workspace: Workspace, experiment: str, ask: Ask | None = None) -> Selection:
    """The jobs of an experiment that are done, and all jobs that these need, also of other experiments.

    Args:
        workspace: The workspace.
        experiment: The experiment.
        ask: For failed jobs, too: returns what they run. None leaves them behind.

    Raises:
        UnknownExperimentError: There is no such experiment.
        ExchangeError: What a job runs is not known.
        WorkspaceError: Something cannot be read.
    """
    directory = workspace.experiment(experiment)
    if not directory.path.is_dir():
        known = [each.name for each in listed(workspace.path / "experiments") if each.is_dir()]
        raise UnknownExperimentError(experiment, with_foreign(known, workspace.path))
    entries = MergedIndex(workspace.path).read()
    places = Places.read(workspace.path)
    own = {each.identity for each in links_of(directory.path)}
    own |= {identity for identity, entry in entries.items() if experiment in entry.experiments}
    chooser = _Chooser(workspace, places.jobs, entries, ask)
    for identity in sorted(own):
        chooser.take(identity, own=True)
    needs = Needs(workspace.path, places.jobs, {})
    for identity in sorted(needs.closure(chooser.found.jobs) - own):
        if identity in places.jobs:
            chooser.take(identity, own=False)
    named = {each for job in chooser.found.jobs.values() for each in job.kept.needs}
    chooser.found.missing = sorted(named - chooser.found.jobs.keys())
    return chooser.found


class _Chooser:
    def __init__(
        self, workspace: Workspace, places: Mapping[str, str], entries: Mapping[str, Entry], ask: Ask | None
    ) -> None:
        self._workspace, self._places, self._entries, self._ask = workspace, places, entries, ask
        self.found = Selection()

    def take(self, identity: str, *, own: bool) -> None:
        """Add a job if it has ended as is wanted; else count it."""
        relative = self._places.get(identity)
        directory = self._workspace.job_at(relative) if relative else None
        marker = directory.marker() if directory else None
        if directory is None or marker is None:
            self.found.unfinished += own
        elif marker.kind == "failed" and self._ask is None:
            self.found.failed += own
        else:
            self._add(directory, marker.kind, own)

    def _add(self, directory: JobDirectory, state: str, own: bool) -> None:
        identity = directory.identity
        entry = self._entries.get(identity)
        if entry is None or not entry.task:
            entry = described(directory) or Entry(identity)
        kept = directory.kept(entry.task)
        if kept is None and state == "failed" and self._ask is not None:
            kept = self._ask(identity)
        if kept is None:
            problem = f"it does not say what job {short(identity)} runs, so nobody could verify the job"
            raise ExchangeError(str(directory.path), problem, "Run its script again, or leave it out: remove it.")
        task = _task_of(kept.spec.payload, directory.path)
        kept = kept._replace(spec=kept.spec._replace(task=task))
        self.found.jobs[identity] = ChosenJob(directory, state, kept, task, entry, own)


def _task_of(payload: bytes, place: Path) -> str:
    try:
        content: dict[str, Any] = opened(payload)
    except UNREADABLE as error:
        raise ExchangeError(str(place), f"what it runs cannot be read ({error})", "Run its script again.") from None
    return str(content["task"])
