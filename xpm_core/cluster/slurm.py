"""How long workers can live where they are: what Slurm says of its allocation, and what they keep for their leaving."""

from __future__ import annotations

import logging
from collections.abc import Mapping

log = logging.getLogger(__name__)

SLURM_VARIABLE = "SLURM_JOB_END_TIME"
"""Set by Slurm in an allocation: when it ends, epoch seconds."""


def allocation_end(environment: Mapping[str, str]) -> float | None:
    """When the allocation of a process with this environment ends, epoch seconds; None when nothing says so."""
    if (written := environment.get(SLURM_VARIABLE)) is None:
        return None
    try:
        return float(written)
    except ValueError:
        log.warning("%s: expected epoch seconds, got %r; it does not count", SLURM_VARIABLE, written)
        return None
