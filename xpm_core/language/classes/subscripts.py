"""Subscripts of generic classes: `Pair[int].C(x=1)` makes a configuration, and refuses a value that is no int."""

from __future__ import annotations

from types import GenericAlias
from typing import Any, get_args, get_origin

from xpm_core.errors import DeclarationError, MismatchError
from xpm_core.language.graph.state import state_of
from xpm_core.language.parameters.annotations import AnnotationScope, UnresolvedError, kind_of
from xpm_core.language.parameters.schema import refusal
from xpm_core.tracebacks.edges import edge


class Maker(GenericAlias):
    """The object `Pair[int].C`. A call makes a configuration; in all other uses it is `Pair[int]`."""

    @edge
    def __call__(self, /, *args: Any, **values: Any) -> Any:
        cls = get_origin(self)
        config = cls(*args, **values)
        try:
            kind = kind_of(self, AnnotationScope(cls, list), cls.__name__)
            if type(config) is not cls:  # a deprecated class makes a configuration of another class
                return config
            return kind.check(config)
        except UnresolvedError:  # a type is a text with a name that only type checkers know
            return config
        except MismatchError as error:
            raise refusal(cls.__name__, error, state_of(config).created) from None


def with_types(cls: type, generic: Any, types: Any) -> Any:
    """The object `cls[types]`.

    Args:
        cls: The class of configurations.
        generic: The `__class_getitem__` of `typing.Generic`; None if the class is not generic.
        types: The object in the brackets.

    Raises:
        DeclarationError: The class is not generic.
    """
    if generic is None:
        given = getattr(types, "__name__", repr(types))
        remedy = f"Derive it from Generic[T], or write {cls.__name__}."
        raise DeclarationError(f"{cls.__name__}[{given}]", "it is not generic", remedy)
    found = generic(types)
    if get_origin(found) is cls:  # its attributes are those of the class, except those in its own `__dict__`
        vars(found).setdefault("C", Maker(cls, get_args(found)))
    return found
