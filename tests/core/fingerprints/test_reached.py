"""What a task can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from xpm_core.fingerprints.reached import Reached, definition_name, reach
from xpm_core.fingerprints.source.definitions import definitions
from xpm_core.fingerprints.walk import Key, Unknown

if TYPE_CHECKING:
    from core.fingerprints.conftest import MakeProject

FILES = {
    "train.py": "from model import Model\nclass Train:\n    def execute(self): return Model()\n",
    "model.py": "from base import Base\nclass Model(Base):\n    size = 1\n"
    "    def run(self): return getattr(Base, self.x)\n",
    "base.py": "LR = 1\nclass Base:\n    lr = LR\ndef unused(): return 1\n",
    "optim.py": "class Adam: pass\n",
}


def test_reached_is_what_the_classes_lead_to(project: MakeProject) -> None:
    found = reach(project(FILES), [("p", "train.py", "Train"), ("p", "optim.py", "Adam")])
    assert found == Reached(
        {
            ("p", "base.py"): ("<module>", "Base", "LR"),
            ("p", "model.py"): ("<module>", "Model", "Model.run"),
            ("p", "optim.py"): ("<module>", "Adam"),
            ("p", "train.py"): ("<module>", "Train", "Train.execute"),
        },
        (Unknown("getattr", "p", "model.py", 4, False),),
        frozenset({Key("p", "train.py", "Train"), Key("p", "optim.py", "Adam")}),
    )


def test_the_order_of_the_classes_does_not_count(project: MakeProject) -> None:
    start = [("p", "train.py", "Train"), ("p", "optim.py", "Adam")]
    assert reach(project(FILES), start) == reach(project(FILES), start[::-1])


def test_classes_outside_of_the_project_reach_nothing(project: MakeProject) -> None:
    found = reach(project(FILES), [("p", "gone.py", "Train")])
    assert [str(each) for each in found.unknown] == ["a missing file at gone.py:1"]
    assert reach(project(FILES), []) == Reached({})


@pytest.mark.parametrize(
    ("name", "definition"),
    [
        ("f", "f"),
        ("f.<locals>.g.<locals>.<lambda>", "f"),
        ("A.m", "A.m"),
        ("A.m.<locals>.B.n", "A.m"),
        ("A.<lambda>", "A"),
        ("A.made", "A"),
        ("<lambda>", "<module>"),
        ("<module>", "<module>"),
        ("none", None),
    ],
)
def test_a_function_belongs_to_a_definition(name: str, definition: str | None) -> None:
    known = definitions(b"def f(): pass\nclass A:\n    def m(self): pass\n", "a.py")
    assert definition_name(known, name) == definition
