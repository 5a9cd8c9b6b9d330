"""Settings files: `<workspace>/.xpm/settings.toml`, and the user's own `~/.config/xpm/settings.toml`.

    redis = "redis://head:6379/0"       # the server to use

A project has settings for its own tasks, in its `pyproject.toml`:

    [tool.xpm]
    templates = false                   # each job imports its packages itself

Owns: where these files lie, and which settings there are. The workspace's file wins over the user's.
"""

from __future__ import annotations

import difflib
import os
import stat
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from xpm_core.errors import SettingsError
from xpm_core.project.origin import class_file, project_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SETTINGS: dict[str, str] = {"redis": "address of the Redis server, such as redis://head:6379/0"}
"""The settings of a workspace or a user, all of them strings, with their meaning."""

PROJECT_SETTINGS: dict[str, str] = {"templates": "whether jobs may be forked from a process with packages imported"}
"""The settings of a project, all of them true or false, with their meaning."""


def settings_files(workspace: Path) -> tuple[Path, Path]:
    """The files in which settings are looked up, in that order. They need not exist."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return workspace / ".xpm" / "settings.toml", Path(home, "xpm", "settings.toml")


def look_up(name: str, workspace: Path) -> tuple[str, Path] | None:
    """Look up a setting.

    Args:
        name: Its name, one of `SETTINGS`.
        workspace: The workspace's directory.

    Returns:
        Its value and the file that sets it; None if no file does.

    Raises:
        SettingsError: A file cannot be read, is not TOML, or has a setting that is unknown or of another type.

    Example:
        >>> look_up("redis", workspace.path)
        ('redis://head:6379/0', PosixPath('/data/xpm/.xpm/settings.toml'))
    """
    for file in settings_files(workspace):
        value = read_settings(file).get(name)
        if value is not None:
            return value, file
    return None


def open_to(file: Path, workspace: Path) -> str:
    """Who can read a settings file and should not: `everybody`, `its group`, or empty for nobody.

    The group may read a workspace's file, because it shares the workspace, but not the user's own file.
    """
    mode = file.stat().st_mode
    if mode & stat.S_IROTH:
        return "everybody"
    return "its group" if mode & stat.S_IRGRP and file != settings_files(workspace)[0] else ""


def read_settings(file: Path) -> dict[str, str]:
    """All settings of one file; none if it does not exist.

    Raises:
        SettingsError: It cannot be read, is not TOML, or has a setting that is unknown or of another type.
    """
    settings = _read(file)
    for name, value in settings.items():
        _refuse_unknown(file, name, name, SETTINGS)
        if not isinstance(value, str):
            problem = f"{name}: expected a string, got {type(value).__name__}"
            raise SettingsError(str(file), problem, f"Give the {SETTINGS[name]}.")
    return settings


@lru_cache(maxsize=256)
def project_settings(root: str) -> Mapping[str, bool]:
    """The settings of a project: the table `tool.xpm` of its pyproject.toml; none if it has no such table.

    Args:
        root: The project's directory; empty if a class belongs to no project.

    Raises:
        SettingsError: That file is not TOML, or the table has a setting that is unknown or of another type.
    """
    file = Path(root, "pyproject.toml")
    if not root or not file.is_file() or b"xpm" not in file.read_bytes():
        return {}
    settings: dict[str, bool] = _read(file).get("tool", {}).get("xpm", {})
    if not isinstance(settings, dict):
        problem = f"tool.xpm: expected a table, got {type(settings).__name__}"
        raise SettingsError(str(file), problem, "Write [tool.xpm].")
    for name, value in settings.items():
        _refuse_unknown(file, f"tool.xpm.{name}", name, PROJECT_SETTINGS)
        if not isinstance(value, bool):
            problem = f"tool.xpm.{name}: expected true or false, got {type(value).__name__}"
            raise SettingsError(str(file), problem, f"Say {PROJECT_SETTINGS[name]}.")
    return settings


def templates_wanted(cls: type) -> bool:
    """Whether the project of a class allows templates.

    Raises:
        SettingsError: See `project_settings`.
    """
    file = class_file(cls)
    return file is None or project_settings(project_of(os.path.dirname(file))[0]).get("templates", True)


def _read(file: Path) -> dict[str, Any]:
    """The content of a file; empty if it does not exist."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(str(file), f"cannot be read: {error.strerror}", "Make it readable, or remove it.") from None
    except ValueError as error:  # also TOMLDecodeError, UnicodeDecodeError
        raise SettingsError(str(file), f"is not TOML: {error}", "Correct it, or remove it.") from None


def _refuse_unknown(file: Path, where: str, name: str, known: Mapping[str, str]) -> None:
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        remedy = f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(sorted(known))}."
        raise SettingsError(str(file), f"unknown setting {where!r}", remedy)
