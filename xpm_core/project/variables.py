"""The variables of the environment that people set for xpm, and which others xpm sets by itself.

Owns: the list of them, which `xpm config` shows. docs/reference/settings.md says the same with more words.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass

from xpm_core.project.settings import SETTINGS


@dataclass(frozen=True)
class Variable:
    """A variable that people set.

    Attributes:
        meaning: What it does.
        secret: Whether its value may not be shown.
    """

    meaning: str
    secret: bool = False


VARIABLES: dict[str, Variable] = {
    "XPM_SIGNING_KEY": Variable("the key that jobs are signed with", secret=True),
    "XPM_SNAPSHOT": Variable("0: jobs use the project's files as they are when they start, not as they were"),
    "XPM_DRY_RUN": Variable("1: a script submits and makes nothing, and says what it would do"),
    "XPM_QUIET": Variable("1: a script shows no progress"),
    "XPM_DEBUG": Variable("tracebacks show the lines of xpm, too"),
    "XPM_MAX_LOG": Variable("megabytes of each log of a job, before its middle is left out"),
    "XPM_IMPORT_TIMEOUT": Variable("seconds in which a job has to import its modules"),
    "XPM_END_TIMEOUT": Variable("seconds in which a job has to write what its code left open"),
    "XPM_SNAPSHOT_FOLDER": Variable(
        "the folder of this machine in which code for jobs lies; it belongs on a local disk"
    ),
    "XPM_TRACE": Variable("0: it is not recorded what jobs run of their project"),
    "XPM_TEMPLATES": Variable("0: no job is forked from a process that has imported packages"),
}
"""The variables that are no settings, by name. A setting has its variable in `SETTINGS`."""

_OWN = re.compile(
    "XPM_(JOB|EXECUTION|TASKDIR|TOKENS|TOKEN_.+|STARTER|REHEARSAL|WORKER_OPTIONS|CODE|UID|GID"
    "|EVENT|EXPERIMENT|TITLE|OUTCOME)"
)
"""Variables that xpm sets in the processes of jobs and in commands that it calls, and those of the files for
deployment."""


def settable() -> list[str]:
    """The names of all variables that people set."""
    return [*(setting.variable for setting in SETTINGS.values() if setting.variable), *VARIABLES]


def unknown() -> dict[str, str]:
    """The variables of this environment that look like xpm's and are not: each with the most similar one, or nothing.

    They may belong to another program, so they are no error.
    """
    known = settable()
    names = [name for name in os.environ if name.startswith("XPM_") and name not in known and not _OWN.fullmatch(name)]
    return {name: next(iter(difflib.get_close_matches(name, known, 1)), "") for name in sorted(names)}
