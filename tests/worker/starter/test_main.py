"""Starters without a server: jobs run one after the other, and their messages arrive."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import worker_tasks as tasks
from helpers.daemons import alive
from helpers.starter_client import StarterClient
from helpers.waiting import wait_until

from xpm_core.workspace.workspace import Workspace
from xpm_worker.protocol.messages import AttemptEnded, AttemptStarted, StatusUpdate, StopJob
from xpm_worker.slot import starter_link
from xpm_worker.starter.main import UPDATE_S
from xpm_worker.system import kernel, marks
from xpm_worker.template.main import EMPTY_NAME

NEVER = Path("/nonexistent")


def helpers(starter: StarterClient) -> set[int]:
    """The starter's template that forks for it, and what stands by."""
    return {each.pid for name in (EMPTY_NAME, kernel.STANDBY_NAME) for each in children(starter, name)}


def children(starter: StarterClient, name: str) -> list[psutil.Process]:
    """The starter's children of a name."""
    found = []
    for each in psutil.Process(starter.hello.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # one that a template has forked on the way
            if each.name() == name:
                found.append(each)
    return found


def carriers(starter: StarterClient) -> set[int]:
    return {pid for pid, mark in marks.marked() if mark == starter.hello.mark}


def test_jobs_run_one_after_the_other_in_processes_of_their_own(starter: StarterClient) -> None:
    reasons = [starter.run(tasks.Write.C(note=f"n{n}")).reason for n in range(3)]
    assert reasons == ["done"] * 3
    pids = {starter.directory(tasks.Write.C(note=f"n{n}")).records()[0]["pid"] for n in range(3)}
    assert len(pids) == 3


def test_a_retry_starts_in_an_empty_directory_and_appends_to_the_logs(starter: StarterClient) -> None:
    task = tasks.Write.C(note="x")
    starter.run(task)
    (starter.directory(task).path / "left").touch()
    starter.run(task, attempt=2)
    directory = starter.directory(task)
    assert not (directory.path / "left").exists()
    assert directory.out.read_text() == "out x\n" * 2
    assert [record["number"] for record in directory.records()] == [1, 2]


def test_an_error_in_an_exit_handler_is_logged_and_changes_nothing_as_in_python(starter: StarterClient) -> None:
    task = tasks.FailAtExit.C(note="x")
    assert starter.run(task).reason == "done"
    assert "ValueError: too late" in starter.directory(task).err.read_text()


def test_what_cannot_be_flushed_fails_the_job(starter: StarterClient) -> None:
    ended = starter.run(tasks.FillUp.C(note="x"))
    assert ended.reason == "failed"
    assert ended.error is not None
    assert ended.error["type"] == "OSError"


def test_a_job_whose_record_cannot_be_written_is_not_done(starter: StarterClient, tmp_path: Path) -> None:
    starter.started(task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    psutil.Process(starter.hello.pid).rlimit(psutil.RLIMIT_FSIZE, (0, 0))  # as with a quota that is used up
    (tmp_path / "go").touch()
    ended = starter.hear(AttemptEnded)
    assert (ended.reason, ended.exit_code) == ("failed", 0)
    lost = "its record cannot be written: file too large. Check the file system, then try again."
    assert ended.error["message"] == lost
    assert starter.directory(task).records() == []


def test_threads_and_exit_handlers_are_waited_for(starter: StarterClient) -> None:
    task = tasks.Lasting.C(note="x")
    assert starter.run(task).reason == "done"
    assert sorted(os.listdir(starter.directory(task).path / "late")) == ["handler", "thread"]


def test_a_job_that_closes_its_streams_is_recorded_all_the_same(starter: StarterClient) -> None:
    task = tasks.CloseAll.C(note="x")
    ended = starter.run(task)
    assert (ended.reason, ended.exit_code) == ("failed", 1)
    assert "ValueError: after closing" in starter.directory(task).err.read_text()
    assert (starter.directory(task).path / "own").read_text() == "mine", (
        "no message went into a file that took its number"
    )


def test_a_payload_that_is_no_payload_fails_its_job(starter: StarterClient) -> None:
    ended = starter.run(tasks.Write.C(note="x"), payload=b"nonsense")
    assert ended.reason == "failed"
    assert ended.error is not None
    assert ended.error["type"] == "xpm_core.errors.PayloadError"


def test_a_directory_that_cannot_be_made_fails_its_job(starter: StarterClient) -> None:
    (starter.workspace.path / "jobs").write_text("in the way")
    ended = starter.run(tasks.Write.C(note="x"))
    assert (ended.reason, ended.error and ended.error["type"]) == ("failed", "WorkspaceError")


def test_a_directory_outside_of_the_workspace_is_not_followed(starter: StarterClient) -> None:
    ended = starter.run(tasks.Write.C(note="x"), directory="../elsewhere")
    assert (ended.reason, ended.error and ended.error["type"]) == ("failed", "WorkspacePathError")


SPAWNING = """
import socket, sys
from xpm_worker.starter import launch, main, templates
from xpm_worker.system import kernel
launch.SPAWN = main.SPAWN = templates.SPAWN = True
kernel.adopt_orphans()
main.Starter(socket.socket(fileno=int(sys.argv[1])), "").serve()
"""


def test_where_fork_is_unsafe_a_job_gets_a_fresh_interpreter(
    monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-c", SPAWNING, str(theirs.fileno())]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()]), ours:  # `ours` is closed first, which ends the process
        theirs.close()
        monkeypatch.setattr(starter_link, "ask", lambda _: ours)
        starter = StarterClient(ours, workspace)
        assert starter.run(tasks.Look.C(note="x")).reason == "done"
        assert starter.run(tasks.Fail.C(note="x")).error is not None
        assert not children(starter, EMPTY_NAME), "nothing is forked"
        starter.channel.close()


def test_the_end_of_the_worker_kills_the_job_and_the_starter(control: socket.socket, workspace: Workspace) -> None:
    starter = StarterClient(control, workspace)
    _, process = starter.started(task := tasks.Wait.C(note="x", until=NEVER))
    starter.channel.close()
    wait_until(lambda: not alive(process))
    wait_until(lambda: not psutil.pid_exists(starter.hello.pid))
    assert starter.directory(task).records()[0]["reason"] == "lost"


def test_each_starter_has_its_own_mark_which_its_descendants_carry(
    control: socket.socket, workspace: Workspace
) -> None:
    first, second = StarterClient(control, workspace), StarterClient(control, workspace)
    both = {first.hello.mark, second.hello.mark}
    assert len(both) == 2
    assert all(len(mark) == 32 and mark != marks.BLANK_MARK for mark in both)
    first.run(tasks.Write.C(note="x"), template=False)
    _, process = first.started(tasks.Wait.C(note="x", until=NEVER))
    wait_until(lambda: len(helpers(first)) == 2)  # the second that stands by: its template has rehearsed before
    wait_until(lambda: carriers(first) == {first.hello.pid, process.pid, *helpers(first)})
    assert marks.sweep(first.hello.mark) == 4, "the starter, its template, what stands by, and the job"
    wait_until(lambda: not alive(process))  # a killed process has lost its environment before it has ended
    for each in (first, second):
        each.channel.close()


def test_a_job_that_is_larger_than_a_socket_holds_reaches_its_process(starter: StarterClient) -> None:
    task = tasks.Write.C(note="x" * 3_000_000)
    assert starter.run(task).reason == "done"
    assert len(starter.directory(task).out.read_text()) == 3_000_005


def test_sigterm_before_the_job_has_begun_ends_it_all_the_same(starter: StarterClient) -> None:
    run = starter.start(tasks.Wait.C(note="x", until=NEVER))
    starter.channel.send(StopJob(run.execution, "cancelled", 30.0))
    assert starter.hear(AttemptEnded).reason == "cancelled"


def test_what_a_job_tells_reaches_the_worker_at_a_bounded_rate(starter: StarterClient) -> None:
    ended = starter.run(tasks.Tell.C(words=2000))
    assert ended.reason == "done"
    relays = [message for message in starter._heard if isinstance(message, StatusUpdate)]
    assert 1 <= len(relays) <= 2 * (2 + ended.seconds / UPDATE_S)
    assert {relay.kind for relay in relays} <= {"progress", "note"}


def test_a_job_that_tells_more_than_anyone_reads_is_not_held_up(starter: StarterClient) -> None:
    starter_process = psutil.Process(starter.hello.pid)
    task = tasks.Tell.C(words=20_000)
    starter.start(task)
    starter.hear(AttemptStarted)
    starter_process.suspend()
    wait_until((starter.directory(task).path / "told").exists)
    starter_process.resume()
    assert starter.hear(AttemptEnded).reason == "done"


def test_nonsense_from_a_job_does_not_harm_its_starter(starter: StarterClient) -> None:
    assert starter.run(tasks.Babble.C(note="x")).reason == "done"
    assert starter.run(tasks.Write.C(note="x")).reason == "done"
