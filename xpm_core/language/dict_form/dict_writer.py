"""Make plain values from configurations. A value that could not be read again without a loss is refused."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from enum import Flag
from typing import Any

from xpm_core.errors import ConfigurationError, MismatchError, ParameterValueError
from xpm_core.language.dict_form.class_names import CLASS, shortest_name
from xpm_core.language.dict_form.dict_reader import DictReader, SourceLines
from xpm_core.language.graph.state import state_of
from xpm_core.language.graph.tagged_values import without_tag
from xpm_core.language.parameters.generics import ConfigKind
from xpm_core.language.parameters.object_kinds import ObjectKind, kinds_of
from xpm_core.language.parameters.schema import schema_of
from xpm_core.language.values.data_objects import field_values
from xpm_core.language.values.kinds import (
    AnyKind,
    BoundedKind,
    DictKind,
    EnumKind,
    Kind,
    ListKind,
    PathKind,
    ScalarKind,
    SetKind,
    TupleKind,
    UnionKind,
)

PLAIN_TYPES = (str, bool, int, float, type(None))


class DictWriter:
    """Writes one configuration. A configuration that appears twice becomes one dict, which is shared."""

    def __init__(self) -> None:
        self.dicts: dict[tuple[int, str], dict[str, Any]] = {}

    def configuration(
        self, config: Any, where: str, name: str = "", variables: Mapping[str, Kind] | None = None
    ) -> dict[str, Any]:
        """The dict of a configuration.

        Args:
            config: The configuration.
            where: Its path.
            name: The name of its class, if the dict must contain it.
            variables: The kinds of the parameters whose types are type variables.

        Raises:
            ParameterValueError: Plain values cannot express something that counts.
        """
        if (id(config), name) in self.dicts:
            return self.dicts[id(config), name]
        refuse_not_plain(config, where)
        found: dict[str, Any] = {CLASS: name} if name else {}
        self.dicts[id(config), name] = found
        for parameter in schema_of(config).parameters.values():
            if parameter.name in config.__dict__ and parameter.role != "constant":
                kind = (variables or {}).get(parameter.name, parameter.kind)
                value = config.__dict__[parameter.name]
                found[parameter.name] = self.value(kind, value, f"{where}.{parameter.name}")
        return found

    def value(self, kind: Kind, value: Any, where: str) -> Any:
        """A value as a plain one."""
        writer, value = WRITERS.get(type(kind)), without_tag(value)
        return value if writer is None else writer(self, kind, value, where)

    def scalar(self, kind: ScalarKind, value: Any, where: str) -> Any:
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        if isinstance(value, timedelta):
            return {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value

    def path(self, kind: PathKind, value: Any, where: str) -> Any:
        return str(value)

    def enum(self, kind: EnumKind, value: Any, where: str) -> Any:
        return value.value if isinstance(value, Flag) else value.name

    def list_(self, kind: ListKind, value: Any, where: str) -> Any:
        return [self.value(kind.item, item, f"{where}[{index}]") for index, item in enumerate(value)]

    def tuple_(self, kind: TupleKind, value: Any, where: str) -> Any:
        kinds = kind.kinds * len(value) if kind.repeated else kind.kinds
        return [
            self.value(inner, item, f"{where}[{i}]") for i, (inner, item) in enumerate(zip(kinds, value, strict=True))
        ]

    def set_(self, kind: SetKind, value: Any, where: str) -> Any:
        return sorted((self.value(kind.item, item, f"{where}{{}}") for item in value), key=repr)

    def dict_(self, kind: DictKind, value: Any, where: str) -> Any:
        return {
            self.value(kind.key, key, where): self.value(kind.item, item, f"{where}[{key!r}]")
            for key, item in value.items()
        }

    def bounded(self, kind: BoundedKind, value: Any, where: str) -> Any:
        return self.value(kind.inner, value, where)

    def config(self, kind: ConfigKind, value: Any, where: str) -> Any:
        name = "" if type(value) is kind.cls else shortest_name(type(value), [kind.cls])
        return self.configuration(value, where, name, kind.variables)

    def object(self, kind: ObjectKind, value: Any, where: str) -> Any:
        kinds = kinds_of(type(value))
        found = {CLASS: shortest_name(type(value), [kind.cls])} if type(value) is not kind.cls else {}
        fields = field_values(value, tuple(kinds))
        return found | {name: self.value(kinds[name], field, f"{where}.{name}") for name, field in fields.items()}

    def union(self, kind: UnionKind, value: Any, where: str) -> Any:
        classes = [option.cls for option in kind.options if isinstance(option, (ConfigKind, ObjectKind))]
        option = matching_option(kind, value)
        found = self.value(option, value, where)
        if isinstance(option, (ConfigKind, ObjectKind)):
            return {CLASS: shortest_name(type(value), classes), **found} if len(kind.options) > 2 else found
        self.refuse_lossy(kind, value, found, where)
        return found

    def any(self, kind: AnyKind, value: Any, where: str) -> Any:
        if isinstance(value, list):
            return [self.any(kind, item, f"{where}[{index}]") for index, item in enumerate(value)]
        if isinstance(value, dict) and all(type(key) in PLAIN_TYPES for key in value):
            return {key: self.any(kind, item, f"{where}[{key!r}]") for key, item in value.items()}
        if type(value) not in PLAIN_TYPES:
            raise not_plain(where, f"{value!r} is of a type that is not declared", "Declare it, instead of Any")
        return value

    def refuse_lossy(self, kind: UnionKind, value: Any, found: Any, where: str) -> None:
        """Refuse a value that would be read as another one, such as a path where texts are allowed, too."""
        try:
            again = DictReader(SourceLines(("", 0))).value(kind, found, where)
        except ConfigurationError:
            again = found
        if type(again) is not type(value) or again != value:
            raise not_plain(where, f"{value!r} would be read as {again!r}", "Declare one of the types only")


def matching_option(kind: UnionKind, value: Any) -> Kind:
    """The option of a union that a value belongs to."""
    for option in kind.options:
        if option.exact is type(value):
            return option
    for option in kind.options:
        try:
            if type(option.check(value)) is type(value):
                return option
        except MismatchError:
            continue
    return kind.options[0]


def refuse_not_plain(config: Any, where: str) -> None:
    """Refuse a configuration if a dict could not express all that counts in it."""
    own = state_of(config)
    reasons = {
        "it was made by a task": own.source,
        "it has initial tasks": own.init_tasks,
        "setmeta() was called for it": own.ignored is not None,
    }
    for reason, given in reasons.items():
        if given:
            raise not_plain(where, reason, "Use save()")


def not_plain(where: str, why: str, remedy: str) -> ParameterValueError:
    return ParameterValueError(where, f"plain values cannot express it: {why}", f"{remedy}.")


WRITERS: dict[type[Kind], Callable[[DictWriter, Any, Any, str], Any]] = {
    ScalarKind: DictWriter.scalar,
    PathKind: DictWriter.path,
    EnumKind: DictWriter.enum,
    ListKind: DictWriter.list_,
    TupleKind: DictWriter.tuple_,
    SetKind: DictWriter.set_,
    DictKind: DictWriter.dict_,
    BoundedKind: DictWriter.bounded,
    ConfigKind: DictWriter.config,
    ObjectKind: DictWriter.object,
    UnionKind: DictWriter.union,
    AnyKind: DictWriter.any,
}
"""The writers by kind. Values of any other kind are plain themselves."""
