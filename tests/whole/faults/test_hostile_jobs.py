"""Jobs that do what no job should: each comes to a defined end, and its worker goes on."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import hostile_tasks as hostile
import pytest
import worker_tasks as tasks
from helpers.daemons import Crew, Worker
from helpers.waiting import wait_until

from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.states import State
from xpm_core.workspace.job_records import Marker
from xpm_core.workspace.workspace import Workspace

pytestmark = [pytest.mark.redis, pytest.mark.faults]

MB = 10**6


def goes_on(crew: Crew, worker: Worker) -> None:
    """The same worker runs the next job."""
    pid = worker.slots()[0].pid
    crew.submit(task := tasks.Write.C(note="afterwards"))
    crew.wait(task)
    wait_until(lambda: crew.directory(task).marker() is not None)
    assert worker.slots()[0].pid == pid


# -- much to print -----------------------------------------------------------------------------------------------------


def test_of_a_gigabyte_on_stdout_a_hundred_megabytes_are_kept(crew: Crew) -> None:
    worker = crew.started()
    crew.submit(task := hostile.Print.C(megabytes=1000))
    crew.wait(task, timeout_s=120)
    out = crew.directory(task).out
    assert out.stat().st_size <= 100 * MB
    with open(out, "rb") as file:
        assert [file.readline()[:15] for _ in range(2)] == [b"the first line\n", b"block 000000 xx"]
        file.seek(-400, os.SEEK_END)
        *_, before, last = file.read().splitlines()
    assert (before[:12], last) == (b"block 000999", b"the last line")
    found = subprocess.run(["grep", "--text", "MB are left out here", out], capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("a log may have 100 MB]")
    goes_on(crew, worker)


def test_the_error_of_a_job_that_printed_too_much_stands_at_the_end_of_its_log(crew: Crew) -> None:
    worker = crew.started("--max-log", "2")
    crew.submit(task := hostile.Print.C(megabytes=20, fails=True))
    assert crew.wait(task, State.FAILED).error["message"] == "after all that"
    directory = crew.directory(task)
    assert directory.out.stat().st_size <= 2 * MB
    assert directory.err.stat().st_size <= 2 * MB
    assert directory.err.read_text().endswith("ValueError: after all that\n")
    goes_on(crew, worker)


@pytest.mark.parametrize(("options", "env"), [(["--max-log", "0"], {}), ([], {"XPM_MAX_LOG": "0"})])
def test_logs_may_have_any_size_where_that_is_wanted(crew: Crew, options: list[str], env: dict[str, str]) -> None:
    crew.submit(task := hostile.Print.C(megabytes=120))
    crew.start("--burst", *options, env=env)
    crew.wait(task)
    assert crew.directory(task).out.stat().st_size > 120 * MB


# -- its own directory -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", [False, True])
def test_a_job_that_deleted_its_directory_is_not_done(crew: Crew, fails: bool) -> None:
    worker = crew.started()
    crew.submit(task := hostile.DeleteOwnDirectory.C(fails=fails))
    message = crew.wait(task, State.FAILED).error["message"]
    lost = "its record cannot be written: no such file or directory. A folder on its path was removed: "
    assert message == ("the directory is gone" if fails else f"{lost}run the job or script again.")
    assert not crew.directory(task).path.exists()
    wait_until(lambda: message in worker.log, show=lambda: worker.log)
    goes_on(crew, worker)


def test_a_job_whose_record_cannot_be_written_is_not_done(crew: Crew) -> None:
    worker = crew.started()
    crew.submit(task := hostile.SpoilRecords.C(note="x"))
    message = crew.wait(task, State.FAILED).error["message"]
    assert message == "its record cannot be written: not a directory. Move the file that stands in the way."
    assert (crew.directory(task).records(), crew.directory(task).marker()) == ([], None)
    goes_on(crew, worker)


def test_a_job_that_could_not_be_run_again_is_not_done(crew: Crew) -> None:
    worker = crew.started()
    crew.submit(task := hostile.SpoilHanded.C(note="x"))
    message = crew.wait(task, State.FAILED).error["message"]
    assert message == "its record cannot be written: is a directory. Move the folder of that name."
    wait_until(lambda: crew.directory(task).marker() is not None)
    assert crew.directory(task).marker() == Marker("failed", crew.job(task).execution)
    (record,) = crew.directory(task).records()
    assert (record["reason"], record["error"]["message"], record["exit_code"]) == ("failed", message, 0)
    goes_on(crew, worker)


@pytest.mark.parametrize("kind", ["gone", "noise", "folder"])
def test_a_job_runs_again_whatever_became_of_its_parameters(crew: Crew, kind: str) -> None:
    worker = crew.started()
    crew.submit(task := hostile.BreakParameters.C(kind=kind))
    crew.wait(task, State.FAILED)
    program = [Path(sysconfig.get_path("scripts"), "xpm"), "show", crew.directory(task).identity[:9]]
    environment = {**os.environ, "XPM_REDIS_URL": crew.url, "XPM_WORKSPACE": str(crew.workspace.path)}
    shown = subprocess.run(program, capture_output=True, text=True, env=environment)
    assert ("no good" in shown.stdout, shown.stderr) == (True, "")
    crew.store.retry(crew.directory(task).identity)
    wait_until(lambda: crew.job(task).attempts == 2 and crew.state(task) is State.FAILED)
    assert crew.job(task).error["message"] == "no good"
    goes_on(crew, worker)


# -- a full disk -------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB. Only root can mount one, and in some containers not even root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], capture_output=True, text=True)
    if mount.returncode:
        pytest.skip(f"cannot mount a file system: {mount.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def cramped(small_disk: Path, redis_url: str, tmp_path: Path) -> Iterator[Crew]:
    """A crew whose workspace is on a small disk; logs of workers are elsewhere."""
    crew = Crew(Workspace.open(small_disk / "workspace"), redis_url, tmp_path)
    yield crew
    crew.dismiss()


def test_a_job_that_fills_the_disk_fails_with_that_reason_and_the_next_is_told_what_to_do(cramped: Crew) -> None:
    worker = cramped.started()
    cramped.submit(task := hostile.FillDisk.C(swallows=False))
    error = cramped.wait(task, State.FAILED).error
    assert (error["type"], error["function"]) == ("OSError", "execute")
    assert "No space left on device" in error["message"]
    cramped.submit(other := tasks.Write.C(note="no room"))
    error = cramped.wait(other, State.FAILED).error
    assert error["type"].endswith(("WorkspaceError", "OSError"))
    assert "no space left" in error["message"].lower()
    (cramped.directory(task).path / "large").unlink()
    goes_on(cramped, worker)


def test_a_job_that_swallows_a_full_disk_is_not_done_and_runs_again_once_there_is_room(cramped: Crew) -> None:
    worker = cramped.started()
    cramped.submit(task := hostile.FillDisk.C(swallows=True))
    message = cramped.wait(task, State.FAILED).error["message"]
    assert message == "its record cannot be written: no space left on device. Free some space there."
    assert Reader(cramped.client, cramped.workspace.id).workers.read(server_time(cramped.client))[0].alive
    (cramped.directory(task).path / "large").unlink()
    goes_on(cramped, worker)
    cramped.store.retry(cramped.directory(task).identity)
    wait_until(lambda: (cramped.job(task).attempts, cramped.state(task)) == (2, State.FAILED))
