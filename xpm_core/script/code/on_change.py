"""What a run does with a done job whose code has changed since, where the job ran it.

Owns: the words for it, and which of them holds for a class.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, cast

from xpm_core.errors import ExperimentError

OnChange = Literal["warn", "rerun", "error", "ignore"]
WARN: OnChange = "warn"
RERUN: OnChange = "rerun"
ERROR: OnChange = "error"
IGNORE: OnChange = "ignore"
CHOICES: tuple[OnChange, ...] = (WARN, RERUN, ERROR, IGNORE)
EXPECTED = "'warn', 'rerun', 'error' or 'ignore'"
ATTRIBUTE = "on_code_change"
"""The attribute of a class that says it for the tasks of the class."""


def is_choice(value: Any) -> bool:
    """Whether a value is one of the words."""
    return isinstance(value, str) and value in CHOICES


def without_effect(rules: Collection[OnChange]) -> list[str]:
    """A line for the report of a run that reuses jobs and has live code, if one of its rules asks for more than words.

    Example:
        >>> without_effect({"rerun", "warn"})
        ['note    on_code_change="rerun" did nothing: live code is not kept, so it cannot be compared']
    """
    asked = " and ".join(f'on_code_change="{rule}"' for rule in (RERUN, ERROR) if rule in rules)
    return [f"note    {asked} did nothing: live code is not kept, so it cannot be compared"] if asked else []


def rule_of(cls: Any, common: OnChange, where: str) -> OnChange:
    """What holds for the tasks of a class: what the class says, else what the experiment says.

    Args:
        cls: The class of the task.
        common: What the experiment says.
        where: The line that submits the task, for the error.

    Raises:
        ExperimentError: The class says something else.

    Example:
        >>> class Report(Task):
        ...     on_code_change = "rerun"
        >>> rule_of(Report, "warn", "sweep.py:9")
        'rerun'
    """
    if ATTRIBUTE in cls.__xpm_schema__.parameters:
        return common  # a parameter of this name means something else
    found: Any = getattr(cls, ATTRIBUTE, common)
    if is_choice(found):
        return cast("OnChange", found)
    problem = f"{cls.__name__}.{ATTRIBUTE} = {found!r}: expected {EXPECTED}"
    raise ExperimentError(where, problem, "Give the class such a value.")
