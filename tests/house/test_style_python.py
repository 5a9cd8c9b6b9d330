"""The rules for Python files. Each rule is a function that lists what breaks it in a source, and is itself tested."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterator

import pytest
from helpers.project_files import ROOT, place, python_files, strings

import xpm_core

LINES = 500
UNSAFE = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "joblib"}
LUA = re.compile(r"redis\.p?call\b|\b(?:KEYS|ARGV)\[|#!lua\b")
KEY = re.compile(r"\b(?:xpm|rq):[a-z{…]")
UNFINISHED = re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X|H[A]CK|NotImplementedError)\b")

Rule = Callable[[str], Iterator[tuple[int, str]]]


def long_files(source: str) -> Iterator[tuple[int, str]]:
    if (lines := source.count("\n")) > LINES:
        yield 1, f"{lines} lines, there may be {LINES}: it holds two ideas"


def unsafe_imports(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        for name in [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]:
            if name.split(".")[0] in UNSAFE:
                yield node.lineno, f"imports {name}; the wire form is msgpack"


def lua_in_strings(source: str) -> Iterator[tuple[int, str]]:
    for line, text in strings(source):
        if LUA.search(text):
            yield line, f"Lua inside a string: {text[:40]!r}"


def key_names(source: str) -> Iterator[tuple[int, str]]:
    for line, text in strings(source):
        if KEY.search(text):
            yield line, f"names a key: {text[:40]!r}; store/keys.py does that"


def silent_excepts(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        broad = any(name is None or ast.unparse(name) in ("Exception", "BaseException") for name in caught)
        if broad and all(isinstance(statement, (ast.Pass, ast.Continue)) for statement in node.body):
            yield node.lineno, "swallows every error in silence"


def unfinished(source: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.splitlines(), 1):
        if UNFINISHED.search(line):
            yield number, "left to do"


def missing_docstring(source: str) -> Iterator[tuple[int, str]]:
    if source.strip() and ast.get_docstring(ast.parse(source)) is None:
        yield 1, "a module says in its first line what it is for"


EXEMPT: dict[Rule, set[str]] = {
    key_names: {"xpm_core/store/keys.py"},
    lua_in_strings: {"xpm_core/store/scripts.py"},  # it resolves the includes and reads the flags
}


@pytest.mark.parametrize(
    "rule",
    [long_files, unsafe_imports, lua_in_strings, key_names, silent_excepts, unfinished, missing_docstring],
    ids=lambda rule: rule.__name__,
)
def test_every_file_of_the_packages_keeps_the_rule(rule: Rule) -> None:
    broken = [
        f"{place(path, line)}: {what}"
        for path in python_files()
        if place(path) not in EXEMPT.get(rule, set())
        for line, what in rule(path.read_text())
    ]
    assert not broken, "\n" + "\n".join(broken)


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (long_files, "pass\n" * (LINES + 1)),
        (unsafe_imports, "def f():\n    from pickle import loads\n"),
        (lua_in_strings, "script = 'return redis.call(\"GET\", KEYS[1])'\n"),
        (key_names, "def key(name):\n    return f'xpm:{name}:jobs'\n"),
        (key_names, "client.get('rq:queues')\n"),
        (silent_excepts, "try:\n    work()\nexcept (OSError, Exception):\n    pass\n"),
        (unfinished, "def f():\n    raise NotImplementedError\n"),
        (missing_docstring, "import os\n"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_rule_notices_what_breaks_it(rule: Rule, source: str) -> None:
    assert list(rule(source))


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (lua_in_strings, '"""It calls `redis.call` with KEYS[1]."""\n'),
        (key_names, '"""The hash xpm:token:NAME."""\nmessage = "xpm: no such job"\n'),
        (silent_excepts, "try:\n    work()\nexcept KeyError:\n    pass\n"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_rule_lets_pass_what_is_fine(rule: Rule, source: str) -> None:
    assert not list(rule(source))


def names_imported_for_type_checkers(source: str) -> dict[str, str | None]:
    """The names in the blocks `if TYPE_CHECKING`, each with the module that it comes from."""
    blocks = (node for node in ast.parse(source).body if isinstance(node, ast.If))
    typed = (node for node in blocks if ast.unparse(node.test) == "TYPE_CHECKING")
    imports = (node for block in typed for node in ast.walk(block) if isinstance(node, ast.ImportFrom))
    return {alias.asname or alias.name: node.module for node in imports for alias in node.names}


def test_public_names_are_complete_and_sorted() -> None:
    declared = names_imported_for_type_checkers((ROOT / "xpm_core" / "__init__.py").read_text())
    assert set(xpm_core.__all__) - {"__version__"} == set(declared)
    assert declared == xpm_core._MODULES, "type checkers see the same names as programs"
    assert [name for name in xpm_core.__all__ if not hasattr(xpm_core, name)] == []
    assert not hasattr(xpm_core, "no_such_name")


def as_isort(name: str) -> tuple[int, str]:
    """Where a name stands in a sorted list: constants, then classes, then the rest."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def test_every_list_of_public_names_is_sorted_and_true() -> None:
    for path in python_files():
        name = place(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if "\n__all__ = " not in path.read_text():
            continue
        module = importlib.import_module(name)
        assert list(module.__all__) == sorted(module.__all__, key=as_isort), f"{name}.__all__ is not sorted"
        assert all(hasattr(module, public) for public in module.__all__), f"{name}.__all__ names what is not there"
