"""The pieces of a file: each function, method, class and constant at its top, and the rest as the module's code.

A function is a piece of its own, with all that is nested in it. A class has its decorators, its bases and its body; its
methods are pieces beside it. A constant has all statements that bind its name. Whatever else runs when the module is
imported is `<module>`: calls, loops, conditions, and decorators that could register what they decorate.

Owns: what belongs to which piece. The order of pieces does not count, unless one can see another in the making.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

from xpm_core.fingerprints.source.canonical import FUNCTIONS, canonical, digest_of, without_sources
from xpm_core.fingerprints.source.names import Names, Ref, bound_in, chain, imported_by, names_in

MODULE = "<module>"
"""The name of the code of a module."""

Kind = Literal["function", "class", "constant", "block", "module"]
"""A block is a statement such as `try` that binds names in its parts."""

_QUIET_DECORATORS = frozenset({"functools", "dataclasses", "abc", "contextlib", "typing", "typing_extensions", "enum"})
_QUIET_MODULES = _QUIET_DECORATORS | {"pathlib", "re", "math", "logging", "collections", "itertools", "decimal"}
_QUIET_BUILTINS = frozenset(
    {
        "list", "dict", "set", "frozenset", "tuple", "range", "int", "float", "str", "bool", "bytes", "complex", "len",
        "sorted", "zip", "enumerate", "min", "max", "sum", "abs", "round", "property", "staticmethod", "classmethod",
        "object", "reversed", "slice",
    }
)  # fmt: skip
"""What can be called without any effect beside the value."""

_RULE = "on_code_change"
"""An attribute of tasks that only a script reads when it submits them."""

_ACCESSORS = frozenset({"setter", "getter", "deleter"})


@dataclass
class Piece:
    """What is known of a piece.

    Attributes:
        kind: What it is; a name that is bound twice is what it was first.
        line: Where it begins.
        texts: Its canonical sources, one for each statement.
        shapes: The same without what imports in it import from.
        refs: What it refers to, in order.
        imports: The modules that it imports.
        places: Where the walk cannot go on.
        bases: For a class, what its bases refer to.
        metaclasses: For a class, what its metaclass refers to.
    """

    kind: Kind
    line: int
    texts: list[str] = field(default_factory=list)
    shapes: list[str] = field(default_factory=list)
    refs: list[Ref] = field(default_factory=list)
    imports: list[Ref] = field(default_factory=list)
    places: list[Any] = field(default_factory=list)
    bases: list[Ref] = field(default_factory=list)
    metaclasses: list[Ref] = field(default_factory=list)

    def add(self, text: str, shape: str, names: Names) -> None:
        """Add a statement."""
        self.texts.append(text)
        self.shapes.append(shape)
        _extend(self.refs, names.refs)
        _extend(self.imports, names.imports)
        self.places += (each for each in names.places if each not in self.places)


class Pieces:
    """The pieces of a parsed file. Its tree is used up.

    Args:
        tree: The tree.

    Attributes:
        found: The pieces, by name: `Model`, `Model.forward`, `LR`, `<module>`.
        aliases: What imports at the top bind: for each name, the modules and what of them, in order.
        stars: The modules of which all names are imported.
    """

    def __init__(self, tree: ast.Module) -> None:
        body = list(executed(tree.body, bound_in(tree.body)))
        self.bound = bound_in(body)
        self.found: dict[str, Piece] = {MODULE: Piece("module", 1)}
        self.aliases: dict[str, list[tuple[str, str]]] = {}
        self.stars: list[str] = []
        bound = [list(bound_in([each])) for each in body]
        self._times = Counter(name for names in bound for name in names)
        self._sofar: Counter[str] = Counter()
        for statement, names in zip(body, bound, strict=True):
            self._take(statement)
            self._sofar.update(names)

    def _take(self, node: ast.stmt) -> None:
        if isinstance(node, FUNCTIONS):
            self._function(node, "", self.found[MODULE])
        elif isinstance(node, ast.ClassDef):
            self._class(node, "")
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node)
        elif (names := self._constants(node)) and self._is_quiet(node):
            self._constant(node, names)
        elif not isinstance(node, ast.Pass) and not (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            self._other(node)

    # -- statements ------------------------------------------------------------------------------------------------

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        module = self.found[MODULE]
        names = names_in([node], self.bound)
        _extend(module.imports, names.imports)
        self._bind(node)
        if isinstance(node, ast.ImportFrom) and (node.module == "__future__" or node.names[0].name == "*"):
            module.texts.append(ast.unparse(node))
            module.shapes.append(ast.unparse(without_sources([node])[0]) if node.module != "__future__" else "future")

    def _bind(self, node: ast.Import | ast.ImportFrom) -> None:
        """Note what an import binds."""
        for name, source, path in imported_by(node):
            if name == "*":
                self.stars.append(source)
            elif (source, path) not in self.aliases.setdefault(name, []):
                self.aliases[name].append((source, path))

    def _constant(self, node: ast.stmt, names: list[str]) -> None:
        found = names_in([node], self.bound)
        line, moment = node.lineno, self._moment(node)
        text, shape = _written([node])
        for name in names:
            self._piece(name, "constant", line).add(text + moment, shape + moment, found)

    def _other(self, node: ast.stmt) -> None:
        """A statement of the module's code. The names that it binds are pieces that consist of the whole statement."""
        found = names_in([node], self.bound)
        bound = bound_in([node])
        for each in ast.walk(node):
            if isinstance(each, (ast.Import, ast.ImportFrom)):
                self._bind(each)
        line = node.lineno
        kind: Kind = "constant" if isinstance(node, (ast.Assign, ast.AnnAssign)) else "block"
        text, shape = _written([node])
        self.found[MODULE].add(text, shape, found)
        for name, where in bound.items():
            if where is None:
                self._piece(name, kind, line).add(text, shape, found)

    def _function(self, node: Any, start: str, around: Piece) -> None:
        """A function or a method. If defining it can have an effect, its header belongs to what is around it."""
        found = names_in([node], self.bound, in_class=bool(start))
        line = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        moment = self._moment(*node.decorator_list, *node.args.defaults, *node.args.kw_defaults)
        if not self._is_plain(node):
            header = _header(node)
            names = names_in([header], self.bound, line)
            if not start:
                names.refs.append(Ref("", node.name, line))
            text, shape = _written([header])
            around.add(text, shape, names)
        name = start + node.name
        text, shape = _written([node])
        self._piece(name, "function", line).add(text + moment, shape + moment, found)

    def _class(self, node: ast.ClassDef, start: str) -> None:
        line = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        name = start + node.name
        piece = self._piece(name, "class", line)
        moment = self._moment(node) if not start else ""
        self._registered(node, line, start)
        given = [each for each in node.keywords if each.arg == "metaclass"]
        piece.bases += names_in(node.bases, self.bound, line).refs
        piece.metaclasses += names_in([each.value for each in given], self.bound, line).refs
        kept: list[ast.stmt] = []
        methods: list[str] = []
        for each in node.body:
            if isinstance(each, FUNCTIONS):
                methods.append(each.name)
                self._function(each, f"{name}.", piece)
            elif isinstance(each, ast.ClassDef):
                self._class(each, f"{name}.")
                kept.append(ast.Expr(value=ast.Name(id=f"class {each.name}", ctx=ast.Load())))
            elif not _is_rule(each):
                kept.append(each)
        node.body = kept or [ast.Pass()]
        found = names_in([node], self.bound, line)
        text, shape = _written([node])
        listed = "".join(f"\n    def {each}" for each in sorted(methods)) + moment
        piece.add(text + listed, shape + listed, found)

    def _registered(self, node: ast.ClassDef, line: int, start: str) -> None:
        """If a class can be known to others once it is defined, let the module's code refer to it."""
        loud = [each for each in node.decorator_list if not self._is_quiet_decorator(each)]
        called = any(isinstance(each, ast.Expr) and not self._is_quiet(each) for each in node.body)
        if start or not (loud or called):
            return
        module = self.found[MODULE]
        names = names_in(loud, self.bound, line)
        names.refs.append(Ref("", node.name, line))
        text, shape = _written([ast.Expr(value=deepcopy(each)) for each in loud])
        about = f"\nclass {node.name}"
        module.add(text + about, shape + about, names)

    def _piece(self, name: str, kind: Kind, line: int) -> Piece:
        return self.found.setdefault(name, Piece(kind, line))

    # -- what has effects ------------------------------------------------------------------------------------------

    def _constants(self, node: ast.stmt) -> list[str]:
        """The names that a plain assignment binds; none for any other statement."""
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            return []
        names = [each for target in targets for each in _target_names(target)]
        return [] if None in names or set(names) != set(bound_in([node])) else [each for each in names if each]

    def _is_quiet(self, node: ast.AST) -> bool:
        """Whether evaluating a node has no effect beside its value."""
        for each in ast.walk(node):
            if isinstance(each, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)):
                return False
            if isinstance(each, ast.Call) and not self._is_quiet_name(each.func, _QUIET_MODULES):
                return False
        return True

    def _is_quiet_name(self, node: ast.AST, modules: Iterable[str]) -> bool:
        base, attributes = chain(node)
        if not isinstance(base, ast.Name):
            return False
        if base.id not in self.bound:
            return not attributes and base.id in _QUIET_BUILTINS
        where = self.bound[base.id]
        return where is not None and where[0] in modules and len(self.aliases.get(base.id, [])) <= 1

    def _is_quiet_decorator(self, node: ast.expr) -> bool:
        called = node.func if isinstance(node, ast.Call) else node
        if isinstance(called, ast.Attribute) and called.attr in _ACCESSORS:
            return True
        return self._is_quiet_name(called, _QUIET_DECORATORS) and self._is_quiet(node)

    def _is_plain(self, node: Any) -> bool:
        """Whether defining a function has no effect beside its name."""
        defaults = [each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None]
        return all(map(self._is_quiet_decorator, node.decorator_list)) and all(map(self._is_quiet, defaults))

    def _moment(self, *nodes: ast.AST | None) -> str:
        """When nodes are evaluated, if that can matter: after which statements, and after which of many assignments."""
        names = (each for node in nodes if node for each in ast.walk(node) if isinstance(each, ast.Name))
        loads = {each.id for each in names if isinstance(each.ctx, ast.Load)}
        if not loads:
            return ""
        after = [f"{name} {self._sofar[name]}" for name in sorted(loads) if self._times[name] > 1]
        before = "\n".join(self.found[MODULE].shapes)
        return "".join(f"\n# after {each}" for each in [*after, *([digest_of(before)] if before else [])])


def _is_rule(node: ast.stmt) -> bool:
    """Whether a statement of a class says what is done when its code has changed. Else it would be such a change."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
        return False
    names = [each.id if isinstance(each, ast.Name) else "" for each in node.targets]
    return names == [_RULE] and isinstance(node.value.value, str)


def _extend(known: list[Ref], more: list[Ref]) -> None:
    """Add the references that are not known yet from another line."""
    have = {each[:2] for each in known}
    known += (each for each in more if each[:2] not in have)


def _written(nodes: list[Any]) -> tuple[str, str]:
    """The text and the shape of statements."""
    has_imports = any(isinstance(each, (ast.Import, ast.ImportFrom)) for node in nodes for each in ast.walk(node))
    copies = without_sources(deepcopy(nodes)) if has_imports else []
    text = canonical(nodes)
    return text, canonical(copies) if has_imports else text


def _header(node: Any) -> Any:
    """A function without its body."""
    kept, node.body = node.body, [ast.Pass()]
    header = deepcopy(node)
    node.body = kept
    return header


def _target_names(node: ast.AST) -> Iterator[str | None]:
    """The names of a target of an assignment; None for what is no name."""
    if isinstance(node, (ast.Tuple, ast.List)):
        for each in node.elts:
            yield from _target_names(each)
    elif isinstance(node, ast.Starred):
        yield from _target_names(node.value)
    else:
        yield node.id if isinstance(node, ast.Name) else None


def executed(body: list[ast.stmt], bound: dict[str, tuple[str, str] | None]) -> Iterator[ast.stmt]:
    """The statements of a module that run when it is imported: no block for a script, and none for type checkers."""
    for node in body:
        if isinstance(node, ast.If) and _is_never(node.test, bound):
            yield from executed(node.orelse, bound)
        else:
            yield node


def _is_never(test: ast.expr, bound: dict[str, tuple[str, str] | None]) -> bool:
    """Whether a condition is false for an imported module: `__name__ == "__main__"`, or `TYPE_CHECKING`."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        sides = [test.left, test.comparators[0]]
        names = [each.id for each in sides if isinstance(each, ast.Name)]
        values = [each.value for each in sides if isinstance(each, ast.Constant)]
        return names == ["__name__"] and values == ["__main__"] and "__name__" not in bound
    base, attributes = chain(test)
    where = bound.get(base.id) if isinstance(base, ast.Name) else None
    if where is None or where[0] not in ("typing", "typing_extensions"):
        return False
    return [part for part in (where[1], *attributes) if part] == ["TYPE_CHECKING"]
