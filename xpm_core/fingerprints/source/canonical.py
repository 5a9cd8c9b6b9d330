"""Canonical source: what a piece of Python does, without how it is written.

Two pieces have the same canonical source if they differ only in comments, docstrings, layout, annotations of local
variables, or in how a constant is spelled. The text is what `ast.unparse` makes of the changed tree. It is equal on all
supported Pythons, so constants and f-strings are written here: `ast.unparse` writes these by the Python that it is in.

Owns: this text and its digest. It imports the standard library alone, because other Pythons run it as it is.
"""

from __future__ import annotations

import ast
from hashlib import sha256
from typing import Any

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def canonical(statements: list[ast.stmt], *, is_local: bool = False) -> str:
    """The canonical source of statements. Their trees are used up: do not read them afterwards.

    Args:
        statements: What to write.
        is_local: Whether they stand in the body of a function.

    Returns:
        Python source, or what resembles it. Nobody runs it.

    Raises:
        RecursionError: They are nested too deeply.

    Example:
        >>> canonical(ast.parse("lr   = 0.10  # found by hand").body)
        'lr = 0.1'
    """
    kept = _Writer(is_local).block(statements)
    return "\n".join(map(ast.unparse, kept))


def without_sources(text: list[ast.stmt]) -> list[ast.stmt]:
    """The statements with imports that say only which names they bind. Their trees are changed."""
    return [_Sources().visit(each) for each in text]


def digest_of(text: str) -> str:
    """The digest of a canonical source: 32 hexadecimal digits of its SHA-256."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class _Sources(ast.NodeTransformer):
    """Takes away what imports import from."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        return ast.Import(names=[ast.alias(name=each.asname or each.name) for each in node.names])

    def visit_Import(self, node: ast.Import) -> ast.AST:
        return ast.Import(names=[ast.alias(name=each.asname or each.name) for each in node.names])


class _Writer(ast.NodeTransformer):
    """Takes away what does not count.

    Args:
        is_local: Whether the statements stand in the body of a function.
    """

    def __init__(self, is_local: bool) -> None:
        self._is_local = is_local

    def block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """The statements that do something."""
        found: list[ast.stmt] = []
        for each in statements:
            done: Any = self.visit(each)
            if done is not None:
                found.append(done)
        return found

    def _body(self, node: Any, is_local: bool) -> None:
        before, self._is_local = self._is_local, is_local
        node.body = self.block(node.body) or [ast.Pass()]
        self._is_local = before

    def visit_FunctionDef(self, node: Any) -> ast.AST:
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.args = self.visit(node.args)
        if node.returns is not None:
            node.returns = self.visit(node.returns)
        self._type_parameters(node)
        self._body(node, True)
        return node  # type: ignore[no-any-return]

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.bases = [self.visit(each) for each in node.bases]
        node.keywords = [self.visit(each) for each in node.keywords]
        self._type_parameters(node)
        self._body(node, False)
        return node

    def _type_parameters(self, node: Any) -> None:
        if getattr(node, "type_params", None):
            node.type_params = [self.visit(each) for each in node.type_params]

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if getattr(node, "body", None) == [] and not isinstance(node, ast.Module):
            node.body = [ast.Pass()]  # type: ignore[attr-defined]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Pass(self, node: ast.Pass) -> None:
        return None

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if not self._is_local:
            return self.generic_visit(node)
        target = self.visit(node.target)
        if node.value is not None:
            return ast.Assign(targets=[target], value=self.visit(node.value), lineno=node.lineno)
        base = getattr(node.target, "value", None)
        return None if base is None or isinstance(base, ast.Name) else ast.Expr(value=target)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Name(id=_literal(node.value), ctx=ast.Load())

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        """A tuple as a call with an empty name, because parentheses around one are written by some Pythons only."""
        return _call("," if len(node.elts) == 1 else "", [self.visit(each) for each in node.elts])

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """A lambda without parameters as a call, because a space is written behind it by some Pythons only."""
        given = node.args
        if given.args or given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg:
            return self.generic_visit(node)
        return _call("lambda:", [self.visit(node.body)])

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """An f-string as a call with its parts, because each Python quotes it in its own way."""
        parts: list[ast.expr] = []
        text = ""
        for each in [*node.values, None]:
            if isinstance(each, ast.Constant):
                text += str(each.value)
                continue
            if text:
                parts.append(ast.Name(id=_literal(text), ctx=ast.Load()))
                text = ""
            if isinstance(each, ast.FormattedValue):
                parts.append(self._formatted(each))
        return _call("f''", parts)

    def _formatted(self, node: ast.FormattedValue) -> ast.expr:
        conversion = ast.Name(id=str(node.conversion), ctx=ast.Load())
        form = [] if node.format_spec is None else [self.visit(node.format_spec)]
        return _call("", [self.visit(node.value), conversion, *form])


def _call(name: str, arguments: list[ast.expr]) -> ast.Call:
    return ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=arguments, keywords=[])


def _literal(value: Any) -> str:
    """A constant, written the same by all Pythons: what can be printed depends on the Unicode that one knows."""
    if isinstance(value, str):
        return ascii(value)
    if type(value) is int:
        return hex(value) if abs(value) > 10**18 else str(value)
    if isinstance(value, float | complex):
        return repr(value).replace("inf", "1e999")
    return "..." if value is Ellipsis else repr(value)
