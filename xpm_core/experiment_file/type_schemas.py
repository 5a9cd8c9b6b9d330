"""JSON schemas of configurations and of the types of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import Flag
from functools import partial
from typing import Any

from xpm_core.experiment_file.content.grid_forms import GRID, LOGSPACE, RANGE
from xpm_core.experiment_file.content.values import takes_entry
from xpm_core.language.classes.parameter_help import help_of
from xpm_core.language.dict_form.class_names import CLASS, derived, shortest_name
from xpm_core.language.parameters.bounds import RELATIONS
from xpm_core.language.parameters.generics import ConfigKind
from xpm_core.language.parameters.object_kinds import ObjectKind, kinds_of
from xpm_core.language.values.kinds import (
    BoundedKind,
    DictKind,
    EnumKind,
    Kind,
    ListKind,
    LiteralKind,
    NoneKind,
    PathKind,
    ScalarKind,
    SetKind,
    TupleKind,
    UnionKind,
)

Form = dict[str, Any]
TEXT: Form = {"type": "string", "minLength": 1}
SCALARS: dict[Any, Form] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    datetime: {"type": "string"},
    date: {"type": "string"},
    time: {"type": "string"},
    timedelta: {"type": "object", "additionalProperties": {"type": "integer"}},
}
BOUNDS: dict[str, str] = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
}
LENGTHS = {"min_length": ("minItems", "minLength"), "max_length": ("maxItems", "maxLength")}


class SchemaWriter:
    """Writes the schemas of types.

    Attributes:
        definitions: The schemas of classes, by name. Each class has two: all of it, and a part of it.
    """

    def __init__(self) -> None:
        self.definitions: dict[str, Form] = {}
        self._names: dict[Any, str] = {}

    def configuration(self, cls: Any, *, whole: bool) -> Form:
        """The schema of a configuration of a class, or of one derived from it, which `class` names.

        Args:
            cls: The class.
            whole: Whether what is required must be there.
        """
        others = [each for each in derived([cls]) if each is not cls and not getattr(each, "__abstractmethods__", ())]
        abstract = bool(getattr(cls, "__abstractmethods__", ()))
        options = [] if abstract else [self._reference(cls, None, whole)]
        options += [self._reference(each, shortest_name(each, [cls]), whole) for each in others]
        return options[0] if len(options) == 1 else {"anyOf": options}

    def _reference(self, cls: Any, name: str | None, whole: bool) -> Form:
        key = (cls, name, whole)
        if key not in self._names:
            title = f"{cls.__name__}{'' if name is None else ' by name'}{'' if whole else ' in part'}"
            same = sum(known.partition(" #")[0] == title for known in self.definitions)
            self._names[key] = title = f"{title} #{same + 1}" if same else title
            self.definitions[title] = {}  # a class can refer to itself
            self.definitions[title] = self._class(cls, name, whole)
        return {"$ref": f"#/$defs/{self._names[key].replace(' ', '%20').replace('#', '%23')}"}

    def _class(self, cls: Any, name: str | None, whole: bool) -> Form:
        known = [each for each in help_of(cls) if each.role != "constant"]
        properties: dict[str, Form] = {}
        for each in known:
            form = self.parameter(each.parameter.kind, whole)
            properties[each.name] = {"description": each.help, **form} if each.help else form
        required = [each.name for each in known if each.required] if whole else []
        own = {"const": name} if name is not None else {"const": cls.__name__}
        return {
            "type": "object",
            "properties": {CLASS: own, **properties},
            "required": [*([CLASS] if name is not None else []), *required],
            "additionalProperties": False,
        }

    def parameter(self, kind: Kind, whole: bool) -> Form:
        """The schema of the value of a parameter, which may be a grid."""
        value = self.value(kind, whole)
        grids = [form for name, form in self._grids(kind, value) if not takes_entry(kind, name)]
        return {"anyOf": [value, *grids]}

    def _grids(self, kind: Kind, value: Form) -> list[tuple[str, Form]]:
        listed = {"type": "array", "items": value, "minItems": 1}
        named = {"type": "object", "additionalProperties": value, "minProperties": 1}
        found = [(GRID, _only(GRID, {"anyOf": [listed, named]}))]
        if _is_number(kind):
            whole = {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3}
            above = {"type": "number", "exclusiveMinimum": 0}
            ends = [above, above, {"type": "integer", "minimum": 2}]
            steps = {"type": "array", "prefixItems": ends, "items": False, "minItems": 3}
            found += [(RANGE, _only(RANGE, whole)), (LOGSPACE, _only(LOGSPACE, steps))]
        return found

    def value(self, kind: Kind, whole: bool) -> Form:
        """The schema of a value."""
        writer = WRITERS.get(type(kind))
        return {} if writer is None else writer(self, kind, whole)

    def scalar(self, kind: ScalarKind, whole: bool) -> Form:
        return dict(SCALARS[kind.exact])

    def none(self, kind: NoneKind, whole: bool) -> Form:
        return {"type": "null"}

    def path(self, kind: PathKind, whole: bool) -> Form:
        return {"type": "string"}

    def enum(self, kind: EnumKind, whole: bool) -> Form:
        names: Form = {"enum": list(kind.cls.__members__)}
        return {"anyOf": [names, {"type": "integer"}]} if issubclass(kind.cls, Flag) else names

    def literal(self, kind: LiteralKind, whole: bool) -> Form:
        return {"enum": [value for value in kind.values if isinstance(value, (str, int, type(None)))]}

    def list_(self, kind: ListKind, whole: bool) -> Form:
        return {"type": "array", "items": self.value(kind.item, whole)}

    def tuple_(self, kind: TupleKind, whole: bool) -> Form:
        if kind.repeated:
            return {"type": "array", "items": self.value(kind.kinds[0], whole)}
        items = [self.value(each, whole) for each in kind.kinds]
        fixed: Form = {"prefixItems": items} if items else {}
        return {"type": "array", **fixed, "items": False, "minItems": len(items)}

    def set_(self, kind: SetKind, whole: bool) -> Form:
        return {"type": "array", "items": self.value(kind.item, whole), "uniqueItems": True}

    def dict_(self, kind: DictKind, whole: bool) -> Form:
        return {"type": "object", "additionalProperties": self.value(kind.item, whole)}

    def union(self, kind: UnionKind, whole: bool) -> Form:
        configs = [option for option in kind.options if isinstance(option, (ConfigKind, ObjectKind))]
        named = [self._named(option, whole) for option in configs] if len(configs) > 1 else []
        others = [option for option in kind.options if not named or option not in configs]
        return {"anyOf": [*named, *(self.value(option, whole) for option in others)]}

    def _named(self, kind: Any, whole: bool) -> Form:
        """One of several classes: the dict has to name it."""
        return {**self.value(kind, whole), "required": [CLASS]}

    def bounded(self, kind: BoundedKind, whole: bool) -> Form:
        inner = self.value(kind.inner, whole)
        for _, test in kind.bounds:
            inner |= _bound(test, inner)
        return inner

    def config(self, kind: ConfigKind, whole: bool) -> Form:
        return self.configuration(kind.cls, whole=whole)

    def object(self, kind: ObjectKind, whole: bool) -> Form:
        properties = {name: self.value(each, whole) for name, each in kinds_of(kind.cls).items()}
        return {"type": "object", "properties": {CLASS: TEXT, **properties}}


def _only(name: str, form: Form) -> Form:
    """A dict with one entry."""
    return {"type": "object", "properties": {name: form}, "required": [name], "additionalProperties": False}


def _is_number(kind: Kind) -> bool:
    if isinstance(kind, UnionKind):
        return any(map(_is_number, kind.options))
    return _is_number(kind.inner) if isinstance(kind, BoundedKind) else kind.exact in (int, float)


def _bound(test: Callable[[Any], bool], inner: Form) -> Form:
    """The words of JSON Schema for a bound."""
    relation, limit = (test.func, test.args[0]) if isinstance(test, partial) else (None, None)
    for name, (_, known) in RELATIONS.items():
        if known is relation and name in BOUNDS and isinstance(limit, (int, float)):
            return {BOUNDS[name]: limit}
        if known is relation and name in LENGTHS:
            return {LENGTHS[name][inner.get("type") == "string"]: limit}
    return {}


WRITERS: dict[type[Kind], Callable[[SchemaWriter, Any, bool], Form]] = {
    ScalarKind: SchemaWriter.scalar,
    NoneKind: SchemaWriter.none,
    PathKind: SchemaWriter.path,
    EnumKind: SchemaWriter.enum,
    LiteralKind: SchemaWriter.literal,
    ListKind: SchemaWriter.list_,
    TupleKind: SchemaWriter.tuple_,
    SetKind: SchemaWriter.set_,
    DictKind: SchemaWriter.dict_,
    BoundedKind: SchemaWriter.bounded,
    ConfigKind: SchemaWriter.config,
    ObjectKind: SchemaWriter.object,
    UnionKind: SchemaWriter.union,
}
"""The writers by kind. A value of any other kind may be anything."""
