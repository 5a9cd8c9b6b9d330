"""What a job leaves open is written before the job is done. If it cannot be written, the job fails."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import leaving_tasks as tasks
import pytest
from helpers.daemons import Crew

from xpm_core.states import State

pytestmark = pytest.mark.redis

TEXT = tasks.TEXT
PLAIN = ("own", "listed", "shared", "deleted", "in a cycle", "finalized", "finalizer", "log", "late", "from C")
EXPECTED = dict.fromkeys([*PLAIN, "zipped", "archive"], TEXT)
PROGRAM = "import leaving_tasks; deeds = leaving_tasks.Deeds()"


def found(folder: Path) -> dict[str, str]:
    """What the task LeaveOpen has left, by file."""
    written = {name: (folder / name).read_text() for name in PLAIN}
    with gzip.open(folder / "zipped.gz", "rt") as zipped, zipfile.ZipFile(folder / "archive.zip") as archive:
        return {**written, "zipped": zipped.read(), "archive": archive.read("member").decode()}


def test_a_plain_program_writes_what_it_left_open(tmp_path: Path) -> None:
    """What is asked of jobs below, is what Python does."""
    environment = {**os.environ, "PYTHONPATH": str(Path(tasks.__file__).parent)}
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, check=True)
    assert found(tmp_path) == EXPECTED


@pytest.mark.parametrize("template", [False, True])
def test_what_a_job_leaves_open_is_written(crew: Crew, template: bool) -> None:
    done, failed = (tasks.LeaveOpen.C(fails=fails) for fails in (False, True))
    crew.submit(done, failed, options={"template": template})
    crew.start("--burst")
    for task, state in ((done, State.DONE), (failed, State.FAILED)):
        crew.wait(task, state)
        assert found(crew.directory(task).path) == EXPECTED
        assert "Exception ignored" not in crew.directory(task).err.read_text()


def test_what_a_thread_has_open_that_never_ends_is_written(residents: Crew) -> None:
    directory = residents.run(tasks.LeaveThread.C(note="x"))
    assert (directory.path / "of a thread").read_text() == TEXT
    assert directory.err.read_text() == ""


@pytest.mark.parametrize("how", ["plain", "zipped", "deleted", "exit handler", "C"])
def test_a_job_is_not_done_if_what_it_left_open_cannot_be_written(residents: Crew, how: str) -> None:
    directory = residents.run(task := tasks.LeaveFull.C(how=how), State.FAILED)
    message = residents.job(task).error["message"]
    assert "no space left on device" in message.lower()
    if how in ("plain", "zipped"):
        refused = "was left open, and cannot be written: no space left on device. Free some space there."
        assert message == f"/dev/full: {refused}"
    assert residents.record(task)["exit_code"] == 1
    assert message in directory.err.read_text()


def test_a_thread_that_holds_what_is_left_open_does_not_hold_the_job(crew: Crew) -> None:
    both = [tasks.Stuck.C(fails=fails) for fails in (False, True)]
    crew.submit(*both)
    worker = crew.start("--burst", env={"XPM_END_TIMEOUT": "0.5"})
    for task in both:
        error = crew.wait(task, State.FAILED).error
        assert error["type"] == "EndTimeout"
        assert error["message"].startswith("what it left open was not written in 0.5 s. ")
        assert ("ValueError: after all that" in crew.directory(task).err.read_text()) is task.fails
    assert worker.left() == 0


def test_a_process_that_a_job_forks_has_no_say_in_its_end(residents: Crew) -> None:
    directory = residents.run(task := tasks.Child.C(note="x"))
    assert (residents.record(task)["error"], directory.err.read_text()) == (None, "")
