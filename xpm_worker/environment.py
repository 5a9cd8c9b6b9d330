"""The variables that a worker reads in its own environment."""

from __future__ import annotations

from collections.abc import Mapping

from xpm_core.errors import SettingsError

IMPORT_TIMEOUT = "XPM_IMPORT_TIMEOUT"
"""Variable that says how long a job may import its modules, seconds."""

END_TIMEOUT = "XPM_END_TIMEOUT"
"""Variable that says how long a job's process may take to write what its code has left open, seconds."""

TIMEOUTS_S = {IMPORT_TIMEOUT: 600.0, END_TIMEOUT: 300.0}
"""These variables, and what counts without them."""


def timeout_s(environment: Mapping[str, str], name: str) -> float:
    """Return the seconds that a variable sets.

    Args:
        environment: The worker's environment.
        name: The variable, one of `TIMEOUTS_S`.

    Raises:
        SettingsError: It is no number of seconds above 0.

    Example:
        >>> timeout_s({}, IMPORT_TIMEOUT)
        600.0
    """
    text = environment.get(name)
    if not text:
        return TIMEOUTS_S[name]
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise SettingsError(name, f"expected a number of seconds above 0, got {text!r}", "Correct it, or unset it.")
    return found
