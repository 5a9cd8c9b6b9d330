"""The environment of a job: that of its worker without secrets, and the variables that describe the job.

Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from xpm_core.job.running import JOB_VARIABLE, TOKENS_VARIABLE
from xpm_core.labels import label, title
from xpm_core.words.text import line

TASKDIR_VARIABLE = "XPM_TASKDIR"
"""Variable in a job's environment that holds the job's directory."""

LONGEST_NAME = 128
"""Characters that W&B takes in the name of a run, and of a group."""
LONGEST_TAG = 64
"""Characters that W&B takes in a tag. It refuses a run with a longer one."""
MOST_TAGS = 50
RUN_DIGITS = 16
"""Digits of a job's identity in the id of its run: enough that no two jobs of a workspace share them."""

_WORKERS_OWN = ("WANDB_RUN_GROUP", "WANDB_TAGS")
"""Variables of a tracker that somebody can mean for all jobs of a worker."""

_NO_ENV: Mapping[str, str] = MappingProxyType({})
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


def tracker_names(
    identity: str, task: str, *, tags: Mapping[str, Any], experiment: str, workspace: str
) -> dict[str, str]:
    """Return how trackers name a job, as variables. `tracker_variables` adds which attempt it is.

    Tags and the experiment may hold anything: what a tracker refuses is replaced, and what is too long is cut, with an
    ellipsis at its end. Neither the names of tags nor their values change what runs.

    Args:
        identity: The job's identity.
        task: The short name of its class.
        tags: Its tags, as the server holds them.
        experiment: The experiment that it is known by; empty if that is not known.
        workspace: The id of the workspace. Two workspaces may run one job, and send both to one project.

    Example:
        >>> tracker_names("3f2a91c0...", "Train", tags={"lr": 0.1}, experiment="digits", workspace="8c1f2e0d7a11")
        {'WANDB_NAME': 'Train lr=0.1', 'MLFLOW_RUN_NAME': 'Train lr=0.1', 'WANDB_RUN_ID': '3f2a91c0...-8c1f2e0d7a11',
        'WANDB_RUN_GROUP': 'digits', 'WANDB_TAGS': 'lr=0.1'}
    """
    name = _cut(title(task, tags) if tags else label(task, identity), LONGEST_NAME)
    found = {"WANDB_NAME": name, "MLFLOW_RUN_NAME": name}
    found["WANDB_RUN_ID"] = re.sub("[^A-Za-z0-9_-]", "", f"{identity[:RUN_DIGITS]}-{workspace}")
    if group := _cut(experiment, LONGEST_NAME):
        found["WANDB_RUN_GROUP"] = group
    each = (_cut(f"{tag}={value}".replace(",", ";"), LONGEST_TAG) for tag, value in tags.items())
    if words := ",".join(dict.fromkeys(list(filter(None, each))[:MOST_TAGS])):
        found["WANDB_TAGS"] = words
    return found


def tracker_variables(
    names: Mapping[str, str], attempt: int | str, *, resumable: bool = False, environment: Mapping[str, str] = _NO_ENV
) -> dict[str, str]:
    """Return the variables by which trackers name a run.

    A resumable task continues its run. Each attempt of another task is a run of its own, because the attempt begins
    anew, and W&B would replace what an earlier one has logged.

    Args:
        names: What `tracker_names` returned.
        attempt: The number of the attempt; a word for a job in the foreground, which never continues a run.
        resumable: Whether the task continues what its earlier attempt has left.
        environment: The worker's environment. A group or tags that somebody has set there stay.

    Example:
        >>> tracker_variables({"WANDB_RUN_ID": "3f2a91c0-8c1f2e0d7a11"}, 2)
        {'WANDB_RUN_ID': '3f2a91c0-8c1f2e0d7a11-2'}
    """
    found = {name: value for name, value in names.items() if name not in _WORKERS_OWN or not environment.get(name)}
    if run := found.get("WANDB_RUN_ID"):
        continues = resumable and isinstance(attempt, int)
        found |= {"WANDB_RESUME": "allow"} if continues else {"WANDB_RUN_ID": f"{run}-{attempt}"}
    return found


def _cut(text: str, longest: int) -> str:
    """A text as every tracker takes it: one line without half characters, and not too long."""
    return line(text.encode(errors="replace").decode(), longest)


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
