"""Whether an edit is told: each way in which code can change, or only seem to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from helpers.code_traps import CHANGED, HELPER, SAME, USES_HELPER, Case, task
from helpers.compared_code import compare
from helpers.rare_code_traps import QUIET, RARE

from xpm_core.fingerprints.comparison import Change, Comparison, Verdict
from xpm_core.fingerprints.ran import Ran, RanModule
from xpm_core.fingerprints.reached import Reached, reach
from xpm_core.fingerprints.walk import Unknown, Walk

if TYPE_CHECKING:
    from core.fingerprints.conftest import MakeProject

START = [("p", "train.py", "Train")]
SEEN, UNSEEN = {**CHANGED, **RARE}, {**SAME, **QUIET}


def verdict_on(project: MakeProject, files: Mapping[str, str], path: str, old: str, new: str) -> Verdict:
    before = project(files)
    assert old in files[path]
    after = project({**files, path: files[path].replace(old, new, 1)})
    return compare(before, after, reach(before, START))


@pytest.mark.parametrize("case", SEEN.values(), ids=SEEN)
def test_an_edit_that_the_job_can_see_is_told(project: MakeProject, case: Case) -> None:
    verdict = verdict_on(project, *case)
    assert verdict.answer == "ran", verdict


@pytest.mark.parametrize("case", UNSEEN.values(), ids=UNSEEN)
def test_an_edit_that_the_job_cannot_see_is_none(project: MakeProject, case: Case) -> None:
    assert verdict_on(project, *case) == Verdict("same")


@pytest.mark.parametrize("case", SEEN.values(), ids=SEEN)
def test_an_edit_that_is_undone_is_none(project: MakeProject, case: Case) -> None:
    files = case[0]
    first, other = project(files), project({**files, "unrelated.py": "x = 1"})
    assert compare(first, other, reach(first, START)) == Verdict("same")


# -- what ran ----------------------------------------------------------------------------------------------------------


def saw(
    functions: Mapping[tuple[str, str], Sequence[str]], modules: Sequence[tuple[str, str, str]], **more: Any
) -> Ran:
    """What a job ran, as its record has it."""
    return Ran(
        more.pop("means", "monitoring"),
        functions=functions,
        modules=[RanModule(*each) for each in modules],
        **more,
    )


TWO = {
    "train.py": """
        from xpm import Task
        import helper
        from helper import LIMIT
        import os

        class Train(Task):
            def execute(self):
                if os.environ.get("FAST"):
                    return helper.fast()
                return helper.slow(LIMIT)
        """,
    "helper.py": """
        LIMIT = 3
        FASTEST = 7

        def fast():
            return FASTEST

        def slow(n):
            return [inner(i) for i in range(n)]

        def inner(i):
            return i + 10

        def plot():
            return 50
        """,
}
SLOW = saw(
    {("p", "train.py"): ["Train.execute"], ("p", "helper.py"): ["slow", "slow.<locals>.<listcomp>", "inner"]},
    [("p", "train.py", "train"), ("p", "helper.py", "helper")],
)


def judged(project: MakeProject, files: Mapping[str, str], edits: Mapping[str, str], ran: Ran | None) -> Verdict:
    """The verdict on a job after all files were edited in the same way."""
    before = project(files)
    after = dict(files)
    for old, new in edits.items():
        assert any(old in text for text in after.values()), old
        after = {path: text.replace(old, new) for path, text in after.items()}
    return compare(before, project(after), reach(before, START), ran)


@pytest.mark.parametrize(
    ("edits", "answer"),
    [
        ({"i + 10": "i + 11"}, "ran"),
        ({"LIMIT = 3": "LIMIT = 4"}, "ran"),
        ({"FASTEST = 7": "FASTEST = 8"}, "reached"),
        ({"return FASTEST": "return FASTEST + 1"}, "reached"),
        ({"return FASTEST": "return FASTEST + 1", "i + 10": "i + 11"}, "ran"),
        ({"50": "51"}, "same"),
        ({"def plot": "import sys\n\n        def plot"}, "same"),
        ({"LIMIT = 3": "LIMIT = 3\n        print(LIMIT)"}, "ran"),
    ],
)
def test_what_ran_is_told_from_what_could_have_run(project: MakeProject, edits: Mapping[str, str], answer: str) -> None:
    assert judged(project, TWO, edits, SLOW).answer == answer


def test_a_change_is_named_with_its_file_and_its_line_of_today(project: MakeProject) -> None:
    verdict = judged(project, TWO, {"return FASTEST": "return FASTEST + 1", "LIMIT = 3": "\n\n        LIMIT = 3"}, SLOW)
    assert verdict == Verdict("reached", (Change("p", "helper.py", "fast", 7, "changed"),))


@pytest.mark.parametrize("unseen", [{"processes": ["fork"]}, {"compilers": ["numba"]}, {"lacks": ["functions"]}])
def test_what_may_have_run_unseen_is_not_called_unrun(project: MakeProject, unseen: Mapping[str, list[str]]) -> None:
    """A DataLoader's children run functions that the job's own process never enters."""
    ran = saw(SLOW.functions, SLOW.modules, **unseen)
    verdict = judged(project, TWO, {"return FASTEST": "return FASTEST + 1"}, ran)
    assert verdict.answer == ("ran" if "lacks" in unseen else "unknown")
    assert [change.name for change in verdict.changes] == ["fast"]
    assert judged(project, TWO, {"i + 10": "i + 11"}, ran).answer == "ran"
    assert judged(project, TWO, {"50": "51"}, ran).answer == "same"


def test_why_it_cannot_be_told_names_the_function_and_its_line(project: MakeProject) -> None:
    ran = saw(SLOW.functions, SLOW.modules, processes=["fork"])
    verdict = judged(project, TWO, {"return FASTEST": "return FASTEST + 1"}, ran)
    assert [str(each) for each in verdict.unknown] == [
        "fast, which processes of the job may have run unseen, at helper.py:5"
    ]


def test_with_imports_alone_a_file_that_was_not_imported_did_not_run(project: MakeProject) -> None:
    files = {
        "train.py": task("", "if self.width:\n    import a\n    return a.f()\nimport b\nreturn b.f()"),
        "a.py": "def f(): return 100",
        "b.py": "def f(): return 200",
    }
    ran = saw({}, [("p", "train.py", "train"), ("p", "a.py", "a")], means="imports")
    assert judged(project, files, {"100": "101"}, ran).answer == "ran"
    assert judged(project, files, {"200": "201"}, ran).answer == "reached"
    forked = saw({}, ran.modules, means="imports", processes=["fork"])
    assert judged(project, files, {"200": "201"}, forked).answer == "ran"


def test_a_class_of_which_no_method_ran_counts_if_what_ran_uses_it(project: MakeProject) -> None:
    files = {
        "train.py": task("from data import Point, Other", "return Point().x if self else Other"),
        "data.py": "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int = 1\n"
        "    def far(self): return 2\nclass Other:\n    y = 3\nclass Unused:\n    z = 4\n",
    }
    ran = saw({("p", "train.py"): ["Train.execute"]}, [("p", "train.py", "train"), ("p", "data.py", "data")])
    answers = [judged(project, files, {f"{n}\n": f"{n}0\n"}, ran).answer for n in (1, 2, 3, 4)]
    assert answers == ["ran", "reached", "ran", "same"]


def test_the_base_class_and_attributes_of_a_method_that_ran_count(project: MakeProject) -> None:
    files = {
        "train.py": task("from model import Model", "return Model().run()"),
        "model.py": "class Base:\n    size = 1\nclass Model(Base):\n    width = 2\n"
        "    def run(self): return self.size\n    def stop(self): return 7\n",
    }
    ran = saw(
        {("p", "train.py"): ["Train.execute"], ("p", "model.py"): ["Model.run"]},
        [("p", "train.py", "train"), ("p", "model.py", "model")],
    )
    answers = [judged(project, files, {f"{n}\n": f"{n}0\n"}, ran).answer for n in (1, 2, 7)]
    assert answers == ["ran", "ran", "reached"]


def test_a_class_of_the_payload_ran_even_if_no_method_of_it_was_entered(project: MakeProject) -> None:
    """All of its methods are inherited, and nothing that ran names it."""
    files = {
        "train.py": "from base import Base\nclass Train(Base):\n    lr = 1\n",
        "adam.py": "from base import Optim\nclass Adam(Optim):\n    beta = 2\n",
        "base.py": "class Optim: pass\nclass Base:\n    def execute(self): return self.lr, self.optim.beta\n",
    }
    ran = saw({("p", "base.py"): ["Base.execute"]}, [("p", f"{name}.py", name) for name in ("train", "adam", "base")])
    before = project(files)
    reached = reach(before, [*START, ("p", "adam.py", "Adam")])
    for path, old, new in (("train.py", "lr = 1", "lr = 5"), ("adam.py", "beta = 2", "beta = 5")):
        after = project({**files, path: files[path].replace(old, new)})
        assert compare(before, after, reached, ran).answer == "ran"


def test_a_function_that_was_entered_by_getattr_counts(project: MakeProject) -> None:
    files = {
        "train.py": task("import registry", "return registry.make('f')"),
        "registry.py": "import models\n\ndef make(name):\n    return getattr(models, name)()\n",
        "models.py": "SIZE = 7\ndef f(): return 1\ndef g(): return 2\n",
    }
    ran = saw(
        {("p", "train.py"): ["Train.execute"], ("p", "registry.py"): ["make"], ("p", "models.py"): ["f"]},
        [("p", f"{name}.py", name) for name in ("train", "registry", "models")],
    )
    answers = [judged(project, files, {f"{n}\n": f"{n}0\n"}, ran).answer for n in (7, 1, 2)]
    assert answers == ["ran", "ran", "reached"]


# -- what cannot be told -----------------------------------------------------------------------------------------------

UNKNOWN = {
    "getattr": ("def f(x):\n    return getattr(x, 'a' + 'b')\n", "getattr at helper.py:2"),
    "getattr of a module": ("import other\ndef f(x):\n    return getattr(other, x)\n", "getattr at helper.py:3"),
    "globals": ("def f(x): return globals()[x]()", "globals at helper.py:1"),
    "exec": ("def f(x):\n    exec(x)", "exec at helper.py:2"),
    "eval at the top": ("X = eval('1')\ndef f(x): return X", "eval at helper.py:1"),
    "import by name": (
        "import importlib\ndef f(x): return importlib.import_module(x)", "import_module at helper.py:2",
    ),
    "import by name, otherwise imported": (
        "from importlib import import_module as load\ndef f(x): return load(x)", "import_module at helper.py:2",
    ),
    "subclasses": ("class B: pass\ndef f(x): return B.__subclasses__()", "__subclasses__ at helper.py:2"),
    "class by type": ("def f(x): return type('A', (), {})", "type at helper.py:1"),
    "eval by another name": ("run = eval\ndef f(x): return run(x)", "eval at helper.py:1"),
    "import function that is handed on": (
        "import importlib\ndef f(x): return list(map(importlib.import_module, x))", "import_module at helper.py:2",
    ),
    "getattr that is handed on": (
        "from functools import partial\ndef f(x): return partial(getattr, x)", "getattr at helper.py:2",
    ),
    "loaded modules by another name": (
        "from sys import modules as m\ndef f(x): return m[x]", "sys.modules at helper.py:2",
    ),
    "names of the module": ("NAMES = vars()\ndef f(x): return NAMES[x]", "vars at helper.py:1"),
    "class by type of a list": ("def f(x): return type(*x)", "type at helper.py:1"),
    "relative import by a name, of a package that is computed": (
        "import importlib\ndef f(x): return importlib.import_module('.a', x)", "import_module at helper.py:2",
    ),
    "folder that a function adds": (
        "import sys\ndef f(x):\n    sys.path.insert(0, x)\n    import late", "sys.path.insert at helper.py:3",
    ),
    "program": (
        "import subprocess, sys\ndef f(x): subprocess.run([sys.executable, x])", "subprocess.run at helper.py:2",
    ),
    "program in a shell": ("import os\ndef f(x): os.system('git pull && make')", "os.system at helper.py:2"),
    "library in C": ("import ctypes\ndef f(x): return ctypes.CDLL('fast.so')", "ctypes.CDLL at helper.py:2"),
    "loaded modules": ("import sys\ndef f(x): return sys.modules[x]", "sys.modules at helper.py:2"),
    "does not parse": ("def f(x):\n  return (", "a file that does not parse at helper.py:2"),
    "over 1 MB": ("def f(x): return 1\n" + "#" * 1_000_000, "a file that is over 1 MB of code at helper.py:1"),
    "null bytes": ("def f(x): return 1\0", "a file that does not parse"),
    "nested too deeply": (f"def f(x): return {'-' * 40_000}1", "a file that does not parse"),
    "part of a package that is not there": (
        "import pkg._fast\ndef f(x): return pkg._fast.g()",
        "pkg._fast, which is no file of the project, at helper.py:1",
    ),
    "name of a package that is not there": (
        "from pkg import _fast\ndef f(x): return _fast.g()",
        "pkg._fast, which is no file of the project, at helper.py:2",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "where"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_cannot_be_followed_is_never_the_same(project: MakeProject, text: str, where: str) -> None:
    files = {"train.py": USES_HELPER, "helper.py": text, "other.py": "x = 1", "pkg/__init__.py": ""}
    before = project(files)
    reached = reach(before, START)
    assert any(str(each).startswith(where) for each in reached.unknown), reached.unknown
    verdict = compare(before, project({**files, "other.py": "x = 2"}), reached)
    assert verdict.answer == ("ran" if "import other" in text else "unknown"), verdict
    assert compare(before, project(files), reached) == Verdict("same"), "no file of the project has changed"


def test_an_attribute_of_what_is_outside_of_the_project_is_followed_as_far_as_it_matters(project: MakeProject) -> None:
    text = (
        "from torch import nn\ndef f(x): return getattr(nn, x)()\nclass A:\n    def g(self, n): return getattr(self, n)"
    )
    before = project({"train.py": USES_HELPER, "helper.py": text + "\nf.a = A"})
    assert reach(before, START).unknown == ()


@pytest.mark.parametrize(
    "text",
    [
        "import subprocess\ndef f(x): return subprocess.check_output(['git', 'rev-parse', x])",
        "import os\ndef f(x): os.system('/usr/bin/nvidia-smi -L')",
        "import sys\nsys.path.insert(0, 'lib')\ndef f(x): return vars(x), locals()",
        "import types\ndef f(x: types.ModuleType): return isinstance(x, types.FunctionType)",
    ],
)
def test_what_runs_no_code_of_the_project_is_no_place(project: MakeProject, text: str) -> None:
    assert reach(project({"train.py": USES_HELPER, "helper.py": text}), START).unknown == ()


def test_a_compiled_module_is_unknown(project: MakeProject) -> None:
    files = {"train.py": USES_HELPER, "helper.cpython-311-x86_64-linux-gnu.so": b"\x7fELF", "other.py": "x = 1"}
    before = project(files)
    reached = reach(before, START)
    assert [str(each) for each in reached.unknown] == [
        "a file that is compiled at helper.cpython-311-x86_64-linux-gnu.so:1"
    ]
    assert compare(before, project({**files, "other.py": "x = 2"}), reached).answer == "unknown"
    changed = {**files, "helper.cpython-311-x86_64-linux-gnu.so": b"\x7fELF2"}
    assert compare(before, project(changed), reached).answer == "unknown"


@pytest.mark.parametrize("text", ["Train = type('Train', (), {})", "from m import make\nTrain = make()", "x = 1"])
def test_a_task_whose_class_was_made_at_run_time_is_unknown(project: MakeProject, text: str) -> None:
    before = project({"train.py": text, "m.py": "def make(): return 1"})
    verdict = compare(
        before, project({"train.py": text, "m.py": "def make(): return 1", "b.py": ""}), reach(before, START)
    )
    assert verdict.answer == "unknown"
    assert "made at run time" in str(verdict.unknown)


def test_a_local_class_is_a_part_of_its_function(project: MakeProject) -> None:
    before = project({"train.py": "def make(n):\n    class Train:\n        size = n\n    return Train\n"})
    after = project({"train.py": "def make(n):\n    class Train:\n        size = n + 1\n    return Train\n"})
    reached = reach(before, [("p", "train.py", "make.<locals>.Train")])
    assert reached.unknown == ()
    assert compare(before, after, reached).answer == "ran"


def test_a_file_that_is_just_being_edited_is_unknown_with_its_line(project: MakeProject) -> None:
    before = project({"train.py": USES_HELPER, "helper.py": HELPER})
    after = project({"train.py": USES_HELPER, "helper.py": "x = 1\ndef f(:\n"})
    assert compare(before, after, reach(before, START)) == Verdict(
        "unknown", (), (Unknown("a file that does not parse", "p", "helper.py", 2, True),)
    )


def test_with_exec_not_even_what_ran_says_that_it_is_the_same(project: MakeProject) -> None:
    files = {"train.py": task("", "exec('1')\nreturn 5"), "other.py": "x = 1"}
    ran = saw({("p", "train.py"): ["Train.execute"]}, [("p", "train.py", "train")])
    assert judged(project, files, {"x = 1": "x = 2"}, ran).answer == "unknown"
    elsewhere = {
        "train.py": task("", "return 5 if self else never()\n\n") + "    def never(): exec('1')\n",
        "o.py": "x = 1",
    }
    assert judged(project, elsewhere, {"x = 1": "x = 2"}, ran).answer == "same"


# -- files that come, go and move --------------------------------------------------------------------------------------


def test_a_renamed_file_with_the_same_content_is_the_same_if_its_imports_follow(project: MakeProject) -> None:
    before = project({"train.py": USES_HELPER, "helper.py": HELPER})
    reached = reach(before, START)
    renamed = {"train.py": USES_HELPER.replace("helper", "lib.tools"), "lib/tools.py": HELPER}
    assert compare(before, project(renamed), reached) == Verdict("same")
    assert compare(before, project({**renamed, "train.py": USES_HELPER}), reached).answer == "ran"
    assert compare(before, project({**renamed, "lib/tools.py": HELPER + "y = 1"}), reached).answer == "ran"


def test_a_renamed_package_is_the_same_although_its_files_are_all_alike(project: MakeProject) -> None:
    files = {
        "a/__init__.py": "",
        "a/b/__init__.py": "",
        "a/b/c.py": HELPER,
        "train.py": task("from a.b.c import f", "f(1)"),
    }
    before = project(files)
    renamed = {path.replace("a/", "z/", 1): text.replace("from a.b.c", "from z.b.c") for path, text in files.items()}
    assert compare(before, project(renamed), reach(before, START)) == Verdict("same")


def test_a_new_file_in_the_place_of_an_imported_one_is_told(project: MakeProject) -> None:
    files = {"train.py": USES_HELPER, "src/helper.py": HELPER}
    folders = ("", "src")
    before = project(files, folders)
    after = project({**files, "helper.py": HELPER}, folders)
    assert compare(before, after, reach(before, START)) == Verdict(
        "ran", (Change("p", "train.py", "Train.execute", 8, "meaning"),)
    )


def test_a_file_that_is_gone_is_told(project: MakeProject) -> None:
    before = project({"train.py": USES_HELPER, "helper.py": HELPER})
    verdict = compare(before, project({"train.py": USES_HELPER}), reach(before, START))
    assert verdict.answer == "ran"
    assert Change("p", "helper.py", "f", 1, "gone") in verdict.changes


def test_a_package_in_two_folders_is_followed_into_both(project: MakeProject) -> None:
    files = {"train.py": task("import ns.a, ns.b", "return ns.b.f()"), "ns/a.py": "", "lib/ns/b.py": HELPER}
    before = project(files, ("", "lib"))
    after = project({**files, "lib/ns/b.py": HELPER.replace("+ 1", "+ 2")}, ("", "lib"))
    assert compare(before, after, reach(before, START)).answer == "ran"


def test_a_project_of_5000_files_is_compared(project: MakeProject) -> None:
    many = {f"part{n % 50}/m{n}.py": "x = 1\n" for n in range(5000)}
    files = {**many, "train.py": USES_HELPER, "helper.py": HELPER + "from part7 import m7\n"}
    before = project(files)
    reached = reach(before, START)
    assert compare(before, project({**files, "part8/m8.py": "print(1)\n"}), reached) == Verdict("same")
    assert compare(before, project({**files, "part7/m7.py": "print(1)\n"}), reached).answer == "ran"


def test_many_jobs_are_compared_at_once(project: MakeProject) -> None:
    files = {"a.py": "from c import f\nclass A:\n    def run(self): return f()", "b.py": "class B: pass"}
    before = project({**files, "c.py": "def f(): return 1"})
    walk = Walk(before)
    comparison = Comparison(walk, Walk(project({**files, "c.py": "def f(): return 2"})))
    first, second = reach(walk, [("p", "a.py", "A")]), reach(walk, [("p", "b.py", "B")])
    assert [comparison.verdict(each).answer for each in (first, second)] == ["ran", "same"]
    assert comparison.verdict(Reached({})).answer == "same"
