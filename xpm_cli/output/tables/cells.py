"""Values of parameters and tags as people read them, and which of them differ among jobs.

Owns: short names for them: the name of the tag, else the last part of the parameter's path.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from xpm_core.filters import ABSENT, UNKNOWN
from xpm_core.filters.values import kind_and_value
from xpm_core.labels import bare_class, short
from xpm_core.reading.listing.row import JobRow


def text_of(value: Any) -> str:
    """A value as people read it; numbers, paths, enums and maps as filters take them."""
    if value is ABSENT or value is UNKNOWN:
        return "-" if value is ABSENT else "?"
    if isinstance(value, dict) and {"class", "identity"} <= value.keys():  # a configuration in a tuple or a set
        return f"{bare_class(str(value['class']))} {short(str(value['identity']))}"
    if isinstance(value, dict) and list(value) == ["see"]:
        return text_of(value["see"])
    if isinstance(value, dict):
        kind, found = kind_and_value(value)
        return json.dumps(found, ensure_ascii=False) if kind == "map" else text_of(found)
    if isinstance(value, float) and not isfinite(value):
        return str(value)  # nan and inf, as filters have them
    if isinstance(value, str) and value.isprintable() and value:
        return value
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return f"[{', '.join(map(text_of, value))}]"
    return json.dumps(value, ensure_ascii=False)


def differences(rows: Sequence[JobRow]) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """The tags and parameters that differ among jobs, and those that all have in common.

    A parameter that only repeats a tag is left out, and so is one that only some tasks have if all of these agree.

    Args:
        rows: The jobs; at least one.

    Returns:
        By name, the values in the order of the jobs (ABSENT where a job has none); by name, the common value.

    Example:
        >>> differences(rows)
        ({'lr': [0.1, 0.01]}, {'dataset': 'digits'})
    """
    differing: dict[str, list[Any]] = {}
    common: dict[str, Any] = {}
    tags = _columns([row.tags or {} for row in rows])
    for name, values in [*tags.items(), *_parameters(rows).items()]:
        known = [value for value in values if value is not ABSENT]
        if len(rows) > 1 and any(_differ(known[0], value) for value in known[1:]):
            if name in tags or values not in tags.values():
                differing[name] = values
        elif len(known) == len(rows) and name not in common:
            common[name] = known[0]
    return differing, common


def _columns(found: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for each in found for name in each)
    return {name: [each.get(name, ABSENT) for each in found] for name in names}


def _parameters(rows: Sequence[JobRow]) -> dict[str, list[Any]]:
    """The parameters by the shortest name that is clear: `lr` of `optim.lr`, if no other path ends so.

    A parameter is left out if each job that has it also has a tag of this name and value.
    """
    columns = _columns([row.params or {} for row in rows])
    tags = _columns([row.tags or {} for row in rows])
    last = Counter(path.rpartition(".")[2] for path in columns)
    short = {path: name if last[name := path.rpartition(".")[2]] == 1 else path for path in columns}
    found: dict[str, list[Any]] = {}
    for path, values in columns.items():
        label = tags.get(short[path])
        if label is None:
            found[short[path]] = values
        elif any(value is not ABSENT and _differ(value, tag) for value, tag in zip(values, label, strict=True)):
            found[f"param.{path}"] = values
    return found


def _differ(one: Any, other: Any) -> bool:
    return type(one) is not type(other) or bool(one != other)
