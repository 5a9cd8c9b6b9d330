"""With whose classes the configurations of past runs are read: today's, those of the snapshot, or none."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.kept_runs import STUDY, KeptRuns

from xpm_core.errors import SealedError
from xpm_core.reading.look import look
from xpm_core.reading.past.tasks import PastTasks

NOWHERE = "redis://localhost:1/0"
EDITED = STUDY.replace("lr: Param[float]", "rate: Param[float]").replace("self.lr", "self.rate")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptRuns:
    monkeypatch.setenv("XPM_SNAPSHOT_FOLDER", str(tmp_path / "host"))
    found = KeptRuns(tmp_path)
    found.run("[Train.C(lr=tag(lr), model=Model.C(layers=4), note='a') for lr in (0.5, 0.1)]")
    return found


@contextlib.contextmanager
def importing(folder: Path) -> Iterator[None]:
    """Import from a folder, as a notebook in it does. Its modules are forgotten afterwards."""
    before, known = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = before
        for name in set(sys.modules) - known:
            del sys.modules[name]


def tasks_of(runs: KeptRuns, *, trust: bool = False) -> PastTasks:
    with look(runs.workspace.path, redis=NOWHERE) as view:
        return view.experiment("digits").run("latest").tasks(trust=trust)


def test_todays_classes_read_them_if_they_give_the_identity(runs: KeptRuns) -> None:
    with importing(runs.project):
        path, argv = list(sys.path), list(sys.argv)
        task = tasks_of(runs)[0]
        config = task.config
        assert type(config) is sys.modules["study"].Train
        assert (config.lr, config.model.layers, config.note) == (0.5, 4, "a")
        assert (config.identity, task.read_by, task.problem) == (task.identity, "today", "")
        assert (sys.path, sys.argv) == (path, argv)
        with pytest.raises(SealedError):
            config.lr = 1.0


def test_the_snapshots_classes_read_them_if_todays_have_changed(runs: KeptRuns) -> None:
    runs.write("study.py", EDITED)
    with importing(runs.project):
        tasks = tasks_of(runs)
        assert [each.config.lr for each in tasks] == [0.5, 0.1]
        assert {each.read_by for each in tasks} == {"snapshot"}
        assert tasks[0].config.model.layers == 4
        assert repr(tasks[0].config) == "Train(lr=0.5, model=Model(layers=4), note='a')"
        assert tasks[0].problem == "with today's classes: Train has no parameter 'lr' any more"
        assert not hasattr(sys.modules["study"].Train.C(rate=1.0), "lr")
        assert sys.modules["study"].__file__ == str(runs.project / "study.py")


def test_the_snapshots_classes_read_them_though_another_checkout_is_on_the_path(
    runs: KeptRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "study.py").write_text("from xpm_core import Config\nclass Model(Config):\n    pass\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "other"))
    shutil.rmtree(runs.project)
    found = tasks_of(runs)[0]
    assert (found.read_by, found.config.model.layers) == ("snapshot", 4), found.problem


def test_the_snapshots_classes_read_them_if_the_checkout_is_gone(runs: KeptRuns) -> None:
    shutil.rmtree(runs.project)
    known = set(sys.modules)
    task = tasks_of(runs)[0]
    assert (task.config.lr, task.read_by, task.config.jobpath) == (0.5, "snapshot", task.jobpath)
    assert "No module named 'study'" in task.problem
    assert not {"study", "scale"} & (set(sys.modules) - known)


def test_a_module_that_prints_and_reads_its_input_harms_nothing(runs: KeptRuns) -> None:
    runs.write("scale.py", "import sys\nprint('[1, 2]')\nprint(sys.stdin.read(), file=sys.stderr)\nFACTOR = 3\n")
    runs.run("[Train.C(lr=2.0, model=Model.C())]")
    shutil.rmtree(runs.project)
    assert tasks_of(runs)[0].config.lr == 2.0


@pytest.mark.parametrize(
    ("module", "said"),
    [("1 / 0\n", "ZeroDivisionError"), ("import os\nos._exit(3)\n", "has ended, exit code 3")],
    ids=["raises", "ends"],
)
def test_what_no_class_can_read_has_plain_values_and_says_why(runs: KeptRuns, module: str, said: str) -> None:
    scale = "import sys\nif 'pytest' not in str(sys.orig_argv) and 'old_classes' in str(sys.orig_argv):\n    "
    runs.write("scale.py", f"FACTOR = 3\n{scale}{module.replace(chr(10), chr(10) + '    ')}\n")
    runs.run("[Train.C(lr=tag(2.0), model=Model.C())]")
    shutil.rmtree(runs.project)
    task = tasks_of(runs)[0]
    assert (task.config.lr, task.config.model.layers, task.read_by) == (2.0, 2, "values")
    assert "No module named 'study'" in task.problem
    assert said in task.problem


def test_snapshot_that_is_damaged_leaves_plain_values(runs: KeptRuns) -> None:
    shutil.rmtree(runs.project)
    shutil.rmtree(runs.workspace.path / "code" / "objects")
    task = tasks_of(runs)[0]
    assert (task.config.lr, task.read_by) == (0.5, "values")
    assert "is missing" in task.problem


def test_code_that_was_not_kept_leaves_plain_values(runs: KeptRuns) -> None:
    runs.run("[Train.C(lr=tag(3.0), model=Model.C())]", code="live")
    shutil.rmtree(runs.project)
    task = tasks_of(runs)[0]
    assert (task.config.lr, task.read_by, task.snapshot) == (3.0, "values", "")
    assert task.problem.endswith("). No snapshot of its code was kept.")
    task.jobpath.joinpath("params.json").unlink()
    again = tasks_of(runs)[0]
    assert (again.config.lr, again.config.model.layers, again.read_by) == (3.0, 2, "values")


def test_large_file_that_was_changed_since_is_no_obstacle(runs: KeptRuns, tmp_path: Path) -> None:
    large = tmp_path / "model.bin"
    large.write_text("weights")
    runs.run("[Train.C(lr=tag(4.0), model=Model.C())]", large=str(large))
    large.unlink()
    shutil.rmtree(runs.project)
    assert (tasks_of(runs)[0].config.lr, tasks_of(runs)[0].read_by) == (4.0, "snapshot")


def test_imported_jobs_are_read_by_no_class_unless_they_are_trusted(runs: KeptRuns) -> None:
    task = tasks_of(runs)[0]
    (task.jobpath / ".xpm" / "imported.json").write_text("{}")
    (runs.project / "study.py").write_text("raise SystemExit('executed')\n")
    shutil.rmtree(runs.workspace.path / "code")
    with importing(runs.project):
        task = tasks_of(runs)[0]
        assert (task.imported, task.config.lr, task.read_by) == (True, 0.5, "values")
        assert "it was imported, and reading it can run code" in task.problem
        assert "tasks(trust=True)" in task.problem
        assert "study" not in sys.modules
    runs.write("study.py", STUDY)
    with importing(runs.project):
        assert tasks_of(runs, trust=True)[0].read_by == "today"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_jobs_of_another_user_are_read_by_no_class_unless_they_are_trusted(runs: KeptRuns) -> None:
    os.chown(tasks_of(runs)[0].jobpath / ".xpm" / "handed.json", 12345, -1)
    with importing(runs.project):
        theirs, own = tasks_of(runs)
        assert (theirs.config.lr, theirs.read_by, own.read_by) == (0.5, "values", "today")
        assert "another user has written it" in theirs.problem
        assert tasks_of(runs, trust=True)[0].read_by == "today"


def test_jobs_that_are_not_signed_are_read_by_no_class_where_a_key_is_set(
    runs: KeptRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XPM_SIGNING_KEY", "0123456789abcdef")
    with importing(runs.project):
        task = tasks_of(runs)[0]
        assert (task.read_by, "it is not signed" in task.problem) == ("values", True)
        assert tasks_of(runs, trust=True)[0].read_by == "today"
