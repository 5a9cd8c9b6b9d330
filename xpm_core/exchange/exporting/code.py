"""The code of exported jobs: which snapshots and documents they name, and their files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from xpm_core.errors import SnapshotError
from xpm_core.exchange.hidden import scrubbed
from xpm_core.snapshot.code_store import CodeStore, Kind
from xpm_core.snapshot.manifest import KeptFile, Manifest

DIGITS = 7
"""How many characters of a snapshot's name its folder has, at least."""


@dataclass
class Code:
    """What jobs name.

    Attributes:
        manifests: The snapshots, by their names.
        documents: Provenance, packages, and what jobs ran, by kind and digest.
        withheld: Documents that are not exported, because they have passwords in URLs.
        missing: Documents of what jobs ran that are gone.
    """

    store: CodeStore
    manifests: dict[str, Manifest] = field(default_factory=dict)
    documents: dict[tuple[Kind, str], bytes] = field(default_factory=dict)
    withheld: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def name(self, facts: dict[str, Any]) -> None:
        """Add what the options or the record of a job name.

        Raises:
            SnapshotError: The list of a snapshot's files is gone, or damaged.
        """
        snapshot = facts.get("snapshot")
        if isinstance(snapshot, str) and snapshot and snapshot not in self.manifests:
            self.manifests[snapshot] = self.store.manifest(snapshot)
            self.documents["snapshots", snapshot] = self.manifests[snapshot].data
        kinds: tuple[Kind, ...] = ("provenance", "packages", "ran")
        for kind in kinds:
            digest = facts.get(kind)
            if isinstance(digest, str) and len(digest) == 64:
                self._add(kind, digest)

    def _add(self, kind: Kind, digest: str) -> None:
        if (kind, digest) in self.documents or digest in (*self.withheld, *self.missing):
            return
        try:
            data = self.store.get(kind, digest)
        except SnapshotError:
            if kind != "ran":
                raise
            self.missing.append(digest)  # the results are whole without it
            return
        try:
            said = json.loads(data)
        except ValueError:
            said = {}
        if scrubbed(said) != said:
            self.withheld.append(digest)
            return
        self.documents[kind, digest] = data
        if kind == "provenance" and isinstance(said, dict):
            self.name({"packages": said.get("packages")})

    @property
    def folders(self) -> dict[str, str]:
        """The folder of each snapshot: as many characters of its name as distinguish it."""
        digits = DIGITS
        while len({each[:digits] for each in self.manifests}) < len(self.manifests):
            digits += 1
        return {each: each[:digits] for each in sorted(self.manifests)}

    @property
    def size(self) -> int:
        """How large all of it is, bytes."""
        files = sum(file.size for manifest in self.manifests.values() for file in manifest.files)
        return files + sum(map(len, self.documents.values()))

    def files(self) -> Iterator[tuple[str, KeptFile]]:
        """All files, each with its path in the folder `code`."""
        for snapshot, folder in self.folders.items():
            manifest = self.manifests[snapshot]
            for file in manifest.files:
                yield f"{folder}/{manifest.trees[file.tree]}/{file.path}", file


def code_of(store: CodeStore, facts: Iterable[dict[str, Any]]) -> Code:
    """The code that some options and records name."""
    found = Code(store)
    for each in facts:
        found.name(each)
    return found
