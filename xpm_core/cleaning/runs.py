"""The runs of experiments: which of them stay, and which jobs these name.

A run writes the jobs that it names into its directory. A run of an earlier xpm has not done so: while it stays, all
jobs of its experiment count as named. The same holds for an experiment whose runs were all deleted, but not its folder.
People move runs and experiments elsewhere and leave a link, or give a run a name of their own. These stay.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from xpm_core.cleaning.places import IDENTITY, listed
from xpm_core.index.entries import Entry
from xpm_core.workspace.experiment_directory import RunDirectory, RunRecord

_RUN = re.compile(r"(\d{8}-\d{6})(?:-(\d{1,6}))?")


@dataclass(frozen=True)
class Run:
    """A run of an experiment.

    Attributes:
        experiment: The experiment.
        path: Its directory.
        record: Which jobs it has named; None if that is not known.
        removable: Whether it is a directory with a name that a script gives.
    """

    experiment: str
    path: Path
    record: RunRecord | None
    removable: bool = True

    @property
    def ended(self) -> bool:
        """Whether its script has left the experiment, as far as is known."""
        return self.record is not None and self.record.ended

    def names_any(self, identities: Collection[str]) -> bool:
        """Whether it has named one of some jobs, as far as is known."""
        return self.record is not None and not self.record.identities.isdisjoint(identities)


class Runs:
    """The runs of all experiments of a workspace.

    Args:
        workspace: The workspace.
        entries: What the index says of its jobs.
        members: Returns the jobs of an experiment that the server knows.

    Attributes:
        all: The runs of each experiment, the newest first; not of those that are links.
        elsewhere: The runs of the experiments that are links.
    """

    def __init__(self, workspace: Path, entries: Mapping[str, Entry], members: Callable[[str], Iterable[str]]) -> None:
        self._workspace, self._entries, self._members = workspace, entries, members
        folders = [each for each in listed(workspace / "experiments") if each.is_symlink() or each.is_dir()]
        found = {each.name: _runs(each.name, Path(each.path)) for each in folders}
        self.elsewhere = {each.name: found.pop(each.name) for each in folders if each.is_symlink()}
        self.all = found

    def beyond(self, newest: int) -> list[Run]:
        """The runs that are not among the newest of their experiment. The one that `latest` means is among these."""
        own = [[run for run in runs if run.removable] for runs in self.all.values()]
        found = [run for runs in own for run in runs[newest:]]
        return [run for run in found if run.path != _latest(run.path.parent.parent)]

    def named(self, gone: Collection[Run] = ()) -> set[str]:
        """The jobs that the runs name, apart from those runs that go."""
        paths, found = {run.path for run in gone}, set[str]()
        for experiment, runs in {**self.all, **self.elsewhere}.items():
            stay = [run for run in runs if run.path not in paths]
            if not stay or any(run.record is None for run in stay):
                found |= self._of_experiment(experiment)
            for run in stay:
                if run.record is not None:
                    found |= run.record.identities
        return found

    def named_by(self, chosen: Callable[[Run], bool]) -> set[str]:
        """The jobs that some runs have recorded."""
        runs = [run for each in (self.all, self.elsewhere) for runs in each.values() for run in runs]
        return {each for run in runs if run.record and chosen(run) for each in run.record.identities}

    def _of_experiment(self, experiment: str) -> set[str]:
        """All jobs of an experiment, by the index, the server and its links."""
        found = {identity for identity, entry in self._entries.items() if experiment in entry.experiments}
        found.update(self._members(experiment))
        for link in links_of(self._workspace / "experiments" / experiment):
            found.add(link.identity)
        return found


@dataclass(frozen=True)
class JobLink:
    """A link of an experiment to the directory of a job."""

    path: str
    identity: str


def links_of(experiment: Path) -> Iterator[JobLink]:
    """The links of an experiment to its jobs, by the directory of the experiment."""
    for task in listed(experiment / "jobs"):
        if not task.is_dir(follow_symlinks=False):
            continue
        for entry in listed(Path(task.path)):
            try:
                target = os.readlink(entry.path)
            except OSError:  # no link
                continue
            name = target.rpartition("/")[2]
            if target.startswith("../../../../jobs/") and IDENTITY.fullmatch(name):
                yield JobLink(entry.path, name)


def _runs(experiment: str, folder: Path) -> list[Run]:
    """The runs of an experiment, the newest first. What has another name than a run is one if it has a record."""
    found: list[tuple[tuple[str, int], Run]] = []
    for entry in listed(folder / "runs"):
        if entry.name.startswith(".") or not (entry.is_symlink() or entry.is_dir()):
            continue
        match, path = _RUN.fullmatch(entry.name), Path(entry.path)
        run = Run(experiment, path, RunDirectory(path).record, match is not None and not entry.is_symlink())
        if match or run.record is not None:
            found.append(((match[1], int(match[2] or 1)) if match else ("", 0), run))
    return [run for _, run in sorted(found, key=lambda each: each[0], reverse=True)]


def _latest(experiment: Path) -> Path | None:
    try:
        return experiment / os.readlink(experiment / "latest")
    except OSError:
        return None
