"""Make configurations from plain values. The kinds of the parameters say what each value stands for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from enum import Flag
from typing import Any, NoReturn

from xpm_core.errors import (
    ConfigurationError,
    CycleError,
    MismatchError,
    ParameterValueError,
    SealedError,
    UnknownParameterError,
)
from xpm_core.language.classes.declaration import complete
from xpm_core.language.dict_form.class_names import CLASS, choices, class_named, derived
from xpm_core.language.dict_form.omegaconf_values import unwrapped
from xpm_core.language.graph.state import is_configuration, state_of
from xpm_core.language.parameters.generics import ConfigKind
from xpm_core.language.parameters.object_kinds import ObjectKind, kinds_of
from xpm_core.language.parameters.schema import Schema, refusal
from xpm_core.language.values.data_objects import fields_of
from xpm_core.language.values.kinds import (
    BoundedKind,
    DictKind,
    EnumKind,
    Kind,
    ListKind,
    ScalarKind,
    SetKind,
    TupleKind,
    UnionKind,
)
from xpm_core.tracebacks.callsite import CodeLine, format_line


class SourceLines:
    """The lines that set plain values.

    Args:
        default: The line of all values that have no line of their own.
    """

    def __init__(self, default: CodeLine) -> None:
        self.default = default
        self.file = default[0]
        self.lines: dict[Any, int] = {}

    def place(self, container: Any, key: Any = None) -> CodeLine:
        """The line of a dict or list, or of one of its entries."""
        line = self.lines.get((id(container), key)) or self.lines.get((id(container), None))
        return (self.file, line) if line else self.default


class DictReader:
    """Makes the configurations of one dict. A dict that appears twice makes one configuration, which is shared.

    Args:
        lines: The lines that set the values.
    """

    def __init__(self, lines: SourceLines) -> None:
        self.lines = lines
        self.configs: dict[tuple[int, type], Any] = {}
        self.open: set[int] = set()
        self.place = lines.default
        self.kept: list[Any] = []

    def configuration(self, cls: Any, given: Any, where: str, variables: Mapping[str, Kind] | None = None) -> Any:
        """Make the configuration of a dict.

        Args:
            cls: The class, unless the dict names one derived from it.
            given: The dict.
            where: Its path.
            variables: The kinds of the parameters whose types are type variables.

        Raises:
            ConfigurationError: A value does not fit; names its path and its line.
        """
        values = self.mapping(given, where, cls.__name__)
        found = self.class_of(values, [cls], where)
        if (id(values), found) in self.configs:
            return self.configs[id(values), found]
        if id(values) in self.open:
            raise CycleError(where, "it contains itself", "Break the circle, or write a copy.", self.at(values))
        self.open.add(id(values))
        config = self.configs[id(values), found] = self.filled(found, values, where, variables or {})
        self.open.discard(id(values))
        self.kept.append(values)  # no other dict can have its `id` while it is kept
        return config

    def filled(self, cls: Any, values: Mapping[str, Any], where: str, variables: Mapping[str, Kind]) -> Any:
        complete(cls, last=True)
        schema: Schema = cls.__xpm_schema__
        if schema.abstract:
            wrong = f"{cls.__name__} has no method {' and '.join(sorted(schema.abstract))}, so none can be made"
            remedy = f"Name a class: {CLASS}: {choices(derived([cls]))}."
            raise ParameterValueError(where, wrong, remedy, self.at(values))
        found, places = {}, {}
        for name, plain in values.items():
            if name == CLASS:
                continue
            parameter = schema.parameters.get(name)
            places[name] = self.place = self.lines.place(values, name)
            if parameter is None and name not in schema.renamed:
                self.unknown(name, schema.parameters, where)
            if parameter is not None and parameter.role == "constant":
                wrong = f"cannot set {plain!r}, it is a constant"
                raise SealedError(f"{where}.{name}", wrong, "Leave it out.", format_line(self.place))
            kind = variables.get(name, parameter.kind) if parameter is not None else None
            found[name] = plain if kind is None else self.assigned(kind, plain, f"{where}.{name}")
        config = cls(**found)
        own = state_of(config)
        own.made_at, own.places = self.lines.place(values), {**own.places, **places}
        return config

    def assigned(self, kind: Kind, plain: Any, where: str) -> Any:
        """What a parameter is given for its entry in a dict."""
        return self.value(kind, plain, where)

    def unknown(self, name: Any, known: Mapping[str, Any], where: str) -> NoReturn:
        near = get_close_matches(str(name), known, 1)
        remedy = f"There are: {', '.join(known)}." if known else "It has no parameters."
        wrong = f"unknown parameter {name!r}"
        if near:
            remedy = f"Did you mean {near[0]!r}?"
        raise UnknownParameterError(where, wrong, remedy, format_line(self.place))

    def mapping(self, given: Any, where: str, wanted: str) -> Mapping[str, Any]:
        found = unwrapped(given, where)
        if not isinstance(found, Mapping):
            raise self.refused(where, MismatchError(wanted, found, remedy="Write a dict of its parameters."))
        return found

    def class_of(self, values: Mapping[str, Any], bases: list[type], where: str) -> type:
        """The class of a dict: the one that it names, else the only one that there is."""
        place = format_line(self.lines.place(values, CLASS))
        if CLASS in values:
            return class_named(values[CLASS], bases, where, place)
        if len(bases) == 1:
            return bases[0]
        wrong = f"it could be {' or '.join(cls.__name__ for cls in bases)}"
        raise ParameterValueError(where, wrong, f"Name the class: {CLASS}: {bases[0].__name__}.", place)

    def at(self, values: Any) -> str:
        return format_line(self.lines.place(values))

    def refused(self, where: str, mismatch: MismatchError) -> ConfigurationError:
        return refusal(where, mismatch, format_line(self.place))

    # The values, by their kinds.

    def value(self, kind: Kind, given: Any, where: str) -> Any:
        """The value that a plain value stands for."""
        plain = unwrapped(given, where)
        try:
            reader = READERS.get(type(kind))
            return kind.check(plain) if reader is None or is_configuration(plain) else reader(self, kind, plain, where)
        except MismatchError as error:
            raise self.refused(where, error) from None

    def scalar(self, kind: ScalarKind, plain: Any, where: str) -> Any:
        read = SCALAR_READERS.get(kind.exact)
        if read is not None and isinstance(plain, (str, Mapping)):
            try:
                return kind.check(read(plain))
            except (ValueError, TypeError, binascii.Error) as error:
                raise kind.mismatch(plain, f"Write {SCALAR_FORMS[kind.exact]} ({error}).") from None
        if kind.exact is str and type(plain) in (int, float, bool):
            raise kind.mismatch(plain, "If it is meant as a text, quote it.")
        return kind.check(plain)

    def enum(self, kind: EnumKind, plain: Any, where: str) -> Any:
        members = kind.cls.__members__
        if isinstance(plain, str) and plain in members:
            return members[plain]
        if issubclass(kind.cls, Flag) and type(plain) is int:
            return kind.cls(plain)
        if isinstance(plain, kind.cls):
            return plain
        raise kind.mismatch(plain, f"Write {' or '.join(list(members)[:5])}.")

    def list_(self, kind: ListKind, plain: Any, where: str) -> Any:
        if not isinstance(plain, list):
            raise kind.mismatch(plain)
        return [self.item(kind.item, plain, index, where) for index in range(len(plain))]

    def tuple_(self, kind: TupleKind, plain: Any, where: str) -> Any:
        if not isinstance(plain, (list, tuple)):
            raise kind.mismatch(plain)
        kinds = kind.kinds * len(plain) if kind.repeated else kind.kinds
        if len(kinds) != len(plain):
            raise kind.mismatch(plain, f"Write {len(kinds)} items, not {len(plain)}.", allowed=False)
        return tuple(self.item(inner, plain, index, where) for index, inner in enumerate(kinds))

    def set_(self, kind: SetKind, plain: Any, where: str) -> Any:
        if not isinstance(plain, (list, tuple, set, frozenset)):
            raise kind.mismatch(plain)
        items = [self.value(kind.item, item, f"{where}[{index}]") for index, item in enumerate(plain)]
        if len(set(items)) != len(items):
            raise kind.mismatch(plain, "Write each item once.", allowed=False)
        return kind.cls(items)

    def item(self, kind: Kind, plain: Any, index: Any, where: str) -> Any:
        self.place = self.lines.place(plain, index)
        return self.value(kind, plain[index], f"{where}[{index!r}]")

    def dict_(self, kind: DictKind, plain: Any, where: str) -> Any:
        if not isinstance(plain, Mapping):
            raise kind.mismatch(plain)
        keys = {key: self.value(kind.key, key, f"{where}{{key {key!r}}}") for key in plain}
        return {found: self.item(kind.item, plain, key, where) for key, found in keys.items()}

    def bounded(self, kind: BoundedKind, plain: Any, where: str) -> Any:
        return kind.check(self.value(kind.inner, plain, where))

    def config(self, kind: ConfigKind, plain: Any, where: str) -> Any:
        if not isinstance(plain, Mapping):
            raise kind.mismatch(plain, f"Write a dict of the parameters of {kind.text}.")
        return kind.check(self.configuration(kind.cls, plain, where, kind.variables))

    def object(self, kind: ObjectKind, plain: Any, where: str) -> Any:
        if not isinstance(plain, Mapping):
            return kind.check(plain)
        cls: Any = self.class_of(plain, [kind.cls], where)
        kinds, given = kinds_of(cls), {name: item for name, item in plain.items() if name != CLASS}
        for name in given:
            self.place = self.lines.place(plain, name)
            if name not in kinds:
                self.unknown(name, kinds, where)
        values = {name: self.value(kinds[name], item, f"{where}.{name}") for name, item in given.items()}
        arguments = {field.name: field.argument for field in fields_of(cls) or []}
        try:
            return kind.check(cls(**{arguments[name] or name: value for name, value in values.items()}))
        except (TypeError, ValueError, AssertionError) as error:
            if isinstance(error, ConfigurationError):
                raise
            wrong = f"{cls.__name__} refuses its fields ({error})"
            raise ParameterValueError(where, wrong, "Change them.", self.at(plain)) from error

    def union(self, kind: UnionKind, plain: Any, where: str) -> Any:
        if isinstance(plain, Mapping):
            return self.one_of(kind, plain, where)
        for option in kind.options:
            if option.exact is type(plain):
                return plain
        found, errors = [], []
        for option in kind.options:
            try:
                found.append((option, self.value(option, plain, where)))
            except ConfigurationError as error:
                errors.append(error)
        if len({(type(value), repr(value)) for _, value in found}) == 1:
            return found[0][1]
        if found:
            texts = " or ".join(option.text for option, _ in found)
            raise kind.mismatch(plain, f"It could be {texts}: pass the object itself.", allowed=False)
        inner = [error for error in errors if error.where != where or isinstance(error, ParameterValueError)]
        raise inner[0] if len(inner) == 1 else kind.mismatch(plain)

    def one_of(self, kind: UnionKind, values: Mapping[str, Any], where: str) -> Any:
        """The value of a dict in a union: of the class that it names, else of the only option that takes dicts."""
        classes = {option.cls: option for option in kind.options if isinstance(option, (ConfigKind, ObjectKind))}
        others = [option for option in kind.options if isinstance(option, DictKind) or option.exact is timedelta]
        if not classes or (others and CLASS not in values):
            if len(others) != 1:
                raise kind.mismatch(values)
            return self.value(others[0], values, where)
        cls = self.class_of(values, list(classes), where)
        option = next(option for base, option in classes.items() if issubclass(cls, base))
        return self.value(option, values, where)


def seconds(given: Any) -> timedelta:
    """A span of time: `{days: 1, hours: 6}`, in whole numbers."""
    if not isinstance(given, Mapping) or not all(type(amount) is int for amount in given.values()):
        raise ValueError(f"got {given!r}")
    return timedelta(**given)


SCALAR_READERS: dict[Any, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    timedelta: seconds,
    bytes: lambda text: base64.b64decode(text, validate=True),
}
SCALAR_FORMS: dict[Any, str] = {
    datetime: "it as 2024-02-29T12:00:00",
    date: "it as 2024-02-29",
    time: "it as 12:00:00",
    timedelta: "it as {days: 1, seconds: 30}",
    bytes: "it in base64",
}
READERS: dict[type[Kind], Callable[[DictReader, Any, Any, str], Any]] = {
    ScalarKind: DictReader.scalar,
    EnumKind: DictReader.enum,
    ListKind: DictReader.list_,
    TupleKind: DictReader.tuple_,
    SetKind: DictReader.set_,
    DictKind: DictReader.dict_,
    BoundedKind: DictReader.bounded,
    ConfigKind: DictReader.config,
    ObjectKind: DictReader.object,
    UnionKind: DictReader.union,
}
"""The readers by kind. Values of any other kind are plain themselves."""
