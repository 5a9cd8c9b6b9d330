"""What a project says about its snapshots, in its pyproject.toml.

[tool.xpm.snapshot]
include = ["build/*.so"]            # kept though git ignores them, at any size, also when their names are secret
exclude = ["data"]                  # never kept
also = ["../lib"]                   # further roots, such as editable packages beside the project
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from xpm_core.errors import SettingsError
from xpm_core.project.toml_files import TomlFile
from xpm_core.snapshot.taking.files.names import Patterns

TABLE = ("tool", "xpm", "snapshot")

SNAPSHOT_SETTINGS = {
    "include": "paths or patterns of files",
    "exclude": "paths or patterns of files",
    "also": "folders, seen from this file",
}
"""The settings, and what each is a list of."""


@dataclass(frozen=True)
class SnapshotSettings:
    """The settings of a root.

    Attributes:
        include: Patterns of files that are kept in any case.
        exclude: Patterns of files that are never kept.
        also: Further roots, absolute paths without links.
        where: The file, and the line of `include`.
    """

    include: Patterns = field(default_factory=Patterns)
    exclude: Patterns = field(default_factory=Patterns)
    also: tuple[str, ...] = ()
    where: str = ""


def read_settings(root: str) -> SnapshotSettings:
    """Read the settings of a root. Without a pyproject.toml there are none.

    Raises:
        SettingsError: The file is not TOML; the table has an unknown key, a value of another type, a pattern that
            leaves the root, or a folder that does not exist.
    """
    path = Path(root, "pyproject.toml")
    try:
        if b"snapshot" not in path.read_bytes():
            return SnapshotSettings(where=str(path))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return SnapshotSettings(where=str(path))
    except OSError:
        pass  # the error below says why
    file = TomlFile.read(path)
    lists: dict[str, list[str]] = {}
    for name, value in _table(file).items():
        file.refuse_unknown((*TABLE, name), SNAPSHOT_SETTINGS)
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            problem = f"{'.'.join((*TABLE, name))}: expected a list of strings"
            raise SettingsError(file.where(*TABLE, name), problem, f"Give {SNAPSHOT_SETTINGS[name]}.")
        lists[name] = value
    include, exclude = (_patterns(file, name, lists.get(name, [])) for name in ("include", "exclude"))
    also = tuple(_folder(file, root, each) for each in lists.get("also", []))
    return SnapshotSettings(include, exclude, also, file.where(*TABLE, "include"))


def _table(file: TomlFile) -> dict[str, object]:
    """The table of the file; empty if it has none."""
    found: object = file.content
    for depth, name in enumerate(TABLE, 1):
        found = found.get(name, {}) if isinstance(found, dict) else {}
        if not isinstance(found, dict):
            problem = f"{'.'.join(TABLE[:depth])}: expected a table, got {type(found).__name__}"
            raise SettingsError(file.where(*TABLE[:depth]), problem, "Write [tool.xpm.snapshot].")
    return found if isinstance(found, dict) else {}


def _patterns(file: TomlFile, name: str, patterns: list[str]) -> Patterns:
    for pattern in patterns:
        if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
            problem = f"{'.'.join((*TABLE, name))}: {pattern!r} leaves the project"
            remedy = "Write a path from the folder of this file. For a folder elsewhere, use also."
            raise SettingsError(file.where(*TABLE, name), problem, remedy)
    return Patterns(patterns)


def _folder(file: TomlFile, root: str, given: str) -> str:
    folder = os.path.realpath(os.path.join(root, os.path.expanduser(given)))
    if not os.path.isdir(folder):
        problem = f"{'.'.join((*TABLE, 'also'))}: there is no folder {folder}"
        raise SettingsError(file.where(*TABLE, "also"), problem, "Correct the path, or take it out.")
    return folder
