"""What of a project has changed since a job ran: its files as they lie in their folders now, without a new snapshot.

Owns: all that has changed for a job, whatever the verdict is, and the lines of it.
"""

from __future__ import annotations

import os
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from xpm_core.errors import SettingsError, SnapshotError
from xpm_core.fingerprints.comparison import Comparison, Parts, unseen
from xpm_core.fingerprints.memory import Memory
from xpm_core.fingerprints.project import Folders, Project
from xpm_core.fingerprints.ran import Ran
from xpm_core.fingerprints.walk import Walk
from xpm_core.judging.data import Data
from xpm_core.judging.judge import Judgement, started
from xpm_core.judging.then import Then, roots_in, then_of
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import Manifest
from xpm_core.snapshot.provenance import Provenance
from xpm_core.workspace.job_directory import JobDirectory

_NOTHING = Parts()


class Since(NamedTuple):
    """What has changed since a job ran.

    Attributes:
        parts: The definitions.
        files: The files beside the code that it has read and that have changed, sorted.
        why: Why it cannot be told of others, or of all: "getattr at registry.py:14".
        snapshot: The snapshot of the job; empty if it is not known.
        seen: Whether it is known what it ran. Else all that it could reach counts as run.
        comparison: Of the project as it was and as it is; None if the job cannot be compared.
    """

    parts: Parts = _NOTHING
    files: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    snapshot: str = ""
    seen: bool = True
    comparison: Comparison | None = None

    @property
    def judgement(self) -> Judgement:
        """The same as a judge says it of a snapshot.

        Example:
            >>> today.of(directory, "train:Train").judgement.answer
            'ran'
        """
        if self.parts.ran or self.files:
            return Judgement("ran", self.parts.ran, self.files, (), self.snapshot)
        changes = (*self.parts.never, *self.parts.unsure)
        why = (*map(str, map(unseen, self.parts.unsure)), *self.why)
        return Judgement("unknown" if why else "reached" if changes else "same", changes, (), why, self.snapshot)


class Today:
    """Compares jobs that are done with the files of their projects as they are now.

    Args:
        workspace: The workspace's directory.

    Example:
        >>> Today(workspace.path).of(directory, "train:Train").parts.ran[0].name
        'MLP.forward'
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace, self._store, self._memory = workspace, CodeStore(workspace), Memory(workspace)
        self._roots = lru_cache(maxsize=64)(partial(roots_in, self._store))
        self._manifest = lru_cache(maxsize=8)(self._store.manifest)
        self._states: dict[tuple[object, ...], tuple[Walk, Comparison, Data]] = {}
        self._known: dict[tuple[Then, str], Since] = {}

    def of(self, directory: JobDirectory, task: str) -> Since:
        """What has changed since a job ran.

        Args:
            directory: Its directory.
            task: The name of its class in identities, `train:Train`.
        """
        then = then_of(directory, task, self._roots)
        if isinstance(then, str):
            return Since(why=(then,))
        key = then, _provenance(directory)
        if key not in self._known:
            try:
                self._known[key] = self._since(*key)
            except (SnapshotError, SettingsError) as error:
                self._known[key] = Since(why=(f"{error.where}: {error.problem}",), snapshot=then.snapshot)
        return self._known[key]

    def _since(self, then: Then, provenance: str) -> Since:
        walk, comparison, data = self._compared(then, provenance)
        ran = Ran.read(self._store.get("ran", then.ran)) if then.ran else None
        parts = comparison.parts(started(walk, then.classes), ran)
        files, unknown = ((), []) if ran is None else data.of(ran, self._manifest(then.snapshot))
        why = tuple(dict.fromkeys([*map(str, parts.unknown), *unknown]))
        return Since(parts, files, why, then.snapshot, ran is not None, comparison)

    def _compared(self, then: Then, provenance: str) -> tuple[Walk, Comparison, Data]:
        key = then.snapshot, provenance, then.folders, then.taken
        if key not in self._states:
            trees = Provenance.read(self._store.get("provenance", provenance)).trees
            for tree in trees:
                if not os.path.isdir(tree.roots[0]):
                    raise SnapshotError(
                        tree.roots[0], "the folder of its code is not on this machine", "Type it where it is."
                    )
            manifest, folders = self._manifest(then.snapshot), Folders(list(then.folders), then.taken)
            walk = Walk(Project.of_snapshot(self._workspace, manifest, folders, self._memory))
            now = Walk(Project.of_today(self._workspace, manifest, trees, folders, self._memory))
            data = Data(Manifest([], []), {tree.name: tree.roots[0] for tree in trees})
            self._states[key] = walk, Comparison(walk, now), data
        return self._states[key]


def _provenance(directory: JobDirectory) -> str:
    """How a job came to be submitted, whose directory says what it ran."""
    marker = directory.marker()
    record = directory.record(marker.execution) if marker is not None else None
    code = (record or {}).get("code")
    return str(code.get("provenance", "")) if isinstance(code, dict) else ""
