"""Where the code of a script lies now: its roots are elsewhere, in a copy of a snapshot.

A payload names the folders and files of the script's machine. A process of a job reads them through this map, so that
it imports the files of the snapshot. The roots themselves may exist on its machine, too, and Python may know ways that
lead there: an editable installation of the project, or PYTHONPATH. `redirect` turns these.

Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any, NamedTuple

_ENVIRONMENTS = ("/site-packages/", "/dist-packages/")
_PREFIXES = tuple({sys.prefix, sys.base_prefix, sys.exec_prefix})
_LIBS = ("lib", "lib64")
_PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_LIBRARY = os.path.dirname(os.__file__) + os.sep
_OWN = ("xpm_core", "xpm_worker", "xpm_cli")


class MovedCode(NamedTuple):
    """A map from the roots of a script to the folders that stand for them.

    Attributes:
        folders: For each root, an absolute path as the script wrote it, the folder that stands for it here. Empty if
            the code is where it was.

    Example:
        >>> code = MovedCode({"/home/me/digits": "/tmp/xpm-1000/code/8c1f/digits"})
        >>> code.here("/home/me/digits/src/train.py")
        '/tmp/xpm-1000/code/8c1f/digits/src/train.py'
    """

    folders: Mapping[str, str]

    def here(self, path: str) -> str:
        """Where a path of the script is now; the same path if it lies in no root, or in an environment of Python."""
        if not self.folders or self.holds(path) or any(part in f"{path}/" for part in _ENVIRONMENTS):
            return path
        found = _moved(path, self.folders)
        return path if found != path and any(_is_below(path, each) for each in self._environment()) else found

    def holds(self, path: str) -> bool:
        """Whether a path lies in a folder that stands for a root."""
        return any(_is_below(path, folder) for folder in self.folders.values())

    def _environment(self) -> Iterator[str]:
        """The folders of Python that lie in a root, as an environment in the project's folder does."""
        for prefix in _PREFIXES:
            if prefix in self.folders:  # `python -m venv .`: only what Python has put there is not the project's
                yield from (f"{prefix}/{each}" for each in ("bin", "include", *(f"{lib}/{_PYTHON}" for lib in _LIBS)))
            elif _moved(prefix, self.folders) != prefix:
                yield prefix

    def there(self, path: str) -> str:
        """Where a path in a folder of this map was for the script; the same path if it lies in none."""
        return _moved(path, {here: root for root, here in reversed(list(self.folders.items()))})


UNMOVED = MovedCode({})
"""The code is where it was."""


def redirect(code: MovedCode) -> None:
    """Let this process import from the folders that stand for the roots, and from no root, whatever leads there.

    `sys.path` and the variable PYTHONPATH then name these folders. Modules that other ways would find in a root, such
    as the finder of an editable installation, are loaded from the same place in its folder. If they are not there, they
    do not exist for this process. A Python that this process starts knows the same ways to the roots. Therefore
    PYTHONPATH, which comes before them, also names the folders that they were turned to.
    """
    if not code.folders:
        return
    turned = [(entry, _turned(entry, code)) for entry in sys.path]
    sys.path[:] = dict.fromkeys(here for _, here in turned)
    if "PYTHONPATH" in os.environ:
        entries = os.environ["PYTHONPATH"].split(os.pathsep)
        os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(_turned(entry, code) for entry in entries))
    lead_children([here for entry, here in turned if entry != here])
    sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, MovedFinder)]
    if any(map(os.path.isdir, code.folders)):
        sys.meta_path.insert(0, MovedFinder(code))


class MovedFinder:
    """A finder of modules that asks the other ones, and turns what they find in a root.

    Args:
        code: Where the roots are now.
    """

    def __init__(self, code: MovedCode) -> None:
        self.code = code
        self._busy = threading.local()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders find, or that of the same module in the folder of its root.

        Raises:
            ModuleNotFoundError: They find it in a root, and the folder of the root does not have it.
        """
        busy: set[str] = self._busy.__dict__.setdefault("names", set())
        if name in busy or name.partition(".")[0] in _OWN:  # another finder asks all finders, this one included
            return None
        busy.add(name)
        try:
            found = self.found(name, path, target)
        finally:
            busy.discard(name)
        return None if found is None else self._turned(name, found)

    def found(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the other finders find."""
        for finder in list(sys.meta_path):
            find: Any = getattr(finder, "find_spec", None)
            own = isinstance(finder, MovedFinder)
            spec: ModuleSpec | None = None if own or find is None else find(name, path, target)
            if spec is not None:
                return spec
        return None

    def _turned(self, name: str, spec: ModuleSpec) -> ModuleSpec:
        folders = spec.submodule_search_locations
        if spec.origin is not None and "." in name and any(part in spec.origin for part in _ENVIRONMENTS):
            return spec  # its package was turned if it is a link into a root
        if spec.origin is None or not spec.has_location:
            if folders is None or not any(_turned(each, self.code) != each for each in folders):
                return spec
            inside = [each for each in (_turned(each, self.code) for each in folders) if os.path.isdir(each)]
            turned = ModuleSpec(name, None, is_package=True)  # a folder without __init__.py
            turned.submodule_search_locations = inside
            return turned if inside else self._missing(name)
        file = _turned(spec.origin, self.code)
        if file == spec.origin:
            return spec
        places = None if folders is None else [_turned(each, self.code) for each in folders]
        moved = spec_from_file_location(name, file, submodule_search_locations=places)
        if moved is None or not os.path.isfile(file):
            return self._missing(name)
        above = os.path.dirname(file if places is None else os.path.dirname(file))
        if "." not in name:
            if above not in sys.path:
                sys.path.append(above)  # a process that `multiprocessing` starts gets this path, and not this finder
            lead_children([above])
        return moved

    def _missing(self, name: str) -> ModuleSpec:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def lead_children(folders: Iterable[str], before: Iterable[str] = ()) -> None:
    """Let a Python that this process starts import from folders, before the ways that lead to a root.

    Args:
        folders: They are added to PYTHONPATH.
        before: They come first in PYTHONPATH, if it names anything: it may name another checkout.
    """
    entries = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    if found := dict.fromkeys([*(before if entries else ()), *entries, *folders]):
        os.environ["PYTHONPATH"] = os.pathsep.join(found)


def _turned(path: str, code: MovedCode) -> str:
    """Where a path of this process is now, also if it leads into a root by a link."""
    here = code.here(path)
    if here != path or not os.path.isabs(path) or path.startswith(_LIBRARY) or code.holds(path):
        return here
    real = os.path.realpath(path)
    found = path if real == path else code.here(real)
    return path if found == real else found


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _moved(path: str, folders: Mapping[str, str]) -> str:
    """The path with the longest of the folders replaced."""
    best = ""
    for folder in folders:
        if len(folder) > len(best) and _is_below(path, folder):
            best = folder
    return folders[best] + path[len(best.rstrip("/")) :] if best else path
