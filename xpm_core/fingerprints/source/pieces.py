"""The pieces of a file: each function, method, class and constant at its top, and the rest as the module's code.

A function is a piece of its own, with all that is nested in it. A class has its decorators, its bases and its body; its
methods are pieces beside it. A constant has all statements that bind its name. Whatever else runs when the module is
imported is `<module>`: calls, loops, conditions, and decorators that could register what they decorate.

Owns: what belongs to which piece. The order of pieces does not count, unless one can see another in the making.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from xpm_core.fingerprints.source.canonical import FUNCTIONS, canonical, without_sources
from xpm_core.fingerprints.source.effects import Effects, assigned
from xpm_core.fingerprints.source.names import Names, Ref, bound_in, chain, imported_by, names_in

MODULE = "<module>"
"""The name of the code of a module."""

Kind = Literal["function", "class", "constant", "block", "module"]
"""A block is a statement such as `try` that binds names in its parts."""

_RULE = "on_code_change"
"""An attribute of tasks that only a script reads when it submits them."""


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
        called: For a class, what its body calls, and the decorators of its methods.
        is_plain: For a class, whether nothing in its statement runs when a configuration of it is made.
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
    called: list[Ref] = field(default_factory=list)
    is_plain: bool = False
    _have: dict[int, set[Any]] = field(default_factory=dict, repr=False)

    def add(self, text: str, shape: str, names: Names) -> None:
        """Add a statement."""
        self.texts.append(text)
        self.shapes.append(shape)
        self.extend(names)

    def extend(self, names: Names) -> None:
        """Add what is not known yet. A reference is known if it stands in another line, too."""
        for known, more in ((self.refs, names.refs), (self.imports, names.imports)):
            have = self._have.setdefault(id(known), set())
            new = [each for each in more if each[:2] not in have]
            known += new
            have.update(each[:2] for each in new)
        places = self._have.setdefault(id(self.places), set())
        new_places = [each for each in names.places if each not in places]
        self.places += new_places
        places.update(new_places)


class Pieces:
    """The pieces of a parsed file. Its tree is used up.

    Args:
        tree: The tree.
        making: What is known to make a configuration and to do nothing else, as it stands in the file: `MLP`.

    Attributes:
        found: The pieces, by name: `Model`, `Model.forward`, `LR`, `<module>`.
        makes: What is called in assignments that have no effect if these calls only make configurations.
        aliases: What imports at the top bind: for each name, the modules and what of them, in order.
        stars: The modules of which all names are imported.
        exports: The names in `__all__`; None if there is none, or if it is not a plain list of texts.
    """

    def __init__(self, tree: ast.Module, making: Collection[str] = ()) -> None:
        body = list(executed(tree.body, bound_in(tree.body)))
        self.bound = bound_in(body)
        self.exports = _exports(body) if "__all__" in self.bound else None
        self.found: dict[str, Piece] = {MODULE: Piece("module", 1)}
        self.aliases: dict[str, list[tuple[str, str]]] = {}
        self.stars: list[str] = []
        bound = [list(bound_in([each])) for each in body]
        self._times = Counter(name for names in bound for name in names)
        self._sofar: Counter[str] = Counter()
        self._digest, self._digested = sha256(), 0
        self._stars_left = sum(map(_is_star, body))
        self._effects = Effects(body, self.bound, self.aliases, self._times, has_stars=self._stars_left > 0)
        self._making = making
        self.makes: dict[str, Ref] = {}
        for statement, names in zip(body, bound, strict=True):
            self._stars_left -= _is_star(statement)
            self._take(statement)
            self._sofar.update(names)

    def _take(self, node: ast.stmt) -> None:
        if isinstance(node, FUNCTIONS):
            self._function(node, "", self.found[MODULE])
        elif isinstance(node, ast.ClassDef):
            self._class(node, "")
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node)
        elif (names := assigned(node)) and self._is_value(node, names):
            self._constant(node, names)
        elif not isinstance(node, ast.Pass) and not (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            self._other(node)

    # -- statements ------------------------------------------------------------------------------------------------

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        module = self.found[MODULE]
        names = names_in([node], self.bound)
        module.extend(Names([], names.imports, []))
        self._bind(node)
        self._note_turns(bound_in([node]))
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

    def _is_value(self, node: ast.stmt, names: list[str]) -> bool:
        """Whether an assignment only binds a value, as far as one sees from the file and from what is known to make."""
        made = self._effects.made_by(node, names)
        self.makes.update(made or {})
        return made is not None and all(path in self._making for path in made)

    def _constant(self, node: ast.stmt, names: list[str]) -> None:
        found = names_in([node], self.bound)
        line, moment = node.lineno, self._moment(node, changes=any(self._times[name] > 1 for name in names))
        text, shape = _written([node])
        for name in names:
            last = moment + self._stars_behind
            self._piece(name, "constant", line).add(text + last, shape + last, found)

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
        self._note_turns(bound)
        for name, where in bound.items():
            if where is None:
                more = self._stars_behind
                self._piece(name, kind, line).add(text + more, shape + more, found)

    def _function(self, node: Any, start: str, around: Piece) -> None:
        """A function or a method. If defining it can have an effect, its header belongs to what is around it."""
        found = names_in([node], self.bound, in_class=bool(start))
        line = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        moment = self._moment(*node.decorator_list, *node.args.defaults, *node.args.kw_defaults)
        moment += self._stars_behind if not start else ""
        if not self._effects.is_plain_function(node):
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
        moment = self._moment(node) + self._stars_behind if not start else ""
        self._registered(node, line, start)
        piece.called += names_in(list(_called(node)), self.bound, line).refs
        given = [each for each in node.keywords if each.arg == "metaclass"]
        piece.bases += names_in(node.bases, self.bound, line).refs
        piece.metaclasses += names_in([each.value for each in given], self.bound, line).refs
        kept: list[ast.stmt] = []
        methods: list[str] = []
        others = bound_in([each for each in node.body if not isinstance(each, FUNCTIONS)])
        piece.is_plain = not start and self._effects.is_plain_class(node)
        for each in node.body:
            if isinstance(each, FUNCTIONS):
                methods.append(each.name)
                if each.name in others:  # the last one counts
                    kept.append(ast.Expr(value=ast.Name(id=f"def {each.name}", ctx=ast.Load())))
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
        loud = [each for each in node.decorator_list if not self._effects.is_quiet_decorator(each)]
        if start or not (loud or self._effects.of_class(node)):
            return
        module = self.found[MODULE]
        names = names_in(loud, self.bound, line)
        names.refs.append(Ref("", node.name, line))
        text, shape = _written([ast.Expr(value=deepcopy(each)) for each in loud])
        about = f"\nclass {node.name}"
        module.add(text + about, shape + about, names)

    @property
    def _stars_behind(self) -> str:
        """How many `import *` follow. Each can take the place of a definition before it."""
        return f"\n# {self._stars_left} import * behind" if self._stars_left else ""

    def _note_turns(self, bound: Mapping[str, Any]) -> None:
        """For names that an import and another statement bind: note in the module's code which one is the last."""
        for name, where in bound.items():
            if where is not None and self._times[name] > 1:
                turn = f"# import of {name} after {self._sofar[name]}"
                self.found[MODULE].texts.append(turn)
                self.found[MODULE].shapes.append(turn)

    def _piece(self, name: str, kind: Kind, line: int) -> Piece:
        return self.found.setdefault(name, Piece(kind, line))

    def _moment(self, *nodes: ast.AST | None, changes: bool = False) -> str:
        """When nodes are evaluated, if that can matter: after which statements, and after which of many assignments.

        Args:
            *nodes: The nodes.
            changes: Whether they change what earlier statements can have read.
        """
        names = (each for node in nodes if node for each in ast.walk(node) if isinstance(each, ast.Name))
        loads = {each.id for each in names if isinstance(each.ctx, ast.Load)}
        if not (loads or changes):
            return ""
        after = [f"{name} {self._sofar[name]}" for name in sorted(loads) if self._times[name] > 1]
        return "".join(f"\n# after {each}" for each in [*after, *self._before()])

    def _before(self) -> list[str]:
        """The digest of the module's code until here, if there is any."""
        shapes = self.found[MODULE].shapes
        for each in shapes[self._digested :]:
            line = f"\n{each}" if self._digested else each
            self._digest.update(line.encode("utf-8", "surrogatepass"))
            self._digested += 1
        return [self._digest.hexdigest()[:32]] if shapes else []


def _is_rule(node: ast.stmt) -> bool:
    """Whether a statement of a class says what is done when its code has changed. Else it would be such a change."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
        return False
    names = [each.id if isinstance(each, ast.Name) else "" for each in node.targets]
    return names == [_RULE] and isinstance(node.value.value, str)


def _called(node: ast.ClassDef) -> Iterator[ast.expr]:
    """What the body of a class calls while it runs: decorators of methods, and what stands before parentheses."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, FUNCTIONS):
            yield from (one.func if isinstance(one, ast.Call) else one for one in each.decorator_list)
            waiting += [*each.args.defaults, *(one for one in each.args.kw_defaults if one is not None)]
            continue
        if isinstance(each, ast.Call):
            yield each.func
        if not isinstance(each, ast.Lambda):
            waiting += ast.iter_child_nodes(each)


def _is_star(node: ast.stmt) -> bool:
    """Whether a statement of a module has `import *`, which can stand at its top or in a block."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Assign, ast.Expr)):
        return False
    return any(isinstance(each, ast.ImportFrom) and each.names[0].name == "*" for each in ast.walk(node))


def _exports(body: list[ast.stmt]) -> list[str] | None:
    """The names in `__all__`, if one statement gives it as a plain list of texts."""
    tops = [each for each in body if not isinstance(each, (*FUNCTIONS, ast.ClassDef))]
    found = [each for each in tops if any(getattr(one, "id", "") == "__all__" for one in ast.walk(each))]
    if len(found) != 1 or not isinstance(found[0], ast.Assign):
        return None
    targets, value = found[0].targets, found[0].value
    if len(targets) != 1 or not isinstance(targets[0], ast.Name) or not isinstance(value, (ast.List, ast.Tuple)):
        return None
    names = [each.value for each in value.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return names if len(names) == len(value.elts) else None


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


def executed(body: list[ast.stmt], bound: dict[str, tuple[str, str] | None]) -> Iterator[ast.stmt]:
    """The statements of a module that run when it is imported: no block for a script, and none for type checkers."""
    for node in body:
        if isinstance(node, ast.If) and _is_never(node.test, bound):
            yield from executed(node.orelse, bound)
        else:
            yield node


def _is_never(test: ast.expr, bound: dict[str, tuple[str, str] | None]) -> bool:
    """Whether a condition is false for an imported module: `__name__ == "__main__"`, or `TYPE_CHECKING`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return _is_never(test.values[0], bound)
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
