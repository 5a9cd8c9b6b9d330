"""Jobs that import a snapshot: whatever happens to the project after the submission, and whatever else leads there."""

from __future__ import annotations

import errno
import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.daemons import Crew
from helpers.kept_code import Kept, keep_folder
from helpers.waiting import wait_until

from xpm_core.project.moved_code import MovedCode
from xpm_core.reading.why.reader import ReasonReader
from xpm_core.states import State
from xpm_core.words.reasons_of_workers import Refused
from xpm_worker.job import failure, kept_code
from xpm_worker.protocol.messages import RunJob

pytestmark = pytest.mark.redis

STUDY = """
import json, sys
from pathlib import Path
import click
from xpm_core.config import Param, Task
import helper

class Study(Task):
    what: Param[str]

    def execute(self):
        here = Path(__file__).parent
        Path("seen.json").write_text(json.dumps({
            "helper": helper.NAME,
            "data": (here / "data.csv").read_text(),
            "path": sys.path,
            "files": [getattr(each, "__file__", None) or "" for each in list(sys.modules.values())],
            "argv": sys.argv[0],
        }))
        exec(self.what)
"""


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XPM_SNAPSHOT_FOLDER", str(tmp_path / "host"))
    return tmp_path / "host"


@pytest.fixture
def project(written: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of which this process has imported the module `study`."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a file that changes within a second would seem unchanged
    (written / "pyproject.toml").write_text('[project]\nname = "digits"\n')
    (written / "study.py").write_text(STUDY)
    (written / "helper.py").write_text('NAME = "old"\n')
    (written / "data.csv").write_text("old")
    return written


NEW = 'NAME = "new"  # longer\n'
"""Of another size: Python believes bytecode of the same second if the file's size is the same."""


def study(what: str = "") -> Any:
    """A task that runs some code; it is another one in each test, because a test has a project of its own."""
    module = importlib.import_module("study")
    return module.Study.C(what=f"{what}\n# {module.__file__}")


def kept(crew: Crew, project: Path) -> Kept:
    return keep_folder(crew.workspace.path, project)


def edit(project: Path) -> None:
    """Change all of a project's files."""
    (project / "helper.py").write_text(NEW)
    (project / "data.csv").write_text("new")
    source = (project / "study.py").read_text()
    (project / "study.py").write_text("# a comment\n\n" + source.replace("helper.NAME", '"never"'))


def seen(crew: Crew, task: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((crew.directory(task).path / "seen.json").read_text())
    return found


def assert_runs_the_snapshot(crew: Crew, task: Any, project: Path) -> None:
    found = seen(crew, task)
    assert (found["helper"], found["data"]) == ("old", "old")
    assert not [file for file in found["files"] if file.startswith(f"{project}/")]
    assert not [entry for entry in found["path"] if entry == str(project) or entry.startswith(f"{project}/")]


def test_a_job_runs_what_was_kept_though_all_files_changed_before_its_start(residents: Crew, project: Path) -> None:
    task, code = study(), kept(residents, project)
    job = residents.submission(task, options=code.options)
    edit(project)
    residents.hand_in(job)
    residents.wait(task)
    assert_runs_the_snapshot(residents, task, project)
    assert residents.record(task)["code"] == code.options


def test_a_job_runs_though_the_project_is_gone(residents: Crew, project: Path) -> None:
    task, code = study(), kept(residents, project)
    job = residents.submission(task, options=code.options)
    shutil.rmtree(project)
    residents.hand_in(job)
    residents.wait(task)
    assert_runs_the_snapshot(residents, task, project)
    project.mkdir()


def test_a_job_without_a_snapshot_runs_the_files_as_they_are(residents: Crew, project: Path) -> None:
    task = study()
    job = residents.submission(task)
    (project / "helper.py").write_text(NEW)
    residents.hand_in(job)
    residents.wait(task)
    assert seen(residents, task)["helper"] == "new"
    assert residents.record(task)["code"] == {"snapshot": "", "provenance": ""}


FINDER = """
import importlib.util, sys
class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in ("study", "helper"):
            return importlib.util.spec_from_file_location(name, f"PROJECT/{name}.py")
sys.meta_path.insert(0, Finder)
"""


@pytest.mark.parametrize(
    "way", ["--pythonpath", "PYTHONPATH", "a link", "a .pth file", "a finder", "the parent folder"]
)
def test_no_way_to_the_project_that_the_worker_has_wins(way: str, crew: Crew, project: Path, tmp_path: Path) -> None:
    task, code = study(), kept(crew, project)
    crew.submit(task, options=code.options)
    edit(project)
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "link").symlink_to(project)
    customize = {"a .pth file": f"import sys; sys.path.append({str(project)!r})", "a finder": FINDER}
    if way in customize:
        (site / "sitecustomize.py").write_text(customize[way].replace("PROJECT", str(project)))
    folder = {"PYTHONPATH": project, "a link": tmp_path / "link", "the parent folder": project.parent}.get(way, site)
    options = ["--pythonpath", str(project)] if way == "--pythonpath" else []
    crew.start("--burst", *options, env={"PYTHONPATH": str(folder)})
    crew.wait(task)
    assert_runs_the_snapshot(crew, task, project)


def test_a_script_that_reached_the_project_by_a_finder_alone_gets_the_snapshot(
    crew: Crew, project: Path, tmp_path: Path
) -> None:
    task, code = study(), kept(crew, project)
    sys.path.remove(str(project))
    try:
        crew.submit(task, options=code.options)
    finally:
        sys.path.insert(0, str(project))
    edit(project)
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(FINDER.replace("PROJECT", str(project)))
    crew.start("--burst", env={"PYTHONPATH": str(site)})
    crew.wait(task)
    assert_runs_the_snapshot(crew, task, project)


SPAWN = """
import multiprocessing
with multiprocessing.get_context("spawn").Pool(1) as pool:
    Path("spawned.txt").write_text(pool.apply(helper.where))
"""


def test_processes_that_a_job_spawns_import_the_snapshot_too(crew: Crew, project: Path, tmp_path: Path) -> None:
    (project / "helper.py").write_text('NAME = "old"\ndef where(): return NAME\n')
    task, code = study(SPAWN), kept(crew, project)
    sys.path.remove(str(project))
    try:
        crew.submit(task, options=code.options)
    finally:
        sys.path.insert(0, str(project))
    edit(project)
    site = tmp_path / "site"
    site.mkdir()
    appended = FINDER.replace("PROJECT", str(project)).replace("insert(0, Finder)", "append(Finder)")
    (site / "sitecustomize.py").write_text(appended)
    crew.start("--burst", env={"PYTHONPATH": str(site)})
    crew.wait(task)
    assert (crew.directory(task).path / "spawned.txt").read_text() == "old"


CHILD = """
import subprocess
for number, how in enumerate([["-m", "helper"], ["-c", "import helper; print(helper.NAME)"]]):
    Path(f"child{number}.txt").write_text(subprocess.check_output([sys.executable, *how], text=True))
"""


@pytest.mark.parametrize("way", ["a .pth file", "a finder"])
def test_programs_that_a_job_starts_import_the_snapshot_of_an_editable_project(
    way: str, crew: Crew, project: Path, tmp_path: Path
) -> None:
    (project / "helper.py").write_text('NAME = "old"\nif __name__ == "__main__":\n    print(NAME)\n')
    task, code = study(CHILD), kept(crew, project)
    crew.submit(task, options=code.options)
    (project / "helper.py").write_text('NAME = "live"\nif __name__ == "__main__":\n    print(NAME)\n')
    site = tmp_path / "site"
    site.mkdir()
    finder = FINDER.replace("PROJECT", str(project)).replace("insert(0, Finder)", "append(Finder)")
    pth = f"import sys; sys.path.append({str(project)!r})"
    (site / "sitecustomize.py").write_text({"a .pth file": pth, "a finder": finder}[way])
    crew.start("--burst", env={"PYTHONPATH": str(site)})
    crew.wait(task)
    children = [(crew.directory(task).path / f"child{number}.txt").read_text() for number in range(2)]
    assert children == ["old\n", "old\n"]


@pytest.mark.parametrize("way", ["--pythonpath", "PYTHONPATH", "a .pth file", "a finder"])
def test_another_checkout_that_the_worker_knows_does_not_win(
    way: str, crew: Crew, project: Path, tmp_path: Path
) -> None:
    (project / "helper.py").write_text('NAME = "old"\nif __name__ == "__main__":\n    print(NAME)\n')
    code, by_path, by_finder = kept(crew, project), study(CHILD), study(f"{CHILD}\n# by a finder")
    crew.submit(by_path, options=code.options)
    sys.path.remove(str(project))
    try:
        crew.submit(by_finder, options=code.options)
    finally:
        sys.path.insert(0, str(project))
    checkout, site = tmp_path / "checkout", tmp_path / "site"
    shutil.copytree(project, checkout)
    edit(checkout)
    site.mkdir()
    finder = FINDER.replace("PROJECT", str(checkout)).replace("insert(0, Finder)", "append(Finder)")
    pth = f"import sys; sys.path.append({str(checkout)!r})"
    (site / "sitecustomize.py").write_text({"a .pth file": pth, "a finder": finder}.get(way, ""))
    options = ["--pythonpath", str(checkout)] if way == "--pythonpath" else []
    crew.start("--burst", *options, env={"PYTHONPATH": str(checkout if way == "PYTHONPATH" else site)})
    for task in (by_path, by_finder):
        crew.wait(task)
        found = seen(crew, task)
        assert (found["helper"], found["data"]) == ("old", "old")
        assert not [file for file in found["files"] if file.startswith(f"{checkout}/")]
        children = [(crew.directory(task).path / f"child{number}.txt").read_text() for number in range(2)]
        assert children == ["old\n", "old\n"]


def test_jobs_of_one_daemon_run_each_its_own_snapshot_though_they_share_a_template(crew: Crew, project: Path) -> None:
    worker = crew.started()
    tasks = []
    for number in range(4):
        (project / "helper.py").write_text(f'NAME = "{number}"' + "#" * number + "\n")
        task = study(f"number = {number}")
        crew.submit(task, options=kept(crew, project).options)
        tasks.append(task)
    for number, task in enumerate(tasks):
        crew.wait(task)
        assert seen(crew, task)["helper"] == str(number)
    live = study("live = True")
    crew.submit(live)
    crew.wait(live)
    assert seen(crew, live)["helper"] == "3"
    assert "refused" not in worker.log


LAZY = "import lib.lazy"


@pytest.mark.parametrize("first", [True, False])
def test_a_module_that_only_the_project_has_fails_the_job_and_names_the_include_line(
    first: bool, residents: Crew, project: Path
) -> None:
    (project / "lib").mkdir()
    (project / "lib" / "__init__.py").write_text("")
    (project / "lib" / "lazy.py").write_text("")
    if first:
        (project / "study.py").write_text(f"{LAZY}\n{STUDY}")
    task = study("" if first else LAZY)
    (project / "lib" / "lazy.py").rename(project / "lazy.py")
    code = kept(residents, project)
    (project / "lazy.py").rename(project / "lib" / "lazy.py")
    directory = residents.run(task, State.FAILED, options=code.options)
    error = residents.job(task).error
    assert error is not None
    line = f'{project}/pyproject.toml: [tool.xpm.snapshot] include = ["lib/lazy.py"]'
    assert line in error["message"]
    assert line in directory.err.read_text()
    assert residents.record(task)["reason"] == "failed"
    assert residents.job(task).attempts == 1


def test_a_module_that_nobody_has_is_refused_and_nothing_is_claimed(residents: Crew, project: Path) -> None:
    (project / "lazy.py").write_text("")
    (project / "study.py").write_text(f"import lazy\n{STUDY}")
    task = study()
    (project / "lazy.py").unlink()
    residents.run(task, State.FAILED, options=kept(residents, project).options)
    error = residents.job(task).error
    assert error is not None
    assert "include" not in error["message"]
    assert f"{project} (snapshot " in error["message"]
    assert residents.record(task)["reason"] == "refused"


def test_a_file_that_only_the_project_has_names_the_include_line(residents: Crew, project: Path) -> None:
    task, code = study('(here / "data" / "more.csv").read_text()'), kept(residents, project)
    (project / "data").mkdir()
    (project / "data" / "more.csv").write_text("")
    directory = residents.run(task, State.FAILED, options=code.options)
    assert 'include = ["data/more.csv"]' in directory.err.read_text()
    other = study('(here / "data" / "less.csv").read_text()')
    directory = residents.run(other, State.FAILED, options=code.options)
    assert "include" not in directory.err.read_text()


def test_a_traceback_names_the_project_and_shows_the_lines_that_ran(residents: Crew, project: Path) -> None:
    source = (project / "study.py").read_text()
    (project / "study.py").write_text(source.replace("exec(self.what)", "raise ValueError(self.what)  # as it was"))
    task, code = study("no"), kept(residents, project)
    job = residents.submission(task, options=code.options)
    edit(project)
    residents.hand_in(job)
    residents.wait(task, State.FAILED)
    error = residents.record(task)["error"]
    assert error["file"] == f"{project}/study.py"
    assert error["frames"][-1]["code"] == "raise ValueError(self.what)  # as it was"
    log = residents.directory(task).err.read_text()
    assert f'File "{project}/study.py", line {error["line"]}' in log
    assert "# as it was" in log


@pytest.mark.skipif(os.geteuid() != 0, reason="others cannot write there")
def test_a_job_that_writes_into_its_code_as_root_is_noticed_by_the_next(crew: Crew, project: Path) -> None:
    code = kept(crew, project)
    worker = crew.started()
    crew.submit(task := study('(here / "out.txt").write_text("")'), options=code.options)
    crew.wait(task)
    assert "out.txt" not in worker.log
    crew.submit(task := study(), options=code.options)
    crew.wait(task)
    assert "modules/out.txt was added; it is copied anew" in worker.log


def run_job(**more: Any) -> RunJob:
    values: dict[str, Any] = dict.fromkeys(RunJob._fields, "")
    return RunJob(**{**values, "snapshot": "8c1f2e0" + "0" * 57, **more})


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_an_error_of_a_write_into_the_code_says_that_it_is_read_only(number: int, tmp_path: Path) -> None:
    job = run_job(code={"/home/me/digits": str(tmp_path)})
    error = OSError(number, "no", str(tmp_path / "out.txt"))
    assert kept_code.hint(job, error).startswith("/home/me/digits/out.txt is code of the job, which is read-only.")
    assert kept_code.hint(job, OSError(number, "no", "/elsewhere/out.txt")) == ""
    assert kept_code.hint(run_job(code={}), error) == ""


def test_a_path_in_the_words_of_an_error_is_found(tmp_path: Path) -> None:
    live, here = tmp_path / "live", tmp_path / "here"
    for each in (live, here):
        each.mkdir()
    (live / "x.h5").write_text("")
    job = run_job(code={str(live): str(here)})
    error = FileNotFoundError(f"[Errno 2] Unable to open file (name = '{here}/x.h5', errno = 2)")
    assert 'include = ["x.h5"]' in kept_code.hint(job, error)
    chained = RuntimeError("cannot load")
    chained.__cause__ = error
    assert 'include = ["x.h5"]' in kept_code.hint(job, chained)


def test_files_in_a_summary_are_named_by_where_they_were() -> None:
    code = MovedCode({"/home/me/digits": "/tmp/x/digits"})
    summary = {**failure.from_text("A", "b"), "file": "/tmp/x/digits/a.py", "frames": [{"file": "/tmp/x/digits/b.py"}]}
    assert kept_code.placed(summary, code)["file"] == "/home/me/digits/a.py"
    assert kept_code.placed(summary, code)["frames"] == [{"file": "/home/me/digits/b.py"}]


# -- what cannot be had ------------------------------------------------------------------------------------------------


def _damage(path: Path) -> None:
    os.chmod(path, 0o600)
    path.write_text("x")


@pytest.mark.parametrize(("what", "harm"), [("damaged", _damage), ("missing", Path.unlink)])
def test_code_that_is_missing_or_damaged_fails_the_job_once_with_one_error(
    what: str, harm: Callable[[Path], None], crew: Crew, project: Path
) -> None:
    task, code = study(), kept(crew, project)
    harm(Path(code.store.object_path(code.manifest.files[0].digest)))
    worker = crew.started()
    crew.submit(task, options=code.options)
    crew.wait(task, State.FAILED)
    job = crew.job(task)
    assert job.error is not None
    assert (job.error["type"], job.attempts) == ("SnapshotError", 1)
    assert what in job.error["message"]
    assert "Run the script again" in job.error["message"]
    assert worker.log.count("SnapshotError") == 1


def test_a_machine_without_room_leaves_the_job_to_another_and_why_says_so(
    crew: Crew, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    task, code = study(), kept(crew, project)
    first = crew.started("--name", "full", env={"XPM_SNAPSHOT_FOLDER": str(tmp_path / "file")})
    crew.submit(task, options=code.options)
    wait_until(lambda: "cannot hold the code of its jobs" in first.log, show=lambda: first.log)
    wait_until(lambda: crew.state(task) is State.READY)
    assert crew.job(task).attempts == 0
    reason = ReasonReader(crew.client, crew.workspace.id).reason(crew.job(task).identity)
    assert isinstance(reason, Refused)
    assert f"cannot hold the code of its jobs: {tmp_path}/file: expected a folder" in str(reason.problems)
    crew.started("--name", "roomy")
    crew.wait(task)
    assert crew.record(task)["worker"].startswith("roomy")
    assert first.log.count("cannot hold") < 10


def test_a_machine_that_has_room_again_runs_the_job(crew: Crew, project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    task, code = study(), kept(crew, project)
    worker = crew.started(env={"XPM_SNAPSHOT_FOLDER": str(tmp_path / "file")})
    crew.submit(task, options=code.options)
    wait_until(lambda: "cannot hold the code of its jobs" in worker.log, show=lambda: worker.log)
    (tmp_path / "file").unlink()
    crew.wait(task)
    assert not crew.client.keys("*:refusals:*")
