"""What a piece refers to: names of the module, and not those of functions around it."""

from __future__ import annotations

import ast

import pytest

from xpm_core.fingerprints.source.names import bound_in, names_in


def refs(source: str, module: str = "") -> list[str]:
    """The references of statements, as `source:path`."""
    found = names_in(ast.parse(source).body, bound_in(ast.parse(module).body))
    return [f"{each.source}:{each.path}" for each in found.refs]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.b.c(d)", [":a.b.c", ":d"]),
        ("def f(x, y=d): return x + y + g", [":d", ":g"]),
        ("def f():\n    x = 1\n    def g(): return x, y\n    return g", [":y"]),
        ("def f():\n    global x\n    x = 1", [":x"]),
        ("def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = y", [":y"]),
        ("[x for x in x]", [":x"]),
        ("def f(): return [x for x in y], x", [":y", ":x"]),
        ("def f(): return [(n := x) for x in y], n", [":y"]),
        ("class A(B, metaclass=M):\n    x = y\n    def f(self): return x", [":B", ":M", ":y", ":x"]),
        ("def f():\n    import a.b as c, d.e\n    return c.x, d.e.y", ["a.b:x", "d:e.y"]),
        ("def f():\n    from ..m import g as h\n    return h.x", ["..m:g.x"]),
        ("def f(x: A, *y: 'B.c') -> 'list[C]':\n    z: D = 1", [":A", ":B.c", ":list", ":C"]),
        ("class A:\n    x: 'B'", [":B"]),
        ("def f(v):\n    match v:\n        case A(x=n) as m: return n, m, o", [":A", ":o"]),
        ("def f():\n    try: pass\n    except E as e: return e", [":E"]),
        ("getattr(a, 'b')", [":getattr", ":a", ":a.b"]),
        ("(lambda x, *y, **z: x + y + z + w)", [":w"]),
        ("x.y = 1", [":x.y"]),
    ],
)
def test_a_name_belongs_to_the_module_if_no_function_binds_it(source: str, expected: list[str]) -> None:
    assert refs(source) == expected


def test_imports_of_functions_are_modules_that_are_loaded() -> None:
    found = names_in(ast.parse("def f():\n    import a.b\n    from .c import d").body, {})
    assert [(each.source, each.path, each.line) for each in found.imports] == [("a.b", "", 2), (".c", "d", 3)]


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ("getattr(a, b)", ["getattr"]),
        ("def getattr(a, b): pass\ngetattr(a, b)", []),
        ("def f(exec): exec('1')", []),
        ("class A:\n    def f(self, n): getattr(self, n)", []),
        ("class A:\n    @staticmethod\n    def f(x, n): getattr(x, n)", ["getattr"]),
        ("def f(self, n): getattr(self, n)", ["getattr"]),
        ("import importlib as i\ni.import_module(x)", ["import_module"]),
        ("import importlib as i\ni.import_module('x')", []),
        ("from builtins import exec", []),
        ("type(x)", []),
        ("type('A', (), {})", ["type"]),
        ("from operator import attrgetter\nattrgetter(x)", ["operator.attrgetter"]),
        ("def f():\n    from runpy import run_path\n    run_path('a.py')", ["runpy.run_path"]),
    ],
)
def test_a_call_that_only_a_running_program_knows_is_a_place(source: str, places: list[str]) -> None:
    tree = ast.parse(source)
    assert [each.what for each in names_in(tree.body, bound_in(tree.body)).places] == places
