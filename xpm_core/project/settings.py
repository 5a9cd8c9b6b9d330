"""Settings: which there are, in which files they stand, and which file counts.

    <workspace>/.xpm/settings.toml      written by `xpm server start`
    <workspace>/xpm.toml                written by people, for everybody who uses the workspace
    ~/.config/xpm/settings.toml         the user's own

A project has settings for its own tasks, in its `pyproject.toml`:

    [tool.xpm]
    templates = false                   # each job imports its packages itself

Owns: the list of settings, with their types, meanings and order. An argument or option of a program wins over the
variable of the environment, and that over the files; whoever reads a setting asks for these first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from xpm_core.errors import SettingsError
from xpm_core.project.origin import class_file, project_of
from xpm_core.project.toml_files import TomlFile


@dataclass(frozen=True)
class Setting:
    """A setting of a workspace or a user.

    Attributes:
        kind: The type of its value: text, or a table of texts.
        meaning: What its value is.
        variable: The variable of the environment that wins over the files; empty without one.
        option: The option of `xpm` that wins over both; empty without one.
        of_user: Whether it can only stand in the user's file.
    """

    kind: type
    meaning: str
    variable: str = ""
    option: str = ""
    of_user: bool = False


SETTINGS: dict[str, Setting] = {
    "redis": Setting(str, "address of the Redis server, such as redis://head:6379/0", "XPM_REDIS_URL", "--redis"),
    "workspace": Setting(
        str, "workspace to look at where none is near: a directory or a name", "XPM_WORKSPACE", "-w", True
    ),
    "workspaces": Setting(dict, "names of workspaces, each with its directory", of_user=True),
    "notify": Setting(dict, "how scripts send that a job has failed, and that a run has ended"),
}
"""The settings of a workspace or a user, by name."""

NOTIFY: dict[str, tuple[type, str]] = {
    "command": (str, "command line that gets the text on its standard input"),
    "apprise": (list, "list of addresses for apprise, such as mailto://..."),
    "on": (list, "list of what is sent: failure, end"),
}
"""What the table `notify` can hold, each with its type and meaning."""

EVENTS = ("failure", "end")
"""What can be sent: that the first job of a run has failed, and how a run has ended."""

PROJECT_SETTINGS: dict[str, str] = {"templates": "whether jobs may be forked from a process with packages imported"}
"""The settings of a project, all of them true or false, with their meaning."""

_TABLES = ("snapshot",)
"""Tables in `tool.xpm`, which the room that uses each of them reads (snapshot/taking/files/settings.py)."""


_CLOSED = "Let its owner open it to the group of the workspace: xpm server start --group"
"""What to do if this user may not read a settings file of a workspace."""


@dataclass(frozen=True)
class Found:
    """A setting in a file.

    Attributes:
        line: The number of its line; None if that is not known.
    """

    value: Any
    file: Path
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else str(self.file)


def users_file() -> Path:
    """The user's own file. It need not exist."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(home, "xpm", "settings.toml")


def programs_file(workspace: Path) -> Path:
    """The file of a workspace that programs write. It need not exist."""
    return workspace / ".xpm" / "settings.toml"


def settings_files(workspace: Path | None) -> tuple[Path, ...]:
    """The files in which settings are looked up, in that order. They need not exist.

    Args:
        workspace: The workspace's directory; None outside of any workspace.
    """
    if workspace is None:
        return (users_file(),)
    return programs_file(workspace), workspace / "xpm.toml", users_file()


def look_up(name: str, workspace: Path | None) -> Found | None:
    """Look up a setting in the files.

    Args:
        name: Its name, one of `SETTINGS`.
        workspace: The workspace's directory; None outside of any workspace.

    Returns:
        Its value and the file that sets it; None if no file does.

    Raises:
        SettingsError: A file cannot be read, is not TOML, or has a setting that is unknown or of another type.

    Example:
        >>> found = look_up("redis", workspace.path)
        >>> found.value, str(found)
        ('redis://head:6379/0', '/data/xpm/.xpm/settings.toml:2')
    """
    return next(iter(look_up_all(name, workspace)), None)


def look_up_all(name: str, workspace: Path | None) -> list[Found]:
    """All files that set a setting; the first one counts. Arguments and errors are those of `look_up`."""
    files = [read_settings(path, workspace) for path in settings_files(workspace)]
    return [Found(file.content[name], file.path, file.line_of(name)) for file in files if name in file.content]


def open_to(file: Path, workspace: Path) -> str:
    """Who can read a settings file and should not: `everybody`, `its group`, or empty for nobody.

    The group may read a workspace's file, because it shares the workspace, but not the user's own file.
    """
    mode = file.stat().st_mode
    if mode & stat.S_IROTH:
        return "everybody"
    return "its group" if mode & stat.S_IRGRP and file not in settings_files(workspace)[:2] else ""


def read_settings(path: Path, workspace: Path | None = None) -> TomlFile:
    """Read a settings file; it says nothing if it does not exist.

    Args:
        path: The file.
        workspace: The workspace whose settings are asked for; None outside of any.

    Raises:
        SettingsError: It cannot be read, is not TOML, or has a setting that is unknown or of another type.
    """
    own = users_file()
    file = TomlFile.read(path, "Make it readable for you." if path == own else _CLOSED)
    for name, value in file.content.items():
        file.refuse_unknown((name,), SETTINGS)
        if SETTINGS[name].of_user and workspace is not None and path != own:
            raise SettingsError(file.where(name), f"{name}: only a user can set it", f"Write it into {own}.")
        _check(file, (name,), value, SETTINGS[name])
    return file


def _check(file: TomlFile, names: tuple[str, ...], value: object, setting: Setting) -> None:
    """Refuse a value of a wrong type."""
    where, said = file.where(*names), ".".join(names)
    expected = "a string" if setting.kind is str else "a table"
    if not isinstance(value, setting.kind):
        problem = f"{said}: expected {expected}, got {type(value).__name__}"
        raise SettingsError(where, problem, f"Give the {setting.meaning}.")
    if value == "":
        raise SettingsError(where, f"{said}: it is empty", f"Give the {setting.meaning}. Or take the line out.")
    if said == "workspace" and isinstance(value, str) and "/" in value and not os.path.isabs(os.path.expanduser(value)):
        problem = f"{said}: expected a name, an absolute path, or one that begins with ~, got {value!r}"
        raise SettingsError(where, problem, "Write the whole path of its directory.")
    if said == "notify" and isinstance(value, dict):
        _check_notify(file, value)
        return
    for key, part in value.items() if isinstance(value, dict) else ():
        if not isinstance(part, str) or not os.path.isabs(os.path.expanduser(part)):
            shown = repr(part) if isinstance(part, str) else type(part).__name__
            problem = f"{said}.{key}: expected an absolute path, or one that begins with ~, got {shown}"
            raise SettingsError(file.where(*names, key), problem, "Write the whole path of its directory.")
        if not key or "/" in key or key[0] in ".~-":
            problem = f"{said}: {key!r} cannot be the name of a workspace, because it would be taken for a path"
            raise SettingsError(file.where(*names, key), problem, "Use letters, digits, '_', '-' and '.'.")


def _check_notify(file: TomlFile, value: dict[str, Any]) -> None:
    """Refuse a wrong value in the table `notify`. No error shows a value, because addresses hold secrets."""
    for key, part in value.items():
        names = ("notify", key)
        file.refuse_unknown(names, NOTIFY)
        kind, meaning = NOTIFY[key]
        texts = part if isinstance(part, list) else [part]
        if not isinstance(part, kind) or not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            expected = "a string that is not empty" if kind is str else "a list of strings, none of them empty"
            problem = f"notify.{key}: expected {expected}"
            raise SettingsError(file.where(*names), problem, f"Give the {meaning}.")
        if key == "on" and (wrong := sorted({*texts} - {*EVENTS})):
            problem = f"notify.on: expected {' or '.join(EVENTS)}, got {wrong[0].partition('://')[0]!r}"
            raise SettingsError(file.where(*names), problem, 'Write on = ["failure", "end"], or one of them.')


@lru_cache(maxsize=256)
def project_settings(root: str) -> Mapping[str, bool]:
    """The settings of a project: the table `tool.xpm` of its pyproject.toml; none if it has no such table.

    Args:
        root: The project's directory; empty if a class belongs to no project.

    Raises:
        SettingsError: That file is not TOML, or the table has a setting that is unknown or of another type.
    """
    path = Path(root, "pyproject.toml")
    if not root or not path.is_file() or b"xpm" not in path.read_bytes():
        return {}
    file = TomlFile.read(path)
    settings: dict[str, bool] = file.content.get("tool", {}).get("xpm", {})
    if not isinstance(settings, dict):
        problem = f"tool.xpm: expected a table, got {type(settings).__name__}"
        raise SettingsError(file.where("tool", "xpm"), problem, "Write [tool.xpm].")
    for name, value in settings.items():
        names = ("tool", "xpm", name)
        file.refuse_unknown(names, {*PROJECT_SETTINGS, *_TABLES})
        if name not in _TABLES and not isinstance(value, bool):
            problem = f"tool.xpm.{name}: expected true or false, got {type(value).__name__}"
            raise SettingsError(file.where(*names), problem, f"Say {PROJECT_SETTINGS[name]}.")
    return {name: value for name, value in settings.items() if name not in _TABLES}


def templates_wanted(cls: type) -> bool:
    """Whether the project of a class allows templates.

    Raises:
        SettingsError: See `project_settings`.
    """
    file = class_file(cls)
    return file is None or project_settings(project_of(os.path.dirname(file))[0]).get("templates", True)
