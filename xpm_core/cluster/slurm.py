"""How long workers can live in an allocation of Slurm."""

from __future__ import annotations

import logging
from collections.abc import Mapping

log = logging.getLogger(__name__)

SLURM_VARIABLE = "SLURM_JOB_END_TIME"
"""Environment variable that Slurm sets in an allocation: when the allocation ends, in epoch seconds (man srun)."""


def allocation_end(environment: Mapping[str, str]) -> float | None:
    """When the allocation of a process ends.

    Args:
        environment: The process's environment, such as `os.environ`.

    Returns:
        Epoch seconds; None if the environment does not say it.

    Example:
        >>> allocation_end({"SLURM_JOB_END_TIME": "1764190000"})
        1764190000.0
    """
    if (value := environment.get(SLURM_VARIABLE)) is None:
        return None
    try:
        return float(value)
    except ValueError:
        log.warning("%s: expected epoch seconds, got %r; it does not count", SLURM_VARIABLE, value)
        return None
