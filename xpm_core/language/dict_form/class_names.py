"""Names of classes in dicts: the entry `class` says which class a dict stands for, if there are several."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from xpm_core.errors import ParameterValueError
from xpm_core.project.origin import LOCAL, attribute, class_id

CLASS = "class"
"""The entry of a dict that names its class. No parameter can have that name."""


def class_named(name: Any, bases: Iterable[type], where: str, place: str) -> type:
    """The class of a name, among some classes and those derived from them.

    Args:
        name: `Adam`; or the full name as identities have it, `models.optim:Adam`.
        bases: The classes that are allowed.
        where: The path of the dict.
        place: The line that set the name.

    Raises:
        ParameterValueError: No class has that name, or several have.
    """
    candidates = derived(bases)
    found = [cls for cls in candidates if name in (cls.__name__, full_name(cls), full_name(cls).replace(":", "."))]
    if len(found) == 1:
        return found[0]
    wrong = f"{CLASS}: {name!r} is none of the classes that are imported"
    near = get_close_matches(str(name), [cls.__name__ for cls in candidates], 1)
    remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {choices(candidates)}."
    if found:
        wrong = f"{CLASS}: {name!r} is the name of several classes"
        remedy = f"Name one in full: {' or '.join(map(full_name, found))}."
    raise ParameterValueError(where, wrong, remedy, place)


def derived(bases: Iterable[type]) -> list[type]:
    """Classes and all derived from them, without value classes, and without those that their module replaced."""
    found: dict[type, None] = {}
    for base in bases:
        found[base] = None
        found.update(dict.fromkeys(derived(base.__subclasses__())))
    return [cls for cls in found if is_current(cls) and not is_value_class(cls)]


def is_current(cls: type) -> bool:
    return LOCAL in cls.__qualname__ or attribute(sys.modules.get(cls.__module__), cls.__qualname__) is cls


def is_value_class(cls: type) -> bool:
    return any(getattr(base.__dict__.get("__xpm_schema__"), "value_class", None) is cls for base in cls.__mro__[1:])


def full_name(cls: type) -> str:
    """The name of a class that distinguishes it from all others."""
    return class_id(cls)


def choices(classes: Iterable[type]) -> str:
    """The names of the classes of which configurations can be made, for messages."""
    usable = [cls for cls in classes if not getattr(cls, "__abstractmethods__", ())]
    return ", ".join(sorted(cls.__name__ for cls in usable)) or "none that can be made"


def shortest_name(cls: type, bases: Iterable[type]) -> str:
    """The shortest name by which `class_named` finds a class."""
    same = [other for other in derived(bases) if other.__name__ == cls.__name__]
    return cls.__name__ if same == [cls] else full_name(cls)
