"""Names that only the server of a workspace knows: of workers, queues and tokens, as a command has seen them last.

Completion asks no server. So a command that lists them notes their names, in a file of each kind in the user's cache.

Owns: these files.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from xpm_core.index.folders import memory_file

WORKERS, QUEUES, TOKENS = "workers", "queues", "tokens"
MOST = 1000
"""How many names of a kind are noted."""


def note(workspace: Path, kind: str, names: Iterable[str]) -> None:
    """Note the names of a kind, in place of those noted before. If that is not possible, completion lacks them.

    Args:
        workspace: The workspace.
        kind: WORKERS, QUEUES or TOKENS.
        names: Their names.
    """
    path = _file(workspace, kind)
    with contextlib.suppress(OSError, UnicodeError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        temporary.write_text("".join(f"{name}\n" for name in list(names)[:MOST]), encoding="utf-8")
        os.replace(temporary, path)


def noted(workspace: Path, kind: str) -> list[str]:
    """Return the names of a kind; none if none were noted."""
    try:
        return _file(workspace, kind).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError):
        return []


def _file(workspace: Path, kind: str) -> Path:
    return memory_file(workspace.resolve()).with_suffix(f".{kind}")
