"""Whether jobs get a snapshot of the project's files, or the files as they are when a job starts.

Owns: the words for it, and the default.
"""

from __future__ import annotations

import os
from typing import Literal, NamedTuple

from xpm_core.errors import ExperimentError

SNAPSHOT: Literal["snapshot"] = "snapshot"
LIVE: Literal["live"] = "live"
CHOICES = (SNAPSHOT, LIVE)
Choice = Literal["snapshot", "live"]
EXPECTED = "'snapshot' or 'live'"
VARIABLE = "XPM_SNAPSHOT"


class Code(NamedTuple):
    """What a job says of its code.

    Attributes:
        snapshot: The snapshot, 64 hexadecimal digits; empty for the files as they are when the job starts.
        provenance: How the task came to be submitted, 64 hexadecimal digits; empty if that is not known.
    """

    snapshot: str = ""
    provenance: str = ""


NO_CODE = Code()


def chosen(given: Choice | None, where: str) -> Choice:
    """What an experiment uses: what it was given, else what XPM_SNAPSHOT says, else snapshots.

    Args:
        given: The argument `code`, which was checked; None without it.
        where: The line that gives it, for the error.

    Raises:
        ExperimentError: XPM_SNAPSHOT is neither 0 nor 1.

    Example:
        >>> chosen("live", "sweep.py:9")
        'live'
    """
    if given is not None:
        return given
    said = os.environ.get(VARIABLE, "")
    if said not in ("", "0", "1"):
        problem = f"{VARIABLE}={said!r} in the environment: expected 0 or 1"
        raise ExperimentError(where, problem, f"Set {VARIABLE}=0 for live code, or take it out.")
    return LIVE if said == "0" else SNAPSHOT
