"""The peers, each in an environment of its own, which is made once and kept in the user's cache.

Owns: what is installed where, and how a side is run: `sides/<side>.py WHAT '{"option": …}'` prints its answer as JSON.
A peer that cannot be installed is absent, and the row says so.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness import ROOT

SIDES = Path(__file__).resolve().parent / "sides"
TIMEOUT_S = 1800.0
FOREIGN = (
    "XPM_REDIS_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "XPM_SNAPSHOT", "XPM_SNAPSHOT_FOLDER",
)  # fmt: skip
"""Variables that would make a side other than its users have it."""


@dataclass(frozen=True)
class Peer:
    """What is installed for a side."""

    name: str
    packages: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Its environment."""
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xpm-bench"
        return base / f"{self.name}-python{platform.python_version()}"


PEERS = {
    "rq": Peer("rq-3-numpy", ("rq==3.*", "redis>=6.4", "numpy")),
    "hyperqueue": Peer("hyperqueue-0.27", ("hyperqueue==0.27.*",)),
    "experimaestro": Peer("experimaestro-2.7-learn", ("experimaestro==2.7.*", "scikit-learn")),
    "py-spy": Peer("py-spy", ("py-spy",)),
    "submitit": Peer("submitit-1", ("submitit==1.*", "scikit-learn")),
}


class SideError(Exception):
    """A side ended with an error."""


@cache
def python_of(side: str) -> str | None:
    """The interpreter of a side. It is installed if it is not there yet. None if it cannot be installed."""
    if side == "ours":
        return sys.executable
    peer = PEERS[side]
    python, made = peer.folder / "bin" / "python", peer.folder / "made"
    if not made.exists():
        print(f"installing {', '.join(peer.packages)} into {peer.folder}", file=sys.stderr)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.packages]
        for command in ([sys.executable, "-m", "venv", "--clear", str(peer.folder)], pip):
            result = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if result.returncode != 0:
                print(f"{peer.name} is absent: {result.stderr.strip()[-300:]}", file=sys.stderr)
                return None
        made.touch()
    return str(python)


def absent(side: str) -> str:
    """Why a peer cannot be compared with; empty when it can."""
    return "" if python_of(side) else f"{side} could not be installed"


def run(side: str, what: str, **options: Any) -> dict[str, Any]:
    """Let a side do something, in a process of its own, and return its answer.

    Raises:
        SideError: The side failed. The error holds the end of its output.
    """
    python = python_of(side)
    assert python is not None, "asked before"
    script = SIDES / ("ours.py" if side == "ours" else f"with_{side}.py")
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    if side == "ours":
        environment["PYTHONPATH"] = str(ROOT)
    result = subprocess.run(
        [python, str(script), what, json.dumps(options)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    lines = result.stdout.splitlines()
    if result.returncode != 0 or not lines:
        raise SideError(f"{side}, {what}: exit code {result.returncode}\n{result.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer
