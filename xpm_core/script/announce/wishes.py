"""What a user wishes to be sent, by the table `notify` of the settings.

Owns: whose command is run. Everybody who can write in a workspace can write its settings file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from xpm_core.project.settings import EVENTS, look_up, users_file


@dataclass(frozen=True)
class Wishes:
    """What is sent, and by what.

    Attributes:
        command: A command line for the shell; empty for none.
        apprise: Addresses for apprise. They hold secrets.
        events: What is sent: some of `EVENTS`.
        problem: Why a command is not run that stands in the settings; empty if there is nothing wrong.

    Example:
        >>> wishes_of(workspace).events
        ('failure', 'end')
    """

    command: str = ""
    apprise: tuple[str, ...] = ()
    events: tuple[str, ...] = EVENTS
    problem: str = ""


def wishes_of(workspace: Path) -> Wishes:
    """The wishes that hold in a workspace, by the first settings file with a table `notify`.

    Raises:
        SettingsError: A settings file cannot be read, or is wrong.
    """
    found = look_up("notify", workspace)
    if found is None:
        return Wishes()
    command, problem = found.value.get("command", ""), ""
    if command and not _is_trusted(found.file):
        problem = (
            f"{found}: notify.command is not run, because another user has written this file. "
            f"Write the command into {users_file()}."
        )
        command = ""
    on = found.value.get("on", EVENTS)
    return Wishes(command, tuple(found.value.get("apprise", ())), tuple(each for each in EVENTS if each in on), problem)


def _is_trusted(file: Path) -> bool:
    """Whether this user or root has written a file."""
    try:
        return file.stat().st_uid in (os.geteuid(), 0)
    except OSError:
        return False
