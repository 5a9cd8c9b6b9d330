"""`xpm doctor`: what it finds, what it mends, and its exit code."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from helpers.private_server import PrivateServer
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import AWAY

from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.workspace.job_links import JobLinks

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def index_files(lab: Lab) -> list[Path]:
    place = lab.workspace.path
    return [*place.glob("experiments/*/index/*.jsonl"), *place.glob(".xpm/index/*.jsonl")]


def ended(lab: Lab, name: str) -> None:
    """A job that has ended, with its link in its experiment's directory."""
    lab.end(name)
    JobLinks(lab.workspace.experiment("sweep")).add(lab.directory(name), f"name={name}")


def test_healthy_workspace_has_no_faults(lab: Lab, xpm: Xpm) -> None:
    ended(lab, "a")
    result = xpm("doctor")
    assert (result.exit_code, result.stderr) == (0, "")
    *findings, last = result.stdout.splitlines()
    assert [line[0] for line in findings] == ["✓"] * 4
    assert "✓ index: 1 job, none is missing" in findings
    assert last == "no faults"


def test_damaged_lines_are_a_fault_that_repair_mends(lab: Lab, xpm: Xpm) -> None:
    ended(lab, "a")
    for file in index_files(lab):
        with file.open("a") as stream:
            stream.write("torn\n")
    found = xpm("doctor")
    assert found.exit_code == 1
    assert found.stdout.count("1 line of ") == 2
    assert "xpm doctor --repair" in found.stdout
    mended = xpm("doctor", "--repair")
    assert mended.exit_code == 0, mended.stdout
    assert "2 damaged lines removed" in mended.stdout
    assert xpm("doctor").stdout.endswith("no faults\n")
    assert xpm("jobs", "-o", "name").stderr == ""


def test_jobs_that_the_index_lacks_are_added_by_repair(lab: Lab, xpm: Xpm) -> None:
    ended(lab, "a")
    for file in index_files(lab):
        file.unlink()
    found = xpm("doctor")
    assert found.exit_code == 1
    assert "✗ index: it lacks something of 1 job     xpm doctor --repair" in found.stdout
    mended = xpm("doctor", "--repair")
    assert mended.exit_code == 0, mended.stdout
    assert "✓ index: 1 job added" in mended.stdout
    assert xpm("jobs", "--where", "model=MLP", "-o", "name").stdout.split() == [lab.identity("a")]
    assert "✓ index: it lacked nothing" in xpm("doctor", "--repair").stdout


def test_server_that_cannot_be_had_is_a_fault(lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XPM_REDIS_URL", AWAY)
    result = xpm("doctor")
    assert (result.exit_code, result.stderr) == (1, "")
    assert f"✗ server: Redis at {AWAY}: no such file or directory." in result.stdout
    assert result.stdout.endswith("1 fault\n")


def test_server_that_may_lose_jobs_is_a_fault(
    lab: Lab, xpm: Xpm, fresh_server: Callable[..., PrivateServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = fresh_server(options={"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"})
    monkeypatch.setenv("XPM_REDIS_URL", server.url)
    result = xpm("doctor")
    assert result.exit_code == 1
    assert "maxmemory-policy 'allkeys-lru' may delete jobs. Set it to 'noeviction'." in result.stdout


def test_folder_that_is_no_workspace_is_an_error(xpm: Xpm, outside: Path) -> None:
    assert xpm("doctor").exit_code == 3
    assert not list(outside.iterdir())


def test_lists_that_an_earlier_xpm_did_not_keep_are_a_fault_that_repair_mends(lab: Lab, xpm: Xpm) -> None:
    lab.end("bad", State.FAILED, ERROR)
    lab.end("good")
    lab.submit("after", "bad")
    failed = keys.listed(lab.workspace.id, "failed")
    lab.client.delete(failed)
    lab.client.zadd(failed, {lab.identity("good"): 1})
    told = xpm("doctor")
    assert told.exit_code == 1
    assert "its lists of jobs by state lack some" in told.stdout
    mended = xpm("doctor", "--repair")
    assert mended.exit_code == 0
    assert "2 jobs put into the lists of their states" in mended.stdout
    assert lab.client.zrange(failed, 0, -1) == [lab.identity("bad").encode()]
    assert xpm("doctor").exit_code == 0


def test_result_that_was_deleted_is_a_fault(lab: Lab, xpm: Xpm) -> None:
    for name in ("a", "b"):
        ended(lab, name)
    shutil.rmtree(lab.directory("a").path)
    found = xpm("doctor")
    assert found.exit_code == 1
    assert f"✗ results: the directories of 1 job that are done are gone: {short(lab.identity('a'))}" in found.stdout
    assert "run their script again" in found.stdout
