"""What of a project has changed since a job ran: its files as they lie in their folders now, without a new snapshot.

Owns: all that has changed for a job, whatever the verdict is. If it continues what earlier attempts have left, all that
has changed for these belongs to it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from xpm_core.errors import SettingsError, SnapshotError
from xpm_core.fingerprints.comparison import Answer, Change, Comparison, Parts
from xpm_core.fingerprints.memory import Memory
from xpm_core.fingerprints.project import Folders, Project
from xpm_core.fingerprints.ran import Ran
from xpm_core.fingerprints.walk import Walk
from xpm_core.judging.data import Data
from xpm_core.judging.judge import started
from xpm_core.judging.then import Then, then_of
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import Manifest
from xpm_core.snapshot.provenance import Provenance
from xpm_core.snapshot.taking.changes import retaken
from xpm_core.snapshot.unwritten import UnwrittenStore
from xpm_core.workspace.job_directory import JobDirectory

Lacks = Literal["all", "functions", ""]
"""What is not recorded of what a job ran."""

_WORST: tuple[Lacks, ...] = ("all", "functions", "")
"""The most that can be missing first."""
_NOTHING = Parts()
_NO_COMPARISONS: Mapping[Change, Comparison] = MappingProxyType({})


class Since(NamedTuple):
    """What has changed since a job ran.

    Attributes:
        parts: The definitions.
        files: The files beside the code that it has read and that have changed, sorted.
        why: Why it cannot be told of others, or of all: "getattr at registry.py:14".
        snapshot: The snapshot of the job; empty if it is not known.
        lacks: What is not recorded of what it ran, so that more counts as run: "functions" or "all"; else empty.
        comparisons: For each change, the project as it was, and as it is.
    """

    parts: Parts = _NOTHING
    files: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    snapshot: str = ""
    lacks: Lacks = ""
    comparisons: Mapping[Change, Comparison] = _NO_COMPARISONS

    @property
    def answer(self) -> Answer:
        """What a judge would say of it, see `Judgement`; acceptances do not count."""
        if self.parts.ran or self.files:
            return "ran"
        if self.parts.unsure or self.why:
            return "unknown"
        return "reached" if self.parts.never else "same"


def since(workspace: Path, directory: JobDirectory, task: str) -> Since:
    """What has changed since a done job ran, by the files of its project as they are now. No snapshot is written.

    Args:
        workspace: The workspace's directory.
        directory: The job's directory.
        task: The name of its class in identities, `train:Train`.

    Example:
        >>> since(workspace.path, directory, "train:Train").parts.ran[0].name
        'MLP.forward'
    """
    store = UnwrittenStore(workspace)
    told: list[Provenance] = []

    def provenance_of(digest: str) -> Provenance:
        told.append(Provenance.read(store.get("provenance", digest)))
        return told[-1]

    then = then_of(directory, task, provenance_of)
    if isinstance(then, str):
        return Since(why=(then,))
    provenance = told[0]  # of the attempt that counts
    gone = [tree.roots[0] for tree in provenance.trees if not os.path.isdir(tree.roots[0])]
    if gone:
        return Since(why=(f"the folder {gone[0]}, from which it was submitted, is not here",), snapshot=then.snapshot)
    try:
        return _Today(workspace, store, provenance, then).since()
    except (SnapshotError, SettingsError) as error:
        return Since(why=(f"{error.where}: {error.problem}",), snapshot=then.snapshot)


class _Today:
    """Compares all attempts of a job of which a part of the result is with the files as they are now.

    Args:
        workspace: The workspace's directory.
        store: Reads what the workspace keeps, and writes nothing.
        provenance: How the job was submitted.
        then: Its code.
    """

    def __init__(self, workspace: Path, store: CodeStore, provenance: Provenance, then: Then) -> None:
        self._workspace, self._store, self._then, self._provenance = workspace, store, then, provenance
        self._memory, self._taken = Memory(workspace), dict[str, Manifest]()
        self._data = Data(self._now(then.snapshot), {tree.name: tree.roots[0] for tree in provenance.trees})

    def since(self) -> Since:
        """What has changed."""
        all_parts: list[Parts] = []
        files, why, comparisons = set[str](), dict[str, None](), dict[Change, Comparison]()
        lacks: set[Lacks] = set()
        for attempt in (self._then, *self._then.earlier):
            ran = Ran.read(self._store.get("ran", attempt.ran)) if attempt.ran else None
            parts, comparison = self._parts(attempt, ran)
            data = self._data.of(ran, self._store.manifest(attempt.snapshot))
            all_parts.append(parts)
            files.update(data.files)
            why.update(dict.fromkeys([*map(str, parts.unknown), *data.why]))
            lacks.add(_lacks(ran))
            for each in (*parts.ran, *parts.never, *parts.unsure):
                comparisons.setdefault(each, comparison)
        worst = next(each for each in _WORST if each in lacks)
        return Since(_joined(all_parts), tuple(sorted(files)), tuple(why), self._then.snapshot, worst, comparisons)

    def _parts(self, attempt: Then, ran: Ran | None) -> tuple[Parts, Comparison]:
        folders = Folders(list(attempt.folders), attempt.taken)
        old, now = (
            Walk(Project.of_snapshot(self._workspace, manifest, folders, self._memory, self._store))
            for manifest in (self._store.manifest(attempt.snapshot), self._now(attempt.snapshot))
        )
        comparison = Comparison(old, now)
        return comparison.parts(started(old, attempt.classes), ran), comparison

    def _now(self, snapshot: str) -> Manifest:
        """The files of today that belong to a snapshot, as another snapshot, which nobody writes."""
        if snapshot not in self._taken:
            manifest = self._store.manifest(snapshot)
            taken = retaken(self._workspace, self._provenance, manifest, self._store)
            self._taken[snapshot] = self._store.manifest(taken.snapshot)
        return self._taken[snapshot]


def _joined(found: Sequence[Parts]) -> Parts:
    """What has changed for several attempts. What one of them ran, counts as run."""
    ran = {change for parts in found for change in parts.ran}
    unsure = {change for parts in found for change in parts.unsure} - ran
    never = {change for parts in found for change in parts.never} - ran - unsure
    unknown = {place for parts in found for place in parts.unknown}
    return Parts(tuple(sorted(ran)), tuple(sorted(never)), tuple(sorted(unsure)), tuple(sorted(unknown)))


def _lacks(ran: Ran | None) -> Lacks:
    if ran is None:
        return "all"
    return "functions" if ran.means != "monitoring" or "functions" in ran.lacks else ""
