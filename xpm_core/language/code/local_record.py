"""Classes that functions define, on their way to another process, which does not run those functions.

Such a class is made again from the code of its body, which the compiler left among the constants of its function. What
the body and its methods use of the function's variables is recorded: modules, classes, functions, type variables, and
data of the body. Data that a method uses are refused: they are parameters. What the function chooses counts
(xpm_core.language.code.chosen).
"""

from __future__ import annotations

import builtins
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, get_args, get_origin

from xpm_core.errors import DeclarationError, MismatchError, TaskImportError
from xpm_core.language.code.varying import Varying, varying
from xpm_core.language.parameters.schema import MISSING, ParameterGroup, Schema, rebuilding
from xpm_core.language.values.encoding import canonical
from xpm_core.project.origin import LOCAL, class_file, module_name, project_file

CODE = (types.FunctionType, types.BuiltinFunctionType)
Reference = list[Any]
"""How a value is recorded: what kind of reference it is, and what it takes to find the value."""


class Recorder:
    """Records what local classes use.

    Args:
        class_index: Gives the number of a class in the payload, where it is recorded.
        encode: Writes data.
    """

    def __init__(self, class_index: Callable[[type], int], encode: Callable[[Any], bytes]) -> None:
        self.class_index, self.encode = class_index, encode
        self.functions: list[types.FunctionType] = []

    def record(self, cls: type) -> dict[str, Any]:
        """What it takes to make a local class again, and what of it a function has chosen.

        Raises:
            DeclarationError: It uses data of the function around it that cannot count, or was changed later.
        """
        schema = getattr(cls, "__xpm_schema__", None)
        code = (schema and schema.body) or code_of(sys.modules[cls.__module__], cls.__qualname__, None)
        refuse_changed(cls)
        used = dict(cells(cls))
        names = {**(schema.scope if schema else {}), **used}
        told = frozenset(told_by_value(schema) if schema else ())
        chosen = varying(code.co_filename, code, cls.__qualname__, frozenset(names), told)
        bases = vars(cls).get("__orig_bases__", cls.__bases__)
        found = {
            "line": code.co_firstlineno,
            "bases": [self.reference(cls, "its bases", base) for base in bases],
            "names": {name: self.variable(cls, name, value, name in used) for name, value in sorted(names.items())},
        }
        if schema is None:
            refuse_unknown(cls, code, names)
        if named_by_author(cls, code):
            return found
        return {**found, **self.chosen(cls, found, names, chosen)}

    def chosen(self, owner: Any, record: dict[str, Any], values: dict[str, Any], chosen: Varying) -> dict[str, Any]:
        """What of a local class or function its function has chosen, as its record has it."""
        found = record["names"]
        names = [name for name in sorted(chosen.names) if found[name][0] not in ("typevar", "group")]
        data = [(name, values[name]) for name in names if found[name][0] == "value"]
        if chosen.defaults and isinstance(owner, types.FunctionType):
            data += [("a default", value) for value in defaults_of(owner)]
        for name, value in data:
            try:
                canonical(value)
            except MismatchError:
                raise self.refusal(owner, name, value) from None
        said = {"varying": names, "bases_vary": chosen.bases, "defaults_vary": chosen.defaults, "number": chosen.number}
        return {name: value for name, value in said.items() if value}

    def variable(self, owner: Any, name: str, value: Any, by_method: bool) -> Reference:
        """A variable of the function around a class, or around a function that the class uses."""
        try:
            return self.reference(owner, name, value)
        except MismatchError:
            if not by_method:
                return ["value", self.encoded(owner, name, value)]
            raise self.refusal(owner, name, value) from None

    def encoded(self, owner: Any, name: str, value: Any) -> bytes:
        try:
            return self.encode(value)
        except MismatchError:
            raise self.refusal(owner, name, value) from None

    def refusal(self, owner: Any, name: str, value: Any) -> DeclarationError:
        return refusal(owner, name, f" ({type(value).__name__})")

    def reference(self, owner: Any, name: str, value: Any) -> Reference:
        """How to find a value again: one that is code, and no data.

        Raises:
            MismatchError: It is data.
        """
        if isinstance(value, types.ModuleType):
            return ["module", value.__name__]
        if isinstance(value, type) and not get_args(value):
            return ["class", self.class_index(value)]
        known = value.__qualname__ if isinstance(value, CODE) else name
        if (module := named(value, known)) is not None:
            return ["attribute", module, known]
        if get_args(value) and get_origin(value) is not None:
            parts = [self.reference(owner, name, part) for part in (get_origin(value), *get_args(value))]
            return ["alias", *parts]
        if isinstance(value, ParameterGroup):
            return ["group", value.name]
        if isinstance(value, tuple) and value and all(isinstance(part, TypeVar) for part in value):
            return ["tuple", *(self.reference(owner, name, part) for part in value)]  # of `class Box[T]`
        if isinstance(value, TypeVar):
            return ["typevar", value.__name__]
        if isinstance(value, types.FunctionType) and LOCAL in value.__qualname__:
            return ["function", self.function(value)]
        if value is None or value is Ellipsis:
            return ["constant", str(value)]
        raise MismatchError("code", value)

    def function(self, function: types.FunctionType) -> dict[str, Any]:
        """What it takes to make a local function again, and what of it the function around it has chosen."""
        if function in self.functions:
            wrong = "it uses itself, by way of the function around it"
            raise DeclarationError(function.__qualname__, wrong, "Define it in the module.")
        self.functions.append(function)
        used = dict(cells_of(function))
        defaults, keywords = function.__defaults__ or (), function.__kwdefaults__ or {}
        found = {
            "module": module_name(function),
            "file": class_file(function),
            "project": project_file(function),
            "name": function.__qualname__,
            "line": function.__code__.co_firstlineno,
            "names": {name: self.variable(function, name, value, True) for name, value in sorted(used.items())},
            "defaults": [self.encoded(function, "a default", value) for value in defaults],
            "keywords": {name: self.encoded(function, name, value) for name, value in keywords.items()},
        }
        self.functions.pop()
        code = function.__code__
        chosen = varying(code.co_filename, code, function.__qualname__, frozenset(used))
        return {**found, **self.chosen(function, found, used, chosen)}


def defaults_of(function: types.FunctionType) -> list[Any]:
    """The defaults of all arguments of a function."""
    return [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]


def refusal(owner: Any, name: str, what: str = "") -> DeclarationError:
    """The error about data of a function that a class, or another function, uses."""
    function = owner.__qualname__.split(f".{LOCAL}")[0]
    wrong = f"it uses {name!r} of the function {function}{what}, which is no part of its identity"
    return DeclarationError(owner.__qualname__, wrong, "Make it a parameter, or define it in the module.")


def refuse_unknown(cls: type, code: types.CodeType, names: Mapping[str, Any]) -> None:
    """Refuse a class other than of configurations whose body uses variables of the function: nobody noted them."""
    for name in code.co_freevars:
        if name not in names and name != "__class__" and not name.startswith("."):
            raise refusal(cls, name)


def refuse_changed(cls: type) -> None:
    """Refuse a class of configurations that is not what its body makes, which is all that a job can make again.

    Raises:
        DeclarationError: Its class statement has arguments, or an attribute was set after it.
    """
    schema = getattr(cls, "__xpm_schema__", None)
    if schema is None:
        return
    if schema.arguments:
        wrong = f"a job cannot make it again, because its class statement has the argument {schema.arguments[0]!r}"
        raise DeclarationError(cls.__qualname__, wrong, "Set an attribute in the body instead.")
    for name, value in vars(cls).items():
        ours = name in schema.parameters or name.startswith(("__", "_abc_"))
        if not ours and schema.attributes.get(name, MISSING) is not value:
            wrong = f"its attribute {name!r} was set after the class was made, which a job does not know of"
            raise DeclarationError(cls.__qualname__, wrong, "Set it in the body of the class.")


def told_by_value(schema: Schema) -> Iterator[str]:
    """The parameters whose defaults show in their values: not one that is left out, nor the name of a file."""
    return (p.name for p in schema.parameters.values() if not p.ignore_default and p.generator is None)


def named_by_author(cls: type, code: types.CodeType) -> bool:
    """Whether a class has an `__xpmid__` that is made when the class is, so that its author tells it from others."""
    own = vars(cls).get("__xpmid__")
    return own is not None and own not in code.co_consts


def named(value: Any, name: str) -> str | None:
    """The module that has a value under a name; None when none does, or when it is a plain value of no module."""
    if isinstance(value, (str, bytes, int, float, bool, tuple, list, dict, set, frozenset)) or value is None:
        return None
    home = getattr(value, "__module__", None)
    for module in (home, *sorted(sys.modules)):
        found: Any = sys.modules.get(module) if isinstance(module, str) else None
        for part in name.split("."):
            found = vars(found).get(part) if found is not None and hasattr(found, "__dict__") else None
        if found is value:
            return module_name(value) if module == "__main__" else module
    return None


def cells(cls: type) -> Iterator[tuple[str, Any]]:
    """The variables of the function around a class that its methods use, with their values of now."""
    for value in vars(cls).values():
        parts = (value, getattr(value, "__func__", None), *(getattr(value, n, None) for n in ("fget", "fset", "fdel")))
        for part in parts:
            while isinstance(part, types.FunctionType):
                if part.__qualname__.startswith(f"{cls.__qualname__}."):
                    yield from cells_of(part)
                part = getattr(part, "__wrapped__", None)


def cells_of(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """The variables that a function uses of those around it, but for the class that it is a method of."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name != "__class__":
            try:
                yield name, cell.cell_contents
            except ValueError:  # it has no value (yet)
                continue


def code_of(module: types.ModuleType, name: str, line: int | None) -> types.CodeType:
    """The code of a local class or function, found among the constants of its module's code.

    Args:
        module: The module.
        name: Its qualified name.
        line: Its first line, to tell several of one name apart; None when that is not known.

    Raises:
        TaskImportError: There is none, or no telling which.
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
    """The classes and functions that some code defines, also those with type parameters."""
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


class Rebuilder:
    """Makes local classes again from what was recorded of them.

    Args:
        find_class: Gives the class of a number; None for one that is being made.
        module_of: Gives the module of a record.
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
        """The class of a record."""
        local, module = record["local"], self.module_of(record)
        code = code_of(module, record["name"], local["line"])
        if code.co_flags & inspect.CO_OPTIMIZED:
            raise TypeError(f"{record['name']} is no class")  # but a function, which is not to be called
        bases = [self.value(reference) for reference in local["bases"]]
        found = {name: self.cell(reference) for name, reference in local["names"].items()}
        body = types.FunctionType(code, vars(module), code.co_name, None, self.closure(code, found))
        rebuilding.append(lambda: [{name: cell.cell_contents for name, cell in found.items() if filled(cell)}])
        try:
            return builtins.__build_class__(body, code.co_name, *bases)  # type: ignore[no-any-return]
        except Exception as error:  # whatever the class does when it is made
            name = f"{record['module']}.{record['name']}"
            raise TaskImportError(record["module"], name, f"{type(error).__name__}: {error}") from error
        finally:
            rebuilding.pop()

    def closure(self, code: types.CodeType, found: dict[str, types.CellType]) -> tuple[types.CellType, ...]:
        return tuple(found.get(name) or types.CellType() for name in code.co_freevars)

    def cell(self, reference: Reference) -> types.CellType:
        """A cell with a value; one for a class that is being made is filled later."""
        value = self.value(reference)
        if value is MISSING:
            cell = types.CellType()
            self.pending.append((cell, reference[1]))
            return cell
        return types.CellType(value)

    def fill(self) -> None:
        """Fill the cells of classes that are made by now."""
        waiting = []
        for cell, number in self.pending:
            found = self.find_class(number)
            if found is None:
                waiting.append((cell, number))
            else:
                cell.cell_contents = found
        self.pending = waiting

    def value(self, reference: Reference) -> Any:
        """The value that a reference stands for; MISSING for a class that is being made."""
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
        """What a module has under a name. Modules that it has imported are not asked: nobody records that."""
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
