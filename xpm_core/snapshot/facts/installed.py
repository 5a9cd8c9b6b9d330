"""The packages that this interpreter finds, by the names of their metadata folders. Their files are hardly read.

`importlib.metadata` parses a file of each package, which takes ten times as long.

Owns: names and versions, and where the metadata of each package lies.
"""

from __future__ import annotations

import os
import re
import sysconfig
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_EGG = re.compile(r"(?P<name>[^-~][^-]*)-(?P<version>[^-]+)(?:-py[\d.]+)?(?:-[^/]*)?")
_SEPARATORS = re.compile("[-_.]+")


class Package(NamedTuple):
    """An installed package.

    Attributes:
        name: Its name, as package indexes compare names: lower case, with `-`.
        version: Its version; empty if it does not say.
        metadata: The folder or file of its metadata.
        folder: The folder of its source, if it is a link to one in the old way (`setup.py develop`); else empty.
    """

    name: str
    version: str
    metadata: str
    folder: str = ""


def installed(path: Sequence[str]) -> dict[str, Package]:
    """The packages on an import path, by name, sorted. The first one of a name counts, as for imports.

    Args:
        path: The folders, as `sys.path` has them.

    Example:
        >>> installed(sys.path)["numpy"].version
        '2.1.3'
    """
    found: dict[str, Package] = {}
    for folder in folders(path):
        for package in _in_folder(folder):
            found.setdefault(package.name, package)
    return dict(sorted(found.items()))


def folders(path: Sequence[str]) -> list[str]:
    """The folders of an import path that may hold packages, each once, as absolute paths."""
    library = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    try:
        found = dict.fromkeys(os.path.abspath(entry) for entry in path)
    except OSError:  # the working directory was removed
        found = dict.fromkeys(entry for entry in path if os.path.isabs(entry))
    return [folder for folder in found if folder not in library and os.path.basename(folder) != "lib-dynload"]


def normal(name: str) -> str:
    """A name as package indexes compare names.

    Example:
        >>> normal("Foo_Bar.baz")
        'foo-bar-baz'
    """
    return _SEPARATORS.sub("-", name).lower()


def _in_folder(folder: str) -> Iterator[Package]:
    """The packages in a folder. An old one may be a folder of its own on the path: `six-1.16-py3.10.egg`."""
    name = os.path.basename(folder)
    if name.endswith(".egg") and (match := _EGG.fullmatch(name.removesuffix(".egg"))):
        yield Package(normal(match["name"]), match["version"], os.path.join(folder, "EGG-INFO"))
        return
    try:
        names = sorted(os.listdir(folder))
    except OSError:  # no folder: an archive, or one that does not exist
        return
    for name in names:
        if name.endswith((".dist-info", ".egg-info", ".egg-link")) and (package := _read(folder, name)) is not None:
            yield package


def _read(folder: str, file: str) -> Package | None:
    """The package of one entry; None for remains of a removed one, and for what is no package."""
    stem, _, kind = file.rpartition(".")
    metadata = os.path.join(folder, file)
    if kind == "egg-link":
        return _linked(stem, metadata)
    if kind == "dist-info":
        name, _, version = stem.rpartition("-")
        is_whole = name and not name.startswith("~") and os.path.exists(os.path.join(metadata, "METADATA"))
        return Package(normal(name), version, metadata) if is_whole else None
    if match := _EGG.fullmatch(stem):
        return Package(normal(match["name"]), match["version"], metadata)
    name, version = _said_in(os.path.join(metadata, "PKG-INFO"))
    return Package(normal(name or stem), version, metadata, folder)  # it lies beside its source


def _linked(stem: str, link: str) -> Package | None:
    """The package of a file that holds the folder of its source."""
    try:
        with open(link, encoding="utf-8", errors="surrogateescape") as lines:
            folder = lines.readline().strip()
    except OSError:
        return None
    beside = [each for each in _in_folder(folder) if each.name == normal(stem)] if os.path.isdir(folder) else []
    return Package(normal(stem), beside[0].version if beside else "", link, folder)


def _said_in(file: str) -> tuple[str, str]:
    """The name and the version in a file of metadata; empty where it does not say."""
    said = {"Name": "", "Version": ""}
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name in said:
                    said[name] = said[name] or value.strip()
                if not line.strip() or all(said.values()):
                    break
    except OSError:
        pass
    return said["Name"], said["Version"]
