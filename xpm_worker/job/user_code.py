"""The modules that a process has imported, and whose they are: the user's, or an installed package's.

Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import takewhile

from xpm_core.project.import_path import STANDARD_NAMES, in_library
from xpm_core.tracebacks.user_frames import is_installed_file, is_user_file


def names_since(last: str) -> list[str]:
    """Return the names of the modules that this process has imported since another one, in the order of import.

    Only these modules are looked at. To touch an inherited module would copy the memory page that it lies in.

    Args:
        last: Name of the last module that was imported before.
    """
    return list(takewhile(lambda name: name != last, reversed(sys.modules)))[::-1]


def imported_since(last: str) -> dict[str, str]:
    """Return the same modules with their files; the file is empty for a module without one.

    Entries of `sys.modules` that have no `__spec__` were put there by other means, and are left out.

    Args:
        last: Name of the last module that was imported before.
    """
    modules = ((name, sys.modules[name]) for name in names_since(last))
    specified = (each for each in modules if getattr(each[1], "__spec__", None) is not None)
    return {name: getattr(module, "__file__", None) or "" for name, module in specified}


def installed(modules: Mapping[str, str]) -> list[str]:
    """Return the modules that belong to installed packages.

    Args:
        modules: Modules with their files.
    """
    return [name for name, file in modules.items() if is_installed_file(file)]


def shareable(modules: Mapping[str, str]) -> list[str]:
    """Return the modules that a template may import in advance for later jobs.

    There are none if the project replaces a module of the standard library by its own. A template imports nothing of
    the project, so in a template the installed packages would get the wrong module.

    Args:
        modules: Modules with their files.
    """
    others = (file for name, file in modules.items() if name in STANDARD_NAMES and file and not in_library(file))
    return [] if any(map(is_user_file, others)) else installed(modules)
