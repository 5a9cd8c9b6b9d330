"""Taking one snapshot: all roots are listed, their files are kept, and the manifest is written last.

Owns: how the parts of this room work together. A manifest stands in the workspace only when all contents that it names
do, so a snapshot is whole or is not there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from xpm_core.project.repository import checkout_of
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.comparison import differing
from xpm_core.snapshot.manifest import Entry, KeptFile, LargeFile, Link, Manifest
from xpm_core.snapshot.provenance import Tree
from xpm_core.snapshot.taking.files.git import StateAsked
from xpm_core.snapshot.taking.files.links import Surroundings
from xpm_core.snapshot.taking.files.names import lies_in
from xpm_core.snapshot.taking.files.selection import Notes, Selection, select
from xpm_core.snapshot.taking.files.settings import SnapshotSettings, read_settings
from xpm_core.snapshot.taking.imported import ModuleFile
from xpm_core.snapshot.taking.reading import Keeper, Kept
from xpm_core.snapshot.taking.roots import Root, arranged, names_of
from xpm_core.snapshot.taking.seen import Seen, described

TRIES = 3
"""How often all files are looked at, until none changes meanwhile. A table that grows all the time is no error."""


@dataclass
class Photo:
    """A snapshot that was taken, and what the files looked like.

    Attributes:
        manifest: What it holds.
        trees: Its trees.
        new: Contents that were not in the workspace before.
        notes: What people are told, by root.
        kept: The files of it by their paths on this machine, and modules that do not belong to it, as None.
    """

    manifest: Manifest
    trees: list[Tree] = field(default_factory=list)
    new: int = 0
    notes: dict[str, Notes] = field(default_factory=dict)
    kept: dict[str, Kept | None] = field(default_factory=dict)

    @property
    def snapshot(self) -> str:
        """Its name."""
        return self.manifest.digest

    def has_same(self, modules: Sequence[ModuleFile]) -> bool:
        """Whether the files of modules are as they were, and none is new in a root."""
        for module in modules:
            path = module.path
            if path in self.kept:
                known = self.kept[path]
                if known is not None and not known.is_still(path):
                    return False
            elif any(lies_in(path, root) for root in self.notes):
                return False
        return True

    def is_of_one_moment(self) -> bool:
        """Whether no file has changed since it was read, as when another branch is checked out meanwhile."""
        try:
            return all(
                kept is None or described(os.stat(path)) == described(kept.status) for path, kept in self.kept.items()
            )
        except OSError:  # one is gone
            return False

    def changed_since(self, before: Photo) -> list[str]:
        """The files that differ between two snapshots, as people are shown them."""
        return [each.path for each in differing(before.manifest, self.manifest)]


def named(tree: Tree, modules: Sequence[ModuleFile]) -> Tree:
    """A tree with all names by which this process reaches its root now."""
    names = names_of(tree.roots[0], modules)
    return replace(tree, roots=names.roots, inner=names.inner)


class Taker:
    """Takes snapshots of roots.

    Args:
        workspace: The workspace's directory.
        store: Where the files are kept; None for the workspace.
    """

    def __init__(self, workspace: Path, store: CodeStore | None = None) -> None:
        self._workspace, self._store = os.path.realpath(workspace), store or CodeStore(workspace)
        self._keeper = Keeper(self._store)
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
            before: The snapshot before, if there is one. If nothing changed since, its trees stay as they are.
            forced: Further files that are kept, by root, as those that were imported.

        Raises:
            SnapshotError: Files cannot be read, change all the time, or the settings ask for too much.
            SettingsError: A pyproject.toml is wrong.
            WorkspaceError: The workspace cannot be written.
        """
        if before is not None and not self._store.mark("snapshots", before.snapshot):
            self._keeper.forget()
        roots, settings = _with_also(paths)
        with _States(roots if before is None else ()) as states:
            new = 0
            for _ in range(TRIES):
                selections = self._selections(roots, settings, modules, forced or {})
                photo = self._photo(roots, selections, modules)
                new += photo.new
                if (before is not None and before.snapshot == photo.snapshot) or photo.is_of_one_moment():
                    break
            photo.new = new
            photo.trees = (
                before.trees
                if before is not None and before.snapshot == photo.snapshot
                else [states.tree(root, selections[root.path], modules) for root in roots]
            )
        if before is None or before.snapshot != photo.snapshot or not self._store.mark("snapshots", photo.snapshot):
            self._store.put("snapshots", photo.manifest.data)  # this also mends a damaged one
        return photo

    def _photo(
        self, roots: Sequence[Root], selections: Mapping[str, Selection], modules: Sequence[ModuleFile]
    ) -> Photo:
        """Keep the files of all roots."""
        photo = Photo(Manifest([], []), notes={path: each.notes for path, each in selections.items()})
        photo.kept.update((module.path, None) for module in modules)
        entries: list[Entry] = []
        for number, root in enumerate(roots):
            selection = _merged(root, selections)
            kept = self._keep(root.path, selection)
            photo.new += sum(each.is_new for each in kept.values())
            photo.kept.update((os.path.join(root.path, path), each) for path, each in kept.items())
            entries += _entries(number, selection, kept)
        photo.manifest = Manifest([root.name for root in roots], entries)
        return photo

    def _selections(
        self,
        roots: Sequence[Root],
        settings: Mapping[str, SnapshotSettings],
        modules: Sequence[ModuleFile],
        forced: Mapping[str, Collection[str]],
    ) -> dict[str, Selection]:
        """What belongs to the snapshot of each root, of those that lie in another one, too."""
        every = [os.path.normpath(os.path.join(root.path, inner)) for root in roots for inner in ("", *root.inner)]
        around = Surroundings(every, self._workspace)
        found = {}
        for path in every:
            imported = {os.path.relpath(each, path) for each in _imported(modules, path)}
            found[path] = select(path, settings[path], imported.union(forced.get(path, ())), around)
        return found

    def _keep(self, root: str, selection: Selection) -> dict[str, Kept]:
        """Keep the files of a root. Those that are gone meanwhile are left out."""
        seen = self._seen.get(root)
        if seen is None:
            seen = self._seen[root] = Seen(f"{self._store.folder}/seen", root)
        tried = ((path, self._keeper.keep(path, found, seen)) for path, found in selection.files.items())
        kept = {path: each for path, each in tried if each is not None}
        if self._store.keeps:
            seen.write(set(kept))
        return kept


def _with_also(paths: Iterable[str]) -> tuple[list[Root], dict[str, SnapshotSettings]]:
    """The roots, with those that the settings of others name, and the settings of each."""
    settings: dict[str, SnapshotSettings] = {}
    left = list(paths)
    while left:
        path = left.pop()
        if path not in settings:
            settings[path] = read_settings(path)
            left += settings[path].also
    return arranged(settings), settings


class _States:
    """How the checkouts stand that roots lie in. Git is asked about some ahead, so that it works meanwhile.

    Args:
        roots: The roots that git is asked about ahead.
    """

    def __init__(self, roots: Iterable[Root]) -> None:
        self._asked = {root.path: StateAsked(root.path) for root in roots if checkout_of(root.path) is not None}

    def __enter__(self) -> _States:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._asked.values():
            each.close()

    def tree(self, root: Root, selection: Selection, modules: Sequence[ModuleFile]) -> Tree:
        """A root, as a tree of a snapshot."""
        if root.path not in self._asked and checkout_of(root.path) is not None:
            self._asked[root.path] = StateAsked(root.path)
        git = self._asked[root.path].state(selection.git) if root.path in self._asked else None
        return named(Tree(root.name, [root.path], git), modules)


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
    entries += [Link(tree, path, target) for path, target in selection.links.items()]
    return _possible(entries)


def _possible(entries: list[Entry]) -> list[Entry]:
    """The entries without those below another one: somebody replaced a folder while the files were listed."""
    paths = {each.path for each in entries}
    folders: set[str] = set()
    for path in paths:
        above = path.rpartition("/")[0]
        while above and above not in folders:
            folders.add(above)
            above = above.rpartition("/")[0]
    wrong = tuple(f"{path}/" for path in paths & folders)
    return [each for each in entries if not each.path.startswith(wrong)] if wrong else entries
