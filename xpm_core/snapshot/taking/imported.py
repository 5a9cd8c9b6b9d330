"""Which files of the user's own this process has imported: neither installed packages, nor Python's, nor xpm's.

Owns: telling the user's modules from others by their files. A module is asked nothing, because some load on a question.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import NamedTuple

from xpm_core.project.import_path import in_library
from xpm_core.project.origin import INSTALLED

_NOT_FOR_JOBS = {"__main__", "sitecustomize", "usercustomize"}
_OWN = {"xpm_core", "xpm_worker", "xpm_cli"}


class ModuleFile(NamedTuple):
    """The file of a module.

    Attributes:
        given: Its folder, as the module names it: an absolute path.
        folder: Its folder without links.
        name: Its name.
        module: The module; empty if it is not known.
    """

    given: str
    folder: str
    name: str
    module: str = ""

    @property
    def path(self) -> str:
        """Its path. The file can be a link, but it lies in no folder that is one."""
        return os.path.join(self.folder, self.name)

    @property
    def is_for_jobs(self) -> bool:
        """Whether a job may import it, as far as one can see: not the script as such, nor what tools have added."""
        return self.module not in _NOT_FOR_JOBS and "/." not in self.folder and os.path.isfile(self.path)


class Imports:
    """The files that this process has imported."""

    def __init__(self) -> None:
        self._state = (-1, "")
        self._files: list[ModuleFile] = []

    @property
    def state(self) -> tuple[int, str]:
        """Changes when more is imported."""
        return self._state

    def files(self) -> list[ModuleFile]:
        """The user's files, of all modules that are imported now."""
        modules = sys.modules.copy()
        state = len(modules), next(reversed(modules), "")
        if state != self._state:
            found = (module_file(name, module) for name, module in modules.items())
            self._files = sorted({file for file in found if file is not None})
            self._state = state
        return self._files


def module_file(name: str, module: object) -> ModuleFile | None:
    """The file of a module; None if it has none, or is not the user's own."""
    if name.partition(".")[0] in _OWN:
        return None
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except AttributeError:
        return None
    found = users_file(file) if isinstance(file, str) else None
    return None if found is None else found._replace(module=name)


def users_file(file: str) -> ModuleFile | None:
    """A file of a module, if it is the user's own."""
    given, _, name = (file if file.startswith("/") else os.path.abspath(file)).rpartition("/")
    folder = _users_folder(given)
    return None if folder is None else ModuleFile(os.path.abspath(given or "/"), folder, name)


@lru_cache(maxsize=8192)
def _users_folder(given: str) -> str | None:
    """A folder without links; None if it holds installed packages, or the standard library."""
    if _is_packages(os.path.abspath(given or "/")):
        return None
    folder = os.path.realpath(given or "/")
    return None if _is_packages(folder) else folder


def _is_packages(folder: str) -> bool:
    return in_library(folder + os.sep) or not set(INSTALLED).isdisjoint(folder.split(os.sep))
