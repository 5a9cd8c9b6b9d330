"""The functions that installed packages have registered.

Owns: finding the entry points of the group, without reading the facts of each package: a slot does this before its
first job, and an environment may have hundreds of packages.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path

GROUP = "xpm.hooks"
"""The group of entry points."""

NAMES = ("job_environment", "job_ended", "run_ended")
"""The names that it may have. Each package may register one function of each name."""

_FACTS = (".dist-info", ".egg-info")


def registered() -> list[EntryPoint]:
    """The entry points of the group, in the order of the path on which Python looks for packages.

    If a package is installed twice, the one counts that Python would import.

    Example:
        >>> [(each.name, each.value) for each in registered()]
        [('job_ended', 'labhooks:job_ended')]
    """
    found: list[EntryPoint] = []
    packages: set[str] = set()
    for file in _files():
        package = os.path.basename(os.path.dirname(file)).partition("-")[0].lower()
        if package not in packages:
            packages.add(package)
            with contextlib.suppress(OSError, ValueError):  # somebody installs or removes it at this moment
                found += PathDistribution(Path(file).parent).entry_points.select(group=GROUP)
    return found


def _files() -> Iterator[str]:
    """The files of entry points that name the group."""
    for folder in dict.fromkeys(sys.path):
        try:
            names = sorted(name for name in os.listdir(folder or ".") if name.endswith(_FACTS))
        except OSError:  # no folder
            continue
        for name in names:
            path = os.path.join(folder or ".", name, "entry_points.txt")
            with contextlib.suppress(OSError), open(path, "rb") as file:
                if GROUP.encode() in file.read():
                    yield path
