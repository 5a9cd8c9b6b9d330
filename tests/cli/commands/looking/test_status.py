"""`xpm status`: what it shows, in a terminal, in a pipe, and as JSON."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import Result
from helpers.daemons import Crew
from helpers.simulated_jobs import ERROR, Lab
from helpers.waiting import wait_until

from xpm_core.index.entries import End
from xpm_core.labels import short
from xpm_core.reading.server import server_time
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.records import Submission, WorkerId
from xpm_core.store.refusals import Refusal
from xpm_core.store.tokens import create_token
from xpm_core.workspace.job_spec import JobSpec

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def line(result: Result, label: str) -> str:
    """What stands behind a label."""
    (found,) = (text for text in result.stdout.splitlines() if text.startswith(label))
    return found.removeprefix(label).strip()


@pytest.fixture
def busy(lab: Lab) -> Lab:
    """A workspace in which much goes on."""
    lab.join()
    create_token(lab.client, "gpu", 2)
    lab.end("good")
    lab.end("bad", State.FAILED, ERROR)
    lab.start("long")
    lab.submit("after bad", "bad")
    lab.submit("wide", demand={"gpu": 2})
    lab.submit("elsewhere", queue="cluster")
    return lab


def test_empty_workspace_says_so(xpm: Xpm) -> None:
    result = xpm("status")
    assert (result.exit_code, result.stderr) == (0, "")
    assert line(result, "jobs") == "none yet"
    assert line(result, "workers") == "none runs"
    assert "needs you" not in result.stdout


def test_it_loads_no_filters(busy: Lab, redis_url: str) -> None:
    """It is typed most often, and needs none."""
    result = subprocess.run(
        [sys.executable, "-X", "importtime", Path(sys.executable).parent / "xpm", "status"],
        cwd=busy.workspace.path,
        env={**os.environ, "XPM_REDIS_URL": redis_url},
        capture_output=True,
        text=True,
    )
    assert "needs you" in result.stdout, result.stderr
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "xpm_core.reading.look" in loaded
    assert "xpm_core.filters" not in loaded


def test_busy_workspace_is_shown(busy: Lab, xpm: Xpm) -> None:
    result = xpm("status")
    assert (result.exit_code, result.stderr) == (0, "")
    assert line(result, "workspace").startswith(str(busy.workspace.path))
    assert line(result, "experiment").startswith("sweep   6 jobs   started just now by alice on head")
    assert line(result, "jobs") == "1 done   1 running   2 ready   1 failed   1 blocked   6 in all"
    assert "  17%   ETA at least" in line(result, "progress")
    assert line(result, "progress").endswith("from 1 job of Train, without 1 job that no worker can run now")
    assert line(result, "tokens") == f"gpu 0/2 (1 wait: {short(busy.identity('wide'))})"
    assert line(result, "workers") == "node1: 1 of 1 busy"


def test_a_worker_that_cannot_import_a_project_is_named_with_what_avoids_it(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.submit("a", project="sweep")
    lab.submit("b", project="sweep")
    lab.submit("c", project="other")
    lease = lab.store.claim(lab.worker, "e1").lease
    assert lease is not None
    lab.store.join(WorkerId("m3", "node3"), pid=1, path="/", version="0")
    where = "/data/code (named by the script; not on this machine)"
    lab.store.refuse(lab.worker, lease, Refusal("m2", "node2", "sweep", where, "said"), {"message": "m"})
    needs = xpm("status").stdout.partition("needs you")[2]
    assert f"worker m2 cannot import sweep: looked in {where}; 2 jobs avoid it" in needs
    (found,) = json.loads(xpm("status", "--json").stdout)["refusals"]
    assert (found["worker"], found["module"], found["looked"], found["jobs"]) == ("m2", "sweep", where, 2)
    assert "option" not in found


def test_a_worker_that_does_not_know_an_option_of_a_job_is_named(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.submit("a", project="sweep")
    lease = lab.store.claim(lab.worker, "e1").lease
    assert lease is not None
    lab.store.join(WorkerId("m3", "node3"), pid=1, path="/", version="0")
    lab.store.refuse(lab.worker, lease, Refusal.of_option("m2", "node2", "snapshot"), {"message": "m"})
    needs = xpm("status").stdout.partition("needs you")[2]
    said = "worker m2 does not know the option 'snapshot': its version is older than the script's; 1 job avoids it"
    assert said in needs
    assert "start it again with the script's version of xpm" in needs
    (found,) = json.loads(xpm("status", "--json").stdout)["refusals"]
    assert (found["worker"], found["module"], found["option"], found["jobs"]) == ("m2", "", "snapshot", 1)


def test_what_needs_somebody_is_named_with_the_next_command(busy: Lab, xpm: Xpm) -> None:
    needs = xpm("status").stdout.partition("needs you")[2]
    bad = short(busy.identity("bad"))
    assert f"✗ {bad}" in needs
    cause = "ValueError: the learning rate is negative (sweep.py:41)"
    assert f"Train name=bad   {cause}, just now   xpm show {bad}" in needs
    assert "xpm retry --failed" in needs
    assert (
        f"1 job ready in queue cluster, which no worker serves   xpm-worker --workspace {busy.workspace.path}" in needs
    )
    assert "--queue cluster" in needs
    assert "queue default" not in needs


def test_causes_beyond_the_fifth_are_counted(lab: Lab, xpm: Xpm) -> None:
    for number in range(7):
        lab.end(str(number), State.FAILED, {**ERROR, "line": number + 1})
    needs = xpm("status").stdout.partition("needs you")[2]
    assert needs.count("✗") == 5
    assert "2 more failed   xpm jobs --state failed" in needs


def test_failures_of_one_cause_are_one_line(lab: Lab, xpm: Xpm) -> None:
    for number in range(3):
        lab.end(str(number), State.FAILED, ERROR, tags={"lr": 0.1, "seed": number})
    lab.end(
        "other", State.FAILED, {"type": "OSError", "message": "disk full\nat 0 bytes", "file": "/x/io.py", "line": 7}
    )
    _, first, second, *_ = xpm("status").stdout.splitlines()
    latest = short(lab.identity("2"))
    assert first.split("   ", 1)[1] == (
        "ValueError: the learning rate is negative (sweep.py:41)   3 jobs, all with lr=0.1   the latest just now"
        f"   xpm show {latest}"
    )
    assert "Train name=other   OSError: disk full (io.py:7), just now" in second
    causes = json.loads(xpm("status", "--json").stdout)["failures"]
    assert [(each["error"], each["place"], each["tags"], len(each["jobs"])) for each in causes] == [
        ("ValueError", "sweep.py:41", {"lr": 0.1}, 3), ("OSError", "io.py:7", {"name": "other"}, 1),
    ]  # fmt: skip


def test_what_needs_somebody_stands_on_top(busy: Lab, xpm: Xpm) -> None:
    lines = xpm("status").stdout.splitlines()
    assert lines[0] == "needs you"
    assert lines.index("") < lines.index(next(line for line in lines if line.startswith("workspace")))


def test_status_of_one_experiment_counts_its_jobs(busy: Lab, xpm: Xpm) -> None:
    run = busy.store.open_run("other", "run1", {})
    lonely = Submission(JobSpec("ab" * 32, "sweep:Eval", "Eval", f"jobs/sweep.eval/{'ab' * 32}", b"payload"))
    busy.store.submit("other", run.started_ms, [lonely], {})
    assert line(xpm("status"), "jobs").endswith("7 in all")
    assert line(xpm("status", "sweep"), "jobs").endswith("6 in all")
    assert line(xpm("status", "other"), "jobs") == "1 ready   1 in all"
    assert "✗" not in xpm("status", "other").stdout
    data = json.loads(xpm("status", "other", "--json").stdout)
    assert (data["experiment"], data["jobs"]["ready"], data["failed"]) == ("other", 1, [])
    unknown = xpm("status", "othr")
    assert unknown.exit_code == 2
    assert "Experiment 'othr': not in this workspace, there is other, sweep." in unknown.stderr


def test_eta_comes_with_what_it_rests_on(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.start("long")
    lab.submit("next")
    assert "ETA" not in line(xpm("status"), "progress"), "no Train is done yet"
    data = json.loads(xpm("status", "--json").stdout)
    assert (data["eta_s"], data["forecast"]["unknown"]) == (None, {"Train": 2})
    now_s = time.time()
    ends = [End(State.DONE, now_s + number, now_s + number - 60.0) for number in range(3)]
    for number, end in enumerate(ends):
        identity = lab.submit(f"done {number}")
        lab.ends.add(identity, end)
    assert re.search(r"0%   ETA \d+ .* \(.*\d\d:\d\d\)   from 3 jobs of Train$", line(xpm("status"), "progress"))
    data = json.loads(xpm("status", "--json").stdout)
    assert data["forecast"] == {
        "left_s": data["eta_s"], "whole": True, "unknown": {}, "stuck": 0, "samples": {"Train": 3}
    }  # fmt: skip
    assert 290 < data["eta_s"] <= 300, "one worker, and five jobs of a minute, the first of which has just begun"


def test_eta_of_an_experiment_counts_the_others_that_take_workers(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.start("long")
    lab.submit("other", experiment="other")
    lab.ends.add(lab.identity("long"), End(State.DONE, time.time(), time.time() - 60.0))
    both = [json.loads(xpm("status", name, "--json").stdout)["eta_s"] for name in ("sweep", "other")]
    assert both[0] <= 60 < both[1] <= 120
    lab.submit("stuck", queue="nobody")
    found = json.loads(xpm("status", "--json").stdout)
    assert (found["eta_s"], found["forecast"]["stuck"], found["forecast"]["left_s"] > 60) == (None, 1, True)
    assert "ETA at least" in line(xpm("status"), "progress")
    assert "without 1 job that no worker can run now" in xpm("status").stdout


def test_the_first_that_wait_for_a_token_are_named_in_order(lab: Lab, xpm: Xpm) -> None:
    create_token(lab.client, "gpu", 2)
    names = [short(lab.submit(str(n), demand={"gpu": 1 + n % 2})) for n in range(5)]
    assert line(xpm("status"), "tokens") == f"gpu 0/2 (5 wait: {', '.join(names[:3])}, …)"


@pytest.mark.parametrize("width", [40, 80])
def test_screen_fits_the_terminal(busy: Lab, xpm: Xpm, width: int) -> None:
    result = xpm("status", env={"COLUMNS": str(width)})
    whole = (str(busy.workspace.path), "xpm show", "unix:")
    long = [text for text in result.stdout.splitlines() if len(text) > width and not any(map(text.count, whole))]
    assert long == []
    assert all(state.value in result.stdout for state in (State.RUNNING, State.FAILED, State.BLOCKED))


def test_colours_come_on_request_and_never_in_a_pipe(busy: Lab, xpm: Xpm) -> None:
    assert "\x1b[" not in xpm("status").stdout
    assert "\x1b[31mfailed" in xpm("status", env={"FORCE_COLOR": "1"}).stdout
    assert "\x1b[" not in xpm("status", env={"NO_COLOR": "1", "FORCE_COLOR": "1"}).stdout


def test_json_holds_the_same(busy: Lab, xpm: Xpm) -> None:
    data = json.loads(xpm("status", "--json").stdout)
    assert data["schema"] == 1
    assert data["workspace"] == {"path": str(busy.workspace.path), "id": busy.workspace.id}
    assert data["jobs"] == {**dict.fromkeys(map(str, [s.value for s in State]), 0), **data["jobs"]}
    assert {name: n for name, n in data["jobs"].items() if n} == {
        "done": 1, "running": 1, "ready": 2, "failed": 1, "blocked": 1,
    }  # fmt: skip
    assert [(each["name"], each["jobs"]) for each in data["experiments"]] == [("sweep", 6)]
    assert datetime.fromisoformat(data["experiments"][0]["started"]).tzinfo is not None
    wide = busy.identity("wide")
    assert data["tokens"] == [
        {"name": "gpu", "capacity": 2, "used": 0, "scope": "server", "waiting": 1, "first": [wide]}
    ]
    assert [(each["name"], each["job"]) for each in data["workers"]] == [("node1-1", busy.identity("long"))]
    assert {"name": "cluster", "ready": 1, "workers": 0, "paused": None} in data["queues"]
    assert [(each["id"], each["error"]["type"]) for each in data["failed"]] == [(busy.identity("bad"), "ValueError")]


def test_looking_changes_nothing(busy: Lab, xpm: Xpm) -> None:
    before = busy.client.xlen(f"xpm:{busy.workspace.id}:events")
    first, second = (json.loads(xpm("status", "--json").stdout) for _ in range(2))
    assert first["jobs"] == second["jobs"]
    assert busy.client.xlen(f"xpm:{busy.workspace.id}:events") == before


def test_a_daemon_that_was_killed_is_called_silent(crew: Crew, xpm: Xpm) -> None:
    worker = crew.started("--name", "m2", lease_s=6)
    assert "silent" not in xpm("status").stdout
    worker.process.kill()
    wait_until(lambda: re.search(r"! workers +m2-\w+ silent for \d+ s", xpm("status").stdout))


def silenced(lab: Lab, worker: WorkerId, silent_s: float, name: str = "") -> None:
    """Let a worker's last word, and its lease on a job, be as old as if it had died."""
    left_ms = round((worker.lease_ms - silent_s * 1000) + server_time(lab.store.client) * 1000)
    lab.store.client.zadd(keys.workers(lab.workspace.id), {worker.name: left_ms})
    if name:
        lab.store.client.zadd(keys.leases(lab.workspace.id), {lab.identity(name): left_ms})


def test_a_silent_worker_is_named_with_when_its_job_is_free(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.start("a")
    silenced(lab, lab.worker, lab.worker.lease_ms / 1000 - 5, "a")
    result = xpm("status")
    assert line(result, "workers") == "node1: 1 of 1 busy"
    assert re.fullmatch(rf"{lab.worker.name} silent for \d+ s: its job is free in [1-5] s", line(result, "! workers"))
    (found,) = json.loads(xpm("status", "--json").stdout)["workers"]
    assert found["silent_s"] > 20


def test_silent_workers_of_one_daemon_are_told_of_together(lab: Lab, xpm: Xpm) -> None:
    slots = [WorkerId(f"m2-ab.{number}", "node2") for number in range(3)]
    for slot in slots:
        lab.store.join(slot, pid=1, path="/", version="0")
        silenced(lab, slot, slot.lease_ms / 1000 + 11)
    assert re.fullmatch(r"m2-ab silent for \d+ s", line(xpm("status"), "! workers"))


def test_a_worker_that_was_heard_of_is_not_called_silent(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    assert line(xpm("status"), "workers") == "node1: 0 of 1 busy"


def test_an_error_is_named_by_its_class_alone(lab: Lab, xpm: Xpm) -> None:
    lab.end("bad", State.FAILED, {"type": "numpy._core._exceptions._ArrayMemoryError", "message": "no room"})
    assert "Train name=bad   _ArrayMemoryError: no room, just now" in xpm("status").stdout


def test_a_server_that_was_wiped_is_told_from_a_workspace_without_jobs(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    lab.client.flushall()
    told = xpm("status")
    assert (told.exit_code, line(told, "jobs")) == (0, "1 done   1 in all")
    assert line(told, "experiment") == "sweep   1 job"
    assert told.stderr == "The server does not know 1 job that the index has. Run their script.\n"
    assert xpm("status", "sweep").exit_code == 0
    why = xpm("why", "last")
    assert (why.exit_code, why.stdout) == (2, "")
    assert "the server does not know it any more. Run its script again." in why.stderr


def test_jobs_of_an_experiment_that_the_server_has_forgotten_are_counted_beside_later_ones(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    lab.submit("b")
    lab.client.flushall()
    lab.store.open_run("later", "run2", {})
    lease = lab.start("c", experiment="later")
    lab.finish("c", lease, State.FAILED, ERROR)
    told = xpm("status")
    assert line(told, "jobs") == "1 done   1 failed   1 not known to have ended   3 in all"
    assert told.stderr == "The server does not know 2 jobs that the index has. Run their script.\n"
    document = json.loads(xpm("status", "--json").stdout)
    assert (document["jobs"]["done"], document["jobs"]["failed"], document["unknown"]) == (1, 1, 1)
    assert {each["name"]: each["jobs"] for each in document["experiments"]} == {"later": 1, "sweep": 2}
    assert json.loads(xpm("status", "sweep", "--json").stdout)["unknown"] == 1


def test_jobs_of_earlier_runs_that_the_server_has_forgotten_are_counted_though_it_knows_the_experiment(
    lab: Lab, xpm: Xpm
) -> None:
    lab.end("a")
    lab.submit("b")
    (lab.workspace.experiment("sweep").path / "runs" / "20200101-000000").mkdir(parents=True)
    lab.client.flushall()
    lab.run = lab.store.open_run("sweep", "run2", {})
    lab.end("c", State.FAILED, ERROR)
    for words in (["status"], ["status", "sweep"]):
        told = xpm(*words)
        assert line(told, "jobs") == "1 done   1 failed   1 not known to have ended   3 in all"
        assert "3 jobs" in line(told, "experiment")
        assert json.loads(xpm(*words, "--json").stdout)["experiments"][0]["jobs"] == 3
    assert xpm("status").stderr == "The server does not know 2 jobs that the index has. Run their script.\n"


def test_the_index_is_not_read_if_the_server_knows_as_many_jobs_as_are_linked(
    lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the script's machine is behind, or the server was wiped and all jobs were submitted again."""
    lab.end("a")
    lab.submit("b")
    (lab.workspace.experiment("sweep").path / "runs" / "20200101-000000").mkdir(parents=True)
    monkeypatch.setattr("xpm_cli.output.documents.standing.counted", lambda view: pytest.fail("the index is read"))
    assert line(xpm("status"), "jobs") == "1 done   1 ready   2 in all"
    assert xpm("status", "sweep").exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--watch needs a terminal. Without one: xpm events -f, or xpm status."),
        (("--json",), "--watch draws on a terminal. For programs: xpm events -f -o jsonl"),
    ],
)
def test_watching_without_a_terminal_is_a_usage_error(xpm: Xpm, options: tuple[str, ...], said: str) -> None:
    result = xpm("status", "--watch", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
