"""Defaults of jobs and workers, each defined once: queue, lease, retries, back-off, and the time that a stop takes."""

from __future__ import annotations

DEFAULT_GRACE_S = 20.0
"""How long a job that is handed back or cancelled may take to end by itself."""

LEAVE_S = 1.0
"""What is kept for telling the server and leaving, after the last job has ended."""

DEFAULT_QUEUE = "default"
DEFAULT_LEASE_S = 30.0
DEFAULT_MAX_RETRIES = 0
"""How often a job is run again after its own errors."""
DEFAULT_MAX_LOSSES = 3
"""How often a job is run again after its worker was lost."""
DEFAULT_BACKOFF_S = 10.0
"""Delay of the first retry; each further one takes twice as long, at most an hour."""
