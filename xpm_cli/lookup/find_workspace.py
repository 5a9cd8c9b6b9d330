"""The workspace that is meant, before anything of it is read.

Imports little, because completion waits for it.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from xpm_core.errors import WorkspaceError

NAMED = 5
"""How many workspaces an error names."""


def find_workspace(given: Path | None) -> Path:
    """The workspace that is meant: the given one, else XPM_WORKSPACE, else the nearest one here or above.

    If there is none of these, it is the one in a folder of the current directory, because scripts are often started
    beside their workspace.

    Raises:
        WorkspaceError: No workspace is given, and none is found; or several lie in the current directory.
    """
    named = given or os.environ.get("XPM_WORKSPACE")
    if named:
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if _is_workspace(folder):
            return folder
    below = _workspaces_in(here)
    if len(below) == 1:
        return below[0]
    if below:
        names = [folder.name for folder in below]
        problem = f"has several workspaces: {', '.join(names[:NAMED])}{' …' if len(names) > NAMED else ''}"
        raise WorkspaceError(str(here), problem, f"Name one: xpm status --workspace {shlex.quote(names[0])}.")
    raise WorkspaceError(str(here), "is in no workspace", "Name one: xpm status --workspace DIR, or set XPM_WORKSPACE.")


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
