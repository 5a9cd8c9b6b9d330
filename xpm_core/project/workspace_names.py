"""Workspaces by name: what a user types for one, and which directory that is.

    [workspaces]                        # in ~/.config/xpm/settings.toml
    lab = "/data/xpm"

Owns: telling names and directories apart. A name of the user's file wins over a folder of the same name; `./lab` is
always the folder, and so is a `Path`.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Mapping
from functools import cache

from xpm_core.errors import UnknownWorkspaceError
from xpm_core.project.settings import read_settings, users_file

_ALIKE = 0.8
"""How much a new folder has to be like a name to be taken for a mistyped name. 1 is equal."""

log = logging.getLogger(__name__)


def names() -> Mapping[str, str]:
    """The workspaces that have a name: their directories, by name.

    Raises:
        SettingsError: The user's file cannot be read or understood.
    """
    found: dict[str, str] = read_settings(users_file()).content.get("workspaces", {})
    return {name: os.path.expanduser(path) for name, path in found.items()}


def directory_of(
    given: str | os.PathLike[str], *, create: bool = False, quiet: bool = False, folder: str | os.PathLike[str] = ""
) -> str:
    """The directory of a workspace.

    Args:
        given: A name, or a directory.
        create: Whether a directory that does not exist may be made.
        quiet: Whether to say nothing if a folder here has the same name.
        folder: Where a directory is named from; empty for the current directory. It is not put before the result.

    Raises:
        UnknownWorkspaceError: It is neither a name nor a directory; or it may be a mistyped name.
        SettingsError: The user's file cannot be read or understood.

    Example:
        >>> directory_of("lab"), directory_of("./lab")
        ('/data/xpm', './lab')
    """
    path = os.fspath(given)
    if not isinstance(given, str) or "/" in path or path[:1] in ("", ".", "~"):
        return os.path.expanduser(path)
    known, here = names(), os.path.join(folder, path)
    if path in known:
        if not quiet and os.path.isdir(here) and os.path.realpath(here) != os.path.realpath(known[path]):
            _say_once(f"The workspace {path} is {known[path]}, by {users_file()}. For the folder here, write ./{path}.")
        return known[path]
    close = difflib.get_close_matches(path, known, 1, _ALIKE if create else 0.6)
    if os.path.exists(here) or (create and not close):
        return path
    problem, remedy = "no workspace has this name, and no folder here", "Give the path of its directory."
    if known:
        hint = f"Did you mean {close[0]!r}? " if close else ""
        remedy = f"{hint}Names are {', '.join(sorted(known))}, by {users_file()}. A folder is written ./{path}."
    raise UnknownWorkspaceError(f"Workspace {path!r}", problem, remedy)


@cache
def _say_once(text: str) -> None:
    log.warning("%s", text)
