"""Taking one snapshot: all roots are listed, their files are kept, and the manifest is written last.

Owns: how the parts of this room work together. A manifest stands in the workspace only when all contents that it names
do, so a snapshot is whole or is not there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import Entry, KeptFile, LargeFile, Link, Manifest
from xpm_core.snapshot.provenance import Tree
from xpm_core.snapshot.taking.imported import ModuleFile
from xpm_core.snapshot.taking.listing.git import StateAsked
from xpm_core.snapshot.taking.reading import Keeper, Kept
from xpm_core.snapshot.taking.roots import Root, arranged, lies_in, names_of
from xpm_core.snapshot.taking.seen import Description, Seen, described
from xpm_core.snapshot.taking.selection import Notes, Selection, select
from xpm_core.snapshot.taking.settings import read_settings


@dataclass
class Photo:
    """A snapshot that was taken, and what the files looked like.

    Attributes:
        snapshot: Its name.
        manifest: What it holds.
        trees: Its trees.
        files: How many files it keeps.
        size: Bytes of them.
        new: Contents that were not in the workspace before.
        notes: What people are told, by root.
        watched: The files that are looked at often: how the system described each, and whether that can be believed.
    """

    snapshot: str
    manifest: Manifest
    trees: list[Tree]
    files: int
    size: int
    new: int
    notes: dict[str, Notes] = field(default_factory=dict)
    watched: dict[str, tuple[Description, bool]] = field(default_factory=dict)

    def has_same(self, modules: Sequence[ModuleFile]) -> bool:
        """Whether the files of modules are as they were, and none is new. Only the system is asked about them."""
        for module in modules:
            path = module.path
            known = self.watched.get(path)
            if known is None:
                if any(lies_in(path, root) for root in self.notes):
                    return False
                continue
            try:
                if not known[1] or described(os.stat(path)) != known[0]:
                    return False
            except OSError:
                return False
        return True

    def changed_since(self, before: Photo) -> list[str]:
        """The files that differ between two snapshots, by name."""
        old, new = before.by_name(), self.by_name()
        return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))

    def by_name(self) -> dict[str, object]:
        """What the snapshot has, by the names that people are shown."""
        return {shown(self.manifest, each): each[2:] for each in self.manifest.entries}


def shown(manifest: Manifest, entry: Entry) -> str:
    """The name of a file for people: its path, with its tree if there are several."""
    return entry.path if len(manifest.trees) == 1 else f"{manifest.trees[entry.tree]}/{entry.path}"


class Taker:
    """Takes snapshots of roots.

    Args:
        workspace: The workspace's directory.
        store: Its store of code.
    """

    def __init__(self, workspace: Path, store: CodeStore) -> None:
        self._workspace, self._store = os.path.realpath(workspace), store
        self._keeper = Keeper(store)
        self._seen: dict[str, Seen] = {}

    def take(
        self,
        paths: Iterable[str],
        modules: Sequence[ModuleFile],
        before: Photo | None = None,
        forced: Mapping[str, Collection[str]] | None = None,
    ) -> Photo:
        """Take a snapshot.

        Args:
            paths: The roots.
            modules: What was imported.
            before: The snapshot before, if there is one. If nothing changed since, it is not written again.
            forced: Further files that are kept, by root, as those that were imported.
        """
        roots, settings = _with_also(paths)
        every = [os.path.normpath(os.path.join(root.path, inner)) for root in roots for inner in ("", *root.inner)]
        asked = {} if before else {root.path: StateAsked(root.path) for root in roots if _in_git(root.path)}
        selections: dict[str, Selection] = {}
        for path in every:
            imported = {os.path.relpath(each, path) for each in _imported(modules, path)}
            imported.update((forced or {}).get(path, ()))
            selections[path] = select(path, settings[path], imported, roots=every, workspace=self._workspace)
        entries: list[Entry] = []
        watched: dict[str, tuple[Description, bool]] = {}
        new = 0
        for number, root in enumerate(roots):
            merged = _merged(root, selections)
            kept = self._keep(root.path, merged)
            new += sum(each.is_new for each in kept.values())
            entries += _entries(number, merged, kept)
            watched.update((merged.files[path].place, (described(k.status), k.settled)) for path, k in kept.items())
        manifest = Manifest([root.name for root in roots], entries)
        files = manifest.files
        trees = self._trees(roots, selections, modules, asked, before, manifest)
        with_digest = Photo(
            manifest.digest, manifest, trees, len(files), sum(each.size for each in files), new, {}, watched
        )
        with_digest.notes = {path: selections[path].notes for path in every}
        self._write(manifest)
        return with_digest

    def _keep(self, root: str, selection: Selection) -> dict[str, Kept]:
        seen = self._seen.get(root)
        if seen is None:
            seen = self._seen[root] = Seen(f"{self._store.folder}/seen", root)
        kept: dict[str, Kept] = {}
        for path, found in selection.files.items():
            each = self._keeper.keep(path, found, seen)
            if each is not None:
                kept[path] = each
        seen.write(set(selection.files))
        return kept

    def _trees(
        self,
        roots: Sequence[Root],
        selections: Mapping[str, Selection],
        modules: Sequence[ModuleFile],
        asked: Mapping[str, StateAsked],
        before: Photo | None,
        manifest: Manifest,
    ) -> list[Tree]:
        if before is not None and before.snapshot == manifest.digest:
            return before.trees
        trees = []
        for root in roots:
            query = asked.get(root.path) or (StateAsked(root.path) if _in_git(root.path) else None)
            git = None if query is None else query.state(selections[root.path].git)
            names = names_of(root.path, modules)
            trees.append(Tree(root.name, names.roots, git, names.inner))
        return trees

    def _write(self, manifest: Manifest) -> None:
        """Write the manifest, or note that it was used: what is not in use may be removed."""
        path = self._store.document_path("snapshots", self._store.put("snapshots", manifest.data))
        with suppress(OSError):
            os.utime(path)


def _with_also(paths: Iterable[str]) -> tuple[list[Root], dict[str, object]]:
    """The roots, with those that the settings of others name, and the settings of each."""
    settings = {}
    left = list(paths)
    while left:
        path = left.pop()
        if path not in settings:
            settings[path] = read_settings(path)
            left += settings[path].also
    return arranged(settings), settings


def _in_git(root: str) -> bool:
    from xpm_core.project.repository import checkout_of

    return checkout_of(root) is not None


def _imported(modules: Iterable[ModuleFile], root: str) -> set[str]:
    """The files in a root that were imported: by their own paths, and by links in the root that lead to them."""
    inside = [module for module in modules if lies_in(module.folder, root)]
    given = (os.path.join(module.given, module.name) for module in inside if lies_in(module.given, root))
    return {*(module.path for module in inside), *given}


def _merged(root: Root, selections: Mapping[str, Selection]) -> Selection:
    """The files of a root and of the roots in it. In an inner root, its own settings count."""
    merged = replace(selections[root.path])
    for inner in root.inner:
        other = selections[os.path.normpath(os.path.join(root.path, inner))]
        for name in ("files", "large", "links"):
            outer = {path: each for path, each in getattr(merged, name).items() if not lies_in(path, inner)}
            inside = {f"{inner}/{path}": each for path, each in getattr(other, name).items()}
            setattr(merged, name, {**outer, **inside})
    return merged


def _entries(tree: int, selection: Selection, kept: Mapping[str, Kept]) -> list[Entry]:
    """The lines of the manifest for a tree."""
    entries: list[Entry] = [
        KeptFile(tree, path, each.status.st_mode & 0o777, each.digest, each.status.st_size)
        for path, each in kept.items()
    ]
    for path, found in selection.large.items():
        entries.append(LargeFile(tree, path, found.place, found.stat.st_size, found.stat.st_mtime_ns))
    return [*entries, *(Link(tree, path, target) for path, target in selection.links.items())]
