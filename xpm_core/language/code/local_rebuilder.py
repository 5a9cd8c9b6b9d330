"""Make local classes again in another process from their records."""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable
from typing import Any, TypeVar

from xpm_core.errors import TaskImportError
from xpm_core.language.code.class_records import Reference
from xpm_core.language.code.local_code import code_of
from xpm_core.language.parameters.schema import MISSING, ParameterGroup, rebuilding

OPTIMIZED = 0x01
"""The flag of the code of functions, as in the module inspect, which is slow to import. Bodies of classes lack it."""


class Rebuilder:
    """Makes local classes again from their records.

    Args:
        find_class: Returns the class of a number; None for one that is just being made.
        module_of: Returns the module of a record.
        decode: Reads data.
    """

    def __init__(
        self,
        find_class: Callable[[int], type | None],
        module_of: Callable[[dict[str, Any]], types.ModuleType],
        decode: Callable[[bytes], Any],
    ) -> None:
        self.find_class, self.module_of, self.decode = find_class, module_of, decode
        self.variables: dict[str, Any] = {}
        self.pending: list[tuple[types.CellType, int]] = []

    def rebuild(self, record: dict[str, Any]) -> type:
        """Make the class of a record."""
        local, module = record["local"], self.module_of(record)
        code = code_of(module, record["name"], local["line"])
        if code.co_flags & OPTIMIZED:
            raise TypeError(f"{record['name']} is no class")  # a function, which must not be called
        bases = [self.value(reference) for reference in local["bases"]]
        found = {name: self.cell(reference) for name, reference in local["names"].items()}
        body = types.FunctionType(code, vars(module), code.co_name, None, self.closure(code, found))
        rebuilding.append(lambda: [{name: cell.cell_contents for name, cell in found.items() if filled(cell)}])
        try:
            return builtins.__build_class__(body, code.co_name, *bases)  # type: ignore[no-any-return]
        except Exception as error:  # the body of the class can raise anything
            name = f"{record['module']}.{record['name']}"
            raise TaskImportError(record["module"], name, f"{type(error).__name__}: {error}") from error
        finally:
            rebuilding.pop()

    def closure(self, code: types.CodeType, found: dict[str, types.CellType]) -> tuple[types.CellType, ...]:
        return tuple(found.get(name) or types.CellType() for name in code.co_freevars)

    def cell(self, reference: Reference) -> types.CellType:
        """A cell with the value of a reference. For a class that is just being made, it is filled later."""
        value = self.value(reference)
        if value is MISSING:
            cell = types.CellType()
            self.pending.append((cell, reference[1]))
            return cell
        return types.CellType(value)

    def fill(self) -> None:
        """Fill the cells of the classes that have been made since."""
        waiting = []
        for cell, number in self.pending:
            found = self.find_class(number)
            if found is None:
                waiting.append((cell, number))
            else:
                cell.cell_contents = found
        self.pending = waiting

    def value(self, reference: Reference) -> Any:
        """The value that a reference stands for; MISSING for a class that is just being made."""
        kind, *content = reference
        if kind == "class":
            found = self.find_class(content[0])
            return MISSING if found is None else found
        if kind == "module":
            return self.module_of({"module": content[0], "name": "", "file": None})
        if kind == "attribute":
            return self.attribute(*content)
        if kind == "alias":
            origin, *arguments = map(self.value, content)
            return origin[tuple(arguments)] if len(arguments) > 1 else origin[arguments[0]]
        if kind == "typevar":
            return self.variables.setdefault(content[0], TypeVar(content[0]))
        if kind == "tuple":
            return tuple(map(self.value, content))
        if kind == "group":
            return ParameterGroup(content[0])
        if kind == "function":
            return self.function(content[0])
        return ... if content == ["Ellipsis"] else None if kind == "constant" else self.decode(content[0])

    def attribute(self, module_name: str, name: str) -> Any:
        """The object that a module has under a name. A name that leads through another module is refused as forged."""
        value: Any = self.module_of({"module": module_name, "name": name, "file": None})
        for number, part in enumerate(name.split(".")):
            if number and isinstance(value, types.ModuleType):
                raise AttributeError(f"{module_name}.{name} leads through a module")
            value = getattr(value, part)
        return value

    def function(self, record: dict[str, Any]) -> types.FunctionType:
        module = self.module_of(record)
        code = code_of(module, record["name"], record["line"])
        cells = self.closure(code, {name: self.cell(reference) for name, reference in record["names"].items()})
        defaults = tuple(map(self.decode, record["defaults"])) or None
        found = types.FunctionType(code, vars(module), code.co_name, defaults, cells)
        found.__kwdefaults__ = {name: self.decode(value) for name, value in record["keywords"].items()} or None
        return found


def filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not MISSING
    except ValueError:
        return False
