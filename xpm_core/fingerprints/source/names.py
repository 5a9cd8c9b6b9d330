"""Names: what a piece of Python refers to outside of itself, and where it calls what only a running program knows.

A name belongs to the module if no function around it binds it. Attributes behind a name are kept with it, so that
`layers.Linear` means one thing of the module `layers`. Attributes of other values are not followed: whoever reaches a
class reaches all of its methods.

Owns: these rules. It imports nothing of a project, and reads one tree at a time.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from xpm_core.fingerprints.source import dynamic
from xpm_core.fingerprints.source.canonical import FUNCTIONS


class Ref(NamedTuple):
    """A reference to something outside.

    Attributes:
        source: The module that an import in a function names, as `.layers` or `numpy`; empty for a name of the module.
        path: The name, with attributes behind it: `Linear.size`. It is empty for the module itself.
        line: Where it stands first.
    """

    source: str
    path: str
    line: int


class Place(NamedTuple):
    """A place in the code from which the walk cannot go on.

    Attributes:
        what: What stands there: `getattr`.
        line: Its line.
        is_code: Whether the code itself is not in the file, as with `exec`. Then not even what ran says what it was.
        about: For `getattr`, the source and the path of what the attribute is taken of, if it is a name; else empty.
    """

    what: str
    line: int
    is_code: bool = False
    about: tuple[str, str] | tuple[()] = ()


class Names(NamedTuple):
    """What a piece refers to.

    Attributes:
        refs: References, in the order in which they stand.
        imports: The modules that it imports, with the names that it takes of them.
        places: Where the walk cannot go on.
    """

    refs: list[Ref]
    imports: list[Ref]
    places: list[Place]


Bound = Mapping[str, "tuple[str, str] | None"]
"""The names of a scope. A name of an import has its source and path, any other one has None."""

_NO_CHILDREN = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "kind", "lineno"})

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*FUNCTIONS, ast.Lambda, ast.ClassDef, *_COMPREHENSIONS)


def names_in(nodes: Iterable[ast.AST], module: Bound, first_line: int = 0, *, in_class: bool = False) -> Names:
    """What nodes of a module refer to.

    Args:
        nodes: The nodes, which stand at the level of the module, or in the body of a class there.
        module: The names of the module.
        first_line: A line that stands for those that nodes lack.
        in_class: Whether they stand in the body of a class, so that functions are methods.
    """
    reader = _Reader(module, first_line, in_class)
    for node in nodes:
        reader.read(node, ())
    return Names(list(reader.refs.values()), list(reader.imports.values()), reader.places)


def bound_in(statements: Iterable[ast.AST]) -> dict[str, tuple[str, str] | None]:
    """The names that statements bind in their own scope. Names declared `global` or `nonlocal` are not among them."""
    found: dict[str, tuple[str, str] | None] = {}
    outer: set[str] = set()
    for node in _own(statements):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            outer.update(node.names)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update((name, (source, path)) for name, source, path in imported_by(node))
        else:
            for name in _bindings(node):
                found.setdefault(name, None)
    return {name: where for name, where in found.items() if name not in outer}


def imported_by(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, str]]:
    """What an import binds: for each name, the module and what of it. The name `*` stands for all names."""
    if isinstance(node, ast.ImportFrom):
        source = "." * node.level + (node.module or "")
        yield from ((each.asname or each.name, source, each.name) for each in node.names)
        return
    for each in node.names:
        first = each.name.partition(".")[0]
        yield (each.asname, each.name, "") if each.asname else (first, first, "")


def modules_of(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The modules that an import loads, each with a name that is taken of it, which can be a module, too, or `*`."""
    if isinstance(node, ast.ImportFrom):
        source = "." * node.level + (node.module or "")
        yield from ((source, each.name) for each in node.names)
    else:
        yield from ((each.name, "") for each in node.names)


def _own(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of one scope: those that define an inner one are named, and not entered but for `:=`."""
    waiting = list(statements)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _COMPREHENSIONS):
            waiting += (each for each in ast.walk(node) if isinstance(each, ast.NamedExpr))
        elif not isinstance(node, _SCOPES):
            waiting += _children_of(node)


def _children_of(node: ast.AST) -> list[ast.AST]:
    """The nodes in a node, without its context and its operators. `ast.iter_child_nodes` takes twice as long."""
    found: list[ast.AST] = []
    for name in node._fields:
        if name not in _NO_CHILDREN:
            value = getattr(node, name, None)
            if isinstance(value, list):
                found += (each for each in value if isinstance(each, ast.AST))
            elif isinstance(value, ast.AST):
                found.append(value)
    return found


def _bindings(node: Any) -> Iterator[str]:
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            yield node.id
    elif isinstance(node, (*FUNCTIONS, ast.ClassDef)) or (
        isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name is not None
    ):
        yield str(node.name)
    elif isinstance(node, ast.MatchMapping) and node.rest is not None:
        yield node.rest
    elif isinstance(node, ast.NamedExpr):
        yield node.target.id
    elif type(node).__name__ == "TypeAlias":
        yield node.name.id


class _Reader:
    """Reads nodes. A scope is a tuple of the bound names of all functions around a node, the inner ones last.

    Args:
        module: The names of the module.
        first_line: A line that stands for those that nodes lack.
        in_class: Whether the nodes stand in the body of a class.
    """

    def __init__(self, module: Bound, first_line: int, in_class: bool) -> None:
        self._module, self._line, self._in_class = module, first_line, in_class
        self.refs: dict[tuple[str, str], Ref] = {}
        self.imports: dict[tuple[str, str], Ref] = {}
        self.places: list[Place] = []
        self._globals: set[str] = set()
        self._callees: set[int] = set()
        self._own: tuple[str, ...] = ()

    def read(self, node: Any, scope: tuple[Bound, ...]) -> None:
        """Read a node and all in it."""
        special = getattr(self, f"_on_{type(node).__name__}", None)
        if special is not None:
            special(node, scope)
        else:
            self._children(node, scope)

    def _children(self, node: ast.AST, scope: tuple[Bound, ...]) -> None:
        for each in _children_of(node):
            self.read(each, scope)

    def _all(self, nodes: Iterable[ast.AST | None], scope: tuple[Bound, ...]) -> None:
        for each in nodes:
            if each is not None:
                self.read(each, scope)

    # -- scopes ----------------------------------------------------------------------------------------------------

    def _on_FunctionDef(self, node: Any, scope: tuple[Bound, ...]) -> None:
        self._all(node.decorator_list, scope)
        self._arguments(node.args, scope)
        self._annotation(node.returns, scope)
        inner = (*scope, {**bound_in(node.body), **dict.fromkeys(_parameters(node.args))})
        before, own, in_class = self._globals, self._own, self._in_class
        self._globals = before | {n for each in _own(node.body) if isinstance(each, ast.Global) for n in each.names}
        if in_class and not any(getattr(each, "id", "") == "staticmethod" for each in node.decorator_list):
            self._own = (*own, *list(_parameters(node.args))[:1])
        self._in_class = False
        self._all(node.body, inner)
        self._globals, self._own, self._in_class = before, own, in_class

    _on_AsyncFunctionDef = _on_FunctionDef

    def _on_Lambda(self, node: ast.Lambda, scope: tuple[Bound, ...]) -> None:
        self._arguments(node.args, scope)
        self.read(node.body, (*scope, dict.fromkeys([*_parameters(node.args), *bound_in([node.body])])))

    def _on_ClassDef(self, node: ast.ClassDef, scope: tuple[Bound, ...]) -> None:
        self._all([*node.decorator_list, *node.bases, *node.keywords], scope)
        in_class, self._in_class = self._in_class, True
        imports = {name: where for name, where in bound_in(node.body).items() if where is not None}
        for where in imports.values():  # they are attributes of the class
            self.refs.setdefault(where, Ref(*where, self._line_of(node)))
        for each in node.body:
            if isinstance(each, ast.AnnAssign):
                self._annotation(each.annotation, scope)
                self._all([each.target, each.value], scope)
            else:
                self.read(each, (*scope, imports) if imports else scope)
        self._in_class = in_class

    def _comprehension(self, node: Any, scope: tuple[Bound, ...]) -> None:
        self.read(node.generators[0].iter, scope)
        names = (each for one in node.generators for each in ast.walk(one.target) if isinstance(each, ast.Name))
        bound = {each.id for each in names if isinstance(each.ctx, ast.Store)}
        self._children(node, (*scope, dict.fromkeys(bound)))

    _on_ListComp = _on_SetComp = _on_DictComp = _on_GeneratorExp = _comprehension

    def _arguments(self, node: ast.arguments, scope: tuple[Bound, ...]) -> None:
        self._all([*node.defaults, *node.kw_defaults], scope)
        for each in (*node.posonlyargs, *node.args, node.vararg, *node.kwonlyargs, node.kwarg):
            if each is not None:
                self._annotation(each.annotation, scope)

    def _on_AnnAssign(self, node: ast.AnnAssign, scope: tuple[Bound, ...]) -> None:
        if not scope:
            self._annotation(node.annotation, scope)
        self._all([node.target, node.value], scope)

    def _annotation(self, node: ast.expr | None, scope: tuple[Bound, ...]) -> None:
        """Read an annotation, also one in quotes."""
        if node is None:
            return
        self.read(node, scope)
        for each in ast.walk(node):
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isprintable():
                try:
                    quoted = ast.parse(each.value.strip(), mode="eval").body
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    continue
                self.read(quoted, scope)

    # -- names -----------------------------------------------------------------------------------------------------

    def _on_Name(self, node: ast.Name, scope: tuple[Bound, ...]) -> None:
        if isinstance(node.ctx, ast.Load) or node.id in self._globals:
            self._refer(node, node.id, [], scope)
            self._value(node, scope)

    def _on_Attribute(self, node: ast.Attribute, scope: tuple[Bound, ...]) -> None:
        base, attributes = chain(node)
        if isinstance(base, ast.Name):
            self._refer(node, base.id, attributes, scope)
        else:
            self.read(base, scope)
        self._value(node, scope)
        if node.attr in dynamic.ATTRIBUTES:
            self.places.append(Place(node.attr, self._line_of(node)))

    def _value(self, node: ast.Name | ast.Attribute, scope: tuple[Bound, ...]) -> None:
        """Note what is handed on without being called here, as in `map(import_module, names)`."""
        last = node.id if isinstance(node, ast.Name) else node.attr
        if id(node) in self._callees or not (last in dynamic.LAST_NAMES or isinstance(node, ast.Name)):
            return
        name = self._called(node, scope)
        if name in dynamic.VALUES:
            self.places.append(Place(dynamic.shown(name), self._line_of(node), name in dynamic.CODE))

    def _refer(self, node: ast.AST, name: str, attributes: list[str], scope: tuple[Bound, ...]) -> None:
        where = self._where(name, scope)
        if where is not None:
            source, path = where
            full = ".".join([*([path] if path else []), *attributes])
            self.refs.setdefault((source, full), Ref(source, full, self._line_of(node)))

    def _where(self, name: str, scope: tuple[Bound, ...]) -> tuple[str, str] | None:
        """What a name means: a name of the module, an import of a function, or None for a local variable."""
        if name not in self._globals:
            for bound in reversed(scope):
                if name in bound:
                    return bound[name]
        return "", name

    def _line_of(self, node: ast.AST) -> int:
        return getattr(node, "lineno", 0) or self._line

    def _on_Import(self, node: ast.Import | ast.ImportFrom, scope: tuple[Bound, ...]) -> None:
        for source, name in modules_of(node):
            self.imports.setdefault((source, name), Ref(source, name, node.lineno))
        if scope and any(name == "*" for name, *_ in imported_by(node)):
            self.places.append(Place("import *", node.lineno))

    _on_ImportFrom = _on_Import

    # -- calls -----------------------------------------------------------------------------------------------------

    def _on_Call(self, node: ast.Call, scope: tuple[Bound, ...]) -> None:
        self._callees.add(id(node.func))
        self._children(node, scope)
        name = self._called(node.func, scope)
        if name is None:
            return
        module = _imported_name(node) if name in dynamic.IMPORTS else None
        if module is not None:
            self.imports.setdefault((module, ""), Ref(module, "", node.lineno))
            self.refs.setdefault((module, ""), Ref(module, "", node.lineno))
        elif name in dynamic.ATTRIBUTE_CALLS:
            self._getattr(node, name, scope)
        elif name in dynamic.PROGRAMS:
            if not dynamic.is_harmless_program(node):
                self.places.append(Place(name, node.lineno))
        elif name in dynamic.PATHS:
            if scope:
                self.places.append(Place(name, node.lineno))
        elif dynamic.is_unknown(name, node) or (name in ("vars", "locals") and not (scope or node.args)):
            self.places.append(Place(dynamic.shown(name), node.lineno, name in dynamic.CODE))

    def _called(self, node: ast.expr, scope: tuple[Bound, ...]) -> str | None:
        """The full name of what a library has, as `importlib.import_module`; None for anything else."""
        base, attributes = chain(node)
        if not isinstance(base, ast.Name):
            return None
        where = self._where(base.id, scope)
        if where is not None and where[0] == "" and where[1] in self._module:
            where = self._module[where[1]]
        if where is None or where[0].startswith("."):
            return None
        return ".".join(part for part in (*where, *attributes) if part)

    def _getattr(self, node: ast.Call, name: str, scope: tuple[Bound, ...]) -> None:
        if len(node.args) < 2:
            if name != "getattr":  # attrgetter, which has no object yet
                self.places.append(Place(name, node.lineno))
            return
        base, attributes = chain(node.args[0])
        asked = node.args[1]
        if isinstance(base, ast.Name) and not attributes and base.id in self._own:
            return  # an object in its own method: its class is reached, and so are all methods
        where = self._where(base.id, scope) if isinstance(base, ast.Name) else None
        about = (where[0], ".".join([*([where[1]] if where[1] else []), *attributes])) if where is not None else ()
        if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
            if about:
                path = f"{about[1]}.{asked.value}".lstrip(".")
                self.refs.setdefault((about[0], path), Ref(about[0], path, node.lineno))
            return
        self.places.append(Place("getattr", node.lineno, False, about))


def _imported_name(node: ast.Call) -> str | None:
    """The module that a call imports by name; None if only a running program knows it."""
    texts = [each.value for each in node.args[:2] if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if not texts or not isinstance(node.args[0], ast.Constant):
        return None
    if not texts[0].startswith("."):
        return texts[0]
    packages = [*node.args[1:2], *(each.value for each in node.keywords if each.arg == "package")]
    if len(packages) != 1:
        return None
    if isinstance(packages[0], ast.Name) and packages[0].id == "__package__":
        return texts[0]
    package = packages[0].value if isinstance(packages[0], ast.Constant) else None
    if not isinstance(package, str) or texts[0].startswith(".."):
        return None
    return f"{package}{texts[0]}"


def chain(node: ast.AST) -> tuple[ast.AST, list[str]]:
    """What stands before the first dot of an attribute, and the attributes behind it."""
    attributes = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return node, attributes[::-1]


def _parameters(node: ast.arguments) -> Iterator[str]:
    for each in (*node.posonlyargs, *node.args, *node.kwonlyargs, node.vararg, node.kwarg):
        if each is not None:
            yield each.arg
