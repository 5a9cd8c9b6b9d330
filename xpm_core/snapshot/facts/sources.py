"""Packages that come from no index: editable ones, path dependencies, and those of a repository or an archive.

Owns: what `direct_url.json`, `*.pth` and `*.egg-link` say of them, and the digest of their Python files.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from xpm_core.snapshot.facts import secrets
from xpm_core.snapshot.facts.checkout import checkout, stamps
from xpm_core.snapshot.facts.installed import Package, normal
from xpm_core.snapshot.facts.python_files import Folder, digest_of, look_through

_KINDS = ("vcs_info", "archive_info")


class Look(NamedTuple):
    """How the folder of a source looked at one moment.

    Attributes:
        files: The files in it; None if they are not what is imported, or are too many.
        git: Sizes and times of git's files.
    """

    files: Folder | None
    git: list[tuple[int, int]]


class Source(NamedTuple):
    """Where a package comes from that comes from no index.

    Attributes:
        package: The package.
        folder: The folder of its source on this machine; empty if it has none.
        editable: Whether the files in that folder are imported.
        said: What `direct_url.json` says of a repository or an archive.
    """

    package: Package
    folder: str
    editable: bool
    said: Mapping[str, str] = {}

    def look(self) -> Look:
        """Look at the folder. An equal look later means that `facts` says the same."""
        if not self.folder:
            return Look(None, [])
        return Look(look_through(self.folder) if self.editable else None, stamps(self.folder))

    def facts(self, look: Look) -> dict[str, Any]:
        """What is recorded of it.

        Args:
            look: What `look` has returned just now.

        Returns:
            `folder`, `editable`, `commit`, `dirty` (whether the files that are imported differ from the commit; null if
            that is not known), `files` (how many Python files it has) and `digest` (the SHA-256 over them); `url` for a
            repository or an archive.
        """
        if not self.folder:
            return dict(self.said)
        state = checkout(self.folder)
        found: dict[str, Any] = {"folder": self.folder, "editable": self.editable}
        if state is not None:
            found |= {"commit": state.commit, "dirty": state.dirty}
        if self.editable:
            root, files = self.folder, look.files.python if look.files is not None else None
        else:
            root, files = os.path.dirname(self.package.metadata), _own_files(self.package)
            if state is not None and files is not None and not _is_copy(root, files, self.folder):
                found["dirty"] = True  # the folder was changed since the package was installed from it
        if files is not None:
            found |= {"files": len(files), "digest": digest_of(root, files)}
        return found


def sources(packages: Mapping[str, Package], path: Iterable[str]) -> dict[str, Source]:
    """The packages that come from no index, by name.

    Args:
        packages: The installed packages.
        path: The folders in which they were found.
    """
    found = {name: source for name, package in packages.items() if (source := _source(package)) is not None}
    for folder in path:
        for name, place in _linked_folders(folder):
            if name in packages and name not in found:
                found[name] = Source(packages[name], place, editable=True)
    return dict(sorted(found.items()))


def _source(package: Package) -> Source | None:
    if package.folder:
        return Source(package, package.folder, editable=True)
    try:
        with open(os.path.join(package.metadata, "direct_url.json"), "rb") as file:
            said = json.load(file)
        url = str(said["url"])
        if "dir_info" in said and url.startswith("file:"):
            return Source(package, unquote(urlsplit(url).path), bool(said["dir_info"].get("editable")))
        details: Mapping[str, Any] = next((said[kind] for kind in _KINDS if kind in said), {})
        known = {"url": secrets.text(url), "commit": details.get("commit_id"), "hash": details.get("hash")}
        return Source(package, "", False, {name: str(value) for name, value in known.items() if value})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # it has no such file, or a damaged one
        return None


def _linked_folders(folder: str) -> Iterator[tuple[str, str]]:
    """The package and the folder for each `*.pth` that adds a folder for one package, as flit and poetry write them."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".pth"))
    except OSError:
        return
    for name in names:
        stem = name.removesuffix(".pth").removeprefix("__editable__.").lstrip("_")
        package = normal(stem.partition("-")[0])
        try:
            with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as lines:
                places = [line.strip() for line in lines if os.path.isabs(line.strip())]
        except OSError:
            continue
        if places and os.path.isdir(places[0]):
            yield package, places[0]


def _own_files(package: Package) -> list[str] | None:
    """The Python files of a package, by its list of files; None if it has none."""
    try:
        with open(os.path.join(package.metadata, "RECORD"), encoding="utf-8", errors="replace", newline="") as file:
            return sorted(row[0] for row in csv.reader(file) if row and row[0].endswith(".py"))
    except (OSError, csv.Error):
        return None


def _is_copy(root: str, files: list[str], folder: str) -> bool:
    """Whether the files of an installed package are those in the folder of its source."""
    for base in (folder, os.path.join(folder, "src")):
        if files and os.path.exists(os.path.join(base, files[0])):
            return digest_of(root, files) == digest_of(base, files)
    return False
