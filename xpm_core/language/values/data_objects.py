"""Objects of dataclasses, attrs and pydantic as values: which fields they have, and how one is made again.

None of the three is imported here. An attribute of a class shows that it is one of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Annotated, Any, NamedTuple

from xpm_core.errors import DeclarationError
from xpm_core.project.origin import LOCAL


class ObjectField(NamedTuple):
    """One field of a class.

    Attributes:
        name: Its name.
        argument: The name of its argument in a call of the class; None when it has none.
        type: Its type; None when the type hints of the class say it.
        compared: Whether it counts when objects are compared.
    """

    name: str
    argument: str | None
    type: Any
    compared: bool


class FieldNames(NamedTuple):
    """The names of the fields of a class: all of them, and those that count in identities."""

    all: tuple[str, ...]
    counted: tuple[str, ...]


object_classes: dict[type, FieldNames] = {}
"""The classes whose objects are values of parameters. xpm_core.language.parameters.object_kinds fills it."""


def fields_of(cls: Any) -> list[ObjectField] | None:
    """The fields that a class of dataclasses, attrs or pydantic declares; None for any other class.

    Raises:
        DeclarationError: Its objects cannot be made again from their fields.
    """
    if hasattr(cls, "__pydantic_fields__"):
        return [
            ObjectField(name, argument_name(name, info), bounded_type(info), True)
            for name, info in cls.__pydantic_fields__.items()
        ]
    if hasattr(cls, "__attrs_attrs__"):
        return [ObjectField(a.name, a.alias if a.init else None, None, bool(a.eq)) for a in cls.__attrs_attrs__]
    if hasattr(cls, "__dataclass_fields__"):
        from dataclasses import fields

        names = {field.name for field in fields(cls)}
        for name, field in cls.__dataclass_fields__.items():
            if name not in names and "InitVar" in repr(field.type):
                wrong = "it is an InitVar, which an object does not keep"
                raise DeclarationError(f"{cls.__name__}.{name}", wrong, "Make it a field.")
        return [ObjectField(f.name, f.name if f.init else None, None, bool(f.compare)) for f in fields(cls)]
    return None


def argument_name(name: str, info: Any) -> str:
    """The name of the argument for a field of pydantic."""
    return info.validation_alias if isinstance(info.validation_alias, str) else name


def bounded_type(info: Any) -> Any:
    """The type of a field of pydantic, with its bounds."""
    parts = (info.annotation, *info.metadata)
    return Annotated[parts] if info.metadata else info.annotation


def rebuilt_object(cls: Any, values: Mapping[str, Any]) -> Any:
    """Make an object of a class from the values of its fields.

    Raises:
        KeyError: A field has no value.
        Exception: Any error that the class raises.
    """
    if hasattr(cls, "__pydantic_fields__"):
        return cls.model_construct(**values)
    fields = fields_of(cls) or []
    found = cls(**{field.argument: values[field.name] for field in fields if field.argument is not None})
    return with_values(found, {field.name: values[field.name] for field in fields})


def with_values(found: Any, values: Mapping[str, Any]) -> Any:
    """Set fields of an object, even if its class forbids assignment, and return the object."""
    for name, value in values.items():
        object.__setattr__(found, name, value)
    return found


def field_values(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """The values of some fields of an object."""
    return {name: getattr(value, name) for name in names}


def copied_object(value: Any) -> Any:
    """A copy of an object, which shares nothing with it; any other value as it is."""
    return deepcopy(value) if type(value) in object_classes else value


def holds_object(value: Any) -> bool:
    """Whether a value is such an object, or contains one."""
    if isinstance(value, dict):
        return any(map(holds_object, value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(map(holds_object, value))
    return type(value) in object_classes


def refuse_local(cls: type) -> None:
    """Refuse a class that another process cannot make again.

    Raises:
        DeclarationError: A function defines it. Its decorator has changed it, and that is not recorded.
    """
    if LOCAL in cls.__qualname__ and not hasattr(cls, "__pydantic_fields__"):
        wrong = "a job cannot make this class again, because a function defines it"
        raise DeclarationError(cls.__qualname__, wrong, "Define it in the module.")
