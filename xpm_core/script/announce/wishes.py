"""What a user wishes to be sent, by the table `notify` of the settings.

Owns: whose command is run. Everybody who can write in a workspace can write its settings file.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from xpm_core.project.settings import EVENTS, Found, look_up, users_file


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
    command = found.value.get("command", "")
    problem = _distrust(found) if command else ""
    command = "" if problem else command
    on = found.value.get("on", EVENTS)
    return Wishes(command, tuple(found.value.get("apprise", ())), tuple(each for each in EVENTS if each in on), problem)


def _distrust(found: Found) -> str:
    """Why the command of a file is not run; empty if only this user, or root, can have written it."""
    try:
        about = found.file.stat()
    except OSError as error:
        return f"{found}: notify.command is not run, because the file cannot be looked at: {error.strerror}."
    if about.st_uid not in (os.geteuid(), 0):
        why, remedy = "another user has written this file", f"Write the command into {users_file()}."
    elif _others_write(about) and found.file != users_file():
        why, remedy = "others can write this file", f"Let only yourself write it: chmod go-w {found.file}"
    else:
        return ""
    return f"{found}: notify.command is not run, because {why}. {remedy}"


def _others_write(about: os.stat_result) -> bool:
    """Whether others can write a file. A group of the user's own name, which many systems give each user, is his."""
    if about.st_mode & stat.S_IWOTH:
        return True
    try:
        is_own = grp.getgrgid(about.st_gid).gr_name == pwd.getpwuid(about.st_uid).pw_name
    except KeyError:
        is_own = False
    return bool(about.st_mode & stat.S_IWGRP) and not is_own
