"""Which code a job ran, or will run: its snapshot, how it came to be submitted, and the packages.

Owns: where this stands, in the record of an execution or with the server, and that a document that is missing is said.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xpm_core.errors import SnapshotError, XpmError
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import Manifest
from xpm_core.snapshot.provenance import Provenance
from xpm_core.store.replies import shown

MOST_COMPARED, LARGEST_COMPARED = 5000, 50 * 10**6
"""Files, and bytes, of a snapshot up to which it is compared with today's files whenever a job is shown."""


@dataclass(frozen=True)
class JobCode:
    """The code of a job.

    Attributes:
        workspace: The workspace that keeps it.
        snapshot: The snapshot, by its digest; empty for code that is not kept, or if that is not known.
        provenance_digest: How the job came to be submitted; empty if that is not known.
        packages_digest: The list of the packages that it ran with; empty before it has run.
        known: Whether it is known which code it is.
        python: The version of Python that it ran with; empty before it has run.
    """

    workspace: Path
    snapshot: str = ""
    provenance_digest: str = ""
    packages_digest: str = ""
    known: bool = False
    python: str = ""

    @classmethod
    def of(cls, workspace: Path, record: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> JobCode:
        """The code of a job.

        Args:
            workspace: The workspace that keeps it.
            record: The record of its execution; empty if there is none.
            options: How the server would run it; None if that is not known.
        """
        code = record.get("code")
        known = isinstance(code, dict)
        source = code if isinstance(code, dict) else {} if record else options or {}
        return cls(
            workspace,
            _digest(source.get("snapshot")),
            _digest(source.get("provenance")),
            _digest(record.get("packages")),
            known or (not record and options is not None),
            str(record.get("python") or ""),
        )

    @cached_property
    def provenance(self) -> Provenance | None:
        """How the job came to be submitted; None if that is not known, or cannot be read."""
        if not self.provenance_digest:
            return None
        try:
            return Provenance.read(self._store.get("provenance", self.provenance_digest))
        except SnapshotError:
            return None

    @cached_property
    def packages(self) -> Mapping[str, Any]:
        """The document of the packages; empty if it is not known, or cannot be read."""
        try:
            found = json.loads(self._store.get("packages", self.packages_digest)) if self.packages_digest else {}
        except (SnapshotError, ValueError):
            return {}
        return shown(found) if isinstance(found, dict) else {}

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of each installed package, by name."""
        found = self.packages.get("packages")
        return found if isinstance(found, dict) else {}

    @cached_property
    def manifest(self) -> Manifest:
        """The files of the snapshot.

        Raises:
            SnapshotError: The list of them is missing, or was changed.
        """
        return self._store.manifest(self.snapshot)

    def content(self, digest: str) -> bytes:
        """The content of a file of the snapshot.

        Raises:
            SnapshotError: It is missing, or was damaged.
        """
        return self._store.object(digest)

    def changed(self) -> list[str] | None:
        """The files of the snapshot that differ now.

        Returns:
            Their paths (`changed_files`); None if there is no snapshot, if the project is not on this machine, if it is
            too large to be compared at once, or if it cannot be read.
        """
        trees = self.provenance.trees if self.provenance is not None else ()
        if not self.snapshot or not trees or not all(os.path.isdir(tree.roots[0]) for tree in trees):
            return None
        from xpm_core.snapshot.taking.changes import changed_files  # late, because most jobs are shown without

        try:
            files = self.manifest.files
            if len(files) > MOST_COMPARED or sum(file.size for file in files) > LARGEST_COMPARED:
                return None
            return changed_files(self.manifest, trees)
        except XpmError:  # the snapshot is damaged, or the project's settings are wrong: neither is the job's state
            return None

    @property
    def _store(self) -> CodeStore:
        return CodeStore(self.workspace)


def _digest(value: Any) -> str:
    return value if isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef") else ""
