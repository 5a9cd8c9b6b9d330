"""Workers with a key run only jobs that it has signed, unchanged. Jobs never see the key."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import worker_tasks as tasks
from helpers.daemons import Crew
from helpers.import_folders import telling_task

from xpm_core import Task, experiment
from xpm_core.errors import SettingsError
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.records import Submission
from xpm_core.wire import signing
from xpm_core.workspace.job_spec import SIGNATURE, JobOptions, JobSpec
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

KEY = "correct-horse-battery-staple"
ENV = {signing.VARIABLE: KEY}


def sign(crew: Crew, job: Submission, *, key: str = KEY, workspace: str = "") -> str:
    """The signature of a submission."""
    return signing.sign(key.encode(), workspace or crew.workspace.id, job.spec)


def submit(crew: Crew, task: tasks.Write, options: dict[str, Any] | None = None, **more: str) -> str:
    """Submit a signed task; returns the key of its job."""
    written = {"env": {"A": "b"}, **(options or {})}
    job = crew.submission(task, options=written)
    crew.submit(task, options={**written, SIGNATURE: sign(crew, job, **more)})
    return keys.job(crew.workspace.id, job.identity)


def test_a_worker_with_a_key_runs_what_was_signed_with_it(crew: Crew) -> None:
    submit(crew, task := tasks.Write.C(note="x"), {"timeout_s": 12.5, "resumable": True})
    crew.start("--burst", env=ENV)
    crew.wait(task)


def test_a_worker_without_a_key_runs_signed_jobs(crew: Crew) -> None:
    submit(crew, task := tasks.Write.C(note="x"))
    crew.start("--burst")
    crew.wait(task)


def refused(crew: Crew, *jobs: Task) -> list[str]:
    """Let a worker with the key refuse jobs; returns what it says of each."""
    crew.start("--burst", env=ENV)
    errors = [crew.wait(task, State.FAILED).error for task in jobs]
    assert {error["type"] for error in errors} == {"SignatureError"}
    assert not [task for task in jobs if crew.directory(task).path.exists()]
    return [str(error["message"]) for error in errors]


def test_an_unsigned_job_is_refused_and_told_what_to_do(crew: Crew) -> None:
    crew.submit(task := tasks.Write.C(note="x"))
    assert refused(crew, task) == [
        f"Write/{crew.directory(task).identity[:7]}: it is not signed, and XPM_SIGNING_KEY is set here: only signed "
        "jobs are run. Submit it again with that XPM_SIGNING_KEY."
    ]


def test_a_signature_of_another_key_or_workspace_is_refused(crew: Crew) -> None:
    submit(crew, key := tasks.Write.C(note="key"), key="another-key")
    submit(crew, workspace := tasks.Write.C(note="workspace"), workspace="0" * 12)
    for said in refused(crew, key, workspace):
        assert "its signature is not that of the XPM_SIGNING_KEY here" in said


def change_option(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "env": {"LD_PRELOAD": "/tmp/x.so"}}


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "payload": lambda payload: payload.replace(b"note", b"mote"),
    "options": lambda options: json.dumps(change_option(json.loads(options))).encode(),
    "task": lambda task: task.replace(b"Write", b"write"),
    "name": lambda name: b"Other",
}


def test_what_was_changed_after_it_was_signed_is_refused(crew: Crew) -> None:
    changed = {field: tasks.Write.C(note=f"changed in its {field}") for field in CHANGES}
    for field, task in changed.items():
        job = submit(crew, task)
        before = crew.client.hget(job, field)
        assert before is not None
        crew.client.hset(job, field, CHANGES[field](before))
    for said in refused(crew, *changed.values()):
        assert "it was changed, or signed with another key" in said


def test_what_is_no_signature_is_refused(crew: Crew) -> None:
    forged = {}
    for number, signature in enumerate(["", None, 3, ["x"], "é" * 64, "\ud800"]):
        (identity,) = crew.submit(task := tasks.Write.C(note=str(number)))
        crew.client.hset(keys.job(crew.workspace.id, identity), "options", json.dumps({SIGNATURE: signature}))
        forged[identity] = task
    assert len(refused(crew, *forged.values())) == 6


def test_nothing_of_a_refused_job_is_imported(crew: Crew, written: Path) -> None:
    crew.submit(task := telling_task(written, "telling_signed"))
    refused(crew, task)
    assert not (written / "imported").exists()


def test_what_a_script_submits_is_signed(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.VARIABLE, KEY)
    crew.started(env=ENV)
    with experiment(crew.workspace.path, "signed", redis=crew.url, workers=0) as xp:
        tasks.Write.C(note="signed").submit(timeout=60, env={"A": "b"})
        xp.wait()


def test_what_was_refused_is_signed_anew_when_the_script_is_run_again(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(crew, task := tasks.Write.C(note="x"), key="the old key")
    refused(crew, task)
    monkeypatch.setenv(signing.VARIABLE, KEY)
    crew.started(env=ENV)
    with experiment(crew.workspace.path, "again", redis=crew.url, workers=0) as xp:
        tasks.Write.C(note="x").submit()
        xp.wait()
    assert crew.state(task) is State.DONE


def test_workers_that_a_script_starts_have_its_key(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.VARIABLE, KEY)
    crew.submit(unsigned := tasks.Write.C(note="unsigned"))
    with experiment(crew.workspace.path, "signed", redis=crew.url, workers=1) as xp:
        tasks.Write.C(note="signed").submit()
        xp.wait()
    assert crew.state(unsigned) is State.FAILED


def test_the_key_reaches_neither_the_environment_nor_the_memory_of_jobs(crew: Crew) -> None:
    look, search = tasks.Look.C(note="x"), tasks.Search.C(half=KEY[:10], other=KEY[10:])
    submit(crew, look)
    submit(crew, search)
    crew.start("--burst", env={**ENV, "MY_COPY": KEY, "MY_COMMAND": f"sign --key={KEY}"})
    crew.wait(search)
    crew.wait(look)
    seen = json.loads((crew.directory(look).path / "found.json").read_text())
    assert not {signing.VARIABLE, "MY_COPY", "MY_COMMAND"} & set(seen["environ"])
    assert KEY not in seen["proc_environ"]
    assert (crew.directory(search).path / "found.txt").read_text() == "0"


def test_each_part_of_what_is_signed_counts() -> None:
    workspace, options = "0" * 12, {"env": {"A": "b"}}
    job = JobSpec("1" * 64, "m:T", "T", "jobs/m.t/1", b"payload", JobOptions.read(options))
    changes: list[dict[str, Any]] = [
        {"identity": "2" * 64}, {"task": "m:"}, {"name": "TT"}, {"directory": "jobs/m.t/2"}, {"payload": b"payloae"},
        {"task": "m:TT", "name": ""}, {"options": JobOptions.read({"env": {"A": "c"}})}, {"options": JobOptions()},
        {"options": JobOptions.read({**options, "more": 1})},
    ]  # fmt: skip
    others = [job._replace(**change) for change in changes]
    signatures = {signing.sign(b"key", workspace, each) for each in [job, *others]}
    signatures |= {signing.sign(b"other", workspace, job), signing.sign(b"key", "1" * 12, job)}
    assert len(signatures) == len(others) + 3
    assert signing.sign(b"key", workspace, job._replace(signature="x")) == signing.sign(b"key", workspace, job)


def test_the_key_is_the_text_of_the_variable() -> None:
    assert signing.key_in({}) is None
    assert signing.key_in({signing.VARIABLE: "k"}) == b"k"
    assert signing.VARIABLE not in os.environ


@pytest.mark.parametrize("key", ["", " ", "\n"])
def test_an_empty_key_is_an_error_and_not_the_same_as_none(
    key: str, workspace: Workspace, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`XPM_SIGNING_KEY=$(cat key)` is empty if there is no file `key`."""
    said = "XPM_SIGNING_KEY: it is empty, so it would protect nothing. Give the key, or unset XPM_SIGNING_KEY."
    monkeypatch.setenv(signing.VARIABLE, key)
    with pytest.raises(SettingsError, match=re.escape(said)), experiment(workspace.path, "x", redis=redis_url):
        pass
    worker = [sys.executable, "-m", "xpm_worker", "--workspace", os.fspath(workspace.path), "--redis", redis_url]
    run = subprocess.run([*worker, "--burst"], capture_output=True, text=True)
    assert run.returncode == 2
    assert said in run.stderr
