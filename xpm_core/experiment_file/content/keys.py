"""The keys of an experiment's YAML file, and what to write instead of those of experimaestro."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from xpm_core.errors import ExperimentFileError
from xpm_core.language.dict_form.dict_reader import SourceLines
from xpm_core.tracebacks.callsite import format_line

KEYS: dict[str, str] = {
    "workspace": "The workspace: its directory, relative to this file, or its name in the settings.",
    "experiment": "The name of the experiment.",
    "run": "The function to call: FILE.py, FILE.py:FUNCTION or MODULE:FUNCTION. Default: experiment.py:run.",
    "base": "A YAML file, or a list of them, whose values hold where this file gives no others.",
    "pythonpath": "A folder, or a list of them, relative to this file, in which modules are looked for.",
    "workers": "How many workers to start on this machine.",
    "queue": "The queue of tasks that are submitted without one.",
    "env": "Variables for the environment of all jobs.",
    "code": "snapshot: jobs use the files as they were at submission. live: as they are when a job starts.",
    "config": "The values of the configuration that the function takes.",
}
"""The keys, each with its meaning."""

_COMMENT = "Write it as a comment: # ..."
_ELSEWHERE = "Start workers where jobs shall run, xpm-worker --queue gpu, and write queue: gpu."
_LEFT_OUT = "Leave it out."

INSTEAD: dict[str, str] = {
    "id": "Write experiment: NAME.",
    "name": "Write experiment: NAME.",
    "workdir": "Write workspace: DIRECTORY.",
    "file": "Write run: experiment.py, with its ending; without the key, it is experiment.py.",
    "module": "Write run: MODULE:run.",
    "parent": "Write base: FILE.yaml, with its ending.",
    "imports": "Write base: [FILE.yaml, ...], with their endings.",
    "title": _COMMENT,
    "subtitle": _COMMENT,
    "description": _COMMENT,
    "paper": _COMMENT,
    "launcher": _ELSEWHERE,
    "launchers": _ELSEWHERE,
    "requirements": _ELSEWHERE,
    "add_timestamp": f"{_LEFT_OUT} Each run of an experiment is kept apart from the others.",
    "dirty_git": f"{_LEFT_OUT} The state of the repository is not checked.",
    "pre_experiment": "Import that module at the top of the file that has the function.",
    "grid_search": "Write the values where the parameter stands: lr: {grid: [0.1, 0.01]}.",
}
"""The keys that experiments of experimaestro have in their YAML files, each with what to write here."""


def check(values: Mapping[Any, Any], lines: SourceLines) -> None:
    """Refuse keys that an experiment's file does not have.

    Args:
        values: The content of one file.
        lines: Its lines.

    Raises:
        ExperimentFileError: It has such a key; names its line, and what to write.
    """
    for key in values:
        if key not in KEYS:
            raise ExperimentFileError(format_line(lines.place(values, key)), f"unknown key {key!r}", remedy_for(key))


def remedy_for(key: Any) -> str:
    """What to write instead of a key that there is not."""
    if key in INSTEAD:
        return INSTEAD[key]
    if near := get_close_matches(str(key), KEYS, 1):
        return f"Did you mean {near[0]!r}?"
    return f"Keys are: {', '.join(KEYS)}. If it is a value of the configuration, write it below config:."
