"""Edits of a project: those that the job of a task can see, and those that only look so.

For each: the files, the path of the one that is edited, the text that is replaced, and its replacement. The task is the
class `Train` of train.py.
"""

from __future__ import annotations

from collections.abc import Mapping

Case = tuple[Mapping[str, str], str, str, str]

TASK = """
    from xpm import Task
    {imports}

    class Train(Task):
        width: int = 3

        def execute(self):
            {body}
"""


def task(imports: str, body: str) -> str:
    return TASK.format(imports=imports.replace("\n", "\n    "), body=body.replace("\n", "\n            "))


USES_HELPER = task("from helper import f", "return f(3)")
HELPER = "def f(x):\n    return x + 1\n"

CHANGED: dict[str, Case] = {
    "helper": ({"train.py": USES_HELPER, "helper.py": HELPER}, "helper.py", "x + 1", "x + 2"),
    "the task itself": ({"train.py": task("", "return 1")}, "train.py", "return 1", "return 2"),
    "helper of a helper": (
        {
            "train.py": USES_HELPER,
            "helper.py": "from deep import g\ndef f(x): return g(x)",
            "deep.py": "def g(x): return 1",
        },
        "deep.py",
        "return 1",
        "return 2",
    ),
    "constant": (
        {"train.py": task("import settings", "return settings.LR"), "settings.py": "LR = 0.1"},
        "settings.py",
        "0.1",
        "0.2",
    ),
    "constant made of a constant": (
        {"train.py": task("from settings import LR", "return LR"), "settings.py": "BASE = 1\nLR = BASE * 2"},
        "settings.py",
        "BASE = 1",
        "BASE = 2",
    ),
    "base class": (
        {
            "train.py": task("from base import Base", "return Sub().run()\n\n") + "    class Sub(Base): pass\n",
            "base.py": "class Base:\n    def run(self): return 1",
        },
        "base.py",
        "return 1",
        "return 2",
    ),
    "decorator": (
        {
            "train.py": task("from deco import twice", "return g()") + "\n    @twice\n    def g(): return 1\n",
            "deco.py": "def twice(f):\n    def inner(): return 2 * f()\n    return inner",
        },
        "deco.py",
        "2 * f()",
        "3 * f()",
    ),
    "argument of a decorator": (
        {
            "train.py": task("from deco import times", "return g()") + "\n    @times(2)\n    def g(): return 1\n",
            "deco.py": "def times(n): return lambda f: lambda: n * f()",
        },
        "train.py",
        "@times(2)",
        "@times(3)",
    ),
    "class attribute": (
        {
            "train.py": task("from model import Model", "return Model().go()"),
            "model.py": "class Model:\n    size = 1\n    def go(self): return self.size",
        },
        "model.py",
        "size = 1",
        "size = 2",
    ),
    "default argument": (
        {"train.py": USES_HELPER, "helper.py": "def f(x, y=1): return x + y"},
        "helper.py",
        "y=1",
        "y=2",
    ),
    "default argument by a name": (
        {"train.py": USES_HELPER, "helper.py": "Y = 1\ndef f(x, y=Y): return x + y"},
        "helper.py",
        "Y = 1",
        "Y = 2",
    ),
    "keyword default": (
        {"train.py": USES_HELPER, "helper.py": "def f(x, *, y=1): return x + y"},
        "helper.py",
        "y=1",
        "y=2",
    ),
    "nested function": (
        {"train.py": USES_HELPER, "helper.py": "def f(x):\n    def g(): return 1\n    return g() + x"},
        "helper.py",
        "return 1",
        "return 2",
    ),
    "lambda": (
        {"train.py": USES_HELPER, "helper.py": "f = lambda x: x + 1"},
        "helper.py",
        "x + 1",
        "x + 2",
    ),
    "lambda in a function": (
        {"train.py": USES_HELPER, "helper.py": "def f(x): return (lambda y: y + 1)(x)"},
        "helper.py",
        "y + 1",
        "y + 2",
    ),
    "comprehension": (
        {"train.py": USES_HELPER, "helper.py": "def f(x): return [i + 1 for i in range(x)]"},
        "helper.py",
        "i + 1",
        "i + 2",
    ),
    "name used in a comprehension that is also its variable elsewhere": (
        {"train.py": USES_HELPER, "helper.py": "def g(): return 1\ndef f(x): return [g for g in [x]], g()"},
        "helper.py",
        "return 1",
        "return 2",
    ),
    "property": (
        {
            "train.py": task("from model import Model", "return Model().area"),
            "model.py": "class Model:\n    @property\n    def area(self): return 1",
        },
        "model.py",
        "return 1",
        "return 2",
    ),
    "setter of a property": (
        {
            "train.py": task("from model import Model", "Model().area = 3"),
            "model.py": "class Model:\n    @property\n    def area(self): return 1\n"
            "    @area.setter\n    def area(self, v): self.v = v + 1",
        },
        "model.py",
        "v + 1",
        "v + 2",
    ),
    "__call__": (
        {
            "train.py": task("from model import Model", "return Model()()"),
            "model.py": "class Model:\n    def __call__(self): return 1",
        },
        "model.py",
        "return 1",
        "return 2",
    ),
    "__init_subclass__": (
        {
            "train.py": task("from base import Base", "return Sub.size\n\n") + "    class Sub(Base): pass\n",
            "base.py": "class Base:\n    def __init_subclass__(cls): cls.size = 1",
        },
        "base.py",
        "size = 1",
        "size = 2",
    ),
    "metaclass": (
        {
            "train.py": task("from meta import Meta", "return Sub()\n\n") + "    class Sub(metaclass=Meta): pass\n",
            "meta.py": "class Meta(type):\n    def __call__(cls): return 1",
        },
        "meta.py",
        "return 1",
        "return 2",
    ),
    "default of a dataclass": (
        {
            "train.py": task("from data import Point", "return Point().x"),
            "data.py": "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int = 1",
        },
        "data.py",
        "= 1",
        "= 2",
    ),
    "annotation of a dataclass": (
        {
            "train.py": task("from data import Point", "return Point()"),
            "data.py": "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int = 1",
        },
        "data.py",
        "x: int",
        "x: float",
    ),
    "factory of a dataclass": (
        {
            "train.py": task("from data import Point", "return Point().x"),
            "data.py": "from dataclasses import dataclass, field\ndef make(): return [1]\n@dataclass\nclass Point:\n"
            "    x: list = field(default_factory=make)",
        },
        "data.py",
        "[1]",
        "[2]",
    ),
    "name defined later in the file": (
        {"train.py": task("", "return later()\n\n") + "    def later(): return 1\n"},
        "train.py",
        "return 1",
        "return 2",
    ),
    "re-export": (
        {
            "train.py": task("from pkg import f", "return f()"),
            "pkg/__init__.py": "from .inner import f",
            "pkg/inner.py": "def f(): return 1",
        },
        "pkg/inner.py",
        "return 1",
        "return 2",
    ),
    "re-export to another module": (
        {
            "train.py": task("from pkg import f", "return f()"),
            "pkg/__init__.py": "from .a import f",
            "pkg/a.py": "def f(): return 1",
            "pkg/b.py": "def f(): return 2",
        },
        "pkg/__init__.py",
        "from .a",
        "from .b",
    ),
    "star import": (
        {
            "train.py": task("from stars import *", "return f()"),
            "stars.py": "from more import *",
            "more.py": "def f(): return 1",
        },
        "more.py",
        "return 1",
        "return 2",
    ),
    "registry in a dict": (
        {
            "train.py": task("from models import MODELS", "return MODELS['mlp']()"),
            "models.py": "from mlp import MLP\nMODELS = {'mlp': MLP}",
            "mlp.py": "class MLP:\n    def __init__(self): self.n = 1",
        },
        "mlp.py",
        "n = 1",
        "n = 2",
    ),
    "registry by a decorator": (
        {
            "train.py": task("import models\nfrom registry import REG", "return REG['mlp']()"),
            "registry.py": "REG = {}\ndef register(name):\n    def add(c):\n"
            "        REG[name] = c\n        return c\n    return add",
            "models.py": "from registry import register\n@register('mlp')\ndef mlp(): return 1",
        },
        "models.py",
        "return 1",
        "return 2",
    ),
    "registry by subclassing": (
        {
            "train.py": task("import models\nfrom registry import Base", "return Base.all['MLP']().go()"),
            "registry.py": "class Base:\n    all = {}\n    def __init_subclass__(cls): Base.all[cls.__name__] = cls",
            "models.py": "from registry import Base\nclass Middle(Base): pass\nclass MLP(Middle):\n"
            "    def go(self): return 1",
        },
        "models.py",
        "return 1",
        "return 2",
    ),
    "registered class that is new": (
        {
            "train.py": task("import models\nfrom registry import Base", "return Base.all"),
            "registry.py": "class Base:\n    all = []\n    def __init_subclass__(cls): Base.all.append(cls)",
            "models.py": "from registry import Base\nclass MLP(Base): pass\n",
        },
        "models.py",
        "pass\n",
        "pass\nclass Other(Base): pass\n",
    ),
    "conditional import": (
        {
            "train.py": task("try:\n    from fast import f\nexcept ImportError:\n    from slow import f", "return f()"),
            "fast.py": "def f(): return 1",
            "slow.py": "def f(): return 10",
        },
        "slow.py",
        "return 10",
        "return 20",
    ),
    "import in a function": (
        {"train.py": task("", "from helper import f as g\nreturn g(1)"), "helper.py": HELPER},
        "helper.py",
        "x + 1",
        "x + 2",
    ),
    "import of another module in a function": (
        {"train.py": task("", "from a import f\nreturn f()"), "a.py": "def f(): return 1", "b.py": "def f(): return 2"},
        "train.py",
        "from a",
        "from b",
    ),
    "module imported by a name in a text": (
        {"train.py": task("import importlib", "return importlib.import_module('helper').f(1)"), "helper.py": HELPER},
        "helper.py",
        "x + 1",
        "x + 2",
    ),
    "relative import": (
        {
            "pkg/__init__.py": "",
            "pkg/sub/__init__.py": "",
            "pkg/util.py": "def f(): return 1",
            "pkg/sub/mid.py": "from ..util import f\ndef g(): return f()",
            "train.py": task("import pkg.sub.mid", "return pkg.sub.mid.g()"),
        },
        "pkg/util.py",
        "return 1",
        "return 2",
    ),
    "folder without __init__": (
        {"space/util.py": "def f(): return 1", "train.py": task("import space.util as u", "return u.f()")},
        "space/util.py",
        "return 1",
        "return 2",
    ),
    "code of a package": (
        {
            "pkg/__init__.py": "import os\nos.environ['A'] = '1'",
            "pkg/util.py": "def f(): return 1",
            "train.py": task("from pkg.util import f", "return f()"),
        },
        "pkg/__init__.py",
        "'1'",
        "'2'",
    ),
    "alias": (
        {"train.py": task("import helper\ng = helper.f", "return g(1)"), "helper.py": HELPER},
        "helper.py",
        "x + 1",
        "x + 2",
    ),
    "functools.partial": (
        {
            "train.py": task("from functools import partial\nfrom helper import f", "return G()")
            + "\n    G = partial(f, 1)\n",
            "helper.py": HELPER,
        },
        "helper.py",
        "x + 1",
        "x + 2",
    ),
    "module as a value": (
        {
            "train.py": task("import helper", "return use(helper)\n\n") + "    def use(m): return m.f(1)\n",
            "helper.py": HELPER,
        },
        "helper.py",
        "x + 1",
        "x + 2",
    ),
    "attribute set on a class elsewhere": (
        {"train.py": task("from model import Model", "return Model.n"), "model.py": "class Model: pass\nModel.n = 1"},
        "model.py",
        "n = 1",
        "n = 2",
    ),
    "entry of a constant": (
        {"train.py": task("from conf import C", "return C"), "conf.py": "C = {}\nC['a'] = 1"},
        "conf.py",
        "= 1",
        "= 2",
    ),
    "constant in a condition": (
        {
            "train.py": task("from conf import C", "return C"),
            "conf.py": "import os\nif os.name == 'nt':\n    C = 1\nelse:\n    C = 2",
        },
        "conf.py",
        "C = 2",
        "C = 3",
    ),
    "two constants exchanged": (
        {"train.py": task("from conf import X", "return X"), "conf.py": "A = 1\nX = A\nA = 2\n"},
        "conf.py",
        "X = A\nA = 2\n",
        "A = 2\nX = A\n",
    ),
    "imported names exchanged": (
        {"train.py": task("from conf import a as x, b as y", "return x - y"), "conf.py": "a = 1\nb = 2"},
        "train.py",
        "a as x, b as y",
        "b as x, a as y",
    ),
    "method that overrides one": (
        {
            "train.py": task("from base import Base", "return Sub().run()\n\n")
            + "    class Sub(Base):\n        n = 1\n",
            "base.py": "class Base:\n    def run(self): return 1",
        },
        "train.py",
        "n = 1\n",
        "n = 1\n        def run(self): return 2\n",
    ),
    "builtin that is defined": (
        {"train.py": task("", "return len([1])")},
        "train.py",
        "class Train",
        "def len(x): return 5\n\n    class Train",
    ),
    "sign, precedence, and bytes": (
        {"train.py": USES_HELPER, "helper.py": "def f(x): return (x + 1) * 2"},
        "helper.py",
        "(x + 1) * 2",
        "x + 1 * 2",
    ),
    "text in an f-string": (
        {"train.py": USES_HELPER, "helper.py": "def f(x): return f'{x!r:>3} a'"},
        "helper.py",
        "!r:>3",
        "!r:>4",
    ),
    "string that is the value": (
        {"train.py": USES_HELPER, "helper.py": "def f(x): return 'a'"},
        "helper.py",
        "'a'",
        "b'a'",
    ),
    "module that a new import runs": (
        {"train.py": task("import os", "return 1"), "effects.py": "print('loaded')"},
        "train.py",
        "import os",
        "import os, effects",
    ),
    "function made async": (
        {"train.py": USES_HELPER, "helper.py": HELPER},
        "helper.py",
        "def f",
        "async def f",
    ),
}

SAME: dict[str, Case] = {
    "comment": ({"train.py": USES_HELPER, "helper.py": HELPER}, "helper.py", "x + 1", "x + 1  # one"),
    "docstring": (
        {"train.py": USES_HELPER, "helper.py": HELPER},
        "helper.py",
        "    return",
        "    'It adds.'\n    return",
    ),
    "docstring of a class": (
        {"train.py": task("", "return 1")},
        "train.py",
        "width: int",
        "'''Doc.'''\n        width: int",
    ),
    "what is done when code has changed": (
        {"train.py": task("", "return 1")},
        "train.py",
        "width: int",
        "on_code_change = 'rerun'\n        width: int",
    ),
    "annotation of a local": (
        {"train.py": USES_HELPER, "helper.py": "def f(x):\n    y = x\n    return y"},
        "helper.py",
        "y = x",
        "y: int = x",
    ),
    "moved lines": ({"train.py": USES_HELPER, "helper.py": HELPER}, "helper.py", "def f", "\n\n\n\ndef f"),
    "formatting": ({"train.py": USES_HELPER, "helper.py": HELPER}, "helper.py", "return x + 1", "return (  x\n   +1 )"),
    "quotes": ({"train.py": USES_HELPER, "helper.py": "def f(x): return 'a'"}, "helper.py", "'a'", '"a"'),
    "spelling of a number": (
        {"train.py": USES_HELPER, "helper.py": "def f(x): return 1000"},
        "helper.py",
        "1000",
        "0x3E8",
    ),
    "another function": (
        {"train.py": USES_HELPER, "helper.py": HELPER},
        "helper.py",
        "def f",
        "def g(): pass\n\ndef f",
    ),
    "a function that nobody reaches": (
        {"train.py": USES_HELPER, "helper.py": HELPER + "def plot(): return 1\n"},
        "helper.py",
        "return 1",
        "return 2",
    ),
    "a constant that nobody reaches": (
        {"train.py": USES_HELPER, "helper.py": HELPER + "SWEEP = [1, 2]\n"},
        "helper.py",
        "[1, 2]",
        "[1, 2, 3]",
    ),
    "functions in another order": (
        {"train.py": USES_HELPER, "helper.py": "def g(): pass\ndef f(x): return g()\n"},
        "helper.py",
        "def g(): pass\ndef f(x): return g()\n",
        "def f(x): return g()\ndef g(): pass\n",
    ),
    "methods in another order": (
        {
            "train.py": task("from m import M", "return M()"),
            "m.py": "class M:\n    def a(self): pass\n    def b(self): return 1\n",
        },
        "m.py",
        "    def a(self): pass\n    def b(self): return 1\n",
        "    def b(self): return 1\n    def a(self): pass\n",
    ),
    "block of the script": (
        {"train.py": task("", "return 1") + "\n    if __name__ == '__main__':\n        print(1)\n"},
        "train.py",
        "print(1)",
        "print(2)",
    ),
    "block for type checkers": (
        {
            "train.py": task("from typing import TYPE_CHECKING", "return 1")
            + "\n    if TYPE_CHECKING:\n        import a\n"
        },
        "train.py",
        "import a",
        "import b",
    ),
    "import that nobody uses": ({"train.py": task("import os", "return 1")}, "train.py", "import os", "import os, sys"),
    "imports on two lines": (
        {"train.py": task("from m import a, b", "return a + b"), "m.py": "a = 1\nb = 2"},
        "train.py",
        "from m import a, b",
        "from m import b\n    from m import a",
    ),
    "file that nobody imports": (
        {"train.py": USES_HELPER, "helper.py": HELPER, "plot.py": "print(1)"},
        "plot.py",
        "1",
        "2",
    ),
    "file of data": ({"train.py": USES_HELPER, "helper.py": HELPER, "a.txt": "1"}, "a.txt", "1", "2"),
    "pass": ({"train.py": task("", "if self:\n    pass\nreturn 1")}, "train.py", "pass", "..."),
}
