"""Whether done jobs have the code of today, as far as it matters to them.

Owns: today's project, and one comparison for all jobs that had the same code and ran the same of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from xpm_core.errors import SettingsError, SnapshotError
from xpm_core.fingerprints.comparison import Answer, Change, Comparison
from xpm_core.fingerprints.memory import Memory
from xpm_core.fingerprints.project import Folders, Project
from xpm_core.fingerprints.ran import OpenedFile, Ran
from xpm_core.fingerprints.reached import Reached, reach
from xpm_core.fingerprints.walk import Unknown, Walk
from xpm_core.judging.acceptance import Acceptance, standing
from xpm_core.judging.data import Data
from xpm_core.judging.presumed import presumed
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
        snapshot: The snapshot with which today's code was compared: that of the job, or the one that was accepted last
            (`Acceptance`); empty if it is not known.

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
        self._since: dict[object, Judgement | None] = {}
        self._between: dict[object, Comparison] = {}
        self._manifests: dict[str, Manifest] = {}
        self._old: dict[tuple[object, ...], tuple[Walk, Comparison]] = {}
        self._reached: dict[tuple[object, ...], Reached] = {}

    def of(self, directory: JobDirectory, task: str) -> Judgement:
        """What has become of the code of a done job.

        If its result was accepted with later code, that counts as its code, too.

        Args:
            directory: Its directory.
            task: The name of its class in identities, `train:Train`.
        """
        then = then_of(directory, task, self._roots)
        own = Judgement("unknown", why=(then,)) if isinstance(then, str) else self._own(then)
        if own.answer == "same":
            return own
        found = [since for each in standing(directory) if (since := self.since(directory, task, each)) is not None]
        return next((each for each in found if each.answer == "same"), found[0] if found else own)

    def since(self, directory: JobDirectory, task: str, acceptance: Acceptance) -> Judgement | None:
        """What has become of the code of a done job since it was accepted; None if what was accepted is gone.

        Args:
            directory: Its directory.
            task: The name of its class in identities.
            acceptance: What was accepted. It need not be written yet.
        """
        own, then = (then_of(directory, task, self._roots, code) for code in (None, acceptance.code))
        if isinstance(then, str):
            return None
        key = own, then, acceptance.files
        if key not in self._since:
            try:
                self._since[key] = self._judged_since(own, then, acceptance)._replace(snapshot=then.snapshot)
            except (SnapshotError, SettingsError):
                self._since[key] = None
        return self._since[key]

    def files_now(self, directory: JobDirectory, task: str) -> tuple[OpenedFile, ...]:
        """The files beside the code that a job has read and that are not surely the same, as they are now.

        Raises:
            SnapshotError: It is not known what it has read.
        """
        then = then_of(directory, task, self._roots)
        ran = None if isinstance(then, str) else self._ran(then)
        if isinstance(then, str) or ran is None:
            return ()
        before = self._manifest(then.snapshot)
        return tuple(self._data.now(each) for each in ran.files if self._data.fate(each, before) != "same")

    def _own(self, then: Then) -> Judgement:
        if then not in self._known:
            try:
                ran = self._ran(then)
                self._known[then] = self._judged(then, ran, ran)._replace(snapshot=then.snapshot)
            except (SnapshotError, SettingsError) as error:
                why = (f"{error.where}: {error.problem}",)
                self._known[then] = Judgement("unknown", why=why, snapshot=then.snapshot)
        return self._known[then]

    def _judged_since(self, own: Then | str, then: Then, acceptance: Acceptance) -> Judgement:
        ran = self._ran(then)
        if ran is None:
            return self._judged(then, None, None)
        read = acceptance.after(ran)
        if then.snapshot == self._manifest_now.digest:  # nothing has changed since, also of files that are not noted
            read = replace(read, lacks=[part for part in read.lacks if part != "files"])
        return self._judged(then, self._presumed(own, then, ran), read)

    def _presumed(self, own: Then | str, then: Then, ran: Ran) -> Ran | None:
        """What a job would have run of accepted code; None if that does not follow."""
        if isinstance(own, str):
            return None
        try:
            before, _ = self._compared(own)
        except SnapshotError:  # its own code is gone
            return None
        key, accepted = (own[:1] + then[:1] + own[2:]), self._compared(then)[0]
        if key not in self._between:
            self._between[key] = Comparison(before, accepted)
        return presumed(ran, self._between[key], self._reach(own, before), (before, accepted))

    def _ran(self, then: Then) -> Ran | None:
        return Ran.read(self._store.get("ran", then.ran)) if then.ran else None

    def _judged(self, then: Then, ran: Ran | None, read: Ran | None) -> Judgement:
        """Compare code with today's.

        Args:
            then: The code.
            ran: What the job has run of it.
            read: The same with the files that it has read.
        """
        walk, comparison = self._compared(then)
        verdict = comparison.verdict(self._reach(then, walk), ran)
        changed, unknown = self._files(then, read)
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
