"""`xpm queues`: what is listed, and what a pause does and says."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab

from xpm_core.completion import server_names
from xpm_core.store import keys
from xpm_core.store.jobs import new_execution_id

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def rows(result: Result) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in result.stdout.splitlines()[1:]]


def test_a_pause_is_listed_and_said_by_why_and_status_until_it_is_resumed(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lease = lab.start("a")
    lab.submit("b")
    result = xpm("queues", "pause", "default", "--why", "new driver")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (
        result.stderr == "default: paused. 1 running job goes on, 1 ready job waits. Go on: xpm queues resume default\n"
    )
    [row] = rows(xpm("queues"))
    assert row[:6] == ["default", "1", "0", "1", "1", "0"]
    assert row[6].startswith("just now by ")
    assert row[6].endswith(": new driver")
    assert "1. not yet: queue default was paused just now by " in xpm("why", "name=b").stdout
    assert "xpm queues resume default" in xpm("why", "name=b").stdout
    status = xpm("status").stdout
    assert "! queues    queue default was paused just now by " in status
    assert "1 ready job waits   xpm queues resume default" in status
    assert lab.store.renew(lab.worker, lease).code == 1
    assert lab.store.claim(lab.worker, new_execution_id()).lease is None
    again = xpm("queues", "pause", "default", "--why", "another")
    assert again.exit_code == 0
    assert "default: it is paused already, " in again.stderr
    assert again.stderr.endswith("new driver. That stays as it is. To give another reason, resume it first.\n")
    result = xpm("queues", "resume", "default")
    assert result.stderr.startswith("default: resumed after ")
    assert result.stderr.endswith("1 job is ready.\n")
    assert xpm("queues", "resume", "default").stderr == "default: it is not paused.\n"
    lab.claim(lab.identity("b"))
    assert rows(xpm("queues"))[0][6] == "-"


def test_a_queue_that_nothing_uses_yet_is_paused_and_said_to_be_unused(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a")
    result = xpm("queues", "pause", "new")
    assert result.stderr.splitlines()[1] == "No job and no worker has used this queue so far. There is: default."
    assert [row[0] for row in rows(xpm("queues"))] == ["default", "new"]
    assert xpm("queues", "-o", "name").stdout == "default\nnew\n"
    assert "! queues" not in xpm("status").stdout, "no job waits for it"
    lab.submit("b", queue="new")
    assert "! queues" in xpm("status").stdout
    assert xpm("queues", "pause", "new").stderr.count("used this queue") == 0


def test_a_worker_of_an_earlier_xpm_is_named_because_it_knows_no_pauses(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.client.hdel(keys.worker(lab.workspace.id, lab.worker.name), "orders")
    assert (
        f"But {lab.worker.name} runs an earlier xpm, which knows no pauses" in xpm("queues", "pause", "default").stderr
    )
    assert "earlier xpm" not in xpm("queues", "pause", "other").stderr


def test_forms_have_the_same_queues(lab: Lab, xpm: Xpm) -> None:
    assert xpm("queues").stdout.startswith("no queues: ")
    lab.submit("a")
    xpm("queues", "pause", "default")
    (record,) = json.loads(xpm("queues", "--json").stdout)["queues"]
    assert (record["name"], record["ready"], record["paused"]["why"]) == ("default", 1, None)
    assert json.loads(xpm("queues", "-o", "jsonl").stdout) == record
    assert server_names.noted(lab.workspace.path, server_names.QUEUES) == ["default"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("pause", "my queue"), "queue 'my queue': expected 1 to 100 letters"),
        (("pause", "ok", "a,b"), "queue 'a,b': expected"),
        (
            ("resume", "defaultt"),
            "Queue 'defaultt': not in this workspace. Did you mean default? See them: ",
        ),
        (("pause",), "Missing argument"),
    ],
)
def test_bad_names_change_nothing(lab: Lab, xpm: Xpm, typed: tuple[str, ...], said: str) -> None:
    lab.submit("a")
    result = xpm("queues", *typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert [row[6] for row in rows(xpm("queues"))] == ["-"]


def test_a_retried_job_of_a_paused_queue_is_said_to_wait(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.end("a")
    xpm("queues", "pause", "default")
    result = xpm("retry", "name=a", "--yes")
    assert "queue default was paused" in result.stderr
    assert "Resume it: xpm queues resume default" in result.stderr
