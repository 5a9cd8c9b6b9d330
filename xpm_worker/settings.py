"""The options of a daemon, as its command line gives them."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpm_core.defaults import DEFAULT_GRACE_S, DEFAULT_LEASE_S, DEFAULT_QUEUE

DEFAULT_MAX_LOG_MB = 100.0
"""How large each log of a job may get, megabytes."""


@dataclass(frozen=True)
class Settings:
    """How a daemon and its slots behave.

    Attributes:
        workspace: Path or name of the workspace.
        redis: The server's address; None to look it up, or to embed a server.
        slots: How many jobs run at once.
        queues: The queues to serve, in order.
        burst: Whether slots leave once no job can be claimed.
        name: Beginning of the slots' names; empty for the host's name.
        lease_s: How long a job stays reserved for a slot that does not answer, seconds.
        linger_s: Slots leave when no job of the workspace was open for so many seconds; None to stay.
        grace_s: How long after SIGTERM a job is killed, seconds.
        walltime_s: After how many seconds the daemon is ended from outside; None for never.
        pythonpath: Folders in which jobs look for modules first.
        allow: Patterns of the modules that jobs may import; empty for all modules.
        max_log_mb: How large each log of a job may get, megabytes; 0 for any size.
        ordered_code: The daemon's exit code if all slots have left because they were ordered to, from afar.
        signing_key: If there is one, only jobs that are signed with it are run.
    """

    workspace: str
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
    ordered_code: int = 0
    signing_key: bytes | None = field(default=None, repr=False)
