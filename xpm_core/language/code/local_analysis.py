"""Analyse the source of local classes: what their function can choose, so that two classes of one name differ.

A variable that has one value for all callers is no choice (local_scopes.py). All other variables vary. The code of the
class itself runs as it was compiled; only the source shows how its variables get their values.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Collection, Iterable
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

from xpm_core.language.code.local_scopes import DEFINITIONS, FUNCTIONS, Scopes, defaults_of, own_nodes
from xpm_core.project.origin import LOCAL


class Varying(NamedTuple):
    """What can differ between two local classes, or functions, of one name.

    Attributes:
        names: The variables that vary, among those that were asked about.
        bases: Whether the bases of a class vary.
        defaults: Whether the defaults of a function's arguments vary.
        number: How many others of that name stand before it in its function.
    """

    names: frozenset[str]
    bases: bool
    defaults: bool
    number: int


@lru_cache(maxsize=1024)
def varying(
    file: str, code: CodeType, name: str, asked: frozenset[str], parameters: frozenset[str] = frozenset()
) -> Varying:
    """What varies in a local class or function.

    Args:
        file: Its source file.
        code: The code of the body of the class, or of the function.
        name: Its qualified name.
        asked: The variables that it uses.
        parameters: The parameters of a class whose declarations may use what varies, because their values count.
    """
    chains = sorted(found_in(file, name), key=lambda chain: line_of(chain[-1]))
    exact = [number for number, chain in enumerate(chains) if line_of(chain[-1]) == code.co_firstlineno]
    if not exact:  # there is no source, or it was edited since
        return Varying(asked, True, True, 0)
    *around, node = chains[exact[0]]
    functions = [each for each in around if not isinstance(each, ast.ClassDef)]
    here = Scopes([*functions, around[-1]])  # where bases and defaults are evaluated, which may be a class
    if isinstance(node, ast.ClassDef):
        asked &= used_by_body(node, code, parameters)
    bases = not all(map(here.fixed, getattr(node, "bases", ())))
    defaults = not all(map(here.fixed, defaults_of(node)))
    names = frozenset(each for each in asked if not Scopes(functions).one_value(each))
    return Varying(names, bases, defaults, exact[0])


@lru_cache(maxsize=256)
def found_in(file: str, name: str) -> tuple[tuple[ast.AST, ...], ...]:
    """Each definition of a qualified name in a file, after the nodes of the module and of the definitions around it."""
    tree = tree_of(file)
    chains: list[tuple[ast.AST, ...]] = [] if tree is None else [(tree,)]
    for part in name.replace(f".{LOCAL}", "").split("."):
        chains = [
            (*chain, node)
            for chain in chains
            for node in own_nodes(chain[-1])
            if isinstance(node, DEFINITIONS) and getattr(node, "name", "<lambda>") == part
        ]
    return tuple(chains)


@lru_cache(maxsize=16)
def tree_of(file: str) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):  # it is just being edited
        return None


def line_of(node: Any) -> int:
    """The first line of a definition, as its code object counts it: the line of the first decorator."""
    return min(int(each.lineno) for each in (node, *getattr(node, "decorator_list", ())))


def used_by_body(node: ast.ClassDef, code: CodeType, parameters: Collection[str]) -> set[str]:
    """The names that the body of a class uses, without those in the declarations of its parameters."""
    found: set[str] = set()
    methods = set()
    for statement in node.body:
        if isinstance(statement, FUNCTIONS):
            methods.add(statement.name)
            found |= names_in([*statement.decorator_list, *defaults_of(statement)])
        elif not declares(statement, parameters):
            found |= names_in([statement])
    inner = [each for each in code.co_consts if isinstance(each, CodeType) and each.co_name in methods]
    return found.union(*(each.co_freevars for each in inner))


def declares(statement: ast.stmt, parameters: Collection[str]) -> bool:
    """Whether a statement only declares parameters, or changes their defaults."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    plain = isinstance(statement, (ast.Assign, ast.AnnAssign))
    return plain and all(isinstance(each, ast.Name) and each.id in parameters for each in targets)


def names_in(nodes: Iterable[ast.AST]) -> set[str]:
    return {each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)}
