"""What an experiment's file says beside the values of its configuration: where, under what name, which function."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from xpm_core.errors import ExperimentFileError, InvalidNameError, UnknownWorkspaceError
from xpm_core.experiment_file.content.merging import Document
from xpm_core.project.workspace_names import directory_of
from xpm_core.scalars import is_whole
from xpm_core.script.code.choice import CHOICES, EXPECTED, Choice
from xpm_core.words.names import check_experiment_name, check_queue_name

DEFAULT_RUN = "experiment.py"
MOST_WORKERS = 10_000


class Header(NamedTuple):
    """What a file says of its experiment. Paths are absolute.

    Attributes:
        workspace: The directory of the workspace; None if the file names none.
        experiment: The name of the experiment.
        workers: How many workers to start; None for the default.
        queue: The default queue; None for the usual one.
        env: Variables for the environment of all jobs.
        code: "snapshot" or "live"; None for the default.
    """

    workspace: Path | None
    experiment: str
    workers: int | None
    queue: str | None
    env: dict[str, str]
    code: Choice | None = None


class Target(NamedTuple):
    """Which function a file names, and where modules are looked for.

    Attributes:
        run: As the file writes it.
        folder: The folder of the file that names it.
        place: The line that does.
        pythonpath: The folders that the file names; empty without any.
    """

    run: str
    folder: Path
    place: str
    pythonpath: list[Path]


def _workspace(document: Document) -> Path | None:
    """The directory of the workspace that a file names, by its name in the user's settings or by its path."""
    given = _text(document, "workspace")
    if given is None:
        return None
    folder = _folder(document, "workspace")
    try:
        return _absolute(folder, directory_of(given, create=True, folder=folder))
    except UnknownWorkspaceError as error:
        wrong = f"workspace: {given!r}: {error.problem}"
        raise ExperimentFileError(document.at("workspace"), wrong, error.remedy) from None


def header_of(document: Document, experiment: str | None = None) -> Header:
    """Read what a file says of its experiment.

    Args:
        document: The file.
        experiment: The name of the experiment that goes before that of the file; None without one.

    Raises:
        ExperimentFileError: A value cannot be used, or there is no name; names the line.
    """
    queue = _text(document, "queue")
    named = experiment or _text(document, "experiment")
    if named is None:
        raise ExperimentFileError(document.at(), "it has no key 'experiment'", "Write experiment: NAME.")
    place = "--experiment" if experiment else document.at("experiment")
    return Header(
        workspace=_workspace(document),
        experiment=_named("experiment", named, place, check_experiment_name),
        workers=_whole(document, "workers"),
        queue=None if queue is None else _named("queue", queue, document.at("queue"), check_queue_name),
        env=_variables(document),
        code=_choice(document),
    )


def target_of(document: Document) -> Target:
    """Read which function a file names.

    Raises:
        ExperimentFileError: A value cannot be used; names the line.
    """
    run = _text(document, "run") or DEFAULT_RUN
    given = document.values.get("pythonpath", [])
    folders = given if isinstance(given, list) else [given]
    for folder in folders:
        if not isinstance(folder, str):
            raise _unfit(document, "pythonpath", "a folder, or a list of folders", folder)
    beside = _folder(document, "pythonpath")
    return Target(run, _folder(document, "run"), document.at("run"), [_absolute(beside, each) for each in folders])


def _absolute(folder: Path, path: str) -> Path:
    """A path that a file in a folder names. Links on it stay, as in the path of a script."""
    return Path(os.path.abspath(Path(folder, Path(path).expanduser())))


def _folder(document: Document, key: str) -> Path:
    """The folder of the file that has a key."""
    return Path(document.place(key)[0]).parent


def _unfit(document: Document, key: str, wanted: str, value: Any) -> ExperimentFileError:
    wrong = f"{key}: expected {wanted}, got {value!r} ({type(value).__name__})"
    quoted = isinstance(value, (int, float)) and wanted == "a text"
    return ExperimentFileError(
        document.at(key), wrong, "If it is meant as a text, quote it." if quoted else "Correct it."
    )


def _text(document: Document, key: str) -> str | None:
    value = document.values.get(key)
    if value is None and key not in document.values:
        return None
    if not isinstance(value, str) or not value:
        raise _unfit(document, key, "a text", value)
    return value


def _named(key: str, name: str, place: str, check: Callable[[str], str]) -> str:
    try:
        return check(name)
    except InvalidNameError as error:
        wrong, _, remedy = str(error).rpartition(". ")
        raise ExperimentFileError(place, f"{key}: {wrong}" if place != f"--{key}" else wrong, remedy) from None


def _whole(document: Document, key: str) -> int | None:
    value = document.values.get(key)
    if value is not None and not is_whole(value, 0, MOST_WORKERS):
        raise _unfit(document, key, f"a number from 0 to {MOST_WORKERS}", value)
    return value


def _choice(document: Document) -> Choice | None:
    value = document.values.get("code")
    if value is None and "code" not in document.values:
        return None
    found: Choice | None = next((choice for choice in CHOICES if choice == value), None)
    if found is None:
        raise _unfit(document, "code", EXPECTED, value)
    return found


def _variables(document: Document) -> dict[str, str]:
    given = document.values.get("env")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise _unfit(document, "env", "variables and their values", given)
    for name, value in given.items():
        if not isinstance(name, str) or not name or isinstance(value, bool) or not isinstance(value, (str, int)):
            wrong = f"env: expected a text as the value of {name!r}, got {value!r} ({type(value).__name__})"
            raise ExperimentFileError(document.at("env", name), wrong, 'Quote it: "...".')
    return {name: str(value) for name, value in given.items()}
