"""What a task can reach, and the document of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from helpers.code_traps import CHANGED, Case

from xpm_core.errors import SnapshotError
from xpm_core.fingerprints.reached import Reached, definition_name, reach
from xpm_core.fingerprints.source.definitions import definitions
from xpm_core.fingerprints.walk import Unknown

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
    )


@pytest.mark.parametrize("case", list(CHANGED.values())[::7])
def test_the_document_comes_back(project: MakeProject, case: Case) -> None:
    found = reach(project(case[0]), [("p", "train.py", "Train")])
    again = Reached.read(found.written())
    assert (again, again.digest, again.keys) == (found, found.digest, found.keys)


def test_equal_ones_share_a_document(project: MakeProject) -> None:
    start = [("p", "train.py", "Train"), ("p", "optim.py", "Adam")]
    edited = {**FILES, "base.py": FILES["base.py"] + "x = 1\n"}
    assert reach(project(FILES), start).digest == reach(project(edited), start[::-1]).digest


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"version": 1}', b'{"version": 1, "definitions": {"p": {"a": 3}}, "unknown": []}',
             b'{"version": 1, "definitions": {}, "unknown": [["a", "b", "c", "1", true]]}', b"\xff"],
)  # fmt: skip
def test_a_malformed_document_is_said(data: bytes) -> None:
    with pytest.raises(SnapshotError, match=r"what a job reached: it is malformed. Run the script again"):
        Reached.read(data)


def test_a_document_of_another_version_is_said() -> None:
    data = json.dumps({**json.loads(Reached({}).written()), "version": 2}).encode()
    with pytest.raises(SnapshotError, match=r"its form is of version 2. Use a later xpm"):
        Reached.read(data)


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
