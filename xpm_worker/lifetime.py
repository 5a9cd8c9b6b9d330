"""How long a worker may live: what ends it from outside, and when it hands back what it runs because of that."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from xpm_worker.system import boot_time

log = logging.getLogger(__name__)

SLURM_VARIABLE = "SLURM_JOB_END_TIME"
"""Set by Slurm in an allocation: when it ends, epoch seconds."""

LEAVE_S = 1.0
"""What is kept for telling the server and leaving, after the last job has ended."""


def hand_back_at(walltime_s: float | None, grace_s: float, environment: Mapping[str, str]) -> float | None:
    """When to hand jobs back, so that each has its grace and all is told before the worker is ended.

    Args:
        walltime_s: After how long it is ended, as it was told.
        grace_s: How long a job may take to end.
        environment: Where Slurm says when the allocation ends.

    Returns:
        A moment of the boot clock; None for never.
    """
    ends = [] if walltime_s is None else [walltime_s]
    if (written := environment.get(SLURM_VARIABLE)) is not None:
        try:
            ends.append(float(written) - time.time())
        except ValueError:
            log.warning("%s: expected epoch seconds, got %r; it does not count", SLURM_VARIABLE, written)
    if not ends:
        return None
    log.info("this worker is ended in %.0f s; jobs are handed back %.0f s before", min(ends), grace_s + LEAVE_S)
    return boot_time() + min(ends) - grace_s - LEAVE_S
