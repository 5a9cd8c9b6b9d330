"""`xpm workers`: what is listed, and what becomes of orders."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab

from xpm_core.completion import server_names
from xpm_core.labels import short
from xpm_core.store import keys
from xpm_core.store.records import WorkerId
from xpm_core.store.refusals import Refusal

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def rows(result: Result) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in result.stdout.splitlines()[1:]]


@pytest.fixture
def crew(lab: Lab) -> Lab:
    """A workspace with a daemon of two slots, of which the first runs a job, and a daemon on another machine."""
    lab.worker = WorkerId("m1-aa.0", "node1")
    lab.join()
    lab.start("a")
    for name, host in (("m1-aa.1", "node1"), ("m2-bb.0", "node2")):
        lab.store.join(WorkerId(name, host), pid=7, path="/data", version="0.1.0")
    return lab


def states(xpm: Xpm) -> dict[str, str]:
    return {row[0]: row[1] for row in rows(xpm("workers"))}


def test_workers_show_what_they_run_and_when_they_were_heard_of(crew: Lab, xpm: Xpm) -> None:
    first, second, third = rows(xpm("workers"))
    assert first[:3] == ["m1-aa.0", "busy", f"{short(crew.identity('a'))} Train name=a"]
    assert first[4:] == ["just now", "node1", "default", "0.1.0"]
    assert second == ["m1-aa.1", "idle", "-", "-", "just now", "node1", "default", "0.1.0"]
    assert third[0] == "m2-bb.0"
    assert xpm("workers", "-o", "name").stdout == "m1-aa.0\nm1-aa.1\nm2-bb.0\n"
    assert server_names.noted(crew.workspace.path, server_names.WORKERS) == ["m1-aa.0", "m1-aa.1", "m2-bb.0"]


def test_a_narrow_terminal_cuts_titles_and_then_leaves_out_columns(
    crew: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = xpm("workers").stdout.splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[-1].startswith("too narrow for: ")
    assert "m1-aa.0  busy   " in lines[1]


def test_what_a_daemon_has_refused_is_listed(crew: Lab, xpm: Xpm) -> None:
    lease = crew.claim(crew.submit("b", project="sweep"))
    refusal = Refusal.of_module("m1", "node1", "sweep", "/data/code")
    crew.store.refuse(crew.worker, lease, refusal, {"message": "no"})
    text = xpm("workers").stdout
    assert "! refused   worker m1-aa cannot import sweep: looked in /data/code   1 ready job avoids it" in text
    records = json.loads(xpm("workers", "--json").stdout)["workers"]
    assert [len(record["refused"]) for record in records] == [1, 1, 0]
    assert records[0]["refused"][0]["said"] == refusal.said


def test_a_silent_worker_is_said_to_be_silent_and_hears_of_its_order_later(crew: Lab, xpm: Xpm) -> None:
    now_ms = crew.client.time()[0] * 1000
    crew.client.zadd(keys.workers(crew.workspace.id), {"m2-bb.0": now_ms + 2000})
    assert states(xpm)["m2-bb.0"] == "silent"
    assert "m2-bb.0: it leaves. It is silent for " in xpm("workers", "drain", "m2").stderr
    again = xpm("workers", "drain", "m2").stderr
    assert "m2-bb.0: it was ordered to drain already. It is silent for " in again, "it may be dead"


def test_a_drain_and_its_end_are_said(crew: Lab, xpm: Xpm) -> None:
    result = xpm("workers", "drain", "m1")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        f"m1-aa.0: it finishes {short(crew.identity('a'))} Train name=a, and leaves.\nm1-aa.1: it leaves.\n"
        "Take it back: xpm workers resume m1\n"
    )
    assert states(xpm) == {"m1-aa.0": "draining", "m1-aa.1": "draining", "m2-bb.0": "idle"}
    assert "workers     node1: 1 of 2 busy, draining   node2: 0 of 1 busy" in xpm("status").stdout
    assert xpm("workers", "drain", "m1-aa.1").stderr == "m1-aa.1: it was ordered to drain already.\n"
    assert xpm("workers", "resume", "m1-aa.1").stderr == "m1-aa.1: it stays.\n"
    assert "workers     node1: 1 of 2 busy, 1 draining   node2" in xpm("status").stdout
    assert xpm("workers", "resume", "m1-aa.1").stderr == "m1-aa.1: it was not ordered to leave.\n"
    record = json.loads(xpm("workers", "--json").stdout)["workers"][0]
    assert (record["order"], record["job"], record["state"]) == ("drain", crew.identity("a"), "draining")
    assert record["ordered_by"]
    assert record["leaving"]


def test_a_queue_whose_only_workers_drain_needs_somebody(crew: Lab, xpm: Xpm) -> None:
    crew.submit("b")
    assert "no worker serves" not in xpm("status").stdout
    xpm("workers", "drain", "m1", "m2")
    assert "1 job ready in queue default, which no worker serves" in xpm("status").stdout
    assert "all 3 workers of queue default finish their jobs and leave" in xpm("why", "name=b").stdout


def test_a_stop_of_workers_that_run_jobs_needs_yes(crew: Lab, xpm: Xpm) -> None:
    result = xpm("workers", "stop", "m1")
    assert result.exit_code == 1
    first, second, last = result.stderr.splitlines()
    assert first == "This would stop 2 workers, and hand back 1 job. What is not saved is lost:"
    assert second.startswith(f"  m1-aa.0 runs {short(crew.identity('a'))} Train name=a, for ")
    assert last == "Nothing was stopped. The same with --yes does it."
    assert set(states(xpm).values()) == {"busy", "idle"}
    assert xpm("workers", "stop", "m2").stderr == "m2-bb.0: it leaves.\n", "it runs no job"
    result = xpm("workers", "stop", "m1", "--yes")
    assert result.exit_code == 0
    assert f"m1-aa.0: it hands {short(crew.identity('a'))} Train name=a back, and leaves." in result.stderr
    assert states(xpm)["m1-aa.0"] == "stopping"
    refused = xpm("workers", "resume", "m1-aa.0")
    assert (refused.exit_code, refused.stderr) == (
        1, "m1-aa.0: it was ordered to stop. That cannot be taken back.\n",
    )  # fmt: skip
    hash_key = keys.worker(crew.workspace.id, "m1-aa.0")
    assert crew.client.hget(hash_key, "order") == b"stop"
    xpm("workers", "stop", "--now", "--yes", "m1-aa.0")
    assert crew.client.hget(hash_key, "order") == b"stop_now"


def test_what_cannot_be_ordered_is_said_with_what_to_type_instead(crew: Lab, xpm: Xpm) -> None:
    crew.client.hdel(keys.worker(crew.workspace.id, "m2-bb.0"), "orders")
    crew.store.renew(WorkerId("m1-aa.1", "node1"), None, leaving=True)
    result = xpm("workers", "drain", "m2")
    assert (result.exit_code, result.stderr) == (
        1,
        "m2-bb.0: it runs xpm 0.1.0, which takes no orders from afar. Type on node2: kill -INT 7\n",
    )
    result = xpm("workers", "resume", "m1-aa.1")
    assert result.exit_code == 1
    assert "because of a signal, or because its time is over" in result.stderr


@pytest.mark.parametrize("command", ["drain", "stop", "resume"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("m", "Error: Worker 'm': it means several: m1, m1-aa, m2, m2-bb. Give more of the name."),
        ("m3", "Error: Worker 'm3': no worker, daemon or machine has this name, there is m1, m1-aa, m2,"),
    ],
)
def test_names_that_mean_nothing_or_too_much_change_nothing(
    crew: Lab, xpm: Xpm, command: str, name: str, said: str
) -> None:
    result = xpm("workers", command, "m1-aa.1", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(said)
    assert states(xpm)["m1-aa.1"] == "idle"


def test_without_workers_it_says_how_to_start_one(xpm: Xpm, lab: Lab) -> None:
    assert xpm("workers").stdout == f"no workers: start one by xpm-worker --workspace {lab.workspace.path}\n"
    assert json.loads(xpm("workers", "--json").stdout)["workers"] == []
