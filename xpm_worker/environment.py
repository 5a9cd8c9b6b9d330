"""The environment: what a worker reads in its own, and what starters and jobs get of it: all but secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from xpm_core.errors import SettingsError

IMPORT_TIMEOUT = "XPM_IMPORT_TIMEOUT"
"""Variable that says how long a job may import its modules, seconds."""

END_TIMEOUT = "XPM_END_TIMEOUT"
"""Variable that says how long a job's process may take to write what its code has left open, seconds."""

TIMEOUTS_S = {IMPORT_TIMEOUT: 600.0, END_TIMEOUT: 300.0}
"""These variables, and what counts without them."""

_SECRET_NAME = re.compile(r"XPM_SIGNING_KEY|XPM_REDIS_URL|REDIS_URL|REDISCLI_AUTH|RQ_.*")
_REDIS_VALUE = re.compile(r"\b(?:redis|rediss|valkey|valkeys)(?:\+[a-z]+)?://", re.IGNORECASE)


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


def clean_environment(
    environment: Mapping[str, str], url: str, pythonpath: Sequence[str] = (), *, key: bytes | None = None
) -> dict[str, str]:
    """Return the environment without secrets, and without anything that says how to reach Redis.

    Args:
        environment: The worker's environment.
        url: The Redis address in use. A variable that holds it, or its password, is left out.
        pythonpath: Folders where jobs, and programs that they start, look for modules first.
        key: The key that jobs are signed with. A variable that holds it is left out.

    Example:
        >>> clean_environment({"HOME": "/home/me", "XPM_REDIS_URL": "redis://:pw@head"}, "redis://:pw@head", ["/lab"])
        {'HOME': '/home/me', 'PYTHONPATH': '/lab'}
    """
    secrets = [urlsplit(url).password or "", (key or b"").decode("utf-8", "surrogateescape")]

    def is_secret(name: str, value: str) -> bool:
        """Whether a variable holds a secret. A short secret must be the whole value: it may be in others by chance."""
        if _SECRET_NAME.fullmatch(name) or _REDIS_VALUE.search(value) or (url and url in value):
            return True
        return any(secret and (value == secret or (len(secret) >= 8 and secret in value)) for secret in secrets)

    kept = {name: value for name, value in environment.items() if not is_secret(name, value)}
    if pythonpath:
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [*pythonpath, kept.get("PYTHONPATH", "")]))
    return kept
