"""A private copy of a snapshot, and where the roots of its script lie in it."""

from __future__ import annotations

import os
from pathlib import Path

from xpm_core.errors import SnapshotError
from xpm_core.labels import short
from xpm_core.project.moved_code import MovedCode
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import RUN_AGAIN, Manifest
from xpm_core.snapshot.provenance import Provenance
from xpm_core.snapshot.trees.build import build


def private_copy(store: CodeStore, snapshot: str, provenance: str, into: Path) -> MovedCode:
    """Copy the files of a snapshot into a folder: `<into>/<tree>/...`. They may be changed.

    Large files, which are not kept, are links to where they were, whether they are as they were or not.

    Args:
        store: The code that the workspace keeps.
        snapshot: The snapshot.
        provenance: The document that says where the script had its roots.
        into: The folder. It is made if it does not exist.

    Returns:
        Where each root of the script lies now.

    Raises:
        SnapshotError: What is kept of it is missing or damaged, or the folder cannot be written to.

    Example:
        >>> code = private_copy(store, options.snapshot, options.provenance, Path("reproduce-3f2a91c/code"))
    """
    manifest = store.manifest(snapshot)
    roots = roots_of(store, manifest, provenance)
    build(store, manifest, into, writable=True)
    return MovedCode({root: str(into / name) for root, name in roots.items()})


def roots_of(store: CodeStore, manifest: Manifest, provenance: str) -> dict[str, str]:
    """The name of the tree for each path by which a script has reached a root; also the paths without links here.

    Raises:
        SnapshotError: The document is missing, or is about another snapshot.
    """
    where = f"snapshot {short(manifest.digest)}"
    if not provenance:
        raise SnapshotError(where, "the job does not say where its script had this code", RUN_AGAIN)
    said = Provenance.read(store.get("provenance", provenance))
    if said.snapshot != manifest.digest or {tree.name for tree in said.trees} - set(manifest.trees):
        raise SnapshotError(where, "the job says of another snapshot where its code came from", RUN_AGAIN)
    real = {os.path.realpath(root): name for root, name in said.roots.items()}
    return {**real, **said.roots}
