"""What of a project has changed since a job ran: its files as they lie in their folders now, without a new snapshot.

Owns: all that has changed for a job, whatever the verdict is. If it continues what earlier attempts have left, all that
has changed for these belongs to it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
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
from xpm_core.snapshot.provenance import Provenance, Tree
from xpm_core.workspace.job_directory import JobDirectory

Lacks = Literal["all", "functions", ""]
"""What is not recorded of what a job ran."""

_LACKS: tuple[Lacks, ...] = ("all", "functions", "")
"""The most that can be missing first."""
_NOTHING = Parts()


class Since(NamedTuple):
    """What has changed since a job ran.

    Attributes:
        parts: The definitions.
        files: The files beside the code that it has read and that have changed, sorted.
        why: Why it cannot be told of others, or of all: "getattr at registry.py:14".
        snapshot: The snapshot of the job; empty if it is not known.
        lacks: What is not recorded of what it ran, so that more counts as run: "functions" or "all"; else empty.
        compared: What has changed for each attempt, with the comparison that says so; that of the result is the first.
    """

    parts: Parts = _NOTHING
    files: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    snapshot: str = ""
    lacks: Lacks = ""
    compared: Sequence[tuple[Parts, Comparison]] = ()

    def comparison_of(self, change: Change) -> Comparison:
        """The comparison that has found a change."""
        return next(own for parts, own in self.compared if change in (*parts.ran, *parts.never, *parts.unsure))

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
    store = CodeStore(workspace)
    told: list[Provenance] = []  # the first one is that of the attempt that counts

    def provenance_of(digest: str) -> Provenance:
        told.append(Provenance.read(store.get("provenance", digest)))
        return told[-1]

    then = then_of(directory, task, provenance_of)
    if isinstance(then, str):
        return Since(why=(then,))
    try:
        return _together([_compared(workspace, each, told[0].trees) for each in (then, *then.earlier)])
    except (SnapshotError, SettingsError) as error:
        return Since(why=(f"{error.where}: {error.problem}",), snapshot=then.snapshot)


def _compared(workspace: Path, then: Then, trees: Sequence[Tree]) -> Since:
    gone = [tree.roots[0] for tree in trees if not os.path.isdir(tree.roots[0])]
    if gone:
        return Since(why=(f"the folder {gone[0]}, from which it was submitted, is not here",), snapshot=then.snapshot)
    store, memory, folders = CodeStore(workspace), Memory(workspace), Folders(list(then.folders), then.taken)
    manifest = store.manifest(then.snapshot)
    old = Walk(Project.of_snapshot(workspace, manifest, folders, memory))
    comparison = Comparison(old, Walk(Project.of_today(workspace, manifest, trees, folders, memory)))
    ran = Ran.read(store.get("ran", then.ran)) if then.ran else None
    parts = comparison.parts(started(old, then.classes), ran)
    data = Data(Manifest([], []), {tree.name: tree.roots[0] for tree in trees})
    files, unknown = ((), []) if ran is None else data.of(ran, manifest)
    why = tuple(dict.fromkeys([*map(str, parts.unknown), *unknown]))
    return Since(parts, files, why, then.snapshot, _lacks(ran), [(parts, comparison)])


def _together(attempts: Sequence[Since]) -> Since:
    """What has changed for a job to whose result several attempts have added. The first one is that which counts."""
    ran = {change for each in attempts for change in each.parts.ran}
    unsure = {change for each in attempts for change in each.parts.unsure} - ran
    never = {change for each in attempts for change in each.parts.never} - ran - unsure
    unknown = {place for each in attempts for place in each.parts.unknown}
    return Since(
        Parts(tuple(sorted(ran)), tuple(sorted(never)), tuple(sorted(unsure)), tuple(sorted(unknown))),
        tuple(sorted({file for each in attempts for file in each.files})),
        tuple(dict.fromkeys(reason for each in attempts for reason in each.why)),
        attempts[0].snapshot,
        min((each.lacks for each in attempts), key=_LACKS.index),
        [pair for each in attempts for pair in each.compared],
    )


def _lacks(ran: Ran | None) -> Lacks:
    if ran is None:
        return "all"
    return "functions" if ran.means != "monitoring" or "functions" in ran.lacks else ""
