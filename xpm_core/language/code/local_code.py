"""The code of local classes and functions: finding it in the compiled module, and the variables that it closes over."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

from xpm_core.errors import TaskImportError
from xpm_core.project.origin import LOCAL


def cells(cls: type) -> Iterator[tuple[str, Any]]:
    """The variables of the enclosing function that the methods of a class use, with their present values."""
    for name, value in vars(cls).items():
        if name == "__annotate_func__":  # Python 3.14 makes it: what annotations use counts as used by the body
            continue
        parts = (value, getattr(value, "__func__", None), *(getattr(value, n, None) for n in ("fget", "fset", "fdel")))
        for part in parts:
            while isinstance(part, types.FunctionType):
                if part.__qualname__.startswith(f"{cls.__qualname__}."):
                    yield from cells_of(part)
                part = getattr(part, "__wrapped__", None)


def cells_of(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """The variables of enclosing functions that a function uses, with their values; without the class of a method."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name != "__class__":
            try:
                yield name, cell.cell_contents
            except ValueError:  # it has no value, or not yet
                continue


def code_of(module: types.ModuleType, name: str, line: int | None) -> types.CodeType:
    """The code of a local class or function, found among the constants of its module's code.

    Args:
        module: The module.
        name: The qualified name of the class or function.
        line: Its first line, which distinguishes several of one name; None when it is not known.

    Raises:
        TaskImportError: There is no such code, or several that the line does not distinguish.
    """
    level = [code_of_module(module)]
    for part in name.replace(f".{LOCAL}", "").split("."):
        level = [inner for code in level for inner in inside(code) if inner.co_name == part]
    exact = [code for code in level if code.co_firstlineno == line]
    if len(exact or level) != 1:
        reason = f"its function defines {len(level)} of that name" if level else "its function no longer defines it"
        raise TaskImportError(module.__name__, f"{module.__name__}.{name}", reason)
    return (exact or level)[0]


def inside(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code of the classes and functions that some code defines, also of those with type parameters."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            if constant.co_name.startswith("<generic parameters"):
                yield from inside(constant)
            else:
                yield constant


def code_of_module(module: types.ModuleType) -> types.CodeType:
    spec = getattr(module, "__spec__", None)
    get_code = getattr(getattr(spec, "loader", None), "get_code", None)
    code = get_code(spec.name) if spec is not None and get_code is not None else None
    if code is None:
        file = getattr(module, "__file__", None)
        if file is None:
            raise TaskImportError(module.__name__, module.__name__, "it has no file")
        with open(file, "rb") as source:
            code = compile(source.read(), file, "exec", dont_inherit=True)
    return code
