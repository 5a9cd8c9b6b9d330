"""Edits that a job can see although hardly anything in the text leads there, and edits that look like those.

The form is that of `helpers.code_traps`.
"""

from __future__ import annotations

from helpers.code_traps import USES_HELPER, Case, task

REGISTRY = "ALL = {}\ndef register(n):\n    def add(f):\n        ALL[n] = f\n        return f\n    return add\n"
HOOKED = "class Base:\n    all = {}\n    def __init_subclass__(cls): Base.all[cls.__name__] = cls\n"
USES_REGISTRY = task("import models\nfrom registry import ALL", "return ALL")
USES_SETTINGS = task("import settings", "return settings.LR")


def models(text: str, old: str, new: str, registry: str = REGISTRY) -> Case:
    """An edit of models.py, of which the task uses only what it has done to registry.py."""
    return {"train.py": USES_REGISTRY, "registry.py": registry, "models.py": text}, "models.py", old, new


def settings(text: str, old: str, new: str) -> Case:
    """An edit of settings.py, which has local.py beside it."""
    return {"train.py": USES_SETTINGS, "settings.py": text, "local.py": "LR = 5\n"}, "settings.py", old, new


RARE: dict[str, Case] = {
    # -- what the body of a class does
    "method registered by a decorator": models(
        "from registry import register\nclass Losses:\n    @register('mse')\n    def mse(x): return 1",
        "return 1",
        "return 2",
    ),
    "entry made in the body of a class": models(
        "from registry import ALL\nclass Losses:\n    ALL['mse'] = 1", "= 1", "= 2"
    ),
    "call in the body of a class": models(
        "from registry import ALL\nclass Losses:\n    _ = ALL.update(mse=1)", "mse=1", "mse=2"
    ),
    "function called in the body of a class": models(
        "from registry import register\nclass Losses:\n    mse = register(1)(2)", "(2)", "(3)"
    ),
    "loop in the body of a class": models(
        "from registry import ALL\nclass Losses:\n    for i in (1,):\n        ALL[i] = i", "(1,)", "(2,)"
    ),
    "global in the body of a class": (
        {
            "train.py": task("import settings", "return settings.get()"),
            "settings.py": "class A:\n    global LR\n    LR = 1\ndef get(): return LR",
        },
        "settings.py",
        "= 1",
        "= 2",
    ),
    "import in the body of a class": (
        {
            "train.py": task("import models", "return 1"),
            "models.py": "class A:\n    import effect",
            "effect.py": "print(1)",
        },
        "effect.py",
        "1",
        "2",
    ),
    "module that is an attribute of a class": (
        {
            "train.py": task("", "return self.helper.f(1)").replace("width", "import helper\n        width"),
            "helper.py": "def f(x): return 1",
        },
        "helper.py",
        "return 1",
        "return 2",
    ),
    "descriptor that knows its class": models(
        "from registry import Field\nclass Model:\n    x = Field(1)",
        "(1)",
        "(2)",
        "ALL = {}\nclass Field:\n    def __init__(self, n): self.n = n\n"
        "    def __set_name__(self, owner, name): ALL[name] = self.n",
    ),
    "base class by another name": models(
        "import registry\nB = registry.Base\nclass MLP(B):\n    n = 1",
        "n = 1",
        "n = 2",
        HOOKED + "ALL = Base.all",
    ),
    "base class in a block": models(
        "from registry import Base\nclass MLP(Base):\n    n = 1",
        "n = 1",
        "n = 2",
        "try:\n" + "".join(f"    {line}\n" for line in HOOKED.splitlines()) + "finally:\n    pass\nALL = Base.all",
    ),
    "base class of a call": models(
        "from registry import make\nclass MLP(make()):\n    n = 1",
        "n = 1",
        "n = 2",
        HOOKED + "def make(): return Base\nALL = Base.all",
    ),
    "attribute of a class in place of its method": (
        {
            "train.py": task("from model import A", "return A.f"),
            "model.py": "class A:\n    f = 1\n    def f(self): pass\n",
        },
        "model.py",
        "    f = 1\n    def f(self): pass\n",
        "    def f(self): pass\n    f = 1\n",
    ),
    # -- which binding of a name counts
    "star import behind a constant": settings(
        "LR = 1\nfrom local import *\n", "LR = 1\nfrom local import *", "from local import *\nLR = 1"
    ),
    "value of a star import behind a constant": (
        {"train.py": USES_SETTINGS, "settings.py": "LR = 1\nfrom local import *\n", "local.py": "LR = 5"},
        "local.py",
        "5",
        "6",
    ),
    "import behind a definition": settings(
        "LR = 1\nfrom local import LR\n", "LR = 1\nfrom local import LR", "from local import LR\nLR = 1"
    ),
    "constant that a function reads between two assignments": settings(
        "A = 1\ndef g(): return A\nLR = g()\nA = 2\n", "LR = g()\nA = 2\n", "A = 2\nLR = g()\n"
    ),
    "name that __all__ adds": (
        {
            "train.py": task("from a import *\nfrom b import *", "return f()"),
            "a.py": "def f(): return 1",
            "b.py": "__all__ = ['g']\ndef f(): return 2\ndef g(): return 3",
        },
        "b.py",
        "['g']",
        "['g', 'f']",
    ),
    "name that a computed __all__ adds": (
        {
            "train.py": task("from b import *", "return f()"),
            "b.py": "__all__ = ['g']\n__all__ += ['f']\ndef f(): return 2",
        },
        "b.py",
        "['g']",
        "['h']",
    ),
    "module that __all__ names": (
        {
            "train.py": task("from pkg import *", "return a.f()"),
            "pkg/__init__.py": "__all__ = ['a']",
            "pkg/a.py": "def f(): return 1",
        },
        "pkg/a.py",
        "return 1",
        "return 2",
    ),
    "code of a module that __all__ names": (
        {
            "train.py": task("from pkg import *", "return 1"),
            "pkg/__init__.py": "__all__ = ['a']",
            "pkg/a.py": "print(1)",
        },
        "pkg/a.py",
        "1",
        "2",
    ),
    # -- modules
    "module as a value, whose names come from another one": (
        {
            "train.py": task("import stars", "return use(stars)\n\n") + "    def use(m): return m.f()\n",
            "stars.py": "from more import *",
            "more.py": "def f(): return 1",
        },
        "more.py",
        "return 1",
        "return 2",
    ),
    "package as a value": (
        {
            "train.py": task("import pkg.sub", "return use(pkg)\n\n") + "    def use(p): return p.sub.f()\n",
            "pkg/__init__.py": "",
            "pkg/sub.py": "def f(): return 1",
        },
        "pkg/sub.py",
        "return 1",
        "return 2",
    ),
    "attribute of a module by a method": (
        {"train.py": task("import helper", "return helper.__getattribute__('f')()"), "helper.py": "def f(): return 1"},
        "helper.py",
        "return 1",
        "return 2",
    ),
    "relative import by name": (
        {
            "train.py": task("import importlib", "return importlib.import_module('.x', 'pkg').f()"),
            "pkg/__init__.py": "",
            "pkg/x.py": "def f(): return 1",
            "x.py": "def f(): return 1",
        },
        "pkg/x.py",
        "return 1",
        "return 2",
    ),
    "other module that a function imports for its effect": (
        {"train.py": task("", "import a as _\nreturn 1"), "a.py": "print(1)", "b.py": "print(2)"},
        "train.py",
        "import a",
        "import b",
    ),
    "function set in place of another one": (
        {
            "train.py": task("import mlp, patch", "return mlp.forward()"),
            "mlp.py": "def forward(): return 1",
            "patch.py": "import mlp\ndef other(): return 2\nmlp.forward = other",
        },
        "patch.py",
        "return 2",
        "return 3",
    ),
    "constant changed by another module": (
        {
            "train.py": task("import conf, tweak", "return conf.LR"),
            "conf.py": "LR = 1",
            "tweak.py": "import conf\nconf.LR += 1",
        },
        "tweak.py",
        "+= 1",
        "+= 2",
    ),
    "modules that import each other": (
        {
            "train.py": task("import a", "return a.f()"),
            "a.py": "import b\ndef f(): return b.g()\ndef h(): return 1",
            "b.py": "import a\ndef g(): return a.h()",
        },
        "a.py",
        "return 1",
        "return 2",
    ),
    "encoding of a file": (
        {"train.py": USES_HELPER, "helper.py": "# -*- coding: latin-1 -*-\ndef f(x): return 'é'"},
        "helper.py",
        "latin-1",
        "utf-8",
    ),
    # -- statements
    "function of singledispatch": (
        {
            "train.py": task("import base, more", "return base.show(3)"),
            "base.py": "from functools import singledispatch\n@singledispatch\ndef show(x): return 0",
            "more.py": "from base import show\n@show.register\ndef _(x: int): return 1",
        },
        "more.py",
        "return 1",
        "return 2",
    ),
    "value of a case": (
        {"train.py": task("import c", "match self.width:\n    case c.A:\n        return 1"), "c.py": "A = 3"},
        "c.py",
        "3",
        "4",
    ),
    "walrus in a class": (
        {"train.py": task("from m import A", "return A.n"), "m.py": "def g(): return 1\nclass A:\n    y = (n := g())"},
        "m.py",
        "return 1",
        "return 2",
    ),
    "attribute as the variable of a comprehension": (
        {"train.py": task("import m", "return [0 for m.h.x in [self]]"), "m.py": "class H: x = 3\nh = H()"},
        "m.py",
        "x = 3",
        "x = 4",
    ),
    "global that a function sets": (
        {
            "train.py": task("import m", "return m.get()"),
            "m.py": "def init():\n    global X\n    X = 1\ninit()\ndef get(): return X",
        },
        "m.py",
        "X = 1",
        "X = 2",
    ),
    "name that is deleted": (
        {"train.py": task("import m", "return m.f"), "m.py": "f = 1\ndel f\nf = 2"},
        "m.py",
        "del f\nf = 2",
        "f = 2\ndel f",
    ),
    "else of a block for type checkers": (
        {
            "train.py": task("from m import X", "return X"),
            "m.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    X = 0\nelse:\n    X = 1",
        },
        "m.py",
        "X = 1",
        "X = 2",
    ),
}

QUIET: dict[str, Case] = {
    "another class, whose body makes values": (
        {
            "train.py": task("", "return 1\n\n")
            + "    class O: pass\n    class Eval:\n        o = O()\n        n = dict(a=1)\n"
        },
        "train.py",
        "a=1",
        "a=2",
    ),
    "another class, with a method that an installed package decorates": (
        {
            "train.py": task("import torch", "return 1\n\n")
            + "    class Eval:\n        @torch.no_grad()\n        def go(self): return 5\n"
        },
        "train.py",
        "return 5",
        "return 6",
    ),
    "name that is added to __all__": (
        {"train.py": task("from m import *", "return f()"), "m.py": "__all__ = ['f']\ndef f(): return 2\n"},
        "m.py",
        "'f']\n",
        "'f', 'g']\ndef g(): return 1\n",
    ),
    "imports in another order": (
        {"train.py": task("import os\nimport os.path", "return os.path")},
        "train.py",
        "import os\n    import os.path",
        "import os.path\n    import os",
    ),
    "ends of lines": (
        {"train.py": USES_HELPER, "helper.py": "def f(x):\n    return '''a\nb'''\n"},
        "helper.py",
        "\n",
        "\r\n",
    ),
    "tabs": (
        {"train.py": USES_HELPER, "helper.py": "def f(x):\n    return 1\n"},
        "helper.py",
        "    return",
        "\treturn",
    ),
    "byte order mark": (
        {"train.py": USES_HELPER, "helper.py": "def f(x): return 'é'"},
        "helper.py",
        "def",
        "\ufeffdef",
    ),
}
