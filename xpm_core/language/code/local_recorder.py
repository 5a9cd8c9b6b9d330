"""Record local classes, so that another process can make them again without running their functions.

A local class is made again from the code of its body, which the compiler left among the constants of its function. The
variables of the function that the body and the methods use are recorded: modules, classes, functions and type
variables; for the body also data. If a method uses data of the function, the class is refused: the data would change
what the class does but not its identity. They have to be parameters. The choices of the function count in the identity
(xpm_core.language.code.local_digest).
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, get_args, get_origin

from xpm_core.errors import DeclarationError, MismatchError
from xpm_core.language.code.class_records import Reference
from xpm_core.language.code.local_analysis import Varying, varying
from xpm_core.language.code.local_code import cells, cells_of, code_of
from xpm_core.language.parameters.schema import MISSING, ParameterGroup, Schema
from xpm_core.language.values.encoding import canonical
from xpm_core.project.origin import LOCAL, class_file, module_name, project_file
from xpm_core.project.own_names import recorded_module

CODE = (types.FunctionType, types.BuiltinFunctionType)


class Recorder:
    """Records local classes and what they use.

    Args:
        class_index: Records a class, and returns its number in the payload.
        encode: Writes data.
    """

    def __init__(self, class_index: Callable[[type], int], encode: Callable[[Any], bytes]) -> None:
        self.class_index, self.encode = class_index, encode
        self.functions: list[types.FunctionType] = []

    def record(self, cls: type) -> dict[str, Any]:
        """The record of a local class: what is needed to make it again, and the choices of its function.

        Raises:
            DeclarationError: It uses data of the function that cannot count, or it was changed after its definition.
        """
        schema = getattr(cls, "__xpm_schema__", None)
        code = (schema and schema.body) or code_of(sys.modules[cls.__module__], cls.__qualname__, None)
        refuse_changed(cls)
        used = dict(cells(cls))
        names = {**(schema.scope if schema else {}), **used}
        by_value = frozenset(counted_by_value(schema) if schema else ())
        chosen = varying(code.co_filename, code, cls.__qualname__, frozenset(names), by_value)
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
        return {**found, **self.choices(cls, found, names, chosen)}

    def choices(self, owner: Any, record: dict[str, Any], values: dict[str, Any], chosen: Varying) -> dict[str, Any]:
        """The part of a record that says what the enclosing function has chosen for a local class or function."""
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
        """The reference for a variable of an enclosing function. Data are refused if a method uses the variable."""
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
        """How another process finds a value that is code.

        Raises:
            MismatchError: The value is data.
        """
        if isinstance(value, types.ModuleType):
            return ["module", value.__name__]
        if isinstance(value, type) and not get_args(value):
            return ["class", self.class_index(value)]
        known = value.__qualname__ if isinstance(value, CODE) else name
        if (module := named(value, known)) is not None:
            return ["attribute", recorded_module(module, known), known]
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
        """The record of a local function: what is needed to make it again, and the choices of the enclosing one."""
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
        return {**found, **self.choices(function, found, used, chosen)}


def defaults_of(function: types.FunctionType) -> list[Any]:
    """The defaults of all arguments of a function."""
    return [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]


def refusal(owner: Any, name: str, what: str = "") -> DeclarationError:
    """The error about data of an enclosing function that a class or another function uses."""
    function = owner.__qualname__.split(f".{LOCAL}")[0]
    wrong = f"it uses {name!r} of the function {function}{what}, which is no part of its identity"
    return DeclarationError(owner.__qualname__, wrong, "Make it a parameter, or define it in the module.")


def refuse_unknown(cls: type, code: types.CodeType, names: Mapping[str, Any]) -> None:
    """Refuse a class that is not of configurations if its body uses variables of the function, which are not noted."""
    for name in code.co_freevars:
        if name not in names and name != "__class__" and not name.startswith("."):
            raise refusal(cls, name)


def refuse_changed(cls: type) -> None:
    """Refuse a class of configurations that differs from what its body makes. A job can only run the body again.

    Raises:
        DeclarationError: The class statement has arguments, or an attribute was set after it.
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


def counted_by_value(schema: Schema) -> Iterator[str]:
    """The parameters whose defaults count by their values: neither ignored ones nor generated paths."""
    return (p.name for p in schema.parameters.values() if not p.ignore_default and p.generator is None)


def named_by_author(cls: type, code: types.CodeType) -> bool:
    """Whether a class has an `__xpmid__` that its function computes, so that the author distinguishes such classes."""
    own = vars(cls).get("__xpmid__")
    return own is not None and own not in code.co_consts


def named(value: Any, name: str) -> str | None:
    """The name of the module that has a value under a name; None when no module has it, and for plain values."""
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
