"""Parameters in one level, from a description: the content of `params.json`.

    {"lr": 0.1, "model": "MLP", "model.layers": 3, "data": {"job": "Prepare/1d22f0a"}}

A nested configuration is named by its class, and its parameters follow. Of a task that is used there is only its name:
that is another job. Paths in the job's own directory are left out.

Owns: this form. It imports nothing of the language, so that programs that only look can use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xpm_core.labels import bare_class, label

_LISTS = ("tuple", "set", "frozenset")
"""What a description writes as `{"tuple": [...]}`."""

MOST = 500
"""Entries up to which the parameters of a configuration that is used twice are written twice."""


def flattened(described: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in a description, the content of `params.json`, in one level.

    Args:
        described: What `language.identity.description.describe` returns, or a file that holds it.
    """
    found: dict[str, Any] = {}
    for name, value in _parameters_of(described):
        _flatten(name, value, found)
    return found


def _parameters_of(described: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    parameters = described.get("parameters")
    return iter(parameters.items() if isinstance(parameters, dict) else ())


def _flatten(path: str, value: Any, found: dict[str, Any]) -> None:
    if _is_configuration(value):
        if "job" in value:
            found[path] = _job(value)
            return
        found[path] = bare_class(str(value["class"]))
        for inner, each in _parameters_of(value):
            _flatten(f"{path}.{inner}", each, found)
    elif _is_reference(value):
        _repeat(path, value["see"].partition(".")[2], found)
    elif isinstance(value, list) and value and all(map(_is_job, value)):
        found[path] = [_job(each) for each in value]
    elif isinstance(value, list) and any(map(_holds_configuration, value)):
        for number, each in enumerate(value):
            _flatten(f"{path}[{number}]", each, found)
    elif isinstance(value, dict) and any(map(_holds_configuration, value.values())):
        for key, each in value.items():
            _flatten(path if len(value) == 1 and key in _LISTS else f"{path}.{key}", each, found)
    elif not (isinstance(value, dict) and value.get("in") == "job"):
        found[path] = value


def _repeat(path: str, first: str, found: dict[str, Any]) -> None:
    """Write a configuration that is used a second time as where it was met first, if that is not too much."""
    below = {name[len(first) :]: value for name, value in found.items() if name.startswith(f"{first}.")}
    found[path] = found.get(first, {"see": first})
    if len(found) + len(below) <= MOST:
        found.update({f"{path}{rest}": value for rest, value in below.items()})


def _job(value: Mapping[str, Any]) -> dict[str, str]:
    return {"job": label(bare_class(str(value["class"])), str(value["identity"]))}


def _is_job(value: Any) -> bool:
    return _is_configuration(value) and "job" in value


def _is_configuration(value: Any) -> bool:
    return isinstance(value, dict) and "class" in value and "identity" in value


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("see"), str)


def _holds_configuration(value: Any) -> bool:
    if _is_configuration(value) or _is_reference(value):
        return True
    return isinstance(value, (list, dict)) and any(
        map(_holds_configuration, value.values() if isinstance(value, dict) else value)
    )
