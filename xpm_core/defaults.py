"""Defaults, each defined once: queue, lease, retries, back-off, the time that a stop takes, the folder of a machine."""

from __future__ import annotations

import os

DEFAULT_QUEUE = "default"

DEFAULT_LEASE_S = 30.0
"""After how many seconds of silence a worker loses its job."""

DEFAULT_MAX_RETRIES = 0
"""How often a job is run again after its own errors."""

DEFAULT_MAX_LOSSES = 3
"""How often a job is run again after its worker was lost."""

DEFAULT_BACKOFF_S = 10.0
"""Delay of the first retry, in seconds. Each further retry waits twice as long, at most an hour."""

DEFAULT_GRACE_S = 20.0
"""How long a job that is handed back or cancelled may take to end by itself, in seconds."""

LEAVE_S = 1.0
"""How long a worker may take to leave after its last job has ended, in seconds: it reports to the server meanwhile."""

MACHINE_FOLDER = f"/tmp/xpm-{os.geteuid()}"
"""What xpm keeps on the local disk of a machine: sockets of embedded servers, and the code of jobs."""
