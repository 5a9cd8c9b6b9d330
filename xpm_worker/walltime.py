"""When a worker hands its jobs back, because it is going to be ended from outside."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from xpm_core.cluster.slurm import allocation_end
from xpm_core.defaults import LEAVE_S
from xpm_worker.system.clock import boot_time

log = logging.getLogger(__name__)


def hand_back_at(walltime_s: float | None, grace_s: float, environment: Mapping[str, str]) -> float | None:
    """Return when to hand jobs back, so that each gets its grace and Redis gets all results before the worker is ended.

    Args:
        walltime_s: After how many seconds the worker is ended, from `--walltime`; None if this was not given.
        grace_s: How long a job may take to end, seconds.
        environment: The environment, in which Slurm says when the allocation ends.

    Returns:
        A moment of the boot clock; None for never. The earlier end counts, if there are two.

    Example:
        >>> hand_back_at(3600, 20, {}) - boot_time()        # LEAVE_S is 1
        3579.0
    """
    ends = [] if walltime_s is None else [walltime_s]
    if (end := allocation_end(environment)) is not None:
        ends.append(end - time.time())
    if not ends:
        return None
    log.info("this worker is ended in %.0f s; jobs are handed back %.0f s before", min(ends), grace_s + LEAVE_S)
    return boot_time() + min(ends) - grace_s - LEAVE_S
