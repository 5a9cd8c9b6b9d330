"""Which statements at the top of a file do more than bind names, as far as one sees from the file.

A call does more, unless it is one of a short list, or makes a configuration. Whether a class is one of configurations
is not seen from the file that calls it. So such calls are noted, and the walk says which of them only do that.

Owns: this list, and what a class must not have if making a configuration of it is to run nothing of the project.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from xpm_core.fingerprints.source.canonical import FUNCTIONS
from xpm_core.fingerprints.source.names import Ref, bound_in, chain

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

_QUIET_OF_XPM = frozenset(
    f"xpm_core.{name}" for name in ("tag", "stop_tags", "grid", "field", "PathGenerator", "Bounds")
)
"""What of xpm can be called without any effect beside the value."""

_CALLS_BACK = {
    "reduce": 0, "starmap": 0, "takewhile": 0, "dropwhile": 0, "filterfalse": 0, "accumulate": 1, "groupby": 1,
    "sub": 1,
}  # fmt: skip
"""What is quiet but for a function that it is given, and calls: which of its arguments that is."""
_FUNCTIONS_GIVEN = frozenset({"key", "func", "repl"})
"""The names of arguments that are such functions."""

_NEVER_CALLED = frozenset({"__call__", "__repr__", "__str__", "__len__", "__getitem__", "__iter__", "__contains__"})
"""Special methods that do not run when a configuration is made."""

_ACCESSORS = frozenset({"setter", "getter", "deleter"})


class Effects:
    """What statements of a module do beside binding names.

    Args:
        body: The statements.
        bound: The names that they bind.
        aliases: What imports have bound so far, which grows.
        times: How often each name is bound.
        has_stars: Whether there is an `import *`.
    """

    def __init__(
        self,
        body: Sequence[ast.stmt],
        bound: Mapping[str, tuple[str, str] | None],
        aliases: Mapping[str, Sequence[tuple[str, str]]],
        times: Mapping[str, int],
        *,
        has_stars: bool,
    ) -> None:
        self._bound, self._aliases, self._times, self._has_stars = bound, aliases, times, has_stars
        self._touched = {each for one in body if _can_change_others(one) for each in _names_of(one)}

    def made_by(self, node: ast.stmt, names: Sequence[str]) -> dict[str, Ref] | None:
        """What an assignment to names calls that may only make configurations; None if it does more than that."""
        made: dict[str, Ref] = {}
        if not self._is_quiet(node, made):
            return None
        return None if made and (self._has_stars or any(self._times[name] > 1 for name in names)) else made

    def of_class(self, node: ast.ClassDef) -> bool:
        """Whether the body of a class changes anything beside the class, as far as one sees from the file."""
        for each in node.body:
            if isinstance(each, ast.ClassDef):
                found = bool(each.decorator_list) or self.of_class(each)
            elif isinstance(each, (*FUNCTIONS, ast.Pass)) or assigned(each):
                found = False  # what it calls is in `called`
            else:
                kinds = (ast.Import, ast.ImportFrom, ast.Global, ast.Delete)
                inner = list(ast.walk(each))
                changes = any(isinstance(one, kinds) or _is_change_of_another(one) for one in inner)
                found = changes or not self._is_quiet(each)
            if found:
                return True
        return False

    def _is_quiet(self, node: ast.AST, made: dict[str, Ref] | None = None) -> bool:
        """Whether evaluating a node has no effect beside its value.

        Args:
            node: The node.
            made: If given, calls that may only make a configuration are noted in it, and pass.
        """
        for each in ast.walk(node):
            if isinstance(each, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)):
                return False
            if isinstance(each, ast.Call) and not self._is_quiet_call(each):
                making = None if made is None else self._construction(each)
                if made is None or making is None:
                    return False
                made.setdefault(making.path, making)
        return True

    def _is_quiet_call(self, node: ast.Call) -> bool:
        """Whether a call has no effect beside its value, and calls none of the functions that it is given."""
        if not self._is_quiet_name(node.func, _QUIET_MODULES):
            return False
        place = _CALLS_BACK.get(getattr(node.func, "attr", getattr(node.func, "id", "")))
        given = node.args[place : place + 1] if place is not None else []
        given += [each.value for each in node.keywords if each.arg in _FUNCTIONS_GIVEN]
        return not any(map(self._can_be_function, given))

    def _can_be_function(self, node: ast.expr) -> bool:
        """Whether the value of a node may be a function of the project, as far as one sees."""
        base, _ = chain(node)
        is_named = isinstance(base, ast.Name) and base.id in self._bound
        return is_named and not self._is_quiet_name(node, _QUIET_MODULES | {"operator"})

    def _construction(self, node: ast.Call) -> Ref | None:
        """What a call may make a configuration of: `MLP` for `MLP.C(...)` and `MLP(...)`; None for any other call."""
        made = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr == "tag" else None
        if isinstance(made, ast.Call):  # MLP.C(...).tag(...)
            return self._construction(made)
        base, attributes = chain(node.func)
        if not isinstance(base, ast.Name) or base.id not in self._bound:
            return None
        if self._times[base.id] > 1 or base.id in self._touched:
            return None
        path = [base.id, *attributes]
        return Ref("", ".".join(path[:-1] if path[-1] == "C" and len(path) > 1 else path), node.lineno)

    def is_plain_class(self, node: ast.ClassDef) -> bool:
        """Whether nothing in the statement of a class runs when a configuration of it is made, if it is one at all."""
        if node.decorator_list or node.keywords or self._times[node.name] > 1 or node.name in self._touched:
            return False
        names = bound_in(node.body)
        special = {name for name in names if name.startswith("__") and name.endswith("__")} - _NEVER_CALLED
        if self._has_stars or special - {"__xpmid__", "__doc__"} or names.keys() & {"C", "tag"}:
            return False
        given = [each for one in node.body if not isinstance(one, FUNCTIONS) for each in ast.walk(one)]
        keywords = [each for each in given if isinstance(each, ast.keyword)]
        return all(self._is_quiet_factory(each.value) for each in keywords if each.arg in (None, "default_factory"))

    def _is_quiet_factory(self, node: ast.expr) -> bool:
        """Whether calling the value of a node runs nothing of the project."""
        if isinstance(node, ast.Lambda):
            return self._is_quiet(node)
        if isinstance(node, ast.Call):
            base, attributes = chain(node.func)
            where = self._bound.get(base.id) if isinstance(base, ast.Name) else None
            return where is not None and ".".join(filter(None, (*where, *attributes))) == "xpm_core.PathGenerator"
        return isinstance(node, ast.Name) and self._is_quiet_name(node, ())

    def _is_quiet_name(self, node: ast.AST, modules: Iterable[str]) -> bool:
        base, attributes = chain(node)
        if not isinstance(base, ast.Name):
            return False
        if base.id not in self._bound:
            return not attributes and base.id in _QUIET_BUILTINS
        where = self._bound[base.id]
        if where is None or len(self._aliases.get(base.id, [])) > 1:
            return False
        return where[0] in modules or ".".join(filter(None, (*where, *attributes))) in _QUIET_OF_XPM

    def is_quiet_decorator(self, node: ast.expr) -> bool:
        called = node.func if isinstance(node, ast.Call) else node
        if isinstance(called, ast.Attribute) and called.attr in _ACCESSORS:
            return True
        return self._is_quiet_name(called, _QUIET_DECORATORS) and self._is_quiet(node)

    def is_plain_function(self, node: Any) -> bool:
        """Whether defining a function has no effect beside its name."""
        defaults = [each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None]
        return all(map(self.is_quiet_decorator, node.decorator_list)) and all(map(self._is_quiet, defaults))


def assigned(node: ast.stmt) -> list[str]:
    """The names that a plain assignment binds; none for any other statement."""
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    else:
        return []
    names = [each for target in targets for each in _target_names(target)]
    return [] if None in names or set(names) != set(bound_in([node])) else [each for each in names if each]


def _can_change_others(node: ast.stmt) -> bool:
    """Whether a statement at the top does more than define, import, or assign to names."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)):
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return not targets or any(None in _target_names(each) for each in targets)


def _names_of(node: ast.AST) -> Iterator[str]:
    """All names that stand in a node."""
    yield from (each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def _is_change_of_another(node: ast.AST) -> bool:
    """Whether a node is an entry or an attribute to which something is assigned."""
    return isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load)


def _target_names(node: ast.AST) -> Iterator[str | None]:
    """The names of a target of an assignment; None for what is no name."""
    if isinstance(node, (ast.Tuple, ast.List)):
        for each in node.elts:
            yield from _target_names(each)
    elif isinstance(node, ast.Starred):
        yield from _target_names(node.value)
    else:
        yield node.id if isinstance(node, ast.Name) else None
