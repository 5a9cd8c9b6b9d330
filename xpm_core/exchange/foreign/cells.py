"""Texts of cells as values: numbers, truth values, lists, states and times.

Owns: which texts are what. A decimal comma is none of a number: whoever reads such a file says so.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from xpm_core.workspace.reported.values import NOT_FINITE

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})", re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_DIGITS = re.compile(r"[-+]?[0-9]+", re.ASCII)
_COMMA = re.compile(r"[-+]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]+(?:[eE][-+]?[0-9]+)?", re.ASCII)

_SPECIAL = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("nan", "NaN", "NAN"), math.nan),
    **dict.fromkeys(("inf", "Inf", "Infinity", "+inf", "infinity"), math.inf),
    **dict.fromkeys(("-inf", "-Inf", "-Infinity", "-infinity"), -math.inf),
}
_MISSING = frozenset({"na", "n/a", "#n/a", "null", "none", "-", "--", "missing", "undefined"})

DONE = frozenset({"done", "finished", "complete", "completed", "success", "succeeded", "ok"})
FAILED = frozenset(
    {"failed", "failure", "crashed", "error", "killed", "cancelled", "canceled", "aborted", "timeout", "timed out"}
)
UNFINISHED = frozenset(
    {"running", "pending", "queued", "scheduled", "waiting", "preempting", "preempted", "ready", "delayed", "blocked"}
)
"""The states of runs, in small letters. One that is unfinished is not imported."""


@lru_cache(maxsize=65536)
def value_of(text: str) -> Any:
    """The value that a cell has; None if it is empty. Blanks around a text are no part of it.

    Example:
        >>> value_of("1e-4"), value_of("True"), value_of("[64, 32]"), value_of(" svm"), value_of(" ")
        (0.0001, True, [64, 32], 'svm', None)
    """
    word = text.strip()
    if not word:
        return None
    if _INTEGER.fullmatch(word):
        return int(word)
    if _NUMBER.fullmatch(word) and not _DIGITS.fullmatch(word):
        return float(word)
    if word in _SPECIAL:
        return _SPECIAL[word]
    if word[0] == "[" and word[-1] == "]":
        try:
            return json.loads(word)
        except (ValueError, RecursionError):
            return word
    return word


def has_decimal_comma(value: object) -> bool:
    """Whether a value is the text of a number with a decimal comma.

    Example:
        >>> has_decimal_comma("0,912"), has_decimal_comma("64,32,16"), has_decimal_comma(0.912)
        (True, False, False)
    """
    return isinstance(value, str) and _COMMA.fullmatch(value.strip()) is not None


def result_of(value: Any) -> Any:
    """A value of a result: words for what is missing are None, and words for what is not finite are numbers.

    Example:
        >>> result_of("N/A"), result_of("Infinity"), result_of("good"), result_of(0.5)
        (None, inf, 'good', 0.5)
    """
    if not isinstance(value, str):
        return value
    word = value.strip()
    if word.lower() in _MISSING:
        return None
    return _SPECIAL.get(word, value) if word.lower().strip("+-") in ("nan", "inf", "infinity") else value


def is_number(value: Any) -> bool:
    """Whether a value is a number; a truth value is one, too."""
    return isinstance(value, (int, float))


def object_of(value: Any) -> Mapping[Any, Any] | None:
    """The object that a cell has: JSON, or a dict as Python writes it. None if it has none. Nothing is run.

    Example:
        >>> object_of("{'lr': 0.1, 'loss': nan}")
        {'lr': 0.1, 'loss': nan}
    """
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, str) or not value.strip().startswith("{"):
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        try:
            found = _literal(ast.parse(value.strip(), mode="eval").body)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return None
    return found if isinstance(found, dict) else None


def _literal(node: ast.AST) -> Any:
    """The value of a literal. `nan` and `inf`, which Python writes, are no literals, and are taken."""
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {
            _literal(key): _literal(each) for key, each in zip(node.keys, node.values, strict=True) if key is not None
        }
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_literal(each) for each in node.elts]
    if isinstance(node, ast.Name) and node.id in NOT_FINITE:
        return NOT_FINITE[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_literal(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str, bool, type(None))):
        return node.value
    raise ValueError("no literal")


def moment_of(value: Any) -> float | None:
    """A time as epoch seconds; None if the value is none. A time without a zone is one of UTC.

    Example:
        >>> moment_of("2026-11-27T12:00:00Z"), moment_of(1795780800000), moment_of("yesterday")
        (1795780800.0, 1795780800.0, None)
    """
    if is_number(value) and not isinstance(value, bool) and math.isfinite(value):
        return value / 1000 if value > 1e11 else float(value) if value > 1e8 else None  # else it is no time
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(re.sub(r"Z$", "+00:00", value.strip()))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
