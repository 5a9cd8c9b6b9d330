"""Scopes in source code: whether a name in a function has one value, whoever calls the function.

A name that is imported, defined once, or assigned once from such names and constants has one value. What a module
imports has one value, too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

IMPORTS = (ast.Import, ast.ImportFrom)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
COMPOSED = (ast.Attribute, ast.Subscript, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.JoinedStr, ast.FormattedValue)
"""Expressions that have one value if their parts have, and that nothing can change afterwards."""


class Scopes:
    """The module and the functions around a definition, in which its names are looked up.

    Args:
        nodes: The nodes of the module and the functions, the outermost first.
    """

    def __init__(self, nodes: list[ast.AST]) -> None:
        self.nodes = nodes
        self.asked: set[str] = set()

    def one_value(self, name: str) -> bool:
        """Whether a name has one value, whoever calls the functions."""
        sites = list(bindings(self.nodes[-1], name))
        if not sites:  # no scope binds it: it is built in, or of `from module import *`
            return len(self.nodes) == 1 or Scopes(self.nodes[:-1]).one_value(name)
        if name in self.asked:  # its own value depends on it
            return False
        self.asked.add(name)
        try:
            known = {source(each, name) for each in sites}
            return (len(known) == 1 or len(self.nodes) == 1) and all(map(self.bound_once, sites))
        finally:
            self.asked.remove(name)

    def bound_once(self, site: ast.AST) -> bool:
        """Whether a node that binds a name gives it one value."""
        if isinstance(site, IMPORTS):
            return True
        if isinstance(site, DEFINITIONS):
            return all(map(self.decorates, getattr(site, "decorator_list", ())))
        return isinstance(site, (ast.Assign, ast.AnnAssign)) and site.value is not None and self.fixed(site.value)

    def decorates(self, node: ast.expr) -> bool:
        """Whether a decorator has one value. A call with arguments of one value is taken as one."""
        if not isinstance(node, ast.Call):
            return self.fixed(node)
        return all(map(self.fixed, [node.func, *node.args, *(each.value for each in node.keywords)]))

    def fixed(self, node: ast.AST) -> bool:
        """Whether an expression has one value, whoever calls the functions."""
        if isinstance(node, ast.Name):
            return self.one_value(node.id)
        if isinstance(node, (ast.Constant, ast.Lambda)):
            return True
        parts = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)]
        return isinstance(node, COMPOSED) and all(map(self.fixed, parts))


def bindings(scope: Any, name: str) -> Iterator[ast.AST]:
    """The nodes that bind a name in a function or a module: imports, definitions, assignments, and all others."""
    arguments = scope.args if isinstance(scope, FUNCTIONS) else None
    if arguments is not None:
        yield from (each for each in ast.walk(arguments) if isinstance(each, ast.arg) and each.arg == name)
    declared: set[ast.AST] = set()
    for node in own_nodes(scope):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if [each.id for each in targets if isinstance(each, ast.Name)] == [name] and len(targets) == 1:
                declared.update(targets)
                yield node
        if node not in declared and binds(node, name):
            yield node
        if isinstance(node, DEFINITIONS):
            yield from (each for each in ast.walk(node) if isinstance(each, ast.Nonlocal) and name in each.names)


def binds(node: ast.AST, name: str) -> bool:
    """Whether a node, by itself, binds a name."""
    if isinstance(node, ast.Name):
        return node.id == name and not isinstance(node.ctx, ast.Load)
    if isinstance(node, IMPORTS):
        return any((each.asname or each.name.split(".")[0]) == name for each in node.names)
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return name in node.names
    other = isinstance(node, (ast.expr, ast.alias))
    return name in (getattr(node, "name", None), getattr(node, "rest", None)) and not other


def source(site: Any, name: str) -> Any:
    """What an import binds a name to, equal for all imports of the same thing; for other nodes, the node itself."""
    if not isinstance(site, IMPORTS):
        return site
    found = next(each for each in site.names if (each.asname or each.name.split(".")[0]) == name)
    if isinstance(site, ast.ImportFrom):
        return site.level, site.module, found.name
    return found.name if found.asname else name


def own_nodes(scope: Any) -> Iterator[ast.AST]:
    """The nodes that run in a module, a function or a class itself, without those inside of inner definitions."""
    waiting = [*scope.body] if isinstance(scope.body, list) else [scope.body]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, DEFINITIONS):
            waiting += [*getattr(node, "decorator_list", ()), *getattr(node, "bases", ()), *defaults_of(node)]
        elif isinstance(node, ast.comprehension):  # its variable belongs to it alone
            waiting += [node.iter, *node.ifs]
        else:
            waiting += ast.iter_child_nodes(node)


def defaults_of(node: Any) -> list[ast.expr]:
    if not isinstance(node, FUNCTIONS):
        return []
    return [each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None]
