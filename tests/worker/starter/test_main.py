"""Starters without a server: what they run, how they guard it, and what they say."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import worker_tasks as tasks
from helpers.daemons import alive, frozen
from helpers.waiting import PATIENCE_S, wait_until

from xpm_core.config import Task
from xpm_core.identity import seal, task_id
from xpm_core.wire import payload
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import Ended, Hello, Message, Relay, Renewed, Run, Started, Stop
from xpm_worker.starter import fork_server
from xpm_worker.starter.main import RELAY_S
from xpm_worker.system import clock, kernel, marks
from xpm_worker.template import rehearsal
from xpm_worker.template.main import PLAIN_NAME

NEVER = Path("/nonexistent")


class Desk:
    """A worker's side of a starter."""

    def __init__(self, control: socket.socket, workspace: Workspace) -> None:
        self.workspace = workspace
        self.channel = Channel(fork_server.ask(control))
        self._heard: list[Message] = []
        self.hello = self.hear(Hello)
        self._count = 0

    def hear(self, kind: type[Any], timeout_s: float = PATIENCE_S) -> Any:
        """The next message of a kind."""
        while True:
            for number, message in enumerate(self._heard):
                if isinstance(message, kind):
                    return self._heard.pop(number)
            assert not self.channel.closed, "the starter is gone"
            assert select.select([self.channel], [], [], timeout_s)[0], f"no {kind.__name__} within {timeout_s:g} s"
            self._heard += self.channel.receive()

    def directory(self, task: Task) -> JobDirectory:
        return self.workspace.job(task_id(type(task)), seal(task))

    def start(self, task: Task, **more: Any) -> Run:
        """Tell the starter to run a task."""
        self._count += 1
        identity, name = seal(task), task_id(type(task))
        fields: dict[str, Any] = {
            "execution": f"e{self._count}",
            "identity": identity,
            "task": name,
            "label": f"{type(task).__name__}/{identity[:7]}",
            "workspace": str(self.workspace.path),
            "directory": self.workspace.directory_of(name, identity),
            "payload": payload.pack(task, self.workspace.path),
            "attempt": 1,
            "resumable": False,
            "template": True,
            "env": {},
            "timeout_s": None,
            "lease_until": clock.boot_time() + 600,
            "worker": "w1",
            "host": "node1",
        }
        run = Run(**{**fields, **more})
        self.channel.send(run)
        while self.channel.pending:
            select.select([], [self.channel], [])
            self.channel.flush()
        return run

    def run(self, task: Task, **more: Any) -> Ended:
        """Run a task to its end."""
        self.start(task, **more)
        ended = self.hear(Ended)
        assert isinstance(ended, Ended)
        self._heard = [message for message in self._heard if not isinstance(message, Started)]  # told of a slow one
        return ended

    def started(self, task: tasks.Wait, **more: Any) -> tuple[Run, psutil.Process]:
        """Run a task, and wait until its code does."""
        run = self.start(task, **more)
        while (word := self.hear(Started)).execution != run.execution:
            pass  # it is of one that ran before
        process = psutil.Process(word.pid)
        wait_until((self.directory(task).path / "pid").exists)
        return run, process


@pytest.fixture
def mother() -> Iterator[socket.socket]:
    """The way to a mother."""
    ours, hers = socket.socketpair()
    process = fork_server.start_mother(hers, fork_server.clean_environment(os.environ, ""))
    hers.close()
    yield ours
    ours.close()
    assert process.wait(PATIENCE_S) == 0


@pytest.fixture
def desk(mother: socket.socket, workspace: Workspace) -> Iterator[Desk]:
    desk = Desk(mother, workspace)
    yield desk
    desk.channel.close()


def helpers(desk: Desk) -> set[int]:
    """The starter's template that forks for it, and what stands by."""
    return {each.pid for name in (PLAIN_NAME, kernel.STANDBY_NAME) for each in children(desk, name)}


def children(desk: Desk, name: str) -> list[psutil.Process]:
    """The starter's children of a name."""
    found = []
    for each in psutil.Process(desk.hello.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # one that a template has forked on the way
            if each.name() == name:
                found.append(each)
    return found


def carriers(desk: Desk) -> set[int]:
    return {pid for pid, mark in marks.marked() if mark == desk.hello.mark}


def test_a_mother_sweeps_what_killed_rehearsals_left(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (left := tmp_path / f"{rehearsal.NAME}-{gone.pid}-00").mkdir()
    ours, hers = socket.socketpair()
    with ours, hers:
        process = fork_server.start_mother(
            hers, fork_server.clean_environment(os.environ | {"TMPDIR": str(tmp_path)}, "")
        )
    assert process.wait(PATIENCE_S) == 0
    assert not left.exists()


# -- running -----------------------------------------------------------------------------------------------------------


def test_jobs_run_one_after_the_other_in_processes_of_their_own(desk: Desk) -> None:
    reasons = [desk.run(tasks.Write.C(note=f"n{n}")).reason for n in range(3)]
    assert reasons == ["done"] * 3
    pids = {desk.directory(tasks.Write.C(note=f"n{n}")).records()[0]["pid"] for n in range(3)}
    assert len(pids) == 3


def test_a_retry_starts_in_an_empty_directory_and_appends_to_the_logs(desk: Desk) -> None:
    task = tasks.Write.C(note="x")
    desk.run(task)
    (desk.directory(task).path / "left").touch()
    desk.run(task, attempt=2)
    directory = desk.directory(task)
    assert not (directory.path / "left").exists()
    assert directory.out.read_text() == "out x\n" * 2
    assert [record["number"] for record in directory.records()] == [1, 2]


def test_an_error_in_an_exit_handler_is_logged_and_changes_nothing_as_in_python(desk: Desk) -> None:
    task = tasks.FailAtExit.C(note="x")
    assert desk.run(task).reason == "done"
    assert "ValueError: too late" in desk.directory(task).err.read_text()


def test_what_cannot_be_flushed_fails_the_job(desk: Desk) -> None:
    ended = desk.run(tasks.FillUp.C(note="x"))
    assert ended.reason == "failed"
    assert ended.error is not None
    assert ended.error["type"] == "OSError"


def test_a_job_whose_record_cannot_be_written_is_not_done(desk: Desk, tmp_path: Path) -> None:
    desk.started(task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    psutil.Process(desk.hello.pid).rlimit(psutil.RLIMIT_FSIZE, (0, 0))  # as with a quota that is used up
    (tmp_path / "go").touch()
    ended = desk.hear(Ended)
    assert (ended.reason, ended.exit_code) == ("failed", 0)
    lost = "its record cannot be written: file too large. See to the file system, then try again."
    assert ended.error["message"] == lost
    assert desk.directory(task).records() == []


def test_threads_and_exit_handlers_are_waited_for(desk: Desk) -> None:
    task = tasks.Lasting.C(note="x")
    assert desk.run(task).reason == "done"
    assert sorted(os.listdir(desk.directory(task).path / "late")) == ["handler", "thread"]


def test_a_job_that_closes_its_streams_is_recorded_all_the_same(desk: Desk) -> None:
    task = tasks.CloseAll.C(note="x")
    ended = desk.run(task)
    assert (ended.reason, ended.exit_code) == ("failed", 1)
    assert "ValueError: after closing" in desk.directory(task).err.read_text()
    assert (desk.directory(task).path / "own").read_text() == "mine", "no message went into a file that took its number"


def test_a_payload_that_is_no_payload_fails_its_job(desk: Desk) -> None:
    ended = desk.run(tasks.Write.C(note="x"), payload=b"nonsense")
    assert ended.reason == "failed"
    assert ended.error is not None
    assert ended.error["type"] == "xpm_core.errors.PayloadError"


def test_a_directory_that_cannot_be_made_fails_its_job(desk: Desk) -> None:
    (desk.workspace.path / "jobs").write_text("in the way")
    ended = desk.run(tasks.Write.C(note="x"))
    assert (ended.reason, ended.error and ended.error["type"]) == ("failed", "WorkspaceError")


def test_a_directory_outside_of_the_workspace_is_not_followed(desk: Desk) -> None:
    ended = desk.run(tasks.Write.C(note="x"), directory="../elsewhere")
    assert (ended.reason, ended.error and ended.error["type"]) == ("failed", "WorkspacePathError")


SPAWNING = """
import socket, sys
from xpm_worker.starter import launch, main, templates
from xpm_worker.system import kernel
launch.SPAWN = main.SPAWN = templates.SPAWN = True
kernel.adopt_orphans()
main.SlotStarter(socket.socket(fileno=int(sys.argv[1])), "").serve()
"""


def test_where_fork_is_unsafe_a_job_gets_a_fresh_interpreter(
    monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    ours, theirs = socket.socketpair()
    with subprocess.Popen([sys.executable, "-c", SPAWNING, str(theirs.fileno())], pass_fds=[theirs.fileno()]):
        theirs.close()
        monkeypatch.setattr(fork_server, "ask", lambda _: ours)
        desk = Desk(ours, workspace)
        assert desk.run(tasks.Look.C(note="x")).reason == "done"
        assert desk.run(tasks.Fail.C(note="x")).error is not None
        assert not children(desk, PLAIN_NAME), "nothing is forked"
        desk.channel.close()


# -- the guard ---------------------------------------------------------------------------------------------------------


def test_a_job_is_frozen_when_its_lease_ends_and_goes_on_when_it_is_renewed(desk: Desk, tmp_path: Path) -> None:
    task = tasks.Wait.C(note="x", until=tmp_path / "go")
    run, process = desk.started(task)
    desk.channel.send(Renewed(run.execution, clock.boot_time() + 0.2))
    wait_until(lambda: frozen(process))
    desk.channel.send(Renewed(run.execution, clock.boot_time() + 600))
    wait_until(lambda: not frozen(process))
    (tmp_path / "go").touch()
    assert desk.hear(Ended).reason == "done"


def test_what_a_job_has_forked_is_frozen_with_it(desk: Desk) -> None:
    task = tasks.Daemonize.C(until=NEVER)
    run = desk.start(task)
    daemon = desk.directory(task).path / "daemon"
    wait_until(lambda: daemon.exists() and daemon.read_text())
    left_behind = psutil.Process(int(daemon.read_text()))
    desk.channel.send(Renewed(run.execution, clock.boot_time()))
    wait_until(lambda: frozen(left_behind))
    desk.channel.send(Renewed(run.execution, clock.boot_time() + 600))
    wait_until(lambda: not frozen(left_behind))
    desk.channel.send(Stop(run.execution, "cancelled", 0.0))
    assert desk.hear(Ended).reason == "cancelled"
    assert not alive(left_behind)


def test_a_job_whose_lease_ended_before_it_began_does_not_begin(desk: Desk, tmp_path: Path) -> None:
    task = tasks.Wait.C(note="x", until=tmp_path)
    run = desk.start(task, lease_until=clock.boot_time())
    directory = desk.directory(task)
    wait_until(lambda: (directory.path / ".xpm").exists())
    assert not directory.out.exists()
    desk.channel.send(Renewed(run.execution, clock.boot_time() + 600))
    assert desk.hear(Ended).reason == "done"


def test_time_that_a_job_was_frozen_does_not_count_against_its_limit(desk: Desk, tmp_path: Path) -> None:
    task = tasks.Wait.C(note="x", until=tmp_path / "go")
    run, process = desk.started(task, timeout_s=2.0)
    desk.channel.send(Renewed(run.execution, clock.boot_time()))
    wait_until(lambda: frozen(process))
    frozen_at = clock.boot_time()
    wait_until(lambda: clock.boot_time() > frozen_at + 2.0)
    desk.channel.send(Renewed(run.execution, clock.boot_time() + 600))
    wait_until(lambda: not frozen(process))
    (tmp_path / "go").touch()
    assert desk.hear(Ended).reason == "done"


def test_a_frozen_job_can_be_killed(desk: Desk) -> None:
    run, process = desk.started(tasks.Wait.C(note="x", until=NEVER))
    desk.channel.send(Renewed(run.execution, clock.boot_time()))
    wait_until(lambda: frozen(process))
    desk.channel.send(Stop(run.execution, "lost", 0.0))
    assert desk.hear(Ended).reason == "lost"


def test_a_job_that_ends_within_the_grace_by_returning_is_done(desk: Desk, tmp_path: Path) -> None:
    task = tasks.Graceful.C(note="x")
    run = desk.start(task)
    wait_until((desk.directory(task).path / "ready").exists)
    desk.channel.send(Stop(run.execution, "released", 60.0))
    assert desk.hear(Ended).reason == "done"


def test_a_job_that_exits_with_0_on_sigterm_is_not_done(desk: Desk) -> None:
    task = tasks.Graceful.C(note="exit")
    run = desk.start(task)
    wait_until((desk.directory(task).path / "ready").exists)
    desk.channel.send(Stop(run.execution, "released", 60.0))
    assert desk.hear(Ended).reason == "released"


def test_the_end_of_the_worker_kills_the_job_and_the_starter(mother: socket.socket, workspace: Workspace) -> None:
    desk = Desk(mother, workspace)
    _, process = desk.started(task := tasks.Wait.C(note="x", until=NEVER))
    desk.channel.close()
    wait_until(lambda: not alive(process))
    wait_until(lambda: not psutil.pid_exists(desk.hello.pid))
    assert desk.directory(task).records()[0]["reason"] == "lost"


def test_each_starter_has_its_own_mark_which_its_descendants_carry(mother: socket.socket, workspace: Workspace) -> None:
    first, second = Desk(mother, workspace), Desk(mother, workspace)
    both = {first.hello.mark, second.hello.mark}
    assert len(both) == 2
    assert all(len(mark) == 32 and mark != marks.BLANK_MARK for mark in both)
    first.run(tasks.Write.C(note="x"), template=False)
    _, process = first.started(tasks.Wait.C(note="x", until=NEVER))
    wait_until(lambda: len(helpers(first)) == 2)  # the second that stands by: its template has rehearsed before
    wait_until(lambda: carriers(first) == {first.hello.pid, process.pid, *helpers(first)})
    assert marks.sweep(first.hello.mark) == 4, "the starter, its template, what stands by, and the job"
    assert not alive(process)
    for each in (first, second):
        each.channel.close()


# -- standing by -------------------------------------------------------------------------------------------------------


def standby(desk: Desk) -> psutil.Process:
    """The process that waits for the next job."""
    wait_until(lambda: children(desk, kernel.STANDBY_NAME))
    return children(desk, kernel.STANDBY_NAME)[0]


def test_a_job_gets_a_process_that_stood_by_and_the_next_one_another(desk: Desk, tmp_path: Path) -> None:
    desk.run(tasks.Wait.C(note="the first of its task", until=desk.workspace.path))
    first = standby(desk)
    _, process = desk.started(tasks.Wait.C(note="x", until=NEVER))
    assert process == first
    assert process.name() == kernel.JOB_NAME
    assert standby(desk) != first
    process.kill()
    assert desk.hear(Ended).reason == "killed"
    assert alive(standby(desk)), "it is no leftover of that job"


@pytest.mark.parametrize("name", [kernel.STANDBY_NAME, PLAIN_NAME])
def test_one_that_stands_by_and_dies_costs_no_job_anything(desk: Desk, name: str) -> None:
    standby(desk)
    found = children(desk, name)
    for each in found:
        each.kill()
    wait_until(lambda: not any(map(alive, found)))
    reasons = [desk.run(tasks.Write.C(note=f"n{n}")).reason for n in range(3)]
    assert reasons == ["done"] * 3


def test_sigterm_to_one_that_stands_by_costs_no_job_anything(desk: Desk) -> None:
    process = standby(desk)
    process.send_signal(signal.SIGTERM)
    wait_until(lambda: not alive(process))
    assert desk.run(tasks.Write.C(note="x")).reason == "done"


def test_a_job_runs_though_no_process_can_be_started_for_the_next_one(desk: Desk) -> None:
    process = standby(desk)
    starter_process = psutil.Process(desk.hello.pid)
    taken = {int(name) for name in os.listdir(f"/proc/{starter_process.pid}/fd")}
    spare = next(fd for fd in range(max(taken) + 2) if fd not in taken)
    limit = next(fd for fd in range(spare + 1, max(taken) + 3) if fd not in taken)
    starter_process.rlimit(psutil.RLIMIT_NOFILE, (limit, limit))  # one more descriptor, and a pair needs two
    task = tasks.Write.C(note="x")
    assert desk.run(task).reason == "done"
    assert desk.directory(task).records()[0]["pid"] == process.pid


def test_a_job_that_is_larger_than_a_socket_holds_reaches_its_process(desk: Desk) -> None:
    task = tasks.Write.C(note="x" * 3_000_000)
    assert desk.run(task).reason == "done"
    assert len(desk.directory(task).out.read_text()) == 3_000_005


def test_sigterm_before_the_job_has_begun_ends_it_all_the_same(desk: Desk) -> None:
    run = desk.start(tasks.Wait.C(note="x", until=NEVER))
    desk.channel.send(Stop(run.execution, "cancelled", 30.0))
    assert desk.hear(Ended).reason == "cancelled"


# -- what a job tells while it runs ------------------------------------------------------------------------------------


def test_what_a_job_tells_reaches_the_worker_at_a_bounded_rate(desk: Desk) -> None:
    ended = desk.run(tasks.Tell.C(words=2000))
    assert ended.reason == "done"
    relays = [message for message in desk._heard if isinstance(message, Relay)]
    assert 1 <= len(relays) <= 2 * (2 + ended.seconds / RELAY_S)
    assert {relay.kind for relay in relays} <= {"progress", "note"}


def test_a_job_that_tells_more_than_anyone_reads_is_not_held_up(desk: Desk) -> None:
    starter_process = psutil.Process(desk.hello.pid)
    task = tasks.Tell.C(words=20_000)
    desk.start(task)
    desk.hear(Started)
    starter_process.suspend()
    wait_until((desk.directory(task).path / "told").exists)
    starter_process.resume()
    assert desk.hear(Ended).reason == "done"


def test_nonsense_from_a_job_does_not_harm_its_starter(desk: Desk) -> None:
    assert desk.run(tasks.Babble.C(note="x")).reason == "done"
    assert desk.run(tasks.Write.C(note="x")).reason == "done"


# -- the environment ---------------------------------------------------------------------------------------------------


def test_the_environment_of_jobs_holds_nothing_that_leads_to_redis() -> None:
    url = "redis://user:long-password@head:6379/0"
    environment = {
        "PATH": "/bin",
        "XPM_REDIS_URL": "x",
        "REDIS_URL": "x",
        "RQ_REDIS_URL": "x",
        "CELERY_BROKER": "rediss://other:6379",
        "CACHE": "see valkey://cache",
        "SECRET": "long-password",
        "NOTE": f"we use {url}",
        "DOCKER_HOST": "unix:///var/run/docker.sock",
    }
    kept = fork_server.clean_environment(environment, url)
    assert kept == {"PATH": "/bin", "DOCKER_HOST": "unix:///var/run/docker.sock"}


def test_a_short_password_hides_no_variable_that_merely_contains_it() -> None:
    environment = {"PATH": "/bin", "EQUAL": "bin"}
    assert fork_server.clean_environment(environment, "redis://:bin@head") == {"PATH": "/bin"}


def test_folders_given_to_the_worker_come_first() -> None:
    kept = fork_server.clean_environment({"PYTHONPATH": "/old"}, "", ["/a", "/b"])
    assert kept["PYTHONPATH"] == os.pathsep.join(["/a", "/b", "/old"])


def test_a_starter_does_not_look_for_modules_in_the_working_directory(desk: Desk) -> None:
    desk.run(task := tasks.Look.C(note="x"))
    path = json.loads((desk.directory(task).path / "found.json").read_text())["path"]
    assert "" not in path
    assert os.getcwd() not in path or os.getcwd() in sys.path


def test_signals_that_reach_the_whole_group_leave_starters_alone(desk: Desk) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(desk.hello.pid, number)
    assert desk.run(tasks.Write.C(note="x")).reason == "done"
