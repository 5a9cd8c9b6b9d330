"""The environment of a job: that of its worker without secrets, and the variables that describe the job.

Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

from xpm_core.job.running import JOB_VARIABLE, TOKENS_VARIABLE

TASKDIR_VARIABLE = "XPM_TASKDIR"
"""Variable in a job's environment that holds the job's directory."""

_SECRET_NAME = re.compile(r"XPM_SIGNING_KEY|XPM_REDIS_URL|REDIS_URL|REDISCLI_AUTH|RQ_.*")
_REDIS_VALUE = re.compile(r"\b(?:redis|rediss|valkey|valkeys)(?:\+[a-z]+)?://", re.IGNORECASE)


def clean_environment(
    environment: Mapping[str, str], url: str, pythonpath: Sequence[str] = (), *, key: bytes | None = None
) -> dict[str, str]:
    """Return the environment without secrets, and without anything that says how to reach Redis.

    Args:
        environment: The worker's environment.
        url: The Redis address in use. A variable that holds it, or one of its passwords, is left out.
        pythonpath: Folders where jobs, and programs that they start, look for modules first.
        key: The key that jobs are signed with. A variable that holds it is left out.

    Example:
        >>> clean_environment({"HOME": "/home/me", "XPM_REDIS_URL": "redis://:pw@head"}, "redis://:pw@head", ["/lab"])
        {'HOME': '/home/me', 'PYTHONPATH': '/lab'}
    """
    secrets = {*_passwords(url), (key or b"").decode("utf-8", "surrogateescape")}

    def is_secret(name: str, value: str) -> bool:
        """Whether a variable holds a secret. A short secret must be the whole value: it may be in others by chance."""
        if _SECRET_NAME.fullmatch(name) or _REDIS_VALUE.search(value) or (url and url in value):
            return True
        return any(secret and (value == secret or (len(secret) >= 8 and secret in value)) for secret in secrets)

    kept = {name: value for name, value in environment.items() if not is_secret(name, value)}
    if pythonpath:
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [*pythonpath, kept.get("PYTHONPATH", "")]))
    return kept


def _passwords(url: str) -> list[str]:
    """The passwords in a URL: its user's, as written and as meant (`p%40ss` is `p@ss`), and those of options."""
    parts = urlsplit(url)
    written = parts.password or ""
    return [written, unquote(written), *(value for name, value in parse_qsl(parts.query) if "pass" in name.lower())]


def job_variables(identity: str, execution: str, *, workspace: str, taskdir: str) -> dict[str, str]:
    """Return the variables that say which job a process is.

    Args:
        identity: The job's identity.
        execution: Id of the execution.
        workspace: Path of the workspace.
        taskdir: The directory in which the job works.
    """
    return {
        JOB_VARIABLE: identity,
        "PWD": taskdir,
        "XPM_EXECUTION": execution,
        "XPM_WORKSPACE": workspace,
        TASKDIR_VARIABLE: taskdir,
    }


def token_variables(held: Mapping[str, tuple[int, str]]) -> dict[str, str]:
    """Return the variables with the units that a job holds: one for each token, and one with all.

    Args:
        held: By token: how many units, and their numbers with commas; empty if they are not numbered.

    Example:
        >>> token_variables({"gpu": (2, "0,2")})
        {'XPM_TOKEN_GPU': '0,2', 'XPM_TOKENS': 'gpu=2:0,2'}
    """
    each, all_units = {}, []
    for name, (units, numbers) in held.items():
        each[f"XPM_TOKEN_{re.sub('[^A-Z0-9]', '_', name.upper())}"] = numbers or str(units)
        all_units.append(f"{name}={units}:{numbers}" if numbers else f"{name}={units}")
    return {**each, TOKENS_VARIABLE: ";".join(all_units)}
