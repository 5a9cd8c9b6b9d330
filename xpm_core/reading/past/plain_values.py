"""A configuration without its class: its parameters as plain values that can be read, and not changed.

Owns: how the description of a configuration (xpm_core.language.identity.description) is turned back into values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from xpm_core.labels import bare_class
from xpm_core.language.identity.differences import is_typed
from xpm_core.scalars import safe_repr


class PlainConfig:
    """The parameters of a configuration whose class is not at hand. They are read as those of a configuration.

    A value of an enum is a text, `models:Size.SMALL`, because its class is not at hand either.

    Args:
        cls: The name of the class, `models:MLP`.
        identity: The identity; empty if it is not known.
        values: The values of the parameters.
        jobpath: The directory of its job, if it is a task that was submitted.

    Example:
        >>> config.model.layers, config["lr"]
        (3, 0.1)
    """

    __slots__ = ("_class", "_more", "_values")
    _class: str
    _values: dict[str, Any]
    _more: dict[str, Any]

    def __init__(self, cls: str, identity: str, values: dict[str, Any], jobpath: Path | None = None) -> None:
        more = {"identity": identity} if jobpath is None else {"identity": identity, "jobpath": jobpath}
        for name, value in (("_class", cls), ("_values", values), ("_more", more)):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name in self.__slots__:  # a copy that is just being made lacks them
            raise AttributeError(name)
        for known in (self._values, self._more):
            if name in known:
                return known[name]
        there = f"It has {', '.join(self._values)}." if self._values else "It has none."
        raise AttributeError(f"{bare_class(self._class)}: no parameter {name!r}. {there}")

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{bare_class(self._class)}.{name}: a configuration of a past run cannot be changed.")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self._more, *self._values})

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={safe_repr(value)}" for name, value in self._values.items())
        return f"{bare_class(self._class)}({values})"

    def __reduce__(self) -> tuple[Any, ...]:
        return PlainConfig, (self._class, self._more["identity"], self._values, self._more.get("jobpath"))


def of_description(described: Mapping[str, Any], *, job: Path, workspace: Path) -> PlainConfig:
    """The configuration that a description holds, as `params.json` has it.

    Args:
        described: The description.
        job: The directory of the job, for paths in it.
        workspace: The workspace, likewise.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: It is no such description.
    """
    reader = _Reader({"job": job, "workspace": workspace})
    root = str(described["task"])
    return reader.configuration(bare_class(root), {"class": root, "job": {"path": str(job)}, **described})


def of_flat(task: str, identity: str, params: Mapping[str, Any]) -> PlainConfig:
    """The configuration of a task, from the parameters in one level that the index has."""
    values: dict[str, Any] = {}
    for name in (each for each in params if "." not in each):
        below = {key[len(name) + 1 :]: value for key, value in params.items() if key.startswith(f"{name}.")}
        value = params[name]
        values[name] = of_flat(value, "", below) if below and isinstance(value, str) else value
    return PlainConfig(task, identity, values)


class _Reader:
    """Reads the values of one description.

    Args:
        bases: What relative paths are relative to.
    """

    def __init__(self, bases: Mapping[str, Path]) -> None:
        self.bases = bases
        self.met: dict[str, PlainConfig] = {}

    def configuration(self, path: str, described: Mapping[str, Any]) -> PlainConfig:
        """A configuration. It is known before its values are read, because a value can be the same one."""
        values: dict[str, Any] = {}
        jobpath = self.value(path, described["job"]) if "job" in described else None
        identity = str(described.get("identity", ""))
        found = self.met[path] = PlainConfig(str(described["class"]), identity, values, jobpath)
        for name, value in described.get("parameters", {}).items():
            values[name] = self.value(f"{path}.{name}", value)
        return found

    def value(self, path: str, written: Any) -> Any:
        if isinstance(written, list):
            return [self.value(f"{path}[{number}]", each) for number, each in enumerate(written)]
        if not isinstance(written, dict):
            return written
        if list(written) == ["see"]:
            return self.met.get(str(written["see"]), written["see"])
        if "class" in written and "identity" in written:
            return self.configuration(path, written)
        if is_typed(written):
            return self.typed(path, next(iter(written)), written)
        return {name: self.value(f"{path}[{name!r}]", each) for name, each in written.items()}

    def typed(self, path: str, name: str, written: Mapping[str, Any]) -> Any:
        """A value for which JSON has no type."""
        value = written[name]
        if name == "path":
            return self.bases[written["in"]] / value if "in" in written else Path(value)
        if name in _CONTAINERS:
            return _CONTAINERS[name](self.value(f"{path}[{number}]", each) for number, each in enumerate(value))
        if name == "dict":
            return {self.value(path, key): self.value(f"{path}[{key!r}]", each) for key, each in value}
        if name == "object":
            fields = {field: self.value(f"{path}.{field}", each) for field, each in value["fields"].items()}
            return PlainConfig(str(value["class"]), "", fields)
        return _SCALARS[name](value) if name in _SCALARS else value


_CONTAINERS: dict[str, Any] = {"tuple": tuple, "set": set, "frozenset": frozenset}
_SCALARS: dict[str, Any] = {
    "int": lambda text: int(text, 16),
    "float": float,
    "bytes": bytes.fromhex,
    "timedelta": lambda seconds: timedelta(seconds=seconds),
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
}
