"""Whole notebooks: the display below a cell, an interrupt, edited classes, classes of cells."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading

import pytest
from helpers.notebooks import executed
from helpers.project_files import require
from helpers.user_scripts import Desktop
from helpers.waiting import wait_until

from xpm_core.states import State

pytestmark = [pytest.mark.redis, pytest.mark.faults, pytest.mark.slow]

SETUP = """
from tasks import *
import os, threading
from xpm_core import tag
"""
HELD = """
threading.Timer(1.5, Path("gate").touch).start()
with experiment("workspace", "nb", workers=1) as xp:
    tasks = [Hold.C(n=n, until=Path("gate")).tag("<b>", n).submit() for n in range(2)]
    last = Quick.C(n=7).submit()
    summary = xp.wait()
    last.wait()
"""
PIECES = """
display(tasks[0])
display(xp)
display(summary)
display(Quick.C(n=1))
display(Quick.C())
display(Quick.C(n=1).instance())
print(tasks[0].identity)
"""


@pytest.fixture(autouse=True)
def beside(desktop: Desktop) -> None:
    """The file of tasks beside the notebook."""
    require(importlib.util.find_spec("nbclient"), "nbclient")
    desktop.script("tasks.py", "pass")


def test_display_is_one_output_that_is_changed_in_place(desktop: Desktop) -> None:
    setup, run, pieces, quiet = executed(
        desktop.folder,
        SETUP,
        HELD,
        PIECES,
        'with experiment("workspace", "nb", workers=1, progress=False):\n    Quick.C(n=8).submit()',
    )
    assert [each.error for each in (setup, run, pieces, quiet)] == [""] * 4
    (page,) = run.html()
    assert run.messages["display_data"] == 1
    assert run.messages["update_display_data"] >= 3
    assert "3/3" in page
    assert "Interrupt the cell" not in page, "it has ended"
    assert "nb  3 done   in " in run.text
    task, experiment, summary, unsubmitted, incomplete = pieces.html()
    identity = pieces.text.split()[0]
    for part in ("Hold", identity, "&lt;b&gt;=0", ">done<", str(desktop.workspace / "jobs" / "tasks.hold" / identity)):
        assert part in task
    assert "<b>" not in task
    assert str(desktop.workspace) in experiment
    assert "not open" in experiment
    assert "3 done" in experiment
    assert "3 done" in summary
    assert "not submitted" in unsubmitted
    assert "Quick.n" in incomplete, "it says what is missing"
    assert sum(each["output_type"] == "display_data" for each in pieces.outputs) == 6, "a live object is shown as text"
    assert quiet.html() == []
    assert "nb  1 done   in " in quiet.text, "the report stays"


def test_interrupt_ends_the_watching_and_not_the_jobs(desktop: Desktop) -> None:
    def interrupt() -> None:
        wait_until((desktop.folder / "pid").exists)
        desktop.wait_for(Hold_0=State.RUNNING, Hold_1=State.READY)
        os.kill(int((desktop.folder / "pid").read_text()), signal.SIGINT)
        wait_until((desktop.folder / "watched again").exists)
        (desktop.folder / "gate").touch()

    body = """
with experiment("workspace", "nb", workers=1) as xp:
    for n in range(2):
        Hold.C(n=tag(n), until=Path("gate")).submit()
    Path(MARK).write_text(str(os.getpid()))
    xp.wait()
"""
    thread = threading.Thread(target=interrupt)
    thread.start()
    _, stopped, again = executed(
        desktop.folder, SETUP, body.replace("MARK", '"pid"'), body.replace("MARK", '"watched again"')
    )
    thread.join()
    assert stopped.error.startswith("KeyboardInterrupt: nb: stopped watching. Its jobs go on (1 ready, 1 running). ")
    (page,) = stopped.html()
    assert "Stopped watching. The jobs go on." in page
    assert "1 running" in page
    assert again.error == ""
    assert "nb  2 done" in again.text
    assert list(desktop.executions().values()) == [1, 1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("n: Param[int]", "n: Param[int]; power: Param[int]"),
        ("n: Param[int]", "n: Param[int]; power: Param[int] = 2"),  # IPython sets it as an attribute of the old class
    ],
    ids=["parameter", "default"],
)
def test_autoreload_submits_the_class_as_it_is_in_the_file_now(desktop: Desktop, before: str, after: str) -> None:
    edit = f"""
text = Path("tasks.py").read_text()
Path("tasks.py").write_text(text.replace({before!r}, {after!r}, 1).replace('str(self.n)', 'str(self.n ** self.power)'))
"""
    submit = """
with experiment("workspace", "nb", workers=1):
    task = Quick.C(n=2, power=3).submit()
print((task.jobpath / "n.txt").read_text())
"""
    _, stale, edited, fresh = executed(
        desktop.folder, f"%load_ext autoreload\n%autoreload 2\n{SETUP}", submit, edit, submit
    )
    assert "unknown parameter 'power', set at In[2]:2" in stale.error
    assert (edited.error, fresh.error) == ("", "")
    assert fresh.text.splitlines()[-1] == "8"


def test_autoreload_shows_an_edited_default_to_the_files_that_use_the_class(desktop: Desktop) -> None:
    desktop.write("models.py", "from xpm_core import *\nclass Model(Config):\n    n: Param[int] = 3\n")
    fit = "    model: Param[Model]\n    def execute(self): print(self.model.n)\n"
    desktop.write("fits.py", f"from xpm_core import *\nfrom models import Model\nclass Fit(Task):\n{fit}")
    submit = """
with experiment("workspace", "nb", workers=1):
    task = Fit.C(model=Model.C()).submit()
print(task.stdout.read_text())
"""
    _, before, _, after = executed(
        desktop.folder,
        f"%load_ext autoreload\n%autoreload 2\n{SETUP}from fits import *\n",
        submit,
        'file = Path("models.py")\nfile.write_text(file.read_text().replace("= 3", "= 5"))',
        submit,
    )
    assert (before.error, after.error) == ("", "")
    assert [each.text.split()[-1] for each in (before, after)] == ["3", "5"]


def test_class_of_a_cell_is_refused_where_a_task_is_made_of_it(desktop: Desktop) -> None:
    task = "from xpm_core import Task, Param\nclass Train(Task):\n    n: Param[int]\n    def execute(self): pass\n"
    inner = "from xpm_core import Config, Param\nclass Model(Config):\n    n: Param[int]\n"
    holder = "class Fit(Task):\n    model: Param[Config]\n    def execute(self): pass\n"
    defined, refused, written, made, part = executed(
        desktop.folder,
        task,
        "train = Train.C(n=1)",
        f"%%writefile training.py\nfrom xpm_core import Config\n{task}{holder}",
        'from training import Train\nfrom xpm_core import experiment\nwith experiment("workspace", "nb", workers=1):\n'
        "    Train.C(n=1).submit()",
        f"{inner}from training import Fit\nmodel = Model.C(n=3)\n"
        'with experiment("workspace", "nb", workers=1):\n    Fit.C(model=model).submit()',
    )
    assert defined.error == ""
    told = "ClassNameError: Train: no other process can import this class: it was defined in a cell of this notebook. "
    assert refused.error.startswith(told)
    assert "%%writefile tasks.py" in refused.error
    assert refused.error.endswith("from tasks import Train")
    assert (written.error, made.error) == ("", "")
    assert "ClassNameError: Model: no other process can import this class" in part.error
