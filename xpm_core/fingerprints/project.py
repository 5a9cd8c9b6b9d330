"""A project at one time: which files it has, what they define, and which file a module is.

The files are those of a snapshot, or today's. Modules are looked up as Python does it, in the folders that the script
imports from. Nothing is imported.

Owns: the files, and the search for modules among them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from xpm_core.fingerprints.memory import Memory
from xpm_core.fingerprints.source.definitions import Definitions
from xpm_core.project.import_path import STANDARD_NAMES, ImportPath
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import Manifest
from xpm_core.snapshot.taking.files.names import COMPILED

File = tuple[str, str]
"""The name of a tree, and a path in it, with `/`."""

_INIT = "__init__"
_SOURCES = (".py", ".pyw")
_MODULES = (*_SOURCES, *COMPILED)


class Folders(NamedTuple):
    """Where a script imports from, in the trees of its snapshot.

    Attributes:
        folders: The folders in their order: the name of a tree, and a path in it, which is empty for the tree itself.
        taken: The modules of the standard library in place of which the script has a file of the project.

    Example:
        >>> Folders.of(import_path(), provenance.roots)
        Folders(folders=[('digits', ''), ('digits', 'src')], taken=frozenset())
    """

    folders: Sequence[File]
    taken: frozenset[str] = frozenset()

    @classmethod
    def of(cls, path: ImportPath, roots: Mapping[str, str]) -> Folders:
        """The folders of an import path.

        Args:
            path: Where the script imports from; a payload has it, too.
            roots: For each root, the name of its tree, as `Provenance.roots` has it. Folders in none are left out.
        """
        found: list[File] = []
        for folder in path.own_folders:
            above = [root for root in roots if folder == root or folder.startswith(f"{root.rstrip('/')}/")]
            if above:
                best = max(above, key=len)
                tree, _, inner = f"{roots[best]}{folder[len(best.rstrip('/')) :]}".partition("/")
                found.append((tree, inner))
        return cls(found, frozenset(name for name, taken in path.standard.items() if taken))


class Module(NamedTuple):
    """A module of the project.

    Attributes:
        tree: Its tree.
        stem: Its path without an ending; that of the folder for a package.
        path: The path of its file; empty for a folder without `__init__.py`.
    """

    tree: str
    stem: str
    path: str

    @property
    def file(self) -> File:
        """Its file."""
        return self.tree, self.path


class Found(NamedTuple):
    """What a search for a module has found.

    Attributes:
        modules: The modules that are loaded on the way, the outer ones first. The last one is what was looked for.
        is_outside: Whether it is no module of the project.
    """

    modules: list[Module]
    is_outside: bool = False


class Project:
    """A project at one time.

    Args:
        files: For each file, the SHA-256 of its content.
        content: Reads the content of a file.
        memory: What is known of contents.
        folders: Where the script imports from.

    Example:
        >>> project = Project.of_snapshot(workspace.path, store.manifest(digest), folders)
        >>> project.definitions(("digits", "train.py")).names["Train"].line
        12
    """

    def __init__(
        self, files: Mapping[File, str], content: Callable[[File], bytes], memory: Memory, folders: Folders
    ) -> None:
        self.files = {file: digest for file, digest in files.items() if file[1].endswith(_MODULES)}
        self.folders = folders
        self._content, self._memory = content, memory
        self._found: dict[tuple[str, str], Found] = {}

    @classmethod
    def of_snapshot(
        cls,
        workspace: Path,
        manifest: Manifest,
        folders: Folders,
        memory: Memory | None = None,
        store: CodeStore | None = None,
    ) -> Project:
        """The files of a snapshot.

        Args:
            workspace: The workspace that keeps it.
            manifest: The snapshot.
            folders: Where the script imports from.
            memory: What is known of contents, if another project uses it, too.
            store: What keeps the contents; None for the workspace.
        """
        kept = store or CodeStore(workspace)
        files = {(manifest.trees[each.tree], each.path): each.digest for each in manifest.files}
        return cls(files, lambda file: kept.object(files[file]), memory or Memory(workspace), folders)

    def definitions(self, file: File, making: frozenset[str] = frozenset()) -> Definitions:
        """The definitions of a file of the project.

        Args:
            file: The file.
            making: What is known to make a configuration and to do nothing else, as it stands in the file.

        Raises:
            KeyError: The project has no such file.
            SnapshotError: The file cannot be read.
        """
        if making:
            return self._memory.making(self.files[file], file[1], making, lambda: self._content(file))
        return self._memory.definitions(self.files[file], file[1], lambda: self._content(file))

    def content(self, file: File) -> bytes | None:
        """The content of a file; None if the project has no such file.

        Raises:
            SnapshotError: The file cannot be read.
        """
        return self._content(file) if file in self.files else None

    # -- modules ---------------------------------------------------------------------------------------------------

    def find(self, name: str, importer: File) -> Found:
        """Find a module.

        Args:
            name: As an import names it, such as `layers`, `..layers` or `torch.nn`.
            importer: The file that imports it.

        Returns:
            What was found. Without modules, and not outside: a package of the project lacks it.
        """
        key = name, f"{importer[0]}/{os.path.dirname(importer[1])}"
        found = self._found.get(key)
        if found is None:
            search = self._relative if name.startswith(".") else self._absolute
            found = self._found[key] = search(name, importer)
        return found

    def inside(self, module: Module, name: str) -> Module | None:
        """A module in a package, by its last name."""
        return self._at(module.tree, f"{module.stem}/{name}" if module.stem else name)

    def inner_modules(self, file: File) -> list[File]:
        """The files of the modules and packages that stand in a package, sorted; none for another module."""
        tree, path = file
        if _stem(path.rpartition("/")[2]) != _INIT:
            return []
        folder = path.rpartition("/")[0]
        stems = (stem for where, stem in self._stems if where == tree and stem.startswith(f"{folder}/"))
        names = {stem[len(folder) + 1 :].partition("/")[0] for stem in stems} - {_INIT}
        found = (self._at(tree, f"{folder}/{name}") for name in names)
        return sorted(each.file for each in found if each is not None and each.path)

    def packages_of(self, file: File) -> list[File]:
        """The files `__init__.py` that are loaded before a file."""
        tree, path = file
        found = []
        above = os.path.dirname(os.path.dirname(path)) if path.endswith(f"{_INIT}.py") else os.path.dirname(path)
        while above and (init := self._stems.get((tree, f"{above}/{_INIT}"))):
            found.append((tree, init))
            above = os.path.dirname(above)
        return found

    def _relative(self, name: str, importer: File) -> Found:
        rest = name.lstrip(".")
        stem = os.path.dirname(importer[1])
        for _ in range(len(name) - len(rest) - 1):
            if not stem:
                return Found([])
            stem = os.path.dirname(stem)
        package = self._at(importer[0], stem) or Module(importer[0], stem, "")
        return self._below([package], rest.split(".") if rest else [])

    def _absolute(self, name: str, importer: File) -> Found:
        first, *rest = name.split(".")
        if first in STANDARD_NAMES and first not in self.folders.taken:
            return Found([], is_outside=True)
        spread: list[Module] = []
        for tree, folder in [*self.folders.folders, self._own_folder(importer)]:
            found = self._at(tree, f"{folder}/{first}" if folder else first)
            if found is not None and found.path:
                return self._below([found], rest)
            if found is not None and found not in spread:
                spread.append(found)
        for each in spread:  # folders without __init__.py, which are one package
            if (inner := self._below([each], rest)).modules:
                return inner
        return Found([], is_outside=True)  # an installed package goes before such folders

    def _below(self, modules: list[Module], names: Sequence[str]) -> Found:
        for name in names:
            inner = self.inside(modules[-1], name)
            if inner is None:
                return Found([])
            modules.append(inner)
        return Found(modules)

    def _own_folder(self, file: File) -> File:
        """The folder that holds the outermost package of a file. An editable installation can make it importable."""
        packages = [each[1] for each in self.packages_of(file)]
        outermost = packages[-1] if packages else file[1]
        folder = os.path.dirname(outermost)
        return file[0], os.path.dirname(folder) if outermost.endswith(f"{_INIT}.py") else folder

    def _at(self, tree: str, stem: str) -> Module | None:
        init = self._stems.get((tree, f"{stem}/{_INIT}" if stem else _INIT))
        if init is not None:
            return Module(tree, stem, init)
        path = self._stems.get((tree, stem))
        if path is not None:
            return Module(tree, stem, path)
        return Module(tree, stem, "") if (tree, stem) in self._above else None

    @cached_property
    def _stems(self) -> dict[File, str]:
        """For each module, by its tree and its path without an ending, its path. What is compiled comes first."""
        found: dict[File, str] = {}
        for tree, path in self.files:
            stem = _stem(path)
            if (tree, stem) not in found or not path.endswith(_SOURCES):
                found[tree, stem] = path
        return found

    @cached_property
    def _above(self) -> set[File]:
        """All folders that hold modules, also in folders below."""
        found: set[File] = set()
        for tree, path in self.files:
            above = path.rpartition("/")[0]
            while above and (tree, above) not in found:
                found.add((tree, above))
                above = above.rpartition("/")[0]
        return found


def _stem(path: str) -> str:
    """The path of a module without its ending."""
    if path.endswith(_SOURCES):
        return path.rpartition(".")[0]
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{name.partition('.')[0]}"
