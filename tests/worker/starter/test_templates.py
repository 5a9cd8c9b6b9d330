"""The templates of a starter: what each imports, which one a job is forked from, and when one goes."""

from __future__ import annotations

import ctypes
import importlib
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.daemons import Crew, alive
from helpers.templates import templates, warmed
from helpers.waiting import wait_until
from template_tasks import Draw
from worker_tasks import Write

from xpm_core.config import Task
from xpm_core.states import State
from xpm_worker.system import kernel
from xpm_worker.template.main import EMPTY_NAME, TEMPLATE_NAME

pytestmark = [pytest.mark.redis, pytest.mark.slow]


def stopped(worker: Any, name: str = TEMPLATE_NAME) -> Any:
    """A template, stopped, and without a process for the next job: that would need it no more."""
    [template] = worker.named(name)
    template.suspend()
    standing = worker.named(kernel.STANDBY_NAME)
    for standby in standing:
        standby.kill()
    wait_until(lambda: not any(map(alive, standing)))  # a job that is handed to a dying one dies with it
    return template


def test_a_killed_template_costs_its_jobs_nothing_but_time(crew: Crew) -> None:
    worker = warmed(crew, Draw.C(number=0))
    [template] = templates(worker)
    template.send_signal(signal.SIGKILL)
    task = Draw.C(number=1)
    crew.submit(task)
    assert crew.wait(task).attempts == 1
    wait_until(lambda: not alive(template))


def test_a_stopped_template_does_not_hold_up_the_lease_of_its_job(crew: Crew) -> None:
    worker = warmed(crew, Draw.C(number=0))
    template = stopped(worker)
    task = Draw.C(number=1)
    crew.submit(task)
    wait_until(crew.directory(task).path.exists, show=lambda: worker.log)  # its starter has it
    crew.store.cancel(crew.job(task).identity)
    crew.wait(task, State.CANCELLED)
    wait_until(lambda: not alive(template))


@pytest.mark.parametrize("name", [TEMPLATE_NAME, EMPTY_NAME])
def test_a_template_that_forks_no_more_costs_a_job_nothing_but_time(crew: Crew, name: str) -> None:
    worker = warmed(crew, Draw.C(number=0), env={"XPM_IMPORT_TIMEOUT": "2"})
    template = stopped(worker, name)
    task = Write.C(note="x") if name == EMPTY_NAME else Draw.C(number=1)
    crew.submit(task, options={"template": name == TEMPLATE_NAME})
    assert crew.wait(task).attempts == 1
    wait_until(lambda: not alive(template))


TASKS = """
from pathlib import Path
import numpy
from xpm_core.config import Param, Task
import {helper}

class Use(Task):
    number: Param[int]

    def execute(self) -> None:
        Path("said.txt").write_text({helper}.WORD)
"""


def test_each_job_sees_the_project_as_it_is_when_it_starts(crew: Crew, written: Path) -> None:
    (written / "edited_helper.py").write_text("WORD = 'old'")
    (written / "edited_tasks.py").write_text(TASKS.format(helper="edited_helper"))
    module = importlib.import_module("edited_tasks")
    first, second = module.Use.C(number=1), module.Use.C(number=2)
    warmed(crew, first)
    (written / "edited_helper.py").write_text("WORD = 'the new one'")
    crew.submit(second)
    crew.wait(second)
    said = [(crew.directory(task).path / "said.txt").read_text() for task in (first, second)]
    assert said == ["old", "the new one"]


BROKEN = """
import os, sys, time
import numpy
from xpm_core.config import Param, Task

if os.environ.get("XPM_JOB"):
    {deed}

class Broken(Task):
    number: Param[int]

    def execute(self) -> None:
        raise AssertionError("never comes to that")
"""


@pytest.mark.parametrize(
    ("deed", "kind"),
    [
        ("raise RuntimeError('no licence')", "TaskImportError"),
        ("os.kill(os.getpid(), 11)", "Signal"),
        ("time.sleep(1000)", "ImportTimeout"),
    ],
    ids=["raises", "crashes", "hangs"],
)
def test_a_module_that_cannot_be_imported_fails_its_job_and_not_the_starter(
    crew: Crew, written: Path, deed: str, kind: str
) -> None:
    name = f"broken_{kind.lower()}"
    (written / f"{name}.py").write_text(BROKEN.format(deed=deed))
    task, after = importlib.import_module(name).Broken.C(number=1), Write.C(note="after")
    worker = crew.started(env={"XPM_IMPORT_TIMEOUT": "2" if kind == "ImportTimeout" else "60"})
    starters = {process.pid for process in worker.starters()}
    crew.submit(task)
    assert kind in crew.wait(task, State.FAILED).error["type"]
    crew.submit(after)
    crew.wait(after)
    assert {process.pid for process in worker.starters()} == starters


SCRIPT = """
import sys
from pathlib import Path
from xpm_core import Param, Task, experiment

class Look(Task):
    number: Param[int]

    def execute(self) -> None:
        Path("said.txt").write_text(str({"redis", "rich", "rq"} & set(sys.modules)))
"""


def test_a_job_whose_script_imports_experiment_is_spared_the_client_of_redis(crew: Crew, written: Path) -> None:
    (written / "whole_script.py").write_text(SCRIPT)
    task = importlib.import_module("whole_script").Look.C(number=1)
    assert (crew.run(task).path / "said.txt").read_text() == "set()"


# -- the first job of a task -------------------------------------------------------------------------------------------

PACKAGE = """
import os, sys, threading, time
from pathlib import Path
where = Path("/proc/self/comm").read_text().strip()
with open({log!r}, "a") as log:
    print(where, file=log)
if where == "xpm-template":
    {deed}
"""

SEE = """
{before}
import sys
from pathlib import Path
from xpm_core.config import Param, Task

class See(Task):
    number: Param[int]

    def execute(self) -> None:
        Path("seen.txt").write_text(str(sorted(name for name in sys.modules if name.startswith("fake_"))))

class Look(See):
    pass
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where packages write down in which process they are imported."""
    return tmp_path / "imports.txt"


@pytest.fixture
def package(installed: Path, log: Path) -> Path:
    """A package that writes it down."""
    (installed / "fake_package.py").write_text(PACKAGE.format(log=str(log), deed="print('imported')"))
    return installed


def module_of(written: Path, text: str) -> Any:
    """A module of that text."""
    (written / "seeing_tasks.py").write_text(text)
    return importlib.import_module("seeing_tasks")


def tasks_of(written: Path, before: str) -> Any:
    """A module with tasks that begins with that, and writes down which packages it sees."""
    return module_of(written, SEE.format(before=before))


def seen(crew: Crew, *tasks: Task) -> list[str]:
    return [(crew.directory(task).path / "seen.txt").read_text() for task in tasks if crew.wait(task).attempts == 1]


NOTES = """
notes = open({log!r}, "a")
notes.write("imported\\n")
"""


def test_a_file_that_a_package_opens_is_written_once_for_its_import_and_once_for_each_job(
    crew: Crew, written: Path, installed: Path, log: Path
) -> None:
    (installed / "fake_package.py").write_text(NOTES.format(log=str(log)))
    deed = 'fake_package.notes.write(f"job {self.number}\\n"); Path("seen.txt")'
    module = module_of(written, SEE.format(before="import fake_package").replace('Path("seen.txt")', deed))
    tasks = [module.See.C(number=number) for number in range(3)]
    sys.modules["fake_package"].notes.close()
    log.unlink()  # what was written here
    crew.submit(*tasks)
    crew.start("--burst", "--pythonpath", str(installed), env={"PYTHONPATH": str(written)})
    assert seen(crew, *tasks) == ["['fake_package']"] * 3
    assert sorted(log.read_text().splitlines()) == ["imported", "job 0", "job 1", "job 2"]


def test_a_package_that_is_deaf_to_sigterm_leaves_what_stands_by_as_it_is(
    crew: Crew, written: Path, installed: Path, log: Path
) -> None:
    """A job that is to end before it has begun is not begun first."""
    module = tasks_of(written, "")
    (written / "seeing_tasks.py").write_text(SEE.format(before="import fake_package"))
    deed = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    (installed / "fake_package.py").write_text(PACKAGE.format(log=str(log), deed=deed))
    worker = warmed(crew, module.See.C(number=1), "--pythonpath", str(installed))
    there = wait_until(lambda: len(found := worker.named(kernel.STANDBY_NAME)) == 2 and found, show=lambda: worker.log)
    for standby in there:
        standby.terminate()
    wait_until(lambda: not any(map(alive, there)))


def test_what_a_task_begins_with_is_imported_once_for_all_its_jobs(
    crew: Crew, written: Path, package: Path, log: Path
) -> None:
    module = tasks_of(written, "import fake_package")
    log.unlink()
    worker = crew.started("--pythonpath", str(package))
    tasks = [module.See.C(number=number) for number in range(3)]
    crew.submit(*tasks)
    assert seen(crew, *tasks) == ["['fake_package']"] * 3
    assert log.read_text().split() == [TEMPLATE_NAME]
    assert len(templates(worker)) == 1
    assert crew.directory(tasks[0]).out.read_text() == ""


@pytest.mark.parametrize("kind", ["See", "Look"])
def test_a_task_ends_up_with_one_template_for_all_that_its_jobs_import(
    crew: Crew, written: Path, package: Path, log: Path, kind: str
) -> None:
    (package / "fake_other.py").touch()
    (written / "seeing_helper.py").write_text("import fake_other")
    module = tasks_of(written, "import fake_package\nimport seeing_helper" if kind == "See" else "import fake_package")
    worker = crew.started("--pythonpath", str(package))
    first, second, third = module.See.C(number=1), getattr(module, kind).C(number=2), module.See.C(number=3)
    for task in (first, second, third):
        crew.submit(task)
        crew.wait(task)
    assert len(set(seen(crew, first, second, third))) == 1
    wait_until(lambda: len(templates(worker)) == 1, show=lambda: worker.log)
    assert log.read_text().split()[1:] == [TEMPLATE_NAME] * 2


def test_a_template_of_a_package_that_hides_is_not_taken_for_the_one_that_imports_nothing(
    crew: Crew, written: Path, package: Path
) -> None:
    """Such a module puts something else in its place, of which nobody can tell whence it came."""
    module = tasks_of(written, "import fake_package")
    with (package / "fake_package.py").open("a") as file:
        file.write("\nsys.modules[__name__] = object()")
    worker = crew.started("--pythonpath", str(package))
    first, second = module.See.C(number=1), module.Look.C(number=2)
    crew.submit(first)
    crew.wait(first)
    crew.submit(second, options={"template": False})
    assert seen(crew, second) == ["['fake_package']"]
    assert templates(worker) == []
    assert len(worker.named(EMPTY_NAME)) == 1


CALLED = """
import ctypes, os
import psutil
calls = []
call = ctypes.CFUNCTYPE(None)(lambda: calls.append(os.getpid()))
ctypes.CDLL(None).__register_atfork(None, None, call, None)
"""

TELL = """
import fake_package
import os
from pathlib import Path
from xpm_core.config import Param, Task

class Tell(Task):
    number: Param[int]

    def execute(self) -> None:
        Path("seen.txt").write_text(str(os.getpid() in fake_package.calls))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "__register_atfork"), reason="another C library")
def test_libraries_are_called_when_a_job_is_forked_from_a_template(crew: Crew, written: Path, installed: Path) -> None:
    """As those want that draw random numbers."""
    (installed / "fake_package.py").write_text(CALLED)
    module = module_of(written, TELL)
    crew.started("--pythonpath", str(installed))
    tasks = [module.Tell.C(number=number) for number in range(3)]
    crew.submit(*tasks)
    assert seen(crew, *tasks) == ["True"] * 3


def test_nothing_stays_of_rehearsals_though_a_template_is_ended_in_one(
    crew: Crew, written: Path, package: Path, tmp_path: Path
) -> None:
    """The first template goes as soon as the job that was forked from it tells what else it has imported."""
    (package / "fake_other.py").touch()
    (written / "seeing_helper.py").write_text("import fake_other")
    module = tasks_of(written, "import fake_package\nimport seeing_helper")
    (temporary := tmp_path / "temporary").mkdir()
    worker = crew.started("--pythonpath", str(package), env={"TMPDIR": str(temporary)})
    crew.submit(task := module.See.C(number=1))
    crew.wait(task)
    worker.send(signal.SIGTERM)
    worker.left()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("helper", [False, True], ids=["first", "by a helper"])
def test_a_module_of_the_project_comes_before_an_installed_one_also_for_packages(
    crew: Crew, written: Path, installed: Path, helper: bool
) -> None:
    (installed / "fake_package.py").write_text("import fake_dependency")
    (installed / "fake_dependency.py").write_text("whose = 'installed'")
    (written / "fake_dependency.py").write_text("whose = 'project'")
    (written / "seeing_helper.py").write_text("import fake_package")
    text = SEE.replace('str(sorted(name for name in sys.modules if name.startswith("fake_")))', "fake_dependency.whose")
    text = text.format(
        before="import seeing_helper, fake_dependency" if helper else "import fake_package, fake_dependency"
    )
    module = module_of(written, text)
    crew.started("--pythonpath", str(installed))
    tasks = [module.See.C(number=number) for number in range(4)]
    crew.submit(*tasks)
    assert seen(crew, *tasks) == ["project"] * 4


def test_nothing_is_imported_on_the_word_of_a_job_where_some_modules_only_are_allowed(
    crew: Crew, written: Path, package: Path, log: Path
) -> None:
    module = tasks_of(written, "import fake_package")
    log.unlink()
    crew.started("--pythonpath", str(package), "--allow", "seeing_tasks")
    first, second = module.See.C(number=1), module.See.C(number=2)
    for task in (first, second):
        crew.submit(task)
        crew.wait(task)
    assert seen(crew, first, second) == ["['fake_package']"] * 2
    assert log.read_text().split() == [kernel.JOB_NAME, TEMPLATE_NAME]


@pytest.mark.parametrize(
    "deed",
    [
        "raise RuntimeError('no licence')", "sys.exit()", "os._exit(0)", "os.kill(os.getpid(), 11)",
        "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()",
    ],
    ids=["raises", "exits", "vanishes", "crashes", "starts a thread"],
)  # fmt: skip
def test_a_package_that_cannot_be_imported_in_a_template_fails_no_job(
    crew: Crew, written: Path, installed: Path, log: Path, deed: str
) -> None:
    module = tasks_of(written, "")
    (written / "seeing_tasks.py").write_text(SEE.format(before="import fake_package"))
    (installed / "fake_package.py").write_text(PACKAGE.format(log=str(log), deed=deed))
    worker = crew.started("--pythonpath", str(installed))
    tasks = [module.See.C(number=number) for number in range(3)]
    crew.submit(*tasks)
    assert seen(crew, *tasks) == ["['fake_package']"] * 3
    wait_until(lambda: not templates(worker), show=lambda: worker.log)


def test_a_job_whose_package_starts_threads_imports_it_once(
    crew: Crew, written: Path, installed: Path, log: Path
) -> None:
    module = tasks_of(written, "")
    (written / "seeing_tasks.py").write_text(SEE.format(before="import fake_package"))
    thread = "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"
    (installed / "fake_package.py").write_text(PACKAGE.format(log=str(log), deed=thread))
    worker = crew.started("--pythonpath", str(installed))
    task = module.See.C(number=1)
    crew.submit(task)
    assert seen(crew, task) == ["['fake_package']"]
    assert log.read_text().split() == [TEMPLATE_NAME]
    assert templates(worker) == []


def test_a_task_that_imports_nothing_ends_no_template(crew: Crew, written: Path, package: Path) -> None:
    names = ["a", "b", "c"]
    worker = crew.started("--pythonpath", str(package))
    for name in names:
        (package / f"fake_{name}.py").touch()
        (written / f"{name}_tasks.py").write_text(SEE.format(before=f"import fake_{name}"))
        crew.submit(task := importlib.import_module(f"{name}_tasks").See.C(number=1))
        crew.wait(task)
    there = templates(worker)
    assert len(there) == len(names)
    crew.submit(nothing := tasks_of(written, "").See.C(number=1))
    assert seen(crew, nothing) == ["[]"]
    assert templates(worker) == there


def test_a_job_whose_template_imports_without_end_can_be_cancelled(
    crew: Crew, written: Path, installed: Path, log: Path
) -> None:
    module = tasks_of(written, "")
    (written / "seeing_tasks.py").write_text(SEE.format(before="import fake_package"))
    (installed / "fake_package.py").write_text(PACKAGE.format(log=str(log), deed="time.sleep(1000)"))
    worker = crew.started("--pythonpath", str(installed))
    first, second = module.See.C(number=1), module.See.C(number=2)
    crew.submit(first)
    wait_until(log.exists, show=lambda: worker.log)
    crew.store.cancel(crew.job(first).identity)
    crew.wait(first, State.CANCELLED)
    wait_until(lambda: not templates(worker), show=lambda: worker.log)
    crew.submit(second)  # it imports by itself
    assert seen(crew, second) == ["['fake_package']"]


def test_a_first_job_that_fails_as_it_is_loaded_leaves_its_template_to_the_next(
    crew: Crew, written: Path, package: Path, log: Path
) -> None:
    module = tasks_of(written, "import fake_package")
    log.unlink()
    worker = crew.started("--pythonpath", str(package))
    first, second = module.See.C(number=1), module.See.C(number=2)
    (written / "seeing_tasks.py").write_text(SEE.format(before="import fake_package\nassert False"))
    crew.submit(first)
    assert "TaskImportError" in crew.wait(first, State.FAILED).error["type"]
    (written / "seeing_tasks.py").write_text(SEE.format(before="import fake_package"))
    crew.submit(second)
    assert seen(crew, second) == ["['fake_package']"]
    assert log.read_text().split() == [TEMPLATE_NAME]
    assert len(templates(worker)) == 1
