"""Whether done jobs have the code of today, as far as it matters to them.

Owns: today's project, and one comparison for all jobs that had the same code and ran the same of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from xpm_core.errors import SettingsError, SnapshotError
from xpm_core.fingerprints.comparison import Answer, Change, Comparison
from xpm_core.fingerprints.memory import Memory
from xpm_core.fingerprints.project import Folders, Project
from xpm_core.fingerprints.ran import Ran
from xpm_core.fingerprints.reached import Reached, reach
from xpm_core.fingerprints.walk import Unknown, Walk
from xpm_core.judging.data import Data
from xpm_core.judging.then import Place, Then, roots_in, then_of
from xpm_core.project.import_path import ImportPath
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import Manifest
from xpm_core.snapshot.provenance import Provenance
from xpm_core.workspace.job_directory import JobDirectory


class Judgement(NamedTuple):
    """What has become of the code of a job.

    Attributes:
        answer: same: the same code and data. ran: some has changed that it ran or read. reached: code has changed that
            it could have run, and did not. unknown: it cannot be told.
        changes: The definitions that have changed, sorted.
        files: The files beside the code that it has read and that have changed, sorted.
        why: Why it cannot be told, such as "getattr at registry.py:14"; empty for the other answers.
        snapshot: The snapshot of the job; empty if it is not known.

    Example:
        >>> judge.of(directory, "train:Train").places
        ['mlp.py forward()']
    """

    answer: Answer
    changes: tuple[Change, ...] = ()
    files: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    snapshot: str = ""

    @property
    def places(self) -> list[str]:
        """What has changed, for people: the file, and what in it."""
        return [*dict.fromkeys([*map(named, self.changes), *self.files])]


def named(change: Change) -> str:
    """A change as people are told it.

    Example:
        >>> named(Change("digits", "mlp.py", "MLP.forward", 12, "changed"))
        'mlp.py MLP.forward'
    """
    return change.path if change.name.startswith("<") else f"{change.path} {change.name}"


class Judge:
    """Compares jobs with the code of one submission. Each comparison is made once.

    Args:
        workspace: The workspace's directory.
        snapshot: Today's snapshot.
        provenance: How it came to be taken.
        path: Where today's script imports from; None if that is as it was, because there is no script now.

    Raises:
        SnapshotError: The description of one of the two is missing, or was changed.

    Example:
        >>> Judge(workspace.path, code.snapshot, code.provenance, import_path()).of(directory, "train:Train").answer
        'ran'
    """

    def __init__(self, workspace: Path, snapshot: str, provenance: str, path: ImportPath | None = None) -> None:
        self._workspace, self._store, self._memory = workspace, CodeStore(workspace), Memory(workspace)
        told = Provenance.read(self._store.get("provenance", provenance))
        manifest = self._store.manifest(snapshot)
        self._folders = None if path is None else Folders.of(path, told.roots)
        self._data = Data(manifest, {tree.name: tree.roots[0] for tree in told.trees})
        self._manifest_now = manifest
        self._now: dict[tuple[object, ...], Walk] = {}
        self._roots = lru_cache(maxsize=64)(partial(roots_in, self._store))
        self._known: dict[Then, Judgement] = {}
        self._manifests: dict[str, Manifest] = {}
        self._old: dict[tuple[object, ...], tuple[Walk, Comparison]] = {}
        self._reached: dict[tuple[object, ...], Reached] = {}

    def of(self, directory: JobDirectory, task: str) -> Judgement:
        """What has become of the code of a done job.

        Args:
            directory: Its directory.
            task: The name of its class in identities, `train:Train`.
        """
        then = then_of(directory, task, self._roots)
        if isinstance(then, str):
            return Judgement("unknown", why=(then,))
        if then not in self._known:
            try:
                self._known[then] = self._judged(then)
            except (SnapshotError, SettingsError) as error:
                self._known[then] = Judgement("unknown", why=(f"{error.where}: {error.problem}",))
        return self._known[then]._replace(snapshot=then.snapshot)

    def _judged(self, then: Then) -> Judgement:
        walk, comparison = self._compared(then)
        ran = Ran.read(self._store.get("ran", then.ran)) if then.ran else None
        verdict = comparison.verdict(self._reach(then, walk), ran)
        changed, unknown = self._files(then, ran)
        if changed and verdict.answer != "ran":
            return Judgement("ran", (), changed)
        if verdict.answer == "ran":
            return Judgement("ran", verdict.changes, changed)
        why = (*map(str, verdict.unknown), *unknown)
        return Judgement("unknown" if why else verdict.answer, verdict.changes, (), why)

    def _compared(self, then: Then) -> tuple[Walk, Comparison]:
        key = then.snapshot, then.folders, then.taken
        if key not in self._old:
            folders = Folders(list(then.folders), then.taken)
            project = Project.of_snapshot(self._workspace, self._manifest(then.snapshot), folders, self._memory)
            walk = Walk(project)
            self._old[key] = walk, Comparison(walk, self._today(self._folders or folders))
        return self._old[key]

    def _today(self, folders: Folders) -> Walk:
        """Today's project for scripts that import from some folders."""
        key = tuple(folders.folders), folders.taken
        if key not in self._now:
            project = Project.of_snapshot(self._workspace, self._manifest_now, folders, self._memory)
            self._now[key] = Walk(project)
        return self._now[key]

    def _manifest(self, snapshot: str) -> Manifest:
        if snapshot not in self._manifests:
            self._manifests[snapshot] = self._store.manifest(snapshot)
        return self._manifests[snapshot]

    def _reach(self, then: Then, walk: Walk) -> Reached:
        key = then[:1] + then[2:]
        if key not in self._reached:
            self._reached[key] = started(walk, then.classes)
        return self._reached[key]

    def _files(self, then: Then, ran: Ran | None) -> tuple[tuple[str, ...], list[str]]:
        """The files beside the code that have changed; and why that cannot be told of others."""
        return ((), []) if ran is None else self._data.of(ran, self._manifest(then.snapshot))


def started(walk: Walk, classes: Sequence[Place]) -> Reached:
    """What classes reach. A class whose file the snapshot lacks is a place that cannot be followed."""
    there = [each for each in classes if each[:2] in walk.project.files]
    found = reach(walk, there)
    lost = [Unknown(f"{name}, whose file was not kept,", tree, path, 1, True) for tree, path, name in classes
            if (tree, path) not in walk.project.files]  # fmt: skip
    if not lost:
        return found
    return Reached(found.definitions, tuple(sorted({*found.unknown, *lost})))
