"""Objects of dataclasses, attrs and pydantic as values: which fields they have, and how one is made again.

None of the three is imported here: a class that is one of theirs says so itself.
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
        argument: Its name as an argument of the class; None when it is none.
        type: Its type; None when it is to be looked up among the type hints of the class.
        compared: Whether it counts when objects are compared.
    """

    name: str
    argument: str | None
    type: Any
    compared: bool


class Names(NamedTuple):
    """The fields of a class: all of them, and those that count for identities."""

    all: tuple[str, ...]
    counted: tuple[str, ...]


known: dict[type, Names] = {}
"""The classes whose objects are values of parameters; xpm_core.language.parameters.object_kinds puts them here."""


def fields_of(cls: Any) -> list[ObjectField] | None:
    """The fields that a class of dataclasses, attrs or pydantic declares; None for any other class.

    Raises:
        DeclarationError: Its objects cannot be made again from their fields.
    """
    if hasattr(cls, "__pydantic_fields__"):
        return [
            ObjectField(name, alias(name, info), told_type(info), True)
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


def alias(name: str, info: Any) -> str:
    """The name of a field of pydantic as an argument."""
    return info.validation_alias if isinstance(info.validation_alias, str) else name


def told_type(info: Any) -> Any:
    """The type of a field of pydantic, with its bounds."""
    parts = (info.annotation, *info.metadata)
    return Annotated[parts] if info.metadata else info.annotation


def made(cls: Any, values: Mapping[str, Any]) -> Any:
    """An object of a class with those values of its fields.

    Raises:
        KeyError: A field has none.
        Exception: Whatever the class itself raises.
    """
    if hasattr(cls, "__pydantic_fields__"):
        return cls.model_construct(**values)
    fields = fields_of(cls) or []
    found = cls(**{field.argument: values[field.name] for field in fields if field.argument is not None})
    return with_values(found, {field.name: values[field.name] for field in fields})


def with_values(found: Any, values: Mapping[str, Any]) -> Any:
    """An object whose fields have those values, also when it cannot be assigned."""
    for name, value in values.items():
        object.__setattr__(found, name, value)
    return found


def values_of(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """The values of some fields of an object."""
    return {name: getattr(value, name) for name in names}


def fresh(value: Any) -> Any:
    """A copy of an object, which can be changed alone; any other value as it is."""
    return deepcopy(value) if type(value) in known else value


def held(value: Any) -> bool:
    """Whether a value is, or holds, an object."""
    if isinstance(value, dict):
        return any(map(held, value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(map(held, value))
    return type(value) in known


def refuse_local(cls: type) -> None:
    """Refuse a class that another process cannot make again.

    Raises:
        DeclarationError: A function defines it; what its decorator did is not recorded.
    """
    if LOCAL in cls.__qualname__ and not hasattr(cls, "__pydantic_fields__"):
        wrong = "a job cannot make this class again, for a function defines it"
        raise DeclarationError(cls.__qualname__, wrong, "Define it in the module.")
