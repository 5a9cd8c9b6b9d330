"""The description of a sealed task for people and other programs: the content of `params.json`."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

from xpm_core.labels import short
from xpm_core.language.code.class_records import class_record
from xpm_core.language.graph.state import is_configuration, state_of
from xpm_core.language.graph.walk import path_root
from xpm_core.language.identity.digest import counted_names, task_id
from xpm_core.language.identity.seal import seal
from xpm_core.language.parameters.paths import JOB, WORKSPACE, Layout
from xpm_core.language.parameters.schema import schema_of
from xpm_core.language.values import data_objects
from xpm_core.scalars import all_finite, safe_repr

SCHEMA = 1
"""Version of the form. It goes up when the meaning of something in the form changes."""


def describe(task: Any, *, job: Path | None = None, workspace: Path | None = None) -> dict[str, Any]:
    """Describe a task, or another configuration, completely, in JSON's types.

    A configuration is described in full where it appears first, and as `{"see": path}` after that. Of a task that made
    a configuration, only class, identity and job directory are given. The same holds for configurations that are nested
    very deep, as in a long chain of tasks. A value for which JSON has no type is an object with one entry that names
    the type: `{"path": ...}`, `{"enum": ...}`, `{"tuple": [...]}`.

    Args:
        task: The configuration. It is sealed.
        job: The directory of its job. Paths in it are then described relative to it.
        workspace: The workspace, likewise.

    Returns:
        A dict of JSON's types, with its version at `schema`.

    Raises:
        MissingParameterError: A parameter has no value.

    Example:
        >>> describe(learn)["parameters"]["epochs"]
        100
    """
    identity = seal(task)
    described = Describer(task, job, workspace).configuration(path_root(task), task)
    origin = class_record(type(task))
    return {
        "schema": SCHEMA,
        "task": task_id(type(task)),
        "identity": identity,
        "tags": task.tags(),
        "code": {name: origin[name] for name in ("module", "name", "file", "project")},
        **{name: described[name] for name in described if name not in ("class", "identity")},
    }


DEEPEST_DESCRIPTION = 50
"""How deep configurations are described. Below that, only class, identity and job directory are given."""

LONGEST_INTEGER = 1024
"""Bits of an integer that is written as a number. A longer one is hexadecimal, because many programs cannot read it."""


def ordered(value: Any) -> tuple[bool, str]:
    """The key by which the items of a set are sorted."""
    return isinstance(value, int) and value.bit_length() > LONGEST_INTEGER, text_of(value)


def text_of(value: Any) -> str:
    """The `repr` of an item of a set, but the items of a set in it are sorted. Equal sets can have any order."""
    if isinstance(value, frozenset):
        return f"frozenset({', '.join(sorted(map(text_of, value)))})"
    return f"({', '.join(map(text_of, value))})" if isinstance(value, tuple) else safe_repr(value)


def written_whole(values: list[Any]) -> bool:
    """Whether JSON can hold the items of a list as they are. This is fast also for a long list."""
    types = set(map(type, values))
    if types == {int}:
        return bool(max(max(values), -min(values)).bit_length() <= LONGEST_INTEGER)
    return types == {str} or (types == {float} and all_finite(values))


class Describer:
    """Describes the configurations below one task."""

    def __init__(self, task: Any, job: Path | None, workspace: Path | None) -> None:
        self.task = task
        self.bases = {"job": (JOB, job), "workspace": (WORKSPACE, workspace)}
        self.layout = Layout(task, JOB, WORKSPACE)
        self.met: dict[int, str] = {}

    def configuration(self, path: str, config: Any) -> dict[str, Any]:
        if id(config) in self.met:
            return {"see": self.met[id(config)]}
        own = state_of(config)
        self.met[id(config)] = path
        found: dict[str, Any] = {"class": task_id(type(config)), "identity": own.identity}
        if made_from := schema_of(config).local_digest:
            found["made from"] = short(made_from.hex())
        if config is not self.task and own.submitted is not None:
            found["job"] = self.path(own.submitted.jobpath)
        if path.count(".") > DEEPEST_DESCRIPTION:
            return found
        counted = set(counted_names(config))
        if own.source is not None:
            found["made by"] = self.maker(own.source)
        found["parameters"] = {name: self.parameter(path, config, name) for name in schema_of(config).parameters}
        if ignored := [name for name in found["parameters"] if name not in counted]:
            found["ignored"] = ignored
        if own.init_tasks:
            tasks = enumerate(own.init_tasks)
            found["init_tasks"] = [self.configuration(f"{path}.init_tasks[{i}]", each) for i, each in tasks]
        return found

    def maker(self, task: Any) -> dict[str, Any]:
        """The task that made a configuration. Its own `params.json` describes it in full."""
        own = state_of(task)
        name = own.made_at[0] if own.unknown else task_id(type(task))
        found = {"class": name, "identity": own.identity}
        return found if own.submitted is None else {**found, "job": self.path(own.submitted.jobpath)}

    def parameter(self, path: str, config: Any, name: str) -> Any:
        generated = self.layout.path(config, name)
        return self.value(f"{path}.{name}", config.__dict__[name]) if generated is None else self.path(generated)

    def path(self, path: PurePath) -> dict[str, str]:
        """A path, relative to the job's directory or to the workspace if it lies in one of them."""
        for name, bases in self.bases.items():
            for base in bases:
                if base is not None and path.is_relative_to(base):
                    return {"path": path.relative_to(base).as_posix(), "in": name}
        return {"path": str(path)}

    def value(self, path: str, value: Any) -> Any:
        if value is None or (isinstance(value, (bool, str)) and not isinstance(value, Enum)):
            return value
        if is_configuration(value):
            return self.configuration(path, value)
        if isinstance(value, Enum):
            return {"enum": f"{task_id(type(value))}.{value.value if value.name is None else value.name}"}
        if isinstance(value, int):
            return value if value.bit_length() <= LONGEST_INTEGER else {"int": hex(value)}
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, PurePath):
            return self.path(value)
        if isinstance(value, list):
            if written_whole(value):
                return list(value)
            return [self.value(f"{path}[{i}]", item) for i, item in enumerate(value)]
        if isinstance(value, dict):
            return self.mapping(path, value)
        return self.other(path, value)

    def mapping(self, path: str, value: dict[Any, Any]) -> Any:
        items = [(key, self.value(f"{path}[{safe_repr(key)}]", item)) for key, item in value.items()]
        if all(type(key) is str for key in value):
            return dict(items)
        return {"dict": [[self.value(path, key), item] for key, item in items]}

    def other(self, path: str, value: Any) -> Any:
        if isinstance(value, (tuple, set, frozenset)):
            items = value if isinstance(value, tuple) else sorted(value, key=ordered)
            name = "tuple" if isinstance(value, tuple) else type(value).__mro__[-2].__name__
            return {name: [self.value(f"{path}[{i}]", item) for i, item in enumerate(items)]}
        if isinstance(value, bytes):
            return {"bytes": value.hex()}
        if isinstance(value, timedelta):
            return {"timedelta": value.total_seconds()}
        if isinstance(value, (datetime, date, time)):
            return {type(value).__name__: value.isoformat()}
        if type(value) in data_objects.object_classes:
            fields = data_objects.field_values(value, data_objects.object_classes[type(value)].all)
            described = {name: self.value(f"{path}.{name}", item) for name, item in fields.items()}
            return {"object": {"class": task_id(type(value)), "fields": described}}
        return {"text": repr(value)}
