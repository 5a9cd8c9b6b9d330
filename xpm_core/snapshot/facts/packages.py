"""The installed packages of this interpreter, as the document `packages` of a workspace.

    {"schema": 1, "python": "3.12.4", "implementation": "CPython",
     "packages": {"numpy": "2.1.3", ...},
     "sources": {"lab": {"folder": "/home/me/lab", "editable": true, "commit": "1a2b...", "dirty": true, ...}}}

Owns: its form. Equal environments have equal documents. It is made again only if something changed since.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from xpm_core.snapshot.facts.installed import Package, folders, installed
from xpm_core.snapshot.facts.sources import Look, Source, sources

SCHEMA = 1


class _Made(NamedTuple):
    """A document, and by what it is known to be today's."""

    folders: list[tuple[str, int]]
    looks: list[Look]
    sources: Mapping[str, Source]
    data: bytes


@dataclass
class Environment:
    """The packages on an import path.

    Attributes:
        path: The folders; None for `sys.path`, as it is at each call.
    """

    path: Sequence[str] | None = None
    _made: _Made | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()  # the thread that held it is not in the child

    def document(self) -> bytes:
        """The document of the packages as they are now."""
        with self._lock:
            listed = [
                (folder, _mtime_ns(folder)) for folder in folders(self.path if self.path is not None else sys.path)
            ]
            made = self._made
            if made is None or listed != made.folders:
                made = self._made = _make(listed)
            elif made.looks != (looks := _looks(made.sources)):
                packages = json.loads(made.data)["packages"]
                made = self._made = _Made(listed, looks, made.sources, _written(packages, made.sources, looks))
            return made.data


_HERE = Environment()


def packages_document() -> bytes:
    """The installed packages of this interpreter by name and version; of those from no index, where they come from.

    It is remembered, and made again if packages were installed since, or files of an editable one changed. Damaged
    metadata of a package is no error.

    Example:
        >>> digest = store.put("packages", packages_document())
    """
    return _HERE.document()


def prepare() -> None:
    """Make the document in a thread, so that a later call of `packages_document` finds it."""
    threading.Thread(target=packages_document, name="xpm-packages", daemon=True).start()


def _make(listed: list[tuple[str, int]]) -> _Made:
    path = [folder for folder, _ in listed]
    found = installed(path)
    others = sources(found, path)
    looks = _looks(others)
    return _Made(listed, looks, others, _written(_versions(found), others, looks))


def _looks(others: Mapping[str, Source]) -> list[Look]:
    return [source.look() for source in others.values()]


def _versions(found: Mapping[str, Package]) -> dict[str, str]:
    return {name: package.version for name, package in found.items()}


def _written(packages: Mapping[str, str], others: Mapping[str, Source], looks: Sequence[Look]) -> bytes:
    document = {
        "schema": SCHEMA,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "packages": dict(packages),
        "sources": {name: each.facts(look) for (name, each), look in zip(others.items(), looks, strict=True)},
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def _mtime_ns(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0
