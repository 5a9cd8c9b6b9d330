"""Whether a job ran with other versions of the packages that its project imports.

Owns: which packages count, and the words. Another version is a note. It is no change of the code.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from xpm_core.errors import SnapshotError
from xpm_core.judging.then import Packages, Then
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.facts.installed import normal


class _Environment(NamedTuple):
    """The versions of packages by name, and that of Python: major and minor."""

    versions: dict[str, str]
    python: str


class Versions:
    """Compares the packages of jobs with those of today. Each list is read once.

    Args:
        store: Where the lists are kept.
        today: The packages of today's script.

    Example:
        >>> versions.of(then, lambda: {"numpy", "layers"})
        ('numpy 1.26.4, now 2.0.1',)
    """

    def __init__(self, store: CodeStore, today: Packages) -> None:
        self._store = store
        self._known: dict[Packages, _Environment] = {}
        self._now = self._of(today)

    def of(self, then: Then, imported: Callable[[], Collection[str]]) -> tuple[str, ...]:
        """Each package with another version now than the job had, for people.

        A version that the script's packages had when the job was submitted is not told: workers then have others than
        the script, and nothing has changed.

        Args:
            then: The job.
            imported: Returns the modules that the job's files import. It is called only if versions differ.
        """
        ran, given, now = self._of(then.packages), self._of(then.given), self._now
        others = {
            name: version
            for name, version in now.versions.items()
            if version not in (ran.versions.get(name, version), given.versions.get(name))
        }
        names = sorted(_imported(others, now.versions, imported())) if others else []
        found = [f"{name} {ran.versions[name]}, now {now.versions[name]}" for name in names]
        if now.python and ran.python and now.python not in (ran.python, given.python):
            found.insert(0, f"Python {ran.python}, now {now.python}")
        return tuple(found)

    def _of(self, packages: Packages) -> _Environment:
        if packages not in self._known:
            versions = _versions(self._store, packages.document) if packages.document else {}
            self._known[packages] = _Environment(versions, ".".join(packages.python.split(".")[:2]))
        return self._known[packages]


def _versions(store: CodeStore, document: str) -> dict[str, str]:
    """The versions in a list of packages; none if it is gone, or malformed."""
    try:
        found = json.loads(store.get("packages", document))["packages"]
        return {normal(str(name)): str(version) for name, version in found.items()}
    except (SnapshotError, AttributeError, KeyError, TypeError, ValueError):
        return {}


def _imported(others: Collection[str], installed: Collection[str], modules: Collection[str]) -> Iterator[str]:
    """Those of some packages that have a module which is imported.

    Most packages have the name of their module. Only if a module is left, the files of the packages are asked.
    """
    left = {module for module in modules if normal(module) not in installed}
    named = {normal(module) for module in modules}
    for package in others:
        if package in named or (left and not left.isdisjoint(_modules_of(package))):
            yield package


def _modules_of(package: str) -> set[str]:
    """The modules at the top of a package, such as `sklearn` of `scikit-learn`; none if it does not say them."""
    try:
        found = importlib.metadata.distribution(package)
        if top := found.read_text("top_level.txt"):
            return set(top.split())
        paths = found.files or ()
        return {path.parts[0].partition(".")[0] for path in paths if path.suffix in (".py", ".so", ".pyd")}
    except (importlib.metadata.PackageNotFoundError, OSError, ValueError):
        return set()
