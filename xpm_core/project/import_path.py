"""Where a script imports from, and how a job's process comes to import the same.

`sys.path` decides only about what is not imported yet. A job's process has imported much of the standard library before
its project's folders come to stand in front of it, and a script may have, too. So it is recorded as well whose module
the script has, where a file of the project has the name of one of the standard library.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import sys
from functools import lru_cache
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from typing import NamedTuple

from xpm_core.project.origin import INSTALLED

EDITABLE = "__editable__"
"""How entries of `sys.path` begin that name no folder."""

STANDARD, PACKAGES = "<standard>", "<installed>"
"""Stand among the folders of a path where the standard library and the installed packages do."""

STANDARD_NAMES = sys.stdlib_module_names | {"test"}
"""Of modules of the standard library; Python itself does not count its tests among them."""

_LIBRARY = os.path.dirname(os.__file__) + os.sep
_ARCHIVE = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"


class ImportPath(NamedTuple):
    """Where a script imports from.

    Attributes:
        folders: In order, those beside the interpreter's own and installed packages; STANDARD and PACKAGES stand for
            these.
        standard: Modules of the standard library whose name a file in the first of these folders has, too: whether the
            script has the file's.
    """

    folders: list[str]
    standard: dict[str, bool]

    @property
    def own_folders(self) -> list[str]:
        """The folders themselves, without what stands for the standard library and the installed packages."""
        return [folder for folder in self.folders if folder not in (STANDARD, PACKAGES)]


def import_path() -> ImportPath:
    """Where this process imports from."""
    entries = tuple(sys.path)
    return _import_path(entries, "" if _absolute(entries) else os.getcwd())


def follow(path: ImportPath) -> None:
    """Let this process import as a script does: from its folders that are there, at their places.

    Folders that stand before the standard library here, and not in the script's path, come first: they were given to
    the worker.
    """
    for name, taken in path.standard.items():
        if not taken and name in STANDARD_NAMES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    sys.path[:] = _merged(path.folders)
    for name, taken in path.standard.items():
        if taken and in_library(getattr(sys.modules.get(name), "__file__", None) or ""):
            _make_way(name)


def in_library(file: str) -> bool:
    """Whether a file belongs to the standard library, as far as that can be seen without a look at the disk."""
    return file.startswith(_LIBRARY)


@lru_cache(maxsize=16)
def _absolute(entries: tuple[str, ...]) -> bool:
    return all(os.path.isabs(entry) or entry.startswith(EDITABLE) for entry in entries)


@lru_cache(maxsize=16)
def _import_path(entries: tuple[str, ...], _: str) -> ImportPath:
    """The same of a `sys.path`; the working directory is what relative entries start from."""
    prefixes = [os.path.join(os.path.realpath(p), "lib") for p in (sys.prefix, sys.base_prefix, sys.exec_prefix)]
    found: list[str] = []
    for entry in entries:
        folder = os.path.abspath(entry)
        if _is_installed(folder):
            folder = PACKAGES if STANDARD in found else ""
        elif os.path.realpath(folder).startswith(tuple(prefixes)):
            folder = STANDARD
        elif entry.startswith(EDITABLE) or not os.path.isdir(folder):
            folder = ""
        if folder and folder not in found:
            found.append(folder)
    return ImportPath(found, _taken(found[: found.index(STANDARD)] if STANDARD in found else []))


def _taken(folders: list[str]) -> dict[str, bool]:
    """The modules of the standard library whose names files in some folders have: whether this process has the file's.

    What is built in or frozen comes before all files.
    """
    found = {}
    names = {entry.partition(".")[0] for folder in folders for entry in _listed(folder)}
    for name in sorted(names & STANDARD_NAMES):
        if BuiltinImporter.find_spec(name) is None and FrozenImporter.find_spec(name) is None:
            spec = PathFinder.find_spec(name, folders)
            if spec is not None and spec.has_location:
                there = getattr(sys.modules.get(name), "__file__", None) or ""
                found[name] = name not in sys.modules or os.path.abspath(there) == spec.origin
    return found


def _listed(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        return os.listdir(folder)
    return []


def _merged(folders: list[str]) -> list[str]:
    """This process's `sys.path` with a script's folders in it."""
    own = sys.path
    start = next((i for i, each in enumerate(own) if _is_library(each)), len(own))
    end = next((i for i in range(start, len(own)) if _is_installed(own[i])), len(own))
    first, between, last = _parts(folders)
    given = [each for each in own[:start] if each not in first]
    front = [*itertools.filterfalse(_is_installed, given), *first, *filter(_is_installed, given)]
    known = {*front, *own}
    between, last = ([each for each in part if each not in known] for part in (between, last))
    return [*front, *own[start:end], *between, *own[end:], *last]


def _is_library(entry: str) -> bool:
    """Whether an entry of `sys.path` is the standard library, or the archive that may stand before it."""
    return entry == _LIBRARY[:-1] or os.path.basename(entry) == _ARCHIVE


def _is_installed(entry: str) -> bool:
    return os.path.basename(entry) in INSTALLED


def _parts(folders: list[str]) -> list[list[str]]:
    """Those of the folders that are there: before the standard library, between it and installed packages, after."""
    parts: list[list[str]] = [[], [], []]
    number = 0
    for folder in folders:
        if folder in (STANDARD, PACKAGES):
            number = 1 if folder == STANDARD else 2
        elif os.path.isdir(folder):
            parts[number].append(folder)
            if folder not in sys.path:
                sys.path_importer_cache.pop(folder, None)
    return parts


def _make_way(name: str) -> None:
    """Forget a module of the standard library, if another one is found in its place now."""
    spec = PathFinder.find_spec(name)
    if spec is not None and spec.has_location and spec.origin != sys.modules[name].__file__:
        for each in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
            del sys.modules[each]
