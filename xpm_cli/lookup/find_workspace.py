"""Which workspace a command is about.

Owns: the order in which a workspace is looked for. Imports little, because completion waits for it.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import click

from xpm_cli.app import setting
from xpm_core.errors import UnknownWorkspaceError, WorkspaceError
from xpm_core.project.settings import SETTINGS, look_up
from xpm_core.project.workspace_names import directory_of

VARIABLE = SETTINGS["workspace"].variable
NAMED = 5
"""How many workspaces an error names."""


@dataclass(frozen=True)
class Place:
    """A workspace that was found.

    Attributes:
        path: Its directory.
        source: What led to it: an option, a variable, a file and its line, or words.
    """

    path: Path
    source: str


def find_workspace(given: str | None, *, create: bool = False, quiet: bool | None = None) -> Place:
    """The workspace that is meant: the given one, else XPM_WORKSPACE, else the nearest one here or above.

    If there is none of these, it is the one in a folder of the current directory, because scripts are often started
    beside their workspace. Else it is the one in the user's settings.

    Args:
        given: Its directory, or its name in the user's settings.
        create: Whether the command makes the directory that is given, if it does not exist.
        quiet: Whether to say nothing of a folder that has the same name; None for what the option --quiet says.

    Raises:
        WorkspaceError: No workspace is given, and none is found; or several lie in the current directory.
        UnknownWorkspaceError: What is given is neither a directory nor a name.
    """
    quiet = bool(setting("quiet")) if quiet is None else quiet
    if given:
        return Place(Path(directory_of(given, create=create, quiet=quiet)), f"-w {shlex.quote(given)}")
    if from_environment := os.environ.get(VARIABLE):
        return _named(from_environment, VARIABLE, quiet)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if _is_workspace(folder):
            return Place(folder, "the current directory" if folder == here else "above the current directory")
    below = _workspaces_in(here)
    if len(below) == 1:
        return Place(below[0], "the only one in the current directory")
    if below:
        names = [folder.name for folder in below]
        problem = f"has several workspaces: {', '.join(names[:NAMED])}{' …' if len(names) > NAMED else ''}"
        raise WorkspaceError(str(here), problem, f"Name one: {_typed()} --workspace {shlex.quote(names[0])}.")
    if (found := look_up("workspace", None)) is not None:
        return _named(found.value, str(found), quiet)
    raise WorkspaceError(str(here), "is in no workspace", f"Name one: {_typed()} --workspace DIR, or set {VARIABLE}.")


def _typed() -> str:
    """The command that was typed, such as `xpm ui`, without what followed it."""
    context = click.get_current_context(silent=True)
    return context.command_path if context is not None else "xpm status"


def _named(given: str, source: str, quiet: bool) -> Place:
    """The workspace that a variable or a file names. An error says which of them does."""
    try:
        return Place(Path(directory_of(given, quiet=quiet)), source)
    except UnknownWorkspaceError as error:
        raise UnknownWorkspaceError(f"{error.where}, named by {source}", error.problem, error.remedy) from None


def _is_workspace(folder: Path) -> bool:
    try:
        return (folder / ".xpm" / "workspace.json").is_file()
    except OSError:  # others' folders may not be entered
        return False


def _workspaces_in(here: Path) -> list[Path]:
    """The folders of a directory that are workspaces, by name."""
    try:
        return sorted(folder for folder in here.iterdir() if _is_workspace(folder))
    except OSError:
        return []
