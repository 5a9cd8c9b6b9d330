"""What others may have put into Redis: jobs for RQ, pickles, leases and payloads not written by xpm. None of it runs.

Each trap leaves a trace when it springs, and is shown to work first.
"""

from __future__ import annotations

import io
import os
import pickle
import re
import subprocess
import sys
import sysconfig
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis
import worker_tasks as tasks
from helpers.daemons import Crew
from helpers.import_folders import telling_task
from helpers.waiting import wait_until
from rq import Queue
from rq.job import Callback
from rq.webhook import Webhook

from xpm_core import experiment
from xpm_core.limits import LARGEST_PAYLOAD
from xpm_core.states import State
from xpm_core.store import keys

pytestmark = pytest.mark.redis

FIELDS = (
    "data", "result", "meta", "exc_info", "success_callback_name", "failure_callback_name", "stopped_callback_name",
    "dependency_ids", "description", "origin", "status", "created_at", "timeout", "worker_name", "webhooks", "repeat",
)  # fmt: skip


class Bomb:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = str(trace)

    def __reduce__(self) -> Any:
        return io.open, (self.trace, "w")


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """A folder in which traps leave their traces."""
    folder = tmp_path / "traces"
    folder.mkdir()
    return folder


@pytest.fixture
def code(tmp_path: Path, traces: Path) -> dict[str, str]:
    """The environment of a worker that could import a trap."""
    folder = tmp_path / "code"
    folder.mkdir()
    traced = f"open({str(traces)!r} + '/' + {{}}, 'w').close()"
    (folder / "springing.py").write_text(
        f"{traced.format(repr('imported'))}\ndef spring(*args, **more):\n    {traced.format(repr('called'))}\n"
    )
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))}


@pytest.fixture
def hook() -> Iterator[tuple[str, list[str]]]:
    """A web server: its address, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


# -- jobs for RQ -------------------------------------------------------------------------------------------------------


def forge(client: redis.Redis, queue: str, url: str, job_id: str | None = None) -> None:
    """Put a job of RQ's own into a queue, with everything that RQ would call at its end."""
    Queue(queue, connection=client).enqueue(
        "springing.spring",
        job_id=job_id,
        on_success=Callback("springing.spring"),
        on_failure=Callback("springing.spring"),
        webhooks=[Webhook(f"{url}/finished", "finished"), Webhook(f"{url}/failed", "failed")],
    )


def test_a_forged_job_of_rq_runs_nothing(
    crew: Crew, code: dict[str, str], traces: Path, hook: tuple[str, list[str]]
) -> None:
    url, asked = hook
    forge(crew.client, "control", url)
    program = [sys.executable, "-m", "rq.cli", "worker", "--burst", "--url", crew.url, "control"]
    subprocess.run(program, check=True, capture_output=True, env={**os.environ, **code}, timeout=60)
    assert (sorted(os.listdir(traces)), asked) == (["called", "imported"], ["/finished"]), "the trap works"
    for trace in traces.iterdir():
        trace.unlink()
    asked.clear()

    task, other = tasks.Write.C(note="x"), tasks.Fail.C(note="x")
    identities = crew.submit(task, other)
    queue = keys.rq_name(crew.workspace.id, "default")
    for job_id in (None, *(keys.rq_id(crew.workspace.id, identity) for identity in identities)):
        forge(crew.client, queue, url, job_id)
    forge(crew.client, "default", url)
    assert crew.start("--burst", env=code).left() == 0
    assert (crew.state(task), crew.state(other)) == (State.DONE, State.FAILED)
    assert (os.listdir(traces), asked) == ([], [])


# -- pickles -----------------------------------------------------------------------------------------------------------


def plant(crew: Crew, bomb: bytes, identities: list[str]) -> None:
    """Put a pickle wherever RQ, or xpm, keeps something."""
    client, w = crew.client, crew.workspace.id
    queue = keys.rq_name(w, "default")
    for identity in [*identities, "0" * 64]:
        for data in (bomb, zlib.compress(bomb)):
            hash_key = keys.rq_job(w, identity) if data is bomb else f"rq:job:{len(data)}"
            client.hset(hash_key, mapping=dict.fromkeys(FIELDS, data))
            client.hset(hash_key, mapping={"id": bomb, "func_name": bomb})
        client.xadd(f"rq:results:{keys.rq_id(w, identity)}", {"return_value": bomb, "exc_string": bomb, "type": 1})
        client.rpush(f"rq:job:{keys.rq_id(w, identity)}:dependents", bomb)
    for name in (queue, "default"):
        client.rpush(f"rq:queue:{name}", bomb)
        for kind in ("wip", "finished", "failed", "deferred", "scheduled", "canceled"):
            client.zadd(f"rq:{kind}:{name}", {bomb: 0})
    client.sadd("rq:queues", bomb, f"rq:queue:{queue}")
    client.sadd("rq:workers", bomb, b"rq:worker:" + bomb)
    client.hset(b"rq:worker:" + bomb, mapping=dict.fromkeys(("birth", "queues", "current_job"), bomb))
    client.set("rq:clean_registries:default", bomb)
    client.zadd("rq:scheduler:scheduled_jobs", {bomb: 0})
    client.hset("rq:cron_schedulers", bomb, bomb)


def plant_in_ours(crew: Crew, bomb: bytes, payload_of: str, options_of: str) -> None:
    """Put it into the keys of our own that may hold bytes."""
    client, w = crew.client, crew.workspace.id
    client.hset(keys.job(w, payload_of), mapping={"payload": bomb, "progress": bomb, "error": bomb})
    client.hset(keys.job(w, options_of), mapping={"options": bomb, "tags": bomb})
    client.xadd(keys.events(w), {"event": "progress", "at": "1", "job": options_of, "data": bomb})


def test_no_pickle_is_loaded_on_any_path(crew: Crew, traces: Path) -> None:
    bomb = pickle.dumps(Bomb(traces / "control"))
    pickle.loads(bomb).close()
    assert os.listdir(traces) == ["control"], "the trap works"
    (traces / "control").unlink()

    good, forged, odd = tasks.Write.C(note="good"), tasks.Write.C(note="forged"), tasks.Write.C(note="odd")
    identities = crew.submit(good, forged, odd)
    plant(crew, bomb, identities)
    plant_in_ours(crew, bomb, identities[1], identities[2])
    crew.started()
    crew.wait(good)
    for task in (forged, odd):
        assert crew.wait(task, State.FAILED).error["type"].endswith("PayloadError")
    for worker in crew.known():
        crew.client.rpush(keys.wake(crew.workspace.id, worker.name), bomb)
    with experiment(crew.workspace.path, "again", redis=crew.url, workers=0) as xp:
        tasks.Write.C(note="another").submit()
        xp.wait()
    for command in (["status"], ["show", identities[0][:8]], ["logs", identities[0][:8]], ["show", identities[1][:8]]):
        program = [Path(sysconfig.get_path("scripts"), "xpm"), *command, "--workspace", str(crew.workspace.path)]
        said = subprocess.run(program, capture_output=True, env={**os.environ, "XPM_REDIS_URL": crew.url}, timeout=60)
        assert b"Traceback" not in said.stderr, said.stderr.decode()
    assert os.listdir(traces) == []


def test_a_pickle_over_rqs_channel_is_only_logged(crew: Crew, traces: Path) -> None:
    worker = crew.started()
    (state,) = crew.known()
    bomb = pickle.dumps(Bomb(traces / "sprung"))
    wait_until(lambda: crew.client.publish(keys.rq_pubsub(state.name), bomb) == 1)
    wait_until(lambda: "command not understood" in worker.log, show=lambda: worker.log)
    assert os.listdir(traces) == []


# -- modules -----------------------------------------------------------------------------------------------------------


def test_a_worker_imports_only_what_it_allows(crew: Crew, written: Path) -> None:
    task, allowed = telling_task(written, "telling_allowed"), tasks.Write.C(note="x")
    crew.submit(task, allowed)
    worker = crew.start("--burst", "--name", "w7", "--allow", "worker_tasks", "--allow", "more.*")
    crew.wait(allowed)
    message = str(crew.wait(task, State.FAILED).error["message"])
    assert message.startswith("Worker w7-")
    assert message.endswith(
        f": cannot import 'telling_allowed.Telling' (this worker allows worker_tasks, more.* only), needed by "
        f"Telling/{crew.directory(task).identity[:7]}. "
        "Start the worker with --allow telling_allowed, or submit to a queue whose workers allow it."
    )
    assert not (written / "imported").exists()
    worker.left()  # else it takes the job once more
    crew.store.retry(crew.directory(task).identity)
    crew.start("--burst", "--allow", "tell*")
    crew.wait(task)


# -- leases and paths --------------------------------------------------------------------------------------------------


def files(folder: Path) -> set[Path]:
    """All that lies in a folder, except for what daemons write: marks for `xpm doctor`, and the list of packages."""
    own = re.compile(r"/\.xpm/marks(/|$)|/code(/packages(/\w+)?)?$")
    return {path for path in folder.rglob("*") if own.search(path.as_posix()) is None}


OUTSIDE = "../" * 8 + "outside/" + "0" * 64


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("directory", OUTSIDE),
        ("directory", "/outside/" + "0" * 64),
        ("directory", "jobs/../../outside/" + "0" * 64),
        ("directory", "jobs/x/" + "0" * 64),
        ("directory", ""),
        ("name", "../../outside"),
        ("name", "a\nb"),
        ("task", "../../outside:x"),
        ("task", "\x1b[2J"),
        ("options", "[]"),
        ("options", '{"env": {"A=B": "c"}}'),
        ("options", '{"timeout_s": -1}'),
        ("options", '{"resumable": "yes"}'),
        ("options", "[" * 100_000),
        ("payload", "x" * (LARGEST_PAYLOAD + 1)),
        ("directory", b"\xff\xfe"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else str(value),
)
def test_a_forged_lease_fails_and_writes_nothing(crew: Crew, field: str, value: Any, tmp_path: Path) -> None:
    task, other = tasks.Write.C(note="x"), tasks.Write.C(note="after")
    (identity,) = crew.submit(task)
    crew.client.hset(keys.job(crew.workspace.id, identity), field, value)
    before = files(tmp_path)
    worker = crew.start("--linger", "0.2")
    error = crew.wait(task, State.FAILED).error
    assert error["type"] in ("PayloadError", "WorkspacePathError")
    assert files(tmp_path) - before == {worker.log_file}
    crew.submit(other)
    crew.start("--burst")
    crew.wait(other)


def test_a_job_whose_identity_is_none_fails_and_writes_nothing(crew: Crew, tmp_path: Path) -> None:
    identity = "../" * 8 + "outside"
    job = crew.submission(tasks.Write.C(note="x"))
    spec = job.spec._replace(identity=identity, directory=f"jobs/x/{identity}")
    crew.store.submit("crew", 1, [job._replace(spec=spec)], {})
    before = files(tmp_path)
    worker = crew.start("--burst")
    assert worker.left() == 0
    assert crew.client.hget(keys.job(crew.workspace.id, identity), "state") == b"failed"
    assert files(tmp_path) - before == {worker.log_file}


def test_links_that_stand_in_a_workspace_are_followed(crew: Crew, tmp_path: Path) -> None:
    """Who may make them there may write there; a job's directory can lie on another disk."""
    (tmp_path / "large").mkdir()
    (crew.workspace.path / "jobs").symlink_to(tmp_path / "large")
    task = tasks.Write.C(note="x")
    crew.run(task)
    assert len(list((tmp_path / "large").rglob("result.txt"))) == 1
