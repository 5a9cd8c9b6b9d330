"""Outputs that a task produces while it runs: their form, and the file in the job's directory that keeps them.

An output is a call of a method of one of the task's configurations. The job registers the method and its arguments
(output_registration.py). A script that watches for it (output_watch.py) makes that call, and so gets a configuration
that stands for the output. Imports nothing heavy.
"""

from __future__ import annotations

import json
import numbers
import os
from pathlib import Path
from typing import Any

from xpm_core.errors import OutputError
from xpm_core.workspace.job_directory import JobDirectory

Output = dict[str, Any]
"""An output as it is sent and kept: `of` (the way from the task to the configuration), `identity` (of the
configuration), `method`, `args` and `kwargs`."""

OBJECTS = "__xpm_objects__"
"""Where a live task keeps, in its `__dict__`, the pair (configuration, live object) for each configuration, by the `id`
of the configuration."""


def encode(value: Any, directory: JobDirectory, where: str) -> Any:
    """An argument in a form that JSON has.

    A path in the job's directory, or else in the workspace, becomes relative to it, because the script may see both
    elsewhere.

    Args:
        value: The argument.
        directory: The job's.
        where: The call that registers the output, for messages.

    Raises:
        OutputError: The argument is of a type that JSON does not have.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, Path):
        return _encode_path(Path(os.path.abspath(value)), directory)
    if isinstance(value, (list, tuple)):
        return [encode(each, directory, where) for each in value]
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {"items": {name: encode(each, directory, where) for name, each in value.items()}}
    problem = f"an argument that is a {type(value).__name__} cannot be sent to the script"
    raise OutputError(where, problem, "Pass numbers, texts, paths, and lists and dicts of them.")


def _encode_path(path: Path, directory: JobDirectory) -> dict[str, str]:
    for base, name in ((directory.path, "job"), (directory.workspace, "workspace")):
        if path.is_relative_to(base):
            return {"path": str(path.relative_to(base)), "in": name}
    return {"path": str(path), "in": ""}


def arguments(output: Output, directory: JobDirectory) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of an output's method, with paths as they are on this machine.

    Raises:
        ValueError: A path leads out of the folder that it is relative to.
    """
    return _decode(output["args"], directory), _decode(output["kwargs"], directory)


def _decode(value: Any, directory: JobDirectory) -> Any:
    if isinstance(value, list):
        return [_decode(each, directory) for each in value]
    if not isinstance(value, dict):
        return value
    if "items" in value:
        return {name: _decode(each, directory) for name, each in value["items"].items()}
    path, base = Path(value["path"]), {"job": directory.path, "workspace": directory.workspace}.get(value["in"])
    if (base is None) is not path.is_absolute() or ".." in path.parts:
        raise ValueError(f"a path that leads elsewhere: {value!r}")
    return path if base is None else base / path


def key(output: Output) -> str:
    """The output as one text: equal outputs have equal texts."""
    return json.dumps(output, sort_keys=True)


def is_output(value: Any) -> bool:
    """Whether a value has the form of an output."""
    if not isinstance(value, dict) or not all(
        isinstance(value.get(name), str) for name in ("of", "identity", "method")
    ):
        return False
    return isinstance(value.get("args"), list) and isinstance(value.get("kwargs"), dict) and "items" in value["kwargs"]


def kept(directory: JobDirectory) -> list[Output]:
    """The outputs that a job's directory keeps, in order. Lines that were damaged, as by a power cut, are left out."""
    found = []
    for line in directory.outputs():
        try:
            output = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if is_output(output):
            found.append(output)
    return found
