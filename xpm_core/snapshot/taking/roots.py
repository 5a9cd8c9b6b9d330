"""Roots: the folders whose files a snapshot holds, found from the classes of tasks.

Owns: which folder is the root of a class, how roots that lie in each other become one tree, and all paths by which this
process reaches a root. The place of the script as such does not count: it may be an installed command, or a notebook.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from xpm_core.project.import_path import EDITABLE
from xpm_core.project.origin import class_file, module_name, project_of
from xpm_core.snapshot.taking.files.names import lies_in
from xpm_core.snapshot.taking.imported import ModuleFile, users_file

_OWN = {"xpm_core", "xpm_worker", "xpm_cli"}


@dataclass(frozen=True)
class Root:
    """A root that becomes a tree.

    Attributes:
        path: Its absolute path without links.
        name: The name of its tree.
        inner: Further roots that lie in it, relative to it. Their own settings count for their files.
    """

    path: str
    name: str
    inner: tuple[str, ...] = ()


@dataclass
class Names:
    """The paths by which this process reaches a root.

    Attributes:
        roots: Paths of the root, its own one first.
        inner: Paths of folders in it, which do not pass the root itself, each with the folder in the root.
    """

    roots: list[str] = field(default_factory=list)
    inner: dict[str, str] = field(default_factory=dict)


def root_of(cls: Any) -> str | None:
    """The root of a class: an absolute path without links.

    It is the nearest folder above the file of the class that holds `pyproject.toml` or `.git`; else the folder from
    which its module is imported.

    Returns:
        The root; None for classes of installed packages, of Python and of xpm.

    Example:
        >>> root_of(Train)
        '/home/me/digits'
    """
    if cls.__module__.partition(".")[0] in _OWN:
        return None
    file = class_file(cls)
    found = None if file is None else users_file(file)
    return None if found is None else root_around(found, module_name(cls))


def root_around(file: ModuleFile, module: str) -> str:
    """The root of the file of a module."""
    root, _ = project_of(file.folder)
    if root:
        return root
    depth = module.count(".") + (1 if os.path.splitext(file.name)[0] == "__init__" else 0)
    parts = file.folder.split(os.sep)
    return os.sep.join(parts[: len(parts) - depth]) or os.sep


def arranged(paths: Iterable[str]) -> list[Root]:
    """Roots as trees. A root that lies in another one becomes a part of its tree, so that files keep their places.

    Example:
        >>> [(root.name, root.inner) for root in arranged(["/mono/app", "/mono", "/lib"])]
        [('lib', ()), ('mono', ('app',))]
    """
    inner: dict[str, list[str]] = {}
    for path in sorted(set(paths), key=lambda path: path.rstrip("/").split("/")):
        outer = next((each for each in inner if lies_in(path, each)), None)
        if outer is None:
            inner[path] = []
        else:
            inner[outer].append(os.path.relpath(path, outer))
    taken: set[str] = set()
    found = []
    for path, within in inner.items():
        name = own = os.path.basename(path) or "root"
        number = 1
        while own in taken:
            number += 1
            own = f"{name}-{number}"
        taken.add(own)
        found.append(Root(path, own, tuple(within)))
    return sorted(found, key=lambda root: root.name)


def names_of(root: str, files: Iterable[ModuleFile]) -> Names:
    """The paths by which this process reaches a root.

    Payloads hold folders as this process names them: those of `sys.path`, and those of modules. Where links lead into a
    root, these are not the root's own path.

    Args:
        root: The root.
        files: The modules that this process has imported.
    """
    found = Names([root])
    entries = [os.path.abspath(entry) for entry in sys.path if not entry.startswith(EDITABLE)]
    for given in sorted({*entries, *(file.given for file in files)}):
        if lies_in(given, root) or not lies_in(folder := os.path.realpath(given), root):
            continue
        while folder != root and os.path.basename(folder) == os.path.basename(given):
            above = os.path.dirname(given)
            if os.path.realpath(above) != os.path.dirname(folder):
                break
            folder, given = os.path.dirname(folder), above
        _note(found, root, given, folder)
    return found


def _note(found: Names, root: str, given: str, folder: str) -> None:
    if folder == root:
        if given not in found.roots:
            found.roots.append(given)
    else:
        found.inner[given] = os.path.relpath(folder, root)
