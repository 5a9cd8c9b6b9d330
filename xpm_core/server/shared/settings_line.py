"""The line of a workspace's settings that names its server: writing it, reading it, taking it out.

    <workspace>/.xpm/settings.toml      redis = "redis://:PASSWORD@head:41234/0"

Owns: the file's form and its permissions. Other lines of the file stay as they are.
"""

from __future__ import annotations

import contextlib
import re
import stat
from pathlib import Path

from xpm_core.project.settings import programs_file, read_settings
from xpm_core.workspace.files import explained, write_atomic

_COMMENT = "# Written by xpm server start. xpm server stop takes it out."
_OWN_LINE = re.compile(r"\s*(redis\s*=|" + re.escape(_COMMENT) + ")")
_PLACE = "redis"


def read_url(workspace: Path) -> str:
    """The address that the file names, as it stands there; empty if it names none.

    Raises:
        SettingsError: The file cannot be read or understood.
    """
    url: str = read_settings(programs_file(workspace), workspace).content.get(_PLACE, "")
    return url


def write_url(workspace: Path, url: str, *, group: bool) -> None:
    """Write the address into the file.

    Args:
        workspace: The workspace's directory.
        url: The address; it holds a password.
        group: Whether the group of the workspace may read it. If it may already, it still may.

    Raises:
        WorkspaceError: It cannot be written.
    """
    file = programs_file(workspace)
    group = group or group_reads(workspace)
    _write(workspace, [_COMMENT, f'redis = "{url}"', *_other_lines(file)], group)


def remove_url(workspace: Path) -> None:
    """Take the address out of the file. A file that says nothing else is removed.

    Raises:
        WorkspaceError: It cannot be written.
    """
    file = programs_file(workspace)
    others = _other_lines(file)
    if others:
        _write(workspace, others, group_reads(workspace))
        return
    with explained(file, "cannot be removed"), contextlib.suppress(FileNotFoundError):
        file.unlink()


def group_reads(workspace: Path) -> bool:
    """Whether the group may read the file. It also may if there is no other one than its owner."""
    try:
        return bool(programs_file(workspace).stat().st_mode & stat.S_IRGRP)
    except FileNotFoundError:
        return False


def is_shared(workspace: Path) -> bool:
    """Whether a group writes in the workspace."""
    return bool(workspace.stat().st_mode & stat.S_IWGRP)


def _write(workspace: Path, lines: list[str], group: bool) -> None:
    """Write the file for its owner alone, or also for the group of the workspace to read."""
    data = "".join(f"{line}\n" for line in lines).encode()
    mode, owner = (0o640, workspace.stat().st_gid) if group else (0o600, None)
    write_atomic(programs_file(workspace), data, durable=True, mode=mode, group=owner)


def _other_lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text(encoding="utf-8").splitlines() if not _OWN_LINE.match(line)]
    except FileNotFoundError:
        return []
