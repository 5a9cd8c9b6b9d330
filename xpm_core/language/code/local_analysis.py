"""What a function can choose for a class that it defines: found in its source, beside the code that runs.

A variable that is imported, defined once, or assigned once from such names and constants has one value, whoever calls
the function. All others vary: two classes of one name can differ in them. What a module imports has one value, too.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

from xpm_core.project.origin import LOCAL

IMPORTS = (ast.Import, ast.ImportFrom)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
COMPOSED = (ast.Attribute, ast.Subscript, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.JoinedStr, ast.FormattedValue)
"""Expressions that have one value when their parts have, and that nothing can change afterwards."""


class Varying(NamedTuple):
    """What can differ between two classes, or functions, of one name.

    Attributes:
        names: Of the variables that were asked about, those that vary.
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
    """What of a local class or function varies.

    Args:
        file: The file that it stands in.
        code: The code of the class's body, or of the function.
        name: Its qualified name.
        asked: The variables that it uses.
        parameters: Parameters of a class whose defaults and types may vary, since their values count.
    """
    chains = sorted(found_in(file, name), key=lambda chain: line_of(chain[-1]))
    exact = [number for number, chain in enumerate(chains) if line_of(chain[-1]) == code.co_firstlineno]
    if not exact:  # its source is not there, or no longer the same
        return Varying(asked, True, True, 0)
    *around, node = chains[exact[0]]
    functions = [each for each in around if not isinstance(each, ast.ClassDef)]
    here = Scopes([*functions, around[-1]])  # where its bases and defaults are evaluated: perhaps in a class
    if isinstance(node, ast.ClassDef):
        asked &= used_by_body(node, code, parameters)
    bases = not all(map(here.fixed, getattr(node, "bases", ())))
    defaults = not all(map(here.fixed, defaults_of(node)))
    names = frozenset(each for each in asked if not Scopes(functions).one_value(each))
    return Varying(names, bases, defaults, exact[0])


@lru_cache(maxsize=256)
def found_in(file: str, name: str) -> tuple[tuple[ast.AST, ...], ...]:
    """Each definition of a qualified name in a file, after the module and the definitions around it."""
    tree = tree_of(file)
    chains: list[tuple[ast.AST, ...]] = [] if tree is None else [(tree,)]
    for part in name.replace(f".{LOCAL}", "").split("."):
        chains = [
            (*chain, node)
            for chain in chains
            for node in own(chain[-1])
            if isinstance(node, DEFINITIONS) and getattr(node, "name", "<lambda>") == part
        ]
    return tuple(chains)


@lru_cache(maxsize=16)
def tree_of(file: str) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):  # it is being edited
        return None


def line_of(node: Any) -> int:
    """The first line of a definition as its code has it: that of its first decorator."""
    return min(int(each.lineno) for each in (node, *getattr(node, "decorator_list", ())))


def own(scope: Any) -> Iterator[ast.AST]:
    """The nodes of a module, a function or a class that run in it: not what stands inside of inner definitions."""
    waiting = [*scope.body] if isinstance(scope.body, list) else [scope.body]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, DEFINITIONS):
            waiting += [*getattr(node, "decorator_list", ()), *getattr(node, "bases", ()), *defaults_of(node)]
        elif isinstance(node, ast.comprehension):  # whose variable is its own
            waiting += [node.iter, *node.ifs]
        else:
            waiting += ast.iter_child_nodes(node)


def defaults_of(node: Any) -> list[ast.expr]:
    if not isinstance(node, FUNCTIONS):
        return []
    return [each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None]


def used_by_body(node: ast.ClassDef, code: CodeType, parameters: Collection[str]) -> set[str]:
    """The names that the body of a class uses, but for the declarations of its parameters."""
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
    """Whether a statement does no more than to declare parameters, or to change their defaults."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    plain = isinstance(statement, (ast.Assign, ast.AnnAssign))
    return plain and all(isinstance(each, ast.Name) and each.id in parameters for each in targets)


def names_in(nodes: Iterable[ast.AST]) -> set[str]:
    return {each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)}


class Scopes:
    """The module and the functions around a definition, in which its names are looked up.

    Args:
        nodes: They, the outermost first.
    """

    def __init__(self, nodes: list[ast.AST]) -> None:
        self.nodes = nodes
        self.asked: set[str] = set()

    def one_value(self, name: str) -> bool:
        """Whether a name has one value, whoever calls the functions."""
        sites = list(bindings(self.nodes[-1], name))
        if not sites:  # in none: a built-in one, or of `from module import *`
            return len(self.nodes) == 1 or Scopes(self.nodes[:-1]).one_value(name)
        if name in self.asked:  # while its own value is looked at
            return False
        self.asked.add(name)
        try:
            known = {source(each, name) for each in sites}
            return (len(known) == 1 or len(self.nodes) == 1) and all(map(self.bound_once, sites))
        finally:
            self.asked.remove(name)

    def bound_once(self, site: ast.AST) -> bool:
        """Whether what binds a name in one place gives it one value."""
        if isinstance(site, IMPORTS):
            return True
        if isinstance(site, DEFINITIONS):
            return all(map(self.decorates, getattr(site, "decorator_list", ())))
        return isinstance(site, (ast.Assign, ast.AnnAssign)) and site.value is not None and self.fixed(site.value)

    def decorates(self, node: ast.expr) -> bool:
        """Whether a decorator has one value; one that is called with such values is taken for one."""
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
    """What binds a name in a function or a module: imports, definitions, assignments, and whatever else does."""
    arguments = scope.args if isinstance(scope, FUNCTIONS) else None
    if arguments is not None:
        yield from (each for each in ast.walk(arguments) if isinstance(each, ast.arg) and each.arg == name)
    declared: set[ast.AST] = set()
    for node in own(scope):
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
    """What an import binds a name to, alike for all that bind it to the same; for other sites, the site itself."""
    if not isinstance(site, IMPORTS):
        return site
    found = next(each for each in site.names if (each.asname or each.name.split(".")[0]) == name)
    if isinstance(site, ast.ImportFrom):
        return site.level, site.module, found.name
    return found.name if found.asname else name
