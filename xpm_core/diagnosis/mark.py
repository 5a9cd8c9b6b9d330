"""The mark of a daemon: a file that it writes into its workspace, and renews. Its workers note on the server what they
read there. So the doctor can see whether the directory in which it looks is the directory in which they work.

    .xpm/marks/<daemon>.json    the mark, renewed each minute, removed when the daemon leaves

Owns: the form of a mark.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from xpm_core import __version__
from xpm_core.scalars import is_number

RENEW_S = 60.0
"""How often a daemon renews its mark, and its workers note it, seconds."""
STALE_S = 4 * RENEW_S
"""A mark that is this much older than the one that was noted, in seconds, is a copy."""

PACKAGES = ("redis", "rq")


@dataclass(frozen=True)
class Mark:
    """The mark of a daemon.

    Attributes:
        daemon: Its name, which is that of its workers without `.number`.
        nonce: Random characters, drawn when the daemon started.
        at_s: When it was renewed last, epoch seconds by the clock of its machine.
        host: Its machine.
        path: The workspace's directory, as its machine names it.
        free_bytes: How much space is free there for its user.
        versions: The versions of python, xpm and the packages that it runs.
        ahead_s: How far the clock of its machine is ahead of the server's, seconds; None if nobody has measured it.
        problem: Why its workers cannot read the mark; empty if they can.
    """

    daemon: str
    nonce: str
    at_s: float
    host: str
    path: str
    free_bytes: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    ahead_s: float | None = None
    problem: str = ""

    def written(self) -> str:
        """The mark as a file and the server hold it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, written: bytes | str) -> Mark | None:
        """Read what `written` made; None if it is none. Others can write it, so its texts may say anything."""
        try:
            found: Any = json.loads(written)
            fields = {name: found[name] for name in cls.__dataclass_fields__ if name in found}
            mark = cls(**fields)
        except (ValueError, TypeError, RecursionError):
            return None
        return mark if mark._is_sound() else None

    def _is_sound(self) -> bool:
        words = (self.daemon, self.nonce, self.host, self.path, self.problem)
        numbers = (self.at_s, self.free_bytes, 0.0 if self.ahead_s is None else self.ahead_s)
        return (
            all(isinstance(word, str) for word in words)
            and all(is_number(number, -1e18) for number in numbers)
            and isinstance(self.versions, dict)
            and all(isinstance(version, str) for version in self.versions.values())
        )


def marks_folder(workspace: Path) -> Path:
    """The folder of the marks of a workspace."""
    return workspace / ".xpm" / "marks"


def mark_file(workspace: Path, daemon: str) -> Path:
    """The file of a daemon's mark."""
    return marks_folder(workspace) / f"{daemon}.json"


@cache
def versions() -> dict[str, str]:
    """The versions of python, xpm and the packages on which it rests, in this process."""
    found = {"python": platform.python_version(), "xpm": __version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # it lies on the path without being installed
            continue
    return found
