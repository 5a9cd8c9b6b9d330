"""One step of the walk: what the names of a definition mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from xpm_core.fingerprints.walk import Key, Walk

if TYPE_CHECKING:
    from core.fingerprints.conftest import MakeProject

FILES = {
    "main.py": "{imports}\ndef go(): return {name}\n",
    "pkg/__init__.py": "from .a import f, late as g\nfrom . import b\nfrom numpy import *\n",
    "pkg/a.py": "from .b import *\ndef f(): pass\n",
    "pkg/b.py": "def late(): pass\nh = late\nfrom . import a\n",
    "lazy.py": "def __getattr__(name): return 1\n",
    "lazier/__init__.py": "def __getattr__(name): return 1\n",
    "lazier/part.py": "def f(): pass\n",
    "wandb/run/code.py": "def init(): pass\n",
    "circle.py": "from circle import x\n",
    "stars.py": "from pkg.b import *\nfrom circle import *\n",
}


@pytest.mark.parametrize(
    ("imports", "name", "means"),
    [
        ("import pkg", "pkg.f", "pkg/a.py f"),
        ("import pkg", "pkg.g", "pkg/b.py late"),
        ("import pkg.a", "pkg.a.h.x", "pkg/b.py h"),
        ("import pkg.b as m", "m.a.f", "pkg/a.py f"),
        ("from pkg import b", "b", "pkg/b.py *"),
        ("from pkg import b", "b.__dict__", "pkg/b.py *"),
        ("from pkg import b", "b.__name__", "pkg/b.py <module>"),
        ("from pkg import zeros", "zeros", " pkg.zeros"),
        ("from numpy import zeros as z", "z.x", " numpy.zeros.x"),
        ("import lazy", "lazy.x", "lazy.py __getattr__"),
        ("import lazier.part", "lazier.part.f", "lazier/__init__.py __getattr__, lazier/part.py f"),
        ("import wandb", "wandb.init", " wandb.init"),
        ("import wandb.run.code", "wandb.run.code.init", "wandb/run/code.py init"),
        ("import wandb.sdk", "wandb.sdk.x", " wandb.sdk"),
        ("from circle import x", "x", " circle.x"),
        ("from stars import h", "h", "pkg/b.py h"),
        ("", "len", " len"),
        ("if 1:\n    from pkg.a import f\nelse:\n    from pkg.b import late as f", "f", "pkg/a.py f, pkg/b.py late"),
    ],
)
def test_a_name_leads_to_its_definition(project: MakeProject, imports: str, name: str, means: str) -> None:
    files = {**FILES, "main.py": FILES["main.py"].format(imports=imports, name=name)}
    (found,) = Walk(project(files)).steps(Key("p", "main.py", "go")).named
    assert ", ".join(f"{each.path} {each.name}" for each in found) == means


def test_circles_end(project: MakeProject) -> None:
    walk = Walk(project({"a.py": "from b import *\nx = y", "b.py": "from a import *\nclass A(A): pass"}))
    assert walk.steps(Key("p", "a.py", "x")).named == [(Key("", "", "y"),)]
    assert not walk.is_hooked(Key("p", "b.py", "A"))
    assert walk.loaded([("p", "a.py")]) == {("p", "a.py"), ("p", "b.py")}
