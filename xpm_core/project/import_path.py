"""The import path of a script, and how a job's process comes to import the same modules.

`sys.path` decides only about modules that are not imported yet. A job's process has imported much of the standard
library before the project's folders are put in front of it; a script may have done so, too. Therefore the path also
records, for each name that a file of the project shares with the standard library, whose module the script has.
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

from xpm_core.project.moved_code import UNMOVED, MovedCode, lead_children, redirect
from xpm_core.project.origin import INSTALLED

EDITABLE = "__editable__"
"""How entries of `sys.path` begin that are no folders."""

STANDARD, PACKAGES = "<standard>", "<installed>"
"""Mark where, among the folders of a path, the standard library and the installed packages stand."""

STANDARD_NAMES = sys.stdlib_module_names | {"test"}
"""The names of the modules of the standard library. Python's own list lacks its tests."""

_LIBRARY = os.path.dirname(os.__file__) + os.sep
_ARCHIVE = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"


class ImportPath(NamedTuple):
    """Where a script imports from.

    Attributes:
        folders: The folders in their order. STANDARD stands for the interpreter's own folders, PACKAGES for those of
            installed packages.
        standard: For each module of the standard library whose name a file before STANDARD has, too: whether the script
            has the file's module.
    """

    folders: list[str]
    standard: dict[str, bool]

    @property
    def own_folders(self) -> list[str]:
        """The folders without STANDARD and PACKAGES."""
        return [folder for folder in self.folders if folder not in (STANDARD, PACKAGES)]


def import_path() -> ImportPath:
    """The import path of this process."""
    entries = tuple(sys.path)
    return _import_path(entries, "" if _absolute(entries) else os.getcwd())


def follow(path: ImportPath, code: MovedCode = UNMOVED) -> None:
    """Let this process import as a script does: from the script's folders, as far as they exist, in their order.

    Some folders stand before the standard library here and not in the script's path. They were given to the worker, so
    they come first. If the code lies elsewhere, they come after the script's: one of them may be another checkout.

    Args:
        path: Where the script imports from, as it is now (`MovedCode.here`).
        code: Where the code of the script lies now. This process then imports nothing from where it was.
    """
    redirect(code)
    for name, taken in path.standard.items():
        if not taken and name in STANDARD_NAMES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    parts = _parts(path.folders)
    if code.folders:
        kept = [[folder for folder in part if code.holds(folder)] for part in parts]
        lead_children([], before=[*kept[0], *kept[1], *kept[2]])
        lead_children([*kept[1], *kept[2]])
    sys.path[:] = _merged(parts, gives_way=bool(code.folders))
    for name, taken in path.standard.items():
        if taken and in_library(getattr(sys.modules.get(name), "__file__", None) or ""):
            _make_way(name)


def import_from(folders: list[str]) -> None:
    """Let this process import from folders first, as a script does that lies in the first of them.

    The folder of the program that runs now is taken away, because it is no folder of the script.
    """
    program = os.path.dirname(os.path.realpath(sys.argv[0])) if sys.argv and sys.argv[0] else ""
    if sys.path and program and os.path.realpath(sys.path[0]) == program:
        del sys.path[0]
    sys.path[:] = [*folders, *(entry for entry in sys.path if entry not in folders)]
    importlib.invalidate_caches()
    for name in _taken(folders):
        if in_library(getattr(sys.modules.get(name), "__file__", None) or ""):
            _make_way(name)


def in_library(file: str) -> bool:
    """Whether a file belongs to the standard library, judged by its path alone."""
    return file.startswith(_LIBRARY)


@lru_cache(maxsize=16)
def _absolute(entries: tuple[str, ...]) -> bool:
    return all(os.path.isabs(entry) or entry.startswith(EDITABLE) for entry in entries)


@lru_cache(maxsize=16)
def _import_path(entries: tuple[str, ...], _: str) -> ImportPath:
    """The import path of a `sys.path`. The second argument is the folder of relative entries, for the cache."""
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
    """For each module of the standard library whose name a file in the folders has: whether the file's is used.

    Built-in and frozen modules are left out, because Python finds them before all files.
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


def _merged(parts: list[list[str]], *, gives_way: bool) -> list[str]:
    """The `sys.path` of this process with the folders of a script in it.

    Args:
        parts: The script's (`_parts`).
        gives_way: Whether the folders that this process alone knows come after the script's.
    """
    own = sys.path
    start = next((i for i, each in enumerate(own) if _is_library(each)), len(own))
    end = next((i for i in range(start, len(own)) if _is_installed(own[i])), len(own))
    first, between, last = parts
    given = [each for each in own[:start] if each not in first]
    clones = [each for each in given if any(_share_modules(each, other) for other in last)] if gives_way else []
    before = [] if gives_way else [*itertools.filterfalse(_is_installed, given)]
    front = [*before, *first, *(each for each in given if each not in (*before, *clones))]
    known = {*front, *own}
    if gives_way:
        known -= {*itertools.filterfalse(_is_installed, own[end:])}
    between, last = ([each for each in part if each not in known] for part in (between, last))
    back = [*filter(_is_installed, own[end:]), *last, *clones] if gives_way else []
    return [*dict.fromkeys([*front, *own[start:end], *between, *back, *own[end:], *last])]


def _share_modules(folder: str, other: str) -> bool:
    """Whether two folders have a module of the same name, as two checkouts of a project do."""
    common = {*_listed(folder)} & {*_listed(other)}
    return any(name.endswith(".py") or os.path.isfile(f"{folder}/{name}/__init__.py") for name in common)


def _is_library(entry: str) -> bool:
    """Whether an entry of `sys.path` is the standard library, or the zip file that can stand before it."""
    return entry == _LIBRARY[:-1] or os.path.basename(entry) == _ARCHIVE


def _is_installed(entry: str) -> bool:
    return os.path.basename(entry) in INSTALLED


def _parts(folders: list[str]) -> list[list[str]]:
    """The folders that exist, in three parts: before the standard library, before installed packages, after them."""
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
    """Forget a module of the standard library, if the path now leads to another one of its name."""
    spec = PathFinder.find_spec(name)
    if spec is not None and spec.has_location and spec.origin != sys.modules[name].__file__:
        for each in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
            del sys.modules[each]
