"""What a job finds in its process, and the record of its end."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
import worker_tasks as tasks
from helpers.daemons import Crew
from helpers.private_server import PrivateServer
from helpers.waiting import wait_until

from xpm_core.identity import task_id
from xpm_core.index.merged import MergedIndex
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.refusals import tag
from xpm_core.workspace.job_records import Marker
from xpm_core.workspace.kept_job import KeptJob

pytestmark = pytest.mark.redis

MB = 10**6

MODULE = """
from xpm_core.config import Param, Task

class Gone(Task):
    x: Param[int]

    def execute(self):
        pass
"""


def test_a_job_runs_in_its_directory_with_its_streams(residents: Crew) -> None:
    task = tasks.Write.C(note="hello")
    directory = residents.run(task)
    assert (directory.path / "result.txt").read_text() == "hello"
    assert (directory.out.read_text(), directory.err.read_text()) == ("out hello\n", "err hello\n")
    (record,) = directory.records()
    assert (record["reason"], record["exit_code"], record["signal"], record["error"]) == ("done", 0, None, None)
    assert record["started_s"] <= record["ended_s"]
    assert directory.marker() == Marker("done", record["execution"])
    assert residents.job(task).execution == record["execution"]
    assert json.loads(directory.params.read_text())["parameters"]["note"] == "hello"


def test_the_memory_on_record_is_the_peak_of_what_was_resident(residents: Crew) -> None:
    residents.run(empty := tasks.Hog.C(megabytes=0))
    residents.run(large := tasks.Hog.C(megabytes=300))
    assert 5 * MB < residents.record(empty)["peak_memory_bytes"] < 100 * MB
    assert 300 * MB < residents.record(large)["peak_memory_bytes"] < 400 * MB


def test_the_memory_on_record_counts_processes_of_the_job_and_what_they_share_once(residents: Crew) -> None:
    residents.run(task := tasks.Hog.C(megabytes=30, shared=60, children=2))
    assert 140 * MB < residents.record(task)["peak_memory_bytes"] < 240 * MB


def test_a_done_job_is_run_again_from_what_its_directory_keeps(crew: Crew) -> None:
    task = tasks.Write.C(note="again")
    given = crew.submission(task, options={"env": {"A": "b"}}, max_losses=2)
    directory = crew.run(task, options={"env": {"A": "b"}}, max_losses=2)
    kept = directory.kept(given.spec.task)
    assert kept == KeptJob(given.spec, list(given.needs), given.retries)
    assert kept.retries.max_losses == 2
    assert kept.spec.options.written == {"env": {"A": "b"}}
    program = [Path(sysconfig.get_path("scripts"), "xpm"), "retry", directory.identity]
    environment = {**os.environ, "XPM_REDIS_URL": crew.url, "XPM_WORKSPACE": str(crew.workspace.path)}
    subprocess.run(program, check=True, capture_output=True, env=environment)
    project = crew.client.hget(keys.job(crew.workspace.id, directory.identity), "project")
    assert project == tag(given.project).encode()
    crew.start("--burst")
    wait_until(lambda: crew.job(task).attempts == 2 and crew.state(task) is State.DONE)
    assert [record["reason"] for record in directory.records()] == ["done", "done"]
    assert (directory.path / "result.txt").read_text() == "again"


def test_an_exception_is_told_with_the_users_own_line(residents: Crew) -> None:
    task = tasks.Fail.C(note="x")
    directory = residents.run(task, State.FAILED)
    (record,) = directory.records()
    error = residents.job(task).error
    assert error is not None
    assert (error["type"], error["message"], error["function"]) == ("ValueError", "no good: x", "inner")
    line = Path(tasks.__file__).read_text().splitlines()[error["line"] - 1]
    assert "raise ValueError" in line
    assert [frame["function"] for frame in record["error"]["frames"]] == ["execute", "inner"]
    assert (record["reason"], record["exit_code"]) == ("failed", 1)
    log = directory.err.read_text()
    assert log.startswith("Traceback")
    assert "ValueError: no good: x" in log
    assert "xpm_worker" not in log
    assert directory.marker() == Marker("failed", record["execution"])


@pytest.mark.parametrize(("code", "state"), [(0, State.DONE), (3, State.FAILED)])
def test_sys_exit_is_taken_as_python_takes_it(residents: Crew, code: int, state: State) -> None:
    task = tasks.Exit.C(code=code)
    residents.run(task, state)
    assert residents.record(task)["exit_code"] == code
    assert (residents.record(task)["error"] or {}).get("message") == (f"exit code {code}" if code else None)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_signal_that_ends_a_job_is_named(residents: Crew, number: signal.Signals) -> None:
    task = tasks.Signal.C(number=int(number))
    residents.run(task, State.FAILED)
    record = residents.record(task)
    assert (record["reason"], record["signal"], record["exit_code"]) == ("killed", number, None)
    assert record["error"]["message"].split(", ")[0] == f"killed by {number.name}"


def test_a_job_over_its_time_limit_is_killed(residents: Crew) -> None:
    task = tasks.Wait.C(note="x", until=Path("/nonexistent"))
    residents.run(task, State.FAILED, options={"timeout_s": 0.2})
    assert residents.record(task)["reason"] == "timeout"
    assert residents.record(task)["error"]["message"].split(";")[0] == "ran longer than 0.2 s"


def test_a_class_that_cannot_be_imported_is_named_with_worker_and_host(
    residents: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "vanishing_module.py"
    module.write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    task = importlib.import_module("vanishing_module").Gone.C(x=1)
    module.unlink()
    residents.submit(task)
    error = residents.wait(task, State.FAILED).error
    assert error is not None
    assert error["message"].startswith("Worker resident-")
    assert "cannot import 'vanishing_module.Gone' (" in error["message"]
    assert f"needed by Gone/{residents.directory(task).identity[:7]}" in error["message"]
    assert error["message"].endswith("Install it there, or start the worker with --pythonpath.")


def test_a_module_that_raises_while_it_is_imported_is_not_called_missing(
    residents: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "raising_module.py"
    module.write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    task = importlib.import_module("raising_module").Gone.C(x=1)
    module.write_text(MODULE + "[][0]\n")
    residents.submit(task)
    error = residents.wait(task, State.FAILED).error
    assert "(IndexError: list index out of range)" in error["message"]
    assert "Install it" not in error["message"]
    assert (error["file"], error["function"]) == (str(module), "<module>")


def test_a_folder_given_to_the_worker_is_where_jobs_look_first(
    crew: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    (here / "moved_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(here)
    task = importlib.import_module("moved_module").Gone.C(x=1)
    crew.submit(task)
    here.rename(there)
    crew.start("--burst", "--pythonpath", str(there))
    crew.wait(task)


def test_an_environment_that_cannot_be_set_fails_the_job(residents: Crew) -> None:
    task = tasks.Write.C(note="nul")
    residents.run(task, State.FAILED, options={"env": {"A": "nul\0"}})
    assert residents.job(task).error["type"] == "PayloadError"


@pytest.mark.parametrize("options", [{"timeout_s": "long"}, {"env": ["A"]}])
def test_options_that_cannot_be_read_fail_the_job(residents: Crew, options: dict[str, object]) -> None:
    task = tasks.Write.C(note=f"{options}")
    residents.run(task, State.FAILED, options=options)
    assert residents.job(task).error["type"] == "PayloadError"


def test_a_directory_of_another_job_is_not_touched(crew: Crew) -> None:
    task, other = tasks.Write.C(note="x"), tasks.Write.C(note="other")
    crew.submit(task)
    key = keys.job(crew.workspace.id, crew.directory(task).identity)
    crew.client.hset(key, "directory", crew.directory(other).relative)
    crew.start("--burst")
    assert crew.wait(task, State.FAILED).error["type"] == "WorkspacePathError"
    assert not crew.directory(other).path.exists()


def test_a_done_marker_that_the_server_does_not_know_is_adopted(residents: Crew) -> None:
    task = tasks.Write.C(note="before")
    directory = residents.directory(task)
    record = {"reason": "done", "results": {"accuracy": 0.5}, "code": {"snapshot": "8c" * 32}}
    directory.write_record(directory.prepare(1), "earlier", record)
    directory.write_marker("done", "earlier")
    residents.run(task)
    assert residents.job(task).execution == "earlier"
    assert not directory.out.exists()
    assert directory.kept(task_id(type(task))) is not None, "it can be retried, whatever the earlier one left"
    index = MergedIndex(residents.workspace.path)
    wait_until(lambda: directory.identity in index.read())
    assert (end := index.read()[directory.identity].end) is not None
    assert (end.execution, end.results, end.code) == ("earlier", {"accuracy": 0.5}, "8c" * 6)


def test_what_a_job_leaves_behind_is_killed(residents: Crew, tmp_path: Path) -> None:
    task, until = tasks.Daemonize.C(until=tmp_path), tmp_path / "x"
    directory = residents.run(task)
    assert not until.exists()
    assert not Path(f"/proc/{(directory.path / 'daemon').read_text()}").exists()


class Found:
    """What the task Look wrote down."""

    def __init__(self, crew: Crew, task: tasks.Look) -> None:
        self.directory = crew.directory(task)
        fields = json.loads((self.directory.path / "found.json").read_text())
        self.environ: dict[str, str] = fields["environ"]
        self.modules: list[str] = fields["modules"]
        self.fields = fields


def test_a_job_knows_who_and_where_it_is(residents: Crew) -> None:
    task = tasks.Look.C(note="who")
    residents.run(task, options={"env": {"OMP_NUM_THREADS": "1", "XPM_JOB": "not this"}})
    found = Found(residents, task)
    assert found.fields["cwd"] == found.fields["taskdir"] == str(found.directory.path)
    assert found.fields["session"]
    assert found.environ["OMP_NUM_THREADS"] == "1"
    assert found.environ["XPM_JOB"] == found.directory.identity
    assert found.environ["XPM_TASKDIR"] == str(found.directory.path)
    assert found.environ["XPM_WORKSPACE"] == str(residents.workspace.path)
    assert found.environ["XPM_EXECUTION"] == residents.job(task).execution
    assert "" not in found.fields["path"]


def test_trackers_find_the_names_of_a_job_in_its_environment(residents: Crew) -> None:
    task = tasks.Look.C(note="trackers")
    residents.run(task, tags={"lr": 0.1, "data": "a,b"}, options={"env": {"WANDB_NAME": "own"}})
    found = Found(residents, task)
    run = f"{found.directory.identity[:16]}-{residents.workspace.id}"
    named = {name: value for name, value in found.environ.items() if name.startswith(("WANDB_", "MLFLOW_"))}
    assert named == {
        "WANDB_NAME": "own",
        "MLFLOW_RUN_NAME": "Look lr=0.1 data=a,b",
        "WANDB_RUN_GROUP": "crew",
        "WANDB_TAGS": "lr=0.1,data=a;b",
        "WANDB_RUN_ID": f"{run}-1",
    }


def test_each_attempt_is_a_run_of_its_own_unless_the_task_resumes(crew: Crew) -> None:
    task, resumes = tasks.Look.C(note="x"), tasks.Look.C(note="resumes")
    crew.run(task)
    crew.client.flushdb()  # the directory still knows which attempt it is
    (crew.directory(task).path / ".xpm" / "done").unlink()
    crew._run = crew.store.open_run("crew", "run2", {})
    crew.run(task)
    assert Found(crew, task).environ["WANDB_RUN_ID"].endswith("-2")
    crew.run(resumes, options={"resumable": True})
    found = Found(crew, resumes)
    assert found.environ["WANDB_RESUME"] == "allow"
    assert found.environ["WANDB_RUN_ID"] == f"{found.directory.identity[:16]}-{crew.workspace.id}"


def test_a_group_and_tags_of_the_worker_stay(crew: Crew) -> None:
    task = tasks.Look.C(note="x")
    crew.submit(task, tags={"lr": 0.1})
    others = {"WANDB_RUN_GROUP": "ours", "WANDB_TAGS": "a,b", "WANDB_NAME": "stale", "WANDB_RUN_ID": "stale"}
    assert crew.start("--burst", env=others).left() == 0
    crew.wait(task)
    found = Found(crew, task).environ
    assert [found[name] for name in ("WANDB_RUN_GROUP", "WANDB_TAGS", "WANDB_NAME")] == ["ours", "a,b", "Look lr=0.1"]
    assert found["WANDB_RUN_ID"] != "stale"


def test_a_job_has_no_way_to_redis(crew: Crew, fresh_server: Callable[..., PrivateServer], tmp_path: Path) -> None:
    password = "correct-horse-battery"
    server = fresh_server()
    with server.client() as client:
        client.config_set("requirepass", password)
    url = server.url.replace("unix://", f"unix://:{password}@")
    own = Crew(crew.workspace, url, tmp_path)
    hidden = {"REDIS_URL": url, "RQ_REDIS_URL": url, "MY_BROKER": "redis://:other@host/0", "MY_SECRET": password}
    task, search = tasks.Look.C(note="x"), tasks.Search.C(half=password[:10], other=password[10:])
    try:
        own.submit(task, search)
        assert own.start("--burst", env=hidden).left() == 0
        own.wait(search)
    finally:
        own.dismiss()
    found = Found(own, task)
    assert not {*hidden, "XPM_REDIS_URL"} & set(found.environ)
    assert password not in found.fields["proc_environ"]
    assert "redis://" not in found.fields["proc_environ"]
    assert not {"redis", "rq", "click", "rich"} & {module.split(".")[0] for module in found.modules}
    assert (own.directory(search).path / "found.txt").read_text() == "0"
    sockets = [target for target in found.fields["fds"].values() if target.startswith("socket:")]
    assert len(sockets) == 1, "the way to its starter, and nothing else"
