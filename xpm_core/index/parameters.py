"""The parameters of a sealed task in one level, as `flat_form.flattened` makes them of its description.

Owns: a quick way for tasks whose values are plain, as most are. A script writes each task that it submits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from xpm_core.index.flat_form import flattened
from xpm_core.labels import label
from xpm_core.language.graph.state import STATE
from xpm_core.language.graph.walk import path_root
from xpm_core.language.identity.description import LONGEST_INTEGER, Describer

if TYPE_CHECKING:
    from xpm_core.workspace.job_directory import JobDirectory

_PLAIN = frozenset((str, bool, type(None)))
_LARGE = 1 << LONGEST_INTEGER
_GENERATED = object()
"""Stands for a path that is not generated yet."""


def flat_parameters(task: Any, directory: JobDirectory) -> dict[str, Any]:
    """The parameters of a sealed task in one level.

    Args:
        task: The task.
        directory: The directory of its job.

    Returns:
        By the path of each parameter, a value of JSON's types.

    Example:
        >>> flat_parameters(learn, directory)
        {'lr': 0.1, 'model': 'MLP', 'model.layers': 3}
    """
    found: dict[str, Any] = {}
    if _is_collected(task, "", found, set()):
        return found
    describer = Describer(task, directory.path, directory.workspace)
    return flattened(describer.configuration(path_root(task), task))


def _is_collected(config: Any, prefix: str, found: dict[str, Any], met: set[int]) -> bool:
    """Write the parameters of a configuration whose values are all plain, as most are; False if one is not."""
    met.add(id(config))
    content = config.__dict__
    for name, parameter in type(config).__xpm_schema__.parameters.items():
        value = content.get(name, _GENERATED)
        kind = type(value)
        if (
            (kind is int and -_LARGE < value < _LARGE)
            or (kind is float and -math.inf < value < math.inf)
            or kind in _PLAIN
        ):
            found[prefix + name] = value
            continue
        if value is _GENERATED:
            if parameter.generator.partial is not None:
                return False
            continue
        own = getattr(value, "__dict__", {}).get(STATE)
        if own is None or own.source is not None or id(value) in met:
            return False
        if own.submitted is not None:
            met.add(id(value))
            found[prefix + name] = {"job": label(kind.__name__, own.identity)}
        else:
            found[prefix + name] = kind.__name__
            if not _is_collected(value, f"{prefix}{name}.", found, met):
                return False
    return True
