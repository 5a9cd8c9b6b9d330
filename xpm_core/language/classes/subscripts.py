"""Generic classes with types: `Pair[int].C(x=1)` makes a configuration, and refuses what is no int."""

from __future__ import annotations

from types import GenericAlias
from typing import Any, get_args, get_origin

from xpm_core.errors import DeclarationError, MismatchError
from xpm_core.language.graph.state import state
from xpm_core.language.parameters.annotations import Names, UnresolvedError, kind_of
from xpm_core.language.parameters.schema import refusal
from xpm_core.tracebacks.edges import edge


class Maker(GenericAlias):
    """What `Pair[int].C` is: in all but a call it stands for `Pair[int]`."""

    @edge
    def __call__(self, /, *args: Any, **values: Any) -> Any:
        cls = get_origin(self)
        config = cls(*args, **values)
        try:
            kind = kind_of(self, Names(cls, list), cls.__name__)
            return kind.check(config) if type(config) is cls else config  # a deprecated class makes another one
        except UnresolvedError:  # a type is a text that means nothing here: only checkers know it
            return config
        except MismatchError as error:
            raise refusal(cls.__name__, error, state(config).created) from None


def with_types(cls: type, generic: Any, types: Any) -> Any:
    """What `cls[types]` is.

    Args:
        cls: The class of configurations.
        generic: What gives it with types; None if it is not generic.
        types: What stands in the brackets.

    Raises:
        DeclarationError: It is not generic.
    """
    if generic is None:
        given = getattr(types, "__name__", repr(types))
        remedy = f"Derive it from Generic[T], or write {cls.__name__}."
        raise DeclarationError(f"{cls.__name__}[{given}]", "it is not generic", remedy)
    found = generic(types)
    if get_origin(found) is cls:  # its attributes are those of the class but for what lies in the object itself
        vars(found).setdefault("C", Maker(cls, get_args(found)))
    return found
