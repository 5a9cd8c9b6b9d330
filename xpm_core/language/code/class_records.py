"""Class records: where a class is defined, so that another process finds it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from xpm_core.errors import ClassNameError
from xpm_core.project.origin import LOCAL, attribute, class_file, class_id, module_name, project_file

if TYPE_CHECKING:
    from xpm_core.language.parameters.schema import Schema

Reference = list[Any]
"""The record of a value that a local class uses: the kind of the reference, then what is needed to find the value."""


def class_record(cls: type) -> dict[str, Any]:
    """The record of a class: module, qualified name, name in identities, file, and name of the file in its project.

    Raises:
        ClassNameError: The class was defined in a notebook, at a prompt or by `python -c`, or made at run time.
    """
    if LOCAL not in cls.__qualname__ and attribute(sys.modules.get(cls.__module__), cls.__qualname__) is not cls:
        wrong = f"module {cls.__module__!r} has no class of that name, or another one"
        raise ClassNameError(cls.__qualname__, wrong, "Define it with a class statement in the module.")
    schema: Schema | None = cls.__dict__.get("__xpm_schema__")
    if schema is None:
        return _record(cls)
    if schema.record is None:
        schema.record = _record(cls)
    return schema.record.copy()


def _record(cls: type) -> dict[str, Any]:
    return {
        "module": module_name(cls),
        "name": cls.__qualname__,
        "id": class_id(cls),
        "file": class_file(cls),
        "project": project_file(cls),
    }


def references_in(local: Any) -> Iterator[Reference]:
    """All references in the record of a local class or function, with those of the functions that it uses."""
    waiting = [*local.get("bases", ()), *local.get("names", {}).values()]
    while waiting:
        reference = waiting.pop()
        kind, *content = reference
        yield reference
        if kind in ("alias", "tuple"):
            waiting += content
        elif kind == "function":
            waiting += content[0]["names"].values()
