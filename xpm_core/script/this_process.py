"""The script's own process: who runs it, where, how many CPUs it may use, and whether it is to be a dry run.

Also what its own workers and its page get of it.
"""

from __future__ import annotations

import getpass
import os
import socket
import stat
import sys
from typing import Any, TextIO

from xpm_core.server.url import URL_VARIABLE

SLURM_JOB = "SLURM_JOB_ID"
"""The variable that Slurm sets for what runs in an allocation."""


def about() -> dict[str, Any]:
    """Who runs the script, and where, in the form in which Redis keeps it of the run."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no name for this uid
        user = str(os.getuid())
    script = os.path.abspath(sys.argv[0]) if sys.argv and sys.argv[0] else ""
    return {"host": socket.gethostname(), "pid": os.getpid(), "user": user, "script": script, "directory": os.getcwd()}


def cpus() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def dry_run_wanted() -> bool:
    """Whether XPM_DRY_RUN asks for a dry run."""
    return os.environ.get("XPM_DRY_RUN", "") not in ("", "0")


def environment_for(url: str) -> dict[str, str]:
    """The environment of a process that uses the same server: it has the address, for all users can see arguments.

    Args:
        url: The server's address; empty for the embedded one.
    """
    environment = {name: value for name, value in os.environ.items() if name != URL_VARIABLE}
    return {**environment, URL_VARIABLE: url} if url else environment


def others_read(stream: TextIO) -> bool:
    """Whether a stream goes to a file that other users may read, as the output of a batch job often does.

    What a step of Slurm (`srun`) prints goes through a pipe or a socket to a file, of which nothing is known here.
    """
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return False
    if stat.S_ISREG(mode):
        return bool(mode & (stat.S_IRGRP | stat.S_IROTH))
    return SLURM_JOB in os.environ and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))
