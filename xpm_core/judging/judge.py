"""Whether done jobs have the code of today, as far as it matters to them.

Owns: today's project, and one comparison for all jobs that had the same code and ran the same of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xpm_core.errors import SettingsError, SnapshotError
from xpm_core.fingerprints.comparison import Comparison
from xpm_core.fingerprints.memory import Memory
from xpm_core.fingerprints.project import Folders, Project
from xpm_core.fingerprints.ran import OpenedFile, Ran
from xpm_core.fingerprints.reached import Reached, reach
from xpm_core.fingerprints.walk import Unknown, Walk
from xpm_core.judging.acceptance import Acceptance, standing
from xpm_core.judging.data import Data
from xpm_core.judging.judgement import Judgement
from xpm_core.judging.presumed import presumed
from xpm_core.judging.then import Packages, Place, Then, provenances, then_of
from xpm_core.judging.thens import Thens
from xpm_core.judging.versions import Versions
from xpm_core.project.import_path import STANDARD_NAMES, ImportPath
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import Manifest
from xpm_core.workspace.job_directory import JobDirectory

if TYPE_CHECKING:
    from xpm_core.fingerprints.comparison import Answer

_ORDER: tuple[Answer, ...] = ("ran", "unknown", "reached", "same")
"""The worst answer first."""


class Judge:
    """Compares jobs with the code of one submission. Each comparison is made once.

    Args:
        workspace: The workspace's directory.
        snapshot: Today's snapshot.
        provenance: How it came to be taken.
        path: Where today's script imports from; None if that is as it was, because there is no script now.
        store: What keeps the code; None for the workspace. With one that keeps nothing, nothing is written.

    Raises:
        SnapshotError: The description of one of the two is missing, or was changed.

    Example:
        >>> Judge(workspace.path, code.snapshot, code.provenance, import_path()).of(directory, "train:Train").answer
        'ran'
    """

    def __init__(
        self,
        workspace: Path,
        snapshot: str,
        provenance: str,
        path: ImportPath | None = None,
        store: CodeStore | None = None,
    ) -> None:
        self._workspace, self._store = workspace, store or CodeStore(workspace)
        self._memory = Memory(workspace, keeps=self._store.keeps)
        provenance_of = provenances(self._store)
        told = provenance_of(provenance)
        manifest = self._store.manifest(snapshot)
        self._folders = None if path is None else Folders.of(path, told.roots)
        self._data = Data(manifest, {tree.name: tree.roots[0] for tree in told.trees})
        self._manifest_now = manifest
        self._now: dict[tuple[object, ...], Walk] = {}
        self._thens, self._provenance_of = Thens(workspace, provenance_of), provenance_of
        self._versions = Versions(self._store, Packages(told.packages, told.python))
        self._snapshot = snapshot
        self._known: dict[Then, Judgement] = {}
        self._since: dict[object, Judgement | None] = {}
        self._between: dict[object, Comparison] = {}
        self._manifests: dict[str, Manifest] = {}
        self._old: dict[tuple[object, ...], tuple[Walk, Comparison]] = {}
        self._reached: dict[tuple[object, ...], Reached] = {}

    def of(self, directory: JobDirectory, task: str, execution: str = "") -> Judgement:
        """What has become of the code of a done job.

        If its result was accepted with later code, that counts as its code, too.

        Args:
            directory: Its directory.
            task: The name of its class in identities, `train:Train`.
            execution: The execution that counts, as the index has it; empty if that is not known.
        """
        then = self._thens.of(directory, task, execution)
        own = Judgement("unknown", why=(then,)) if isinstance(then, str) else self._own(then)
        if own.answer == "same":
            return own
        since = (self._since_of(then, directory, task, each) for each in standing(directory))
        found = [each for each in since if each is not None]
        return next((each for each in found if each.answer == "same"), found[0] if found else own)

    def since(self, directory: JobDirectory, task: str, acceptance: Acceptance) -> Judgement | None:
        """What has become of the code of a done job since it was accepted; None if what was accepted is gone.

        Args:
            directory: Its directory.
            task: The name of its class in identities.
            acceptance: What was accepted. It need not be written yet.
        """
        return self._since_of(self._thens.of(directory, task), directory, task, acceptance)

    def files_now(self, directory: JobDirectory, task: str) -> tuple[OpenedFile, ...]:
        """The files beside the code that a job has read and that are not surely the same, as they are now.

        Raises:
            SnapshotError: It is not known what it has read.
        """
        then = self._thens.of(directory, task)
        ran = None if isinstance(then, str) else self._ran(then)
        if isinstance(then, str) or ran is None:
            return ()
        before = self._manifest(then.snapshot)
        return tuple(self._data.now(each) for each in ran.files if self._data.fate(each, before) != "same")

    def remember(self, executions: Collection[str]) -> None:
        """Remember what some executions ran, see `Thens.remember`."""
        self._thens.remember(executions)

    def _own(self, then: Then) -> Judgement:
        if then not in self._known:
            try:
                found = [self._judged(each, ran, ran) for each in (then, *then.earlier) for ran in [self._ran(each)]]
                self._known[then] = _worst(found)
            except (SnapshotError, SettingsError) as error:
                self._known[then] = Judgement("unknown", (), (), (f"{error.where}: {error.problem}",), then.snapshot)
        return self._known[then]

    def _since_of(
        self, own: Then | str, directory: JobDirectory, task: str, acceptance: Acceptance
    ) -> Judgement | None:
        then = then_of(directory, task, self._provenance_of, acceptance.execution, acceptance.code)
        if isinstance(then, str):
            return None
        key = own, then, acceptance.files
        if key not in self._since:
            try:
                self._since[key] = self._judged_since(own, then, acceptance)
            except (SnapshotError, SettingsError):
                self._since[key] = None
        return self._since[key]

    def _judged_since(self, own: Then | str, then: Then, acceptance: Acceptance) -> Judgement:
        """What has become of accepted code: the worst of all attempts of which a part of the result is."""
        owns = [] if isinstance(own, str) else [own, *own.earlier]
        found = []
        for attempt in (then, *then.earlier):
            ran = self._ran(attempt)
            before = next((each for each in owns if each.ran == attempt.ran), None)
            found.append(self._attempt_since(before, attempt, ran, acceptance))
        return _worst(found)

    def _attempt_since(self, own: Then | None, then: Then, ran: Ran | None, acceptance: Acceptance) -> Judgement:
        if ran is None:
            return self._judged(then, None, None)
        read = acceptance.after(ran)
        if then.snapshot == self._snapshot:  # nothing has changed since, also of files that are not noted
            read = replace(read, lacks=[part for part in read.lacks if part != "files"])
        return self._judged(then, self._presumed(own, then, ran), read)

    def _presumed(self, own: Then | None, then: Then, ran: Ran) -> Ran | None:
        """What a job would have run of accepted code; None if that does not follow."""
        if own is None:
            return None
        try:
            before, _ = self._compared(own)
        except SnapshotError:  # its own code is gone
            return None
        key, accepted = (own.snapshot, then.snapshot, own.folders, own.taken), self._compared(then)[0]
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
        reached = self._reach(then, walk)
        verdict = comparison.verdict(reached, ran)
        changed, unknown = self._data.of(read, self._manifest(then.snapshot))
        versions = self._versions.of(then, lambda: _imported(walk, reached, ran))
        if changed or verdict.answer == "ran":
            changes = verdict.changes if verdict.answer == "ran" else ()
            return Judgement("ran", changes, changed, (), then.snapshot, versions)
        why = (*map(str, verdict.unknown), *unknown)
        return Judgement("unknown" if why else verdict.answer, verdict.changes, (), why, then.snapshot, versions)

    def _compared(self, then: Then) -> tuple[Walk, Comparison]:
        key = then.snapshot, then.folders, then.taken
        if key not in self._old:
            folders = Folders(list(then.folders), then.taken)
            walk = self._walk(self._manifest(then.snapshot), folders)
            self._old[key] = walk, Comparison(walk, self._today(self._folders or folders))
        return self._old[key]

    def _today(self, folders: Folders) -> Walk:
        """Today's project for scripts that import from some folders."""
        key = tuple(folders.folders), folders.taken
        if key not in self._now:
            self._now[key] = self._walk(self._manifest_now, folders)
        return self._now[key]

    def _walk(self, manifest: Manifest, folders: Folders) -> Walk:
        return Walk(Project.of_snapshot(self._workspace, manifest, folders, self._memory, self._store))

    def _manifest(self, snapshot: str) -> Manifest:
        if snapshot not in self._manifests:
            self._manifests[snapshot] = self._store.manifest(snapshot)
        return self._manifests[snapshot]

    def _reach(self, then: Then, walk: Walk) -> Reached:
        key = then.snapshot, then.folders, then.taken, then.classes
        if key not in self._reached:
            self._reached[key] = started(walk, then.classes)
        return self._reached[key]


def _worst(found: Sequence[Judgement]) -> Judgement:
    """What is said of a job to whose result several attempts have added: the worst, with all that has changed.

    The first one is that of the attempt that counts.
    """
    if len(found) == 1:
        return found[0]
    answer = next(answer for answer in _ORDER if any(each.answer == answer for each in found))
    such = [each for each in found if each.answer == answer]
    changes = {change for each in such for change in each.changes}
    files, why = {file for each in such for file in each.files}, {reason for each in such for reason in each.why}
    last = found[0]
    return last._replace(
        answer=answer, changes=tuple(sorted(changes)), files=tuple(sorted(files)), why=tuple(sorted(why))
    )


def started(walk: Walk, classes: Sequence[Place]) -> Reached:
    """What classes reach. A class whose file the snapshot lacks is a place that cannot be followed."""
    there = [each for each in classes if each[:2] in walk.project.files]
    found = reach(walk, there)
    lost = [Unknown(f"{name}, whose file was not kept,", tree, path, 1, True) for tree, path, name in classes
            if (tree, path) not in walk.project.files]  # fmt: skip
    if not lost:
        return found
    return replace(found, unknown=tuple(sorted({*found.unknown, *lost})))


def _imported(walk: Walk, reached: Reached, ran: Ran | None) -> set[str]:
    """The modules outside of the project that the files import which a job has loaded: the first part of each name."""
    files = set(reached.definitions)
    if ran is not None:
        loaded = {(each.tree, each.path) for each in ran.modules} | set(ran.functions)
        files = loaded if ran.sees_all else files | loaded
    found = set()
    for file in files:
        known = walk.definitions(file)
        if known is not None:
            sources = {each.source for one in known.names.values() for each in one.imports} | {*known.stars}
            sources |= {source for where in known.aliases.values() for source, _ in where}
            found |= {source.partition(".")[0] for source in sources if walk.project.find(source, file).is_outside}
    return found - STANDARD_NAMES
