"""Constants that are made of configurations: an entry more is no other code, unless making one runs something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from helpers.compared_code import compare

from xpm_core.fingerprints.comparison import Verdict
from xpm_core.fingerprints.reached import reach

if TYPE_CHECKING:
    from core.fingerprints.conftest import MakeProject

MODELS = """
    from pathlib import Path
    from xpm_core import Config, Meta, Param, PathGenerator, field
    DONE = []
    def note(*a, **k): DONE.append(a)
    class Model(Config):
        width: Param[int] = field(ignore_default=1)
        layers: Param[list] = field(default_factory=list)
        file: Meta[Path] = field(default_factory=PathGenerator("model.bin"))
        def fit(self): note(self.width)
        def __call__(self): return 1
        @classmethod
        def load(cls): note(1)
    class MLP(Model):
        inner: Param[Model] = Model.C(width=3)
    {more}
"""
STUDY = """
    import models
    from models import MLP, Model
    from models import MLP as Perceptron
    from xpm_core import Task, grid, tag
    from pathlib import Path
    {before}
    {constant}
    {after}
    class Train(Task):
        def execute(self): return {body}
    if __name__ == "__main__":
        print({constant_name})
"""


def verdict(
    project: MakeProject, old: str, new: str, *, more: str = "", before: str = "", after: str = "", body: str = "1"
) -> Verdict:
    """What is said of a job after an edit of a constant of the script."""

    def files(constant: str) -> dict[str, str]:
        name = constant.partition(" ")[0]
        study = STUDY.format(constant=constant, before=before, after=after, body=body, constant_name=name)
        return {"study.py": study, "models.py": MODELS.format(more=more)}

    first, then = project(files(old)), project(files(new))
    return compare(first, then, reach(first, [("p", "study.py", "Train")]))


PLAIN = {
    "an entry of a dict": ('M = {"a": MLP.C()}', 'M = {"a": MLP.C(), "b": Model.C(width=tag(2))}'),
    "a class of a module": ("M = [models.MLP.C()]", "M = [models.MLP.C(), models.Model.C()]"),
    "a class of another name": ("M = Perceptron.C()", "M = Perceptron.C(width=4)"),
    "a class that is called": ("M = MLP()", "M = MLP(width=4)"),
    "a tag behind": ("M = MLP.C()", 'M = MLP.C().tag("size", 4)'),
    "a comprehension": ("M = [MLP.C(width=n) for n in range(3)]", "M = [MLP.C(width=n) for n in range(4)]"),
    "a new constant": ("M = 1", "M, N = MLP.C(), grid(width=[1, 2])"),
    "a constant that goes": ("M, N = MLP.C(), grid(width=[1, 2])", "M = 1"),
    "plain builtins": ("M = [1]", 'M = sorted({*range(3), len("ab"), max(1, 2)})'),
    "a path": ('M = Path("a")', 'M = Path("a", str(1))'),
    "a key of plain builtins": ('M = sorted(["a"], key=len)', 'M = sorted(["a", "b"], key=len)'),
}


@pytest.mark.parametrize("case", PLAIN.values(), ids=PLAIN)
def test_a_constant_of_configurations_counts_where_it_is_used(project: MakeProject, case: tuple[str, str]) -> None:
    assert verdict(project, *case) == Verdict("same")
    if case[0].startswith("M = "):
        assert verdict(project, *case, body="M").answer == "ran"


LOUD = {
    "__post_init__": ("M = [Own.C()]", "class Own(Model):\n        def __post_init__(self): note(1)"),
    "__validate__": ("M = [Own.C()]", "class Own(Model):\n        def __validate__(self): note(1)"),
    "__init__ of a base": (
        "M = [Own.C()]",
        "class Base(Model):\n        def __init__(self, **k): note(1)\n    class Own(Base): pass",
    ),
    "a special method that is assigned": ("M = [Own.C()]", "class Own(Model):\n        __validate__ = note"),
    "a factory of the project": (
        "M = [Own.C()]",
        "class Own(Model):\n        x: Param[int] = field(default_factory=note)",
    ),
    "a lambda that calls": (
        "M = [Own.C()]",
        "class Own(Model):\n        x: Param[int] = field(default_factory=lambda: note())",
    ),
    "a field that something of the project makes": (
        "M = [Own.C()]",
        "def own(): return field(default_factory=note)\n    class Own(Model):\n        x: Param[int] = own()",
    ),
    "a default with an effect": (
        "M = [Own.C()]",
        "class Other(Model):\n        def __copy__(self): note(1)\n"
        "    class Own(Model):\n        m: Param[Model] = Other.C()",
    ),
    "an own C": ("M = [Own.C()]", "class Own(Model):\n        def C(**k): note(1)"),
    "a metaclass": ("M = [Own.C()]", "class Meta1(type(Model)): pass\n    class Own(Model, metaclass=Meta1): pass"),
    "a decorator": ("M = [Own.C()]", "@note\n    class Own(Model): pass"),
    "no configuration": ("M = [Own()]", "class Own:\n        pass"),
    "a mixed class": ("M = [Own.C()]", "class Mixed: pass\n    class Own(Mixed, Model): pass"),
    "a class that is bound again": ("M = [Own.C()]", "class Own(Model): pass\n    Own = note(Own)"),
    "a class that is changed": ("M = [Own.C()]", "class Own(Model): pass\n    Own.__validate__ = note"),
    "a class that is handed on": ("M = [Own.C()]", "class Own(Model): pass\n    setattr(Own, 'C', note)"),
    "a function": ("M = [Own()]", "Own = note"),
    "a class made by a call": ("M = [Own.C()]", "Own = type('Own', (Model,), {{}})"),
    "a name that is missing": ("M = [Own.C()]", ""),
}


@pytest.mark.parametrize("at", ["Own", "models.Own"])
def test_a_class_without_such_code_is_plain(project: MakeProject, at: str) -> None:
    before = "from models import Own" if at == "Own" else ""
    more = "class Own(Model):\n        x: Param[int] = 1"
    assert verdict(project, f"M = [{at}.C()]", f"M = [{at}.C(), 1]", more=more, before=before) == Verdict("same")


@pytest.mark.parametrize("case", LOUD.values(), ids=LOUD)
def test_what_runs_code_when_it_is_made_stays_an_effect(project: MakeProject, case: tuple[str, str]) -> None:
    old, more = case
    for at in ("Own", "models.Own"):
        constant = old.replace("Own", at)
        before = "from models import Own" if at == "Own" else ""
        found = verdict(project, constant, constant.replace("]", ", 1]"), more=more, before=before)
        assert found.answer == "ran", at


OTHERS = {
    "a method of a class": ("M = MLP.load()", "M = [MLP.load()]", "", ""),
    "a method of a module's class": ("M = models.MLP.load()", "M = [models.MLP.load()]", "", ""),
    "a method behind": ("M = MLP.C().fit()", "M = [MLP.C().fit()]", "", ""),
    "an argument with a call": ("M = MLP.C()", "M = MLP.C(width=models.note())", "", ""),
    "a value that is bound twice": ("M = MLP.C()", "M = Model.C()", "M = 1", ""),
    "a class that is bound again": ("M = MLP.C()", "M = [MLP.C()]", "MLP = models.note(MLP)", ""),
    "a class that is changed": ("M = MLP.C()", "M = [MLP.C()]", "", "MLP.C = models.note"),
    "a class that is a choice": (
        "M = MLP.C()", "M = [MLP.C()]", "try:\n        from models import note as MLP\n    except E: pass", "",
    ),
    "all names of a module": ("M = MLP.C()", "M = [MLP.C()]", "", "from numpy import *"),
    "a class in a loop": ("M = [m.C() for m in (MLP,)]", "M = [m.C() for m in (MLP, Model)]", "", ""),
    "a function as a key": ("M = sorted([1])", "M = sorted([1], key=models.note)", "", ""),
    "a function that is called back": (
        "M = reduce(models.note, [1])", "M = reduce(models.note, [2])", "from functools import reduce", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS.values(), ids=OTHERS)
def test_what_may_have_an_effect_stays_one(project: MakeProject, case: tuple[str, str, str, str]) -> None:
    old, new, before, after = case
    assert verdict(project, old, new, before=before, after=after).answer == "ran"


def test_a_class_that_comes_to_run_code_is_told(project: MakeProject) -> None:
    files = {"study.py": STUDY.format(constant="M = MLP.C()", before="", after="", body="1", constant_name="M")}
    before = project({**files, "models.py": MODELS.format(more="")})
    method = "    def __post_init__(self): note(2)"
    after = project({**files, "models.py": MODELS.format(more=method)})
    reached = reach(before, [("p", "study.py", "Train")])
    for then, now in ((before, after), (after, before)):
        found = compare(then, now, reached)
        assert found.answer == "ran"
        assert ("study.py", "<module>") in {(each.path, each.name) for each in found.changes}


def test_circles_of_classes_end(project: MakeProject) -> None:
    files = {
        "study.py": STUDY.format(constant="M = A.C()", before="from a import A", after="", body="1", constant_name="M"),
        "models.py": MODELS.format(more=""),
        "a.py": "from b import B\nclass A(B): pass",
        "b.py": "from a import A\nclass B(A): pass",
    }
    first = project(files)
    then = project({**files, "study.py": files["study.py"].replace("A.C()", "A.C(x=1)")})
    assert compare(first, then, reach(first, [("p", "study.py", "Train")])).answer == "ran"


@pytest.mark.parametrize(
    "test", ['__name__ == "__main__"', '"__main__" == __name__', '__name__ == "__main__" and len("a")']
)
def test_the_block_of_a_script_is_no_code_of_a_job(project: MakeProject, test: str) -> None:
    text = f"class Train:\n    pass\nif {test}:\n    print(1)\nX = [1]\n"
    before = project({"study.py": text})
    after = project({"study.py": text.replace("print(1)", "from other import go\n    go(X)")})
    assert compare(before, after, reach(before, [("p", "study.py", "Train")])) == Verdict("same")
