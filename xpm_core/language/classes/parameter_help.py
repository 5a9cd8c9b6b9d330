"""The help of parameters: name, type, default and a text for people. Command lines, screens and pages use it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from xpm_core.language.classes.declaration import complete
from xpm_core.language.parameters.schema import MISSING, Parameter, Schema


@dataclass(frozen=True)
class ParameterHelp:
    """The help of one parameter.

    Args:
        name: Its name.
        type: Its type, as messages write it.
        default: Its default; None, too, if there is none (see `required`).
        required: Whether a value must be given.
        help: What the parameter is for, on one line; empty if the class does not say.
        role: "param", "meta", "constant" or "data".
        generated: Whether its default is a path in the job's directory.
        parameter: The parameter itself.
    """

    name: str
    type: str
    default: Any
    required: bool
    help: str
    role: str
    generated: bool
    parameter: Parameter


def help_of(cls: type) -> list[ParameterHelp]:
    """The help of each parameter of a class, in the order of the parameters.

    The text is the string below the parameter. Without one, it is the text in the docstring of the class
    (`Attributes:`, or any form that docstring_parser reads). Without that, it is the text of a base class.

    Raises:
        DeclarationError: The class declares its parameters wrongly.

    Example:
        >>> [(p.name, p.type, p.default, p.help) for p in help_of(Learn)]
        [('epochs', 'int', 100, 'Number of learning epochs')]
    """
    complete(cls, last=True)
    schema: Schema = cls.__dict__["__xpm_schema__"]
    texts: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if "__xpm_schema__" in base.__dict__:
            texts |= {**in_docstring(base), **below_parameters(base)}
    return [described(parameter, texts.get(name, "")) for name, parameter in schema.parameters.items()]


def described(parameter: Parameter, text: str) -> ParameterHelp:
    """The help of a parameter with a text."""
    default = parameter.default
    if default is MISSING:
        default = parameter.factory() if parameter.factory is not None else None
    return ParameterHelp(
        name=parameter.name,
        type=parameter.kind.text,
        default=default,
        required=parameter.required,
        help=" ".join(text.split()),
        role=parameter.role,
        generated=parameter.generator is not None,
        parameter=parameter,
    )


def in_docstring(cls: type) -> dict[str, str]:
    """The texts of the parameters in the docstring of a class, by name."""
    text = cls.__dict__.get("__doc__")
    if not text:
        return {}
    import docstring_parser

    found = docstring_parser.parse(text).params
    return {each.arg_name: each.description for each in found if each.description}


@cache
def below_parameters(cls: type) -> dict[str, str]:
    """The strings below the parameters in the body of a class, by name; none if its source cannot be read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for declaration, below in pairwise(body):
        if not isinstance(declaration, ast.AnnAssign) or not isinstance(declaration.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            found[declaration.target.id] = below.value.value
    return found
