"""What a daemon was told on its command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xpm_core.defaults import DEFAULT_GRACE_S, DEFAULT_LEASE_S, DEFAULT_QUEUE

DEFAULT_MAX_LOG_MB = 100.0
"""What a job may print to each of its logs before its middle is left out."""


@dataclass(frozen=True)
class Settings:
    """How a daemon and its workers behave.

    `linger_s` is None for workers that stay, and `burst` is true for those that leave once nothing can be claimed.
    `walltime_s` is None for those that nothing ends. `allow` holds patterns of the modules that jobs may import, empty
    for all; with a `signing_key`, only jobs that are signed with it are run. Each log of a job is kept below
    `max_log_mb`, with 0 it may have any size.
    """

    workspace: Path
    redis: str | None = None
    slots: int = 1
    queues: tuple[str, ...] = (DEFAULT_QUEUE,)
    burst: bool = False
    name: str = ""
    lease_s: float = DEFAULT_LEASE_S
    linger_s: float | None = None
    grace_s: float = DEFAULT_GRACE_S
    walltime_s: float | None = None
    pythonpath: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    max_log_mb: float = DEFAULT_MAX_LOG_MB
    signing_key: bytes | None = field(default=None, repr=False)
