"""Jobs with an option that some workers know and others do not; and what stands in Redis of jobs that have none."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from pathlib import Path

import pytest
import worker_tasks as tasks
from helpers import later_version
from helpers.daemons import Crew, Worker
from helpers.store_client import StoreClient, W
from helpers.waiting import wait_until

from xpm_core import experiment
from xpm_core.config import Task
from xpm_core.script.submit.options import Options
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.records import Submission
from xpm_core.wire import signing
from xpm_core.workspace import job_spec
from xpm_core.workspace.job_spec import JobSpec, Retries

pytestmark = pytest.mark.redis

KEY = "correct-horse-battery-staple"


def submit(crew: Crew, task: Task, flavour: str = "dark") -> str:
    """Submit a signed task with the new option, as a script of the later version; returns the key of its job."""
    job = crew.submission(task)
    spec = job.spec._replace(options=later_version.JobOptions(flavour=flavour))
    spec = signing.signed(KEY.encode(), crew.workspace.id, spec)
    crew.store.submit("crew", 1, [job._replace(spec=spec)], {})
    return keys.job(crew.workspace.id, spec.identity)


def later_worker(crew: Crew, *options: str) -> Worker:
    """A worker of the later version, which has the key."""
    tests = str(Path(later_version.__file__).parents[1])
    path = os.pathsep.join(filter(None, [tests, os.environ.get("PYTHONPATH", "")]))
    env = {"PYTHONPATH": path, signing.VARIABLE: KEY}
    return crew.started("--name", "m2", *options, lease_s=60, module="helpers.later_version", env=env)


def refused_by(worker: Worker) -> bool:
    return "does not know the option 'flavour'" in worker.log


def test_a_new_option_reaches_the_worker_is_kept_and_runs_again(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = later_worker(crew)
    submit(crew, task := tasks.Write.C(note="x"))
    crew.wait(task)
    assert "flavour dark" in worker.log
    monkeypatch.setattr(job_spec, "JobOptions", later_version.JobOptions)
    kept = crew.directory(task).kept(crew.submission(task).spec.task)
    assert kept is not None
    assert kept.spec.options.flavour == "dark"  # type: ignore[attr-defined]
    crew.store.retry(kept.spec.identity, kept=Submission(**kept._asdict()))
    wait_until(lambda: worker.log.count("flavour dark") == 2 and crew.state(task) is State.DONE)


@pytest.mark.parametrize("flavour", ["light", None])
def test_a_forged_change_of_a_new_option_is_refused(crew: Crew, flavour: str | None) -> None:
    job = submit(crew, task := tasks.Write.C(note="x"))
    written = json.loads(crew.client.hget(job, "options") or "")
    assert written.pop("flavour") == "dark"
    crew.client.hset(job, "options", json.dumps({**written, **({"flavour": flavour} if flavour else {})}))
    later_worker(crew)
    error = crew.wait(task, State.FAILED).error
    assert error["type"] == "SignatureError"
    assert "it was changed, or signed with another key" in error["message"]


def test_a_wrong_value_of_a_new_option_is_refused(crew: Crew) -> None:
    crew.submit(task := tasks.Write.C(note="x"), options={"flavour": 3})
    later_worker(crew)
    assert "its option flavour is 3, expected a text" in crew.wait(task, State.FAILED).error["message"]


def test_a_worker_that_does_not_know_an_option_leaves_the_job_to_others_and_says_so(crew: Crew) -> None:
    old = crew.started("--name", "m1", lease_s=60)
    new = later_worker(crew)
    for slot in new.slots():
        slot.suspend()
    submit(crew, task := tasks.Write.C(note="x"))
    wait_until(lambda: refused_by(old) and crew.state(task) is State.READY, show=lambda: crew.explain(task))
    xpm = [Path(sysconfig.get_path("scripts"), "xpm"), "status", "--workspace", str(crew.workspace.path)]
    environment = {**os.environ, "XPM_REDIS_URL": crew.url, "COLUMNS": "300"}
    shown = subprocess.run(xpm, check=True, capture_output=True, env=environment, text=True).stdout
    said = "worker m1 does not know the option 'flavour': its version is older than the script's; 1 job avoids it"
    assert said in shown
    assert "start it again with the script's version of xpm" in shown
    for slot in new.slots():
        slot.resume()
    job = crew.wait(task)
    assert (job.failures, job.losses, job.attempts) == (0, 0, 1), crew.explain(task)
    assert [record["reason"] for record in crew.directory(task).records()] == ["done"]


def test_a_job_fails_once_no_living_worker_knows_its_option(crew: Crew) -> None:
    old = [crew.started("--name", name) for name in ("m1", "m2")]
    submit(crew, task := tasks.Write.C(note="x"))
    job = crew.wait(task, State.FAILED)
    assert all(map(refused_by, old))
    assert (job.attempts, job.failures, job.error["type"]) == (1, 1, "PayloadError")
    for said in ("does not know the option 'flavour'", "m1 on", "m2 on", "Nor can the others that serve its queue"):
        assert said in job.error["message"]
    assert not crew.directory(task).path.exists()


def test_a_forged_job_with_an_unknown_option_fails_at_once_where_there_is_a_key(crew: Crew) -> None:
    crew.submit(task := tasks.Write.C(note="x"), options={"flavour": "dark"})
    worker = crew.start("--burst", env={signing.VARIABLE: KEY})
    assert crew.wait(task, State.FAILED).error["type"] == "SignatureError"
    assert not refused_by(worker)


def test_a_script_says_at_its_end_which_worker_did_not_know_an_option(
    crew: Crew, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = crew.started("--name", "m1", lease_s=60)
    new = later_worker(crew)
    for slot in new.slots():
        slot.suspend()
    monkeypatch.setattr(Options, "in_job", lambda *_: later_version.JobOptions(flavour="dark"))
    monkeypatch.setenv(signing.VARIABLE, KEY)
    with experiment(crew.workspace.path, "sweep", redis=crew.url, workers=0):
        tasks.Write.C(note="x").submit()
        wait_until(lambda: refused_by(old), show=lambda: old.log)
        for slot in new.slots():
            slot.resume()
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("! ")]
    unknown = "does not know the option 'flavour': its version is older than the script's"
    assert line == f"! worker m1 {unknown}. 1 job went to other workers."


# Taken from xpm before there was JobSpec: a worker of then must find what it expects.
IN_REDIS = {
    b"task": b"demo:Task",
    b"name": b"Task",
    b"payload": b"\x00payload b",
    b"options": b'{"timeout_s": 12.5, "env": {"A": "b", "\\u00dc": "\\u20ac"}, "resumable": true, "template": false, '
    b'"signature": "7d592ded1a1fcb33d0afc090fa636878ff73ba6097b17ab8d2bbbad4a0c9109a"}',
    b"tags": b'{"lr": 0.1}',
    b"queue": b"gpu",
    b"demand": b"|60",
    b"project": b"a51146d3",
    b"priority": b"3",
    b"max_retries": b"2",
    b"max_losses": b"5",
    b"backoff_ms": b"500",
}


def test_what_stands_in_redis_of_a_job_is_what_always_did(desk: StoreClient) -> None:
    directory = "jobs/demo.task/" + "b" * 64
    options = job_spec.JobOptions(timeout_s=12.5, env={"A": "b", "Ü": "€"}, resumable=True, template=False)
    spec = signing.signed(b"key", W, JobSpec("b" * 64, "demo:Task", "Task", directory, b"\x00payload b", options))
    how = {"queue": "gpu", "min_time_s": 60, "priority": 3, "retries": Retries(2, 5, 0.5)}
    desk.submit(Submission(spec, tags={"lr": 0.1}, project="lab", **how))  # type: ignore[arg-type]
    found = desk.client.hgetall(keys.job(W, spec.identity))
    assert {name: found[name] for name in IN_REDIS} == IN_REDIS
    assert found[b"directory"] == directory.encode()
    assert found.keys() - IN_REDIS.keys() == {b"directory", b"state", b"order", b"pending", b"broken", b"submitted"}
