"""Scripts as users write them: the lines of the language, and where task classes may live."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.user_scripts import Desktop
from helpers.waiting import wait_until

pytestmark = pytest.mark.redis

AS_PRINTED = """
from pathlib import Path
import sys
from xpm_core import Config, Meta, Param, PathGenerator, Task, experiment, field, tag, tagspath

def callback(task):
    print("completed", task.epochs)

class Model(Config):
    layers: Param[int]

class Learn(Task):
    model: Param[Model]
    epochs: Param[int] = field(default=100)
    "Number of learning epochs"
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))
    def execute(self):
        self.checkpoint.write_text(f"{self.model.layers} {self.epochs} {self.__tags__}")
        Path("runs").mkdir()

if __name__ == "__main__":
    workdir = sys.argv[1]
    with experiment(workdir, "my-experiment", port=12346) as xp:
        token = xp.connector.createtoken("cpu", 3)
        model = Model.C(layers=3)               # a configuration: constructor …
        learn = Learn.C(epochs=tag(100))
        learn.model = model                     # … or assignment
        token(2, learn)                         # same as learn.add_dependencies(token.dependency(2)); returns the task
        learn.submit()                          # sealed from here on: assignment raises, naming the parameter and where
        learn.on_completed(callback)            # before or after submit; called in this process once the task is done
        runs = xp.resultspath / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        (runs / tagspath(learn)).symlink_to(learn.jobpath / "runs")
        xp.wait()
"""


def test_language_works_as_it_is_printed_and_again(desktop: Desktop) -> None:
    script = desktop.write("sweep.py", AS_PRINTED)
    first, second = (desktop.run(script, desktop.workspace) for _ in range(2))
    for run in (first, second):
        assert run.out == "completed 100\n"
        pages = [
            line for line in run.err.splitlines() if "token=" in line
        ]  # none if the script ends before it is there
        assert all(line.startswith("page http://127.0.0.1:") for line in pages)
    assert "1 done   in" in first.err
    assert "1 done (1 reused)   in" in second.err
    places = sorted((desktop.workspace / "experiments" / "my-experiment" / "runs").iterdir())
    for place in places:
        [link] = (place / "results" / "runs").iterdir()
        assert link.name == "epochs=100"
        assert link.is_dir()
        assert (link.parent / link.readlink()).parent.joinpath("model.bin").read_text() == "3 100 {'epochs': 100}"
    assert len(places) == 2
    assert (desktop.workspace / "experiments" / "my-experiment" / "latest").resolve() == places[1]
    wait_until(lambda: not desktop.server_lives() and not desktop.daemons())


TASK = """
from pathlib import Path
import sys
from xpm_core import Param, Task, experiment

class Count(Task):
    n: Param[int]
    def execute(self):
        Path("n.txt").write_text(__name__)
"""

SUBMIT = """
if __name__ == "__main__":
    with experiment(sys.argv[1], "places", workers=1):
        Count.C(n=1).submit()
"""


GUARDED = TASK + SUBMIT
IMPORTED = "import sys\nfrom tasks import Count\nfrom xpm_core import experiment\n" + SUBMIT


def module_of(desktop: Desktop) -> str:
    """The module that the one job saw itself in, and its directory's name."""
    [found] = (desktop.workspace / "jobs").glob("*/*/n.txt")
    return f"{found.parent.parent.name} {found.read_text()}"


def test_task_in_the_script_itself_is_named_after_its_file(desktop: Desktop, tmp_path: Path) -> None:
    desktop.write("code/sweep.py", GUARDED)
    (tmp_path / "elsewhere").mkdir()
    desktop.run("../code/sweep.py", desktop.workspace, cwd=tmp_path / "elsewhere")
    assert module_of(desktop) == "sweep.count sweep"


def test_task_in_a_module_next_to_the_script_is_found_from_any_directory(desktop: Desktop) -> None:
    desktop.write("code/tasks.py", TASK)
    script = desktop.write("code/sweep.py", IMPORTED)
    desktop.run(script, desktop.workspace, cwd=Path("/"))
    assert module_of(desktop) == "tasks.count tasks"


def test_task_in_a_package_run_with_m_has_its_full_name(desktop: Desktop, tmp_path: Path) -> None:
    desktop.write("code/study/__init__.py", "")
    desktop.write("code/study/helper.py", "GREETING = 'hello'\n")
    desktop.write("code/study/sweep.py", "from .helper import GREETING\n" + GUARDED)
    desktop.run("-m", "study.sweep", desktop.workspace, cwd=tmp_path / "code")
    assert module_of(desktop) == "study.sweep.count study.sweep"


def test_task_in_an_installed_package_is_imported_as_installed(desktop: Desktop, tmp_path: Path) -> None:
    desktop.write("site-packages/installed/__init__.py", "")
    desktop.write("site-packages/installed/tasks.py", TASK)
    script = desktop.write("code/sweep.py", IMPORTED.replace("tasks", "installed.tasks"))
    desktop.run(script, desktop.workspace, env={"PYTHONPATH": str(tmp_path / "site-packages")})
    assert module_of(desktop) == "installed.tasks.count installed.tasks"


# -- the guard --------------------------------------------------------------------------------------------------------


def test_task_of_a_script_without_a_suffix_is_refused_and_one_of_a_module_runs(desktop: Desktop) -> None:
    script = desktop.write("sweep", GUARDED)
    run = desktop.run(script, desktop.workspace, code=1)
    assert (
        run.err.strip()
        .splitlines()[-1]
        .endswith(
            ": class Count is defined in sweep, and workers cannot import a script without .py. "
            "Rename it to sweep.py, or put the class into a module."
        )
    )
    assert "ExperimentError: sweep:" in run.err
    assert not (desktop.workspace / "jobs").exists()
    desktop.write("tasks.py", TASK)
    desktop.run(desktop.write("sweep", IMPORTED), desktop.workspace)
    assert module_of(desktop) == "tasks.count tasks"


def test_job_that_imports_a_module_which_opens_an_experiment_fails_and_says_why(desktop: Desktop) -> None:
    """And the experiment is not run a second time."""
    desktop.write(
        "tasks.py",
        TASK
        + f"""
with experiment({str(desktop.workspace)!r}, "at-import", workers=1):
    pass
""",
    )
    script = desktop.write("sweep.py", IMPORTED)
    run = desktop.run(script, desktop.workspace, code=1)
    assert re.search(r"cannot import 'tasks\.Count' \(InsideJobError: .*tasks\.py:\d+: this process is job", run.err)
    assert 'Put what starts it under `if __name__ == "__main__":`' in run.err
    runs = desktop.workspace / "experiments" / "at-import" / "runs"
    assert len(list(runs.iterdir())) == 1, "by the script's own import; not by the job"
