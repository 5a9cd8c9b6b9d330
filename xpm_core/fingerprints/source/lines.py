"""The lines of a file that belong to a definition, as people read them: with comments, docstrings and layout.

Owns: which lines these are. What counts as a definition is said by `pieces`.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from xpm_core.fingerprints.source.canonical import FUNCTIONS
from xpm_core.fingerprints.source.names import bound_in
from xpm_core.fingerprints.source.pieces import MODULE, executed

_DEFINES = (*FUNCTIONS, ast.ClassDef)


class SourceLines:
    """The lines of a file, and which definition they belong to.

    Args:
        content: What is in the file. In one that does not parse, all lines belong to each definition.

    Attributes:
        texts: The lines without their ends; the first one is line 1.

    Example:
        >>> source = SourceLines(b"import os\\n\\ndef f():\\n    return 1\\n")
        >>> [source.texts[number - 1] for number in source.of("f")]
        ['def f():', '    return 1']
    """

    def __init__(self, content: bytes) -> None:
        self.texts = [line.decode(errors="replace") for line in content.splitlines()]
        self._places: dict[str, set[int]] = {}
        self._imports: set[int] = set()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about escapes in strings, which are the user's
                body = ast.parse(content).body
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            self._parses = False
        else:
            self._parses = True
            self._take(body)

    @property
    def names(self) -> Collection[str]:
        """The definitions that have lines."""
        return self._places.keys()

    @property
    def imports(self) -> list[int]:
        """The numbers of the lines of the imports at the top of the file."""
        return sorted(self._imports)

    def of(self, name: str, others: Collection[str] = ()) -> list[int]:
        """The numbers of the lines of a definition, sorted; none if there is no such definition.

        Args:
            name: Its name: `Model`, `Model.forward`, `LR`, `<module>`.
            others: Definitions whose lines are left out, such as the methods of a class.
        """
        if not self._parses:
            return list(range(1, len(self.texts) + 1))
        inner = {line for each in others if each != name for line in self._places.get(each, ())}
        return list(self._without_gaps(sorted(self._places.get(name, set()) - inner)))

    def _without_gaps(self, numbers: Sequence[int]) -> Iterator[int]:
        """Lines without the blank ones beside lines that were left out."""
        wanted = set(numbers)
        for number in numbers:
            above, below = number, number
            while above in wanted and not self._has_text(above):
                above -= 1
            while below in wanted and not self._has_text(below):
                below += 1
            if above in wanted and below in wanted:
                yield number

    def _has_text(self, number: int) -> bool:
        return bool(self.texts[number - 1].strip())

    def _take(self, body: list[ast.stmt]) -> None:
        for node in executed(body, bound_in(body)):
            if isinstance(node, _DEFINES):
                self._add(MODULE, _header(node))
                self._define(node, "")
                continue
            if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                continue  # such as a docstring: it does nothing
            self._add(MODULE, _lines(node))
            for each in ast.walk(node):
                if isinstance(each, (ast.Import, ast.ImportFrom)):
                    self._imports.update(_lines(each))
            for name, source in bound_in([node]).items():
                if source is None:
                    self._add(name, _lines(node))

    def _define(self, node: Any, start: str) -> None:
        """A function or a class, with the functions and classes of its body."""
        name = start + node.name
        self._add(name, _lines(node))
        for each in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(each, _DEFINES):
                self._define(each, f"{name}.")

    def _add(self, name: str, lines: range) -> None:
        self._places.setdefault(name, set()).update(lines)


def _lines(node: Any) -> range:
    return range(_first(node), (node.end_lineno or node.lineno) + 1)


def _header(node: Any) -> range:
    """What of a function or class can run something when it is defined: its decorators, defaults and bases."""
    defaults = [] if isinstance(node, ast.ClassDef) else [*node.args.defaults, *node.args.kw_defaults]
    if not node.decorator_list and not any(defaults):
        return range(0)
    return range(_first(node), max(node.body[0].lineno, node.lineno + 1))


def _first(node: Any) -> int:
    above: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(int(each.lineno) for each in [node, *above])
