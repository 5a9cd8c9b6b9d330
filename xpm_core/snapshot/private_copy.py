"""A private copy of a snapshot, and where the roots of its script lie in it."""

from __future__ import annotations

from pathlib import Path

from xpm_core.project.moved_code import MovedCode
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.trees.build import build
from xpm_core.snapshot.trees.trees import moved_to, roots_of


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
    return moved_to(str(into), roots)
