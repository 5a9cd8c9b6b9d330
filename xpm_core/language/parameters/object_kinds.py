"""Kinds of dataclasses, attrs and pydantic classes: the objects are checked field by field, as parameters are."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, get_type_hints

from xpm_core.errors import DeclarationError, MismatchError
from xpm_core.language.graph.walk import contained
from xpm_core.language.parameters.annotations import AnnotationScope, UnresolvedError, kind_of
from xpm_core.language.parameters.generics import ConfigKind
from xpm_core.language.values import data_objects
from xpm_core.language.values.data_objects import ObjectField
from xpm_core.language.values.kinds import Kind

_kinds: dict[type, Mapping[str, Kind]] = {}
"""The kinds of the fields of each class that is the type of a parameter or of a field."""


class ObjectKind(Kind):
    """A class of dataclasses, attrs or pydantic. Objects of derived classes fit, too."""

    container = leaves_out = True

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.text = cls.__name__

    def check(self, value: Any) -> Any:
        if not isinstance(value, self.cls):
            raise self.mismatch(value, f"Pass {'an' if self.text[0] in 'AEIOU' else 'a'} {self.text}(...).")
        if getattr(value, "__pydantic_extra__", None):
            raise self.mismatch(value, f"It has fields that {type(value).__name__} does not declare.", allowed=False)
        try:
            fields = kinds_of(type(value))
        except UnresolvedError as error:
            name, wrong = type(value).__name__, f"the type of a field cannot be resolved ({error})"
            raise DeclarationError(name, wrong, "Import it, or define it before.") from None
        return data_objects.with_values(copy(value), self.checked(value, fields))

    def checked(self, value: Any, fields: Mapping[str, Kind]) -> dict[str, Any]:
        """The values of the fields of an object, each checked. An error names the field."""
        found = {}
        for name, kind in fields.items():
            try:
                field = found[name] = kind.check(getattr(value, name))
                if any(contained(field)):
                    raise kind.mismatch(field, f"Make {self.text} a Config, so that it can hold configurations.")
            except MismatchError as error:
                error.trail = f".{name}{error.trail}"
                raise
        return found

    def within(self, other: Kind) -> bool:
        return issubclass(self.cls, other.cls) if isinstance(other, ObjectKind) else super().within(other)


def object_kind(cls: Any) -> ObjectKind | None:
    """The kind of a class of dataclasses, attrs or pydantic; None for any other.

    Raises:
        DeclarationError: A field has a type that no parameter can have.
        UnresolvedError: The type of a field uses a name that is not defined, or not yet.
    """
    if not isinstance(cls, type) or data_objects.fields_of(cls) is None:
        return None
    kinds_of(cls)
    return ObjectKind(cls)


def kinds_of(cls: type) -> Mapping[str, Kind]:
    """The kinds of the fields of a class, by field."""
    if cls not in _kinds:
        found: dict[str, Kind] = {}
        _kinds[cls] = found  # before its fields, because a field can be of the class itself
        try:
            fields = data_objects.fields_of(cls) or []
            found.update(field_kinds(cls, fields))
        except BaseException:
            del _kinds[cls]
            raise
        counted = tuple(field.name for field in fields if field.compared and not found[field.name].path)
        data_objects.object_classes[cls] = data_objects.FieldNames(tuple(found), counted)
    return _kinds[cls]


def field_kinds(cls: type, fields: list[ObjectField]) -> dict[str, Kind]:
    try:
        hints = get_type_hints(cls, include_extras=True) if any(field.type is None for field in fields) else {}
    except NameError as error:
        raise UnresolvedError(str(error)) from None
    names = AnnotationScope(cls, list)
    found = {}
    for field in fields:
        where = f"{cls.__name__}.{field.name}"
        kind = kind_of(hints[field.name] if field.type is None else field.type, names, where)
        if isinstance(kind, ConfigKind):
            remedy = f"Make {cls.__name__} a Config."
            raise DeclarationError(where, f"{kind.text} is a configuration, and {cls.__name__} is none", remedy)
        found[field.name] = kind
    return found
