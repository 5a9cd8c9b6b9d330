"""What has become of the files of a snapshot, and today's code of its roots.

Owns: comparing a snapshot with the folders that it was taken from. These may have changed, or be gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import KeptFile, LargeFile, Manifest
from xpm_core.snapshot.provenance import Provenance, Tree
from xpm_core.snapshot.taking.files.links import Surroundings
from xpm_core.snapshot.taking.files.names import is_python, is_secret
from xpm_core.snapshot.taking.files.selection import Selection, select
from xpm_core.snapshot.taking.files.settings import read_settings
from xpm_core.snapshot.taking.lines import change_line, note_lines
from xpm_core.snapshot.taking.reading import read_stable
from xpm_core.snapshot.taking.snapshotter import Taken, taken_of
from xpm_core.snapshot.taking.taker import Photo, Taker


def changed_files(manifest: Manifest, trees: Sequence[Tree]) -> list[str]:
    """The files that differ now from a snapshot.

    Args:
        manifest: The snapshot.
        trees: Its trees, as the provenance of a job has them.

    Returns:
        Their paths, sorted, with "(removed)" or "(new)" behind. Of new files, only code is named, because scripts write
        data. If there are several trees, a path begins with the name of its tree. A root that is gone is one entry.

    Raises:
        SnapshotError: A file that is there cannot be read.
        SettingsError: A pyproject.toml is wrong.

    Example:
        >>> changed_files(manifest, provenance.trees)
        ['lib/util.py (removed)', 'train.py']
    """
    found: list[str] = []
    roots = [tree.roots[0] for tree in trees]
    for number, (tree, root) in enumerate(zip(trees, roots, strict=True)):
        if not os.path.isdir(root):
            found.append(f"{root} (removed)")
            continue
        start = f"{tree.name}/" if len(trees) > 1 else ""
        now = select(root, read_settings(root), _kept_paths(manifest, number), Surroundings(roots, ""))
        found += (start + each for each in _differences(manifest, number, now))
    return sorted(found)


def retaken(workspace: Path, provenance: Provenance, manifest: Manifest, store: CodeStore | None = None) -> Taken:
    """Take today's code of the roots of a snapshot. What was imported then belongs to it again.

    Args:
        workspace: The workspace's directory.
        provenance: How the task was submitted.
        manifest: Its snapshot.
        store: Where the files are kept; None for the workspace.

    Returns:
        The snapshot. Its lines are empty if nothing has changed.

    Raises:
        SnapshotError: A root is gone, or files cannot be read.
        SettingsError: A pyproject.toml is wrong.
        WorkspaceError: The workspace cannot be written.

    Example:
        >>> retaken(workspace.path, provenance, manifest).lines
        ['code 9d3e1aa: 1 file changed since 8c1f2e0 (train.py); jobs submitted from now on use it']
    """
    known = {tree.roots[0]: tree for tree in provenance.trees}
    for root in known:
        if not os.path.isdir(root):
            raise SnapshotError(root, "the code that the job was submitted from is gone", "Retry with the job's own.")
    forced = {root: _kept_paths(manifest, number) for number, root in enumerate(known)}
    photo = Taker(workspace, store).take(known, [], forced=forced)
    photo.trees = [_with_names(tree, known.get(tree.roots[0])) for tree in photo.trees]
    if photo.snapshot == manifest.digest:
        return taken_of(photo, [])
    head = change_line(photo.snapshot, manifest.digest, photo.changed_since(Photo(manifest)))
    return taken_of(photo, [head, *(line for root, notes in photo.notes.items() for line in note_lines(root, notes))])


def _with_names(tree: Tree, before: Tree | None) -> Tree:
    """A tree with the names by which the script has reached it. This process has not imported its files."""
    return tree if before is None else replace(tree, roots=before.roots, inner=before.inner)


def _kept_paths(manifest: Manifest, tree: int) -> set[str]:
    """The files of a tree that count as imported. Files with names of secrets do not: the settings decide, as ever."""
    return {each.path for each in manifest.files if each.tree == tree and not is_secret(each.path)}


def _differences(manifest: Manifest, tree: int, now: Selection) -> Iterator[str]:
    """The paths of a tree that differ, each with what has become of it."""
    before = {each.path: each for each in manifest.entries if each.tree == tree}
    for path in {*now.files, *now.large, *now.links} - set(before):
        if is_python(path):
            yield f"{path} (new)"
    for path, entry in before.items():
        file = now.files.get(path)
        if path not in now.large and path not in now.links and file is None:
            yield f"{path} (removed)"
        elif isinstance(entry, KeptFile):
            content = None if file is None or file.stat.st_size != entry.size else read_stable(file.place, path)
            if content is None or sha256(content.data).hexdigest() != entry.digest:
                yield path
        elif isinstance(entry, LargeFile):
            large = now.large.get(path)
            if large is None or (large.stat.st_size, large.stat.st_mtime_ns) != (entry.size, entry.mtime_ns):
                yield path
        elif now.links.get(path) != entry.target:
            yield path
