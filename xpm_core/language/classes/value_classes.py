"""Value classes: the class that the live objects of a configuration have, if it is not the configuration's own."""

from __future__ import annotations

from typing import Any, TypeVar

from xpm_core.errors import DeclarationError
from xpm_core.language.parameters.schema import Schema

V = TypeVar("V")


def set_value_class(cls: Any, value: type[V]) -> type[V]:
    """Make a class the class of the live objects of another one, and return it.

    Raises:
        DeclarationError: It does not derive from that class and the value classes of its bases, or it declares a
            parameter.
    """
    schema: Schema = cls.__xpm_schema__
    above = [base.__dict__["__xpm_schema__"] for base in cls.__mro__[1:] if "__xpm_schema__" in base.__dict__]
    for base in (cls, *(other.value_class for other in above)):
        if not issubclass(value, base):
            wrong = f"it does not derive from {base.__name__}, as a value class of {cls.__name__} has to"
            raise DeclarationError(value.__name__, wrong, f"Derive it from {cls.__name__} and {base.__name__}.")
    declared: Schema = value.__xpm_schema__  # type: ignore[attr-defined]  # it derives from a class with a schema
    if added := [name for name in declared.parameters if name not in schema.parameters]:
        wrong = f"it declares the parameter {added[0]!r}, and is the value class of {cls.__name__}"
        raise DeclarationError(value.__name__, wrong, f"Declare it in {cls.__name__}.")
    schema.value_class = value
    return value
