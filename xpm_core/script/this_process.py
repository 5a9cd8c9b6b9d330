"""The script's own process: who runs it, where, how many CPUs it may use, and whether it is to be a dry run."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from typing import Any


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
