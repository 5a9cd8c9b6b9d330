"""Checks of the arguments of `experiment(...)`, and of names of arguments that it or `submit(...)` does not have.

Owns: which values are refused at once, before anything is made or connected. Names have rules of their own
(xpm_core.words.names).
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from xpm_core.errors import ExperimentError
from xpm_core.scalars import is_number, is_whole
from xpm_core.script.code import on_change
from xpm_core.script.code.choice import CHOICES, EXPECTED
from xpm_core.tracebacks.callsite import CodeLine, caller, format_line

_ELSEWHERE = "Start workers there, xpm-worker --queue gpu, and let their queue have the task: submit(queue='gpu')."
INSTEAD = {
    "launcher": _ELSEWHERE,
    "connector": _ELSEWHERE,
    "memory": "Count it by a token: memory = xp.connector.createtoken('memory_gb', 64), then "
    "task.add_dependencies(memory.dependency(8)) before submit().",
    "workspace": "Name its directory for all tasks: experiment(workdir, name).",
    "run_mode": "Ask what it would do: experiment(dry_run=True); or for the identity alone: task.identity.",
}
"""What to write instead of arguments that people know from other programs."""


def refuse_unknown(what: str, given: Iterable[str], known: Sequence[str], place: CodeLine) -> None:
    """Refuse unknown names. The error says which name is meant, or what to write instead.

    Raises:
        ExperimentError: Names the first of them, and the line.
    """
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            others = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
            raise ExperimentError(format_line(place), f"{what} {name!r}", INSTEAD.get(name, others))


def names_of(function: Callable[..., Any]) -> list[str]:
    """Return the names of the arguments of a method, without `self` and `**options`."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]


def check(**given: Any) -> None:
    """Refuse arguments of `experiment` that cannot work.

    Raises:
        ExperimentError: Names the first of them, what was expected, and the line.
    """
    for name, value in given.items():
        right, wanted = _CHECKS[name]
        if not right(value):
            problem = f"experiment({name}={value!r}): expected {wanted}"
            raise ExperimentError(format_line(caller()), problem, "Pass such a value.")


def check_variable(name: Any, value: Any) -> None:
    """Refuse an environment variable whose name or value is no text.

    Raises:
        ExperimentError: Names it, and the line.
    """
    if not (isinstance(name, str) and isinstance(value, str) and name):
        problem = f"setenv({name!r}, {value!r}): expected a name and a value as texts"
        raise ExperimentError(format_line(caller()), problem, "Pass texts, such as str(8).")


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "workdir": (lambda value: isinstance(value, str | os.PathLike) and bool(os.fspath(value)), "a path"),
    "port": (lambda value: value is None or is_whole(value, 0, 65535), "a number from 0 to 65535"),
    "redis": (lambda value: value is None or isinstance(value, str), "the address of a server"),
    "workers": (lambda value: value is None or is_whole(value, 0, 10000), "a number of slots, 0 to 10000"),
    "lease_s": (lambda value: is_number(value, 0.5, 3600), "a number of seconds, 0.5 to 3600"),
    "progress": (lambda value: isinstance(value, bool), "True or False"),
    "dry_run": (lambda value: isinstance(value, bool), "True or False"),
    "code": (lambda value: value is None or value in CHOICES, EXPECTED),
    "on_code_change": (on_change.is_choice, on_change.EXPECTED),
}
