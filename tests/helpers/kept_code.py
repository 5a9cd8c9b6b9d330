"""Snapshots made by hand: files of a project, kept in a workspace, for tests that need no script."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import Entry, KeptFile, Manifest
from xpm_core.snapshot.provenance import Provenance, Tree


class Kept(NamedTuple):
    """A snapshot in a workspace.

    Attributes:
        store: The store that holds it.
        manifest: Its files.
        provenance: The digest of the document that says where its root was.
    """

    store: CodeStore
    manifest: Manifest
    provenance: str

    @property
    def snapshot(self) -> str:
        """Its name."""
        return self.manifest.digest

    @property
    def options(self) -> dict[str, str]:
        """The options of a job that imports it."""
        return {"snapshot": self.snapshot, "provenance": self.provenance}


def keep(workspace: Path, root: Path, files: Mapping[str, str | bytes], *others: Entry) -> Kept:
    """Keep files as the snapshot of a project.

    Args:
        workspace: The workspace.
        root: Where the project lies for its script.
        files: The contents by path. They are kept with mode 644.
        others: Further entries.
    """
    store = CodeStore(workspace)
    entries: list[Entry] = list(others)
    for path, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        entries.append(KeptFile(0, path, 0o644, store.put_object(data), len(data)))
    manifest = Manifest([root.name], entries)
    store.put("snapshots", manifest.data)
    provenance = Provenance(manifest.digest, [Tree(root.name, [str(root)])])
    return Kept(store, manifest, store.put("provenance", provenance.written()))


def keep_folder(workspace: Path, root: Path) -> Kept:
    """Keep all files of a folder as they are now."""
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    return keep(workspace, root, {os.fspath(path.relative_to(root)): path.read_bytes() for path in paths})
