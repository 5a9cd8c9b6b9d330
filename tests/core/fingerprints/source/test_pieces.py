"""Which piece each statement of a file belongs to."""

from __future__ import annotations

import ast

import pytest

from xpm_core.fingerprints.source.pieces import MODULE, Pieces


def pieces(source: str) -> Pieces:
    return Pieces(ast.parse(source))


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("def f(): pass", {"f": "function"}),
        ("class A:\n    def m(self): pass\n    class B:\n        def n(self): pass",
         {"A": "class", "A.m": "function", "A.B": "class", "A.B.n": "function"}),
        ("x = 1\ny, (z, *w) = 1, (2, 3)", dict.fromkeys("xyzw", "constant")),
        ("if a:\n    def f(): pass", {"f": "block"}),
        ("for i in []:\n    x = i", {"i": "block", "x": "block"}),
        ("import a, b.c as d\nfrom .e import f", {}),
        ("if __name__ == '__main__':\n    x = 1", {}),
        ("from typing import TYPE_CHECKING as T\nif T:\n    x = 1\nelse:\n    y = 1", {"y": "constant"}),
        ("TYPE_CHECKING = True\nif TYPE_CHECKING:\n    x = 1", {"TYPE_CHECKING": "constant", "x": "block"}),
    ],
)  # fmt: skip
def test_each_name_is_a_piece(source: str, kinds: dict[str, str]) -> None:
    assert {name: each.kind for name, each in pieces(source).found.items() if name != MODULE} == kinds


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("def f(x=1): return x", []),
        ("x = [float(n) for n in range(3)]", []),
        ("import logging\nlog = logging.getLogger('a')", []),
        ("print(1)", ["print(1)"]),
        ("x = load()", ["x = load()"]),
        ("def f(x=load()): return x", ["def f(x=load()):\n    pass"]),
        ("@app.route('/')\ndef f(): return 1", ["@app.route('/')\ndef f():\n    pass"]),
        ("from functools import cache\n@cache\ndef f(): return 1", []),
        ("from .own import cache\n@cache\ndef f(): return 1", ["@cache\ndef f():\n    pass"]),
        ("@register\nclass A: pass", ["register\nclass A"]),
        ("from dataclasses import dataclass\n@dataclass\nclass A: pass", []),
        ("class A:\n    log.append(1)", ["\nclass A"]),
        ("from os import *", ["from os import *"]),
        ("from __future__ import annotations", ["from __future__ import annotations"]),
        ("A.x = 1", ["A.x = 1"]),
        ("def list(): pass\nx = list()", ["x = list()"]),
    ],
)
def test_what_can_have_an_effect_when_it_is_imported_is_code_of_the_module(source: str, texts: list[str]) -> None:
    assert pieces(source).found[MODULE].texts == texts


def test_what_is_decorated_is_known_to_the_code_of_the_module() -> None:
    found = pieces("@register\ndef f(): return g\n@register\nclass A: pass").found[MODULE]
    assert [each.path for each in found.refs] == ["register", "f", "A"]


def test_the_moment_counts_only_where_it_can_be_seen() -> None:
    def digest(source: str) -> list[str]:
        return pieces(source).found["y"].texts

    assert digest("y = 1\nprint(2)") == digest("print(2)\ny = 1")
    assert digest("x = [1]\ny = x\nx.append(2)") != digest("x = [1]\nx.append(2)\ny = x")
    assert digest("x = 1\ny = x\nz = 3") == digest("z = 3\nx = 1\ny = x")
    assert digest("x = 1\ny = x\nx = 2") != digest("x = 1\nx = 2\ny = x")


def test_imports_bind_names_in_all_branches() -> None:
    found = pieces(
        "try:\n    from a import f\nexcept ImportError:\n    from .b import g as f\nimport c.d\nfrom e import *"
    )
    assert found.aliases == {"f": [("a", "f"), (".b", "g")], "c": [("c", "")]}
    assert found.stars == ["e"]
