"""The server: what its INFO says is wrong, and servers that are not fit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from helpers.private_server import PrivateServer
from helpers.simulated_jobs import Lab
from helpers.typed_commands import AWAY

from xpm_core.diagnosis import checks
from xpm_core.diagnosis.findings import Level
from xpm_core.diagnosis.patient import Patient
from xpm_core.diagnosis.surroundings import server
from xpm_core.reading.look import View
from xpm_core.store import rights
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Doctor

pytestmark = pytest.mark.redis

HEALTHY = {
    "redis_version": "7.2.4",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "rdb_last_bgsave_status": "ok",
    "aof_last_bgrewrite_status": "ok",
    "used_memory": 41 * 10**6,
    "maxmemory": 2 * 10**9,
    "maxmemory_policy": "noeviction",
}


def found(**changes: Any) -> list[tuple[Level, str]]:
    return [(each.level, each.text) for each in server.faults_of({**HEALTHY, **changes})]


def test_healthy_server_has_no_faults() -> None:
    assert found() == []
    said = server.summary(HEALTHY, "redis://head")
    assert said == "redis://head, version 7.2.4, AOF on, memory 41 MB of 2 GB, noeviction"


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({"aof_enabled": 0}, Level.WARNING, "AOF is off"),
        ({"aof_last_write_status": "err"}, Level.ERROR, "could not write its AOF"),
        ({"rdb_last_bgsave_status": "err"}, Level.ERROR, "last snapshot failed"),
        ({"aof_last_bgrewrite_status": "err"}, Level.WARNING, "last AOF rewrite failed"),
        ({"used_memory": 17 * 10**8}, Level.WARNING, "85% full (1.7 GB of 2 GB)"),
        ({"used_memory": 195 * 10**7}, Level.ERROR, "98% full"),
        ({"maxmemory": 0, "total_system_memory": 10**8, "used_memory": 10**8}, Level.ERROR, "100% full"),
    ],
    ids=str,
)
def test_each_fault_of_a_server_is_found(changes: dict[str, Any], level: Level, said: str) -> None:
    [(how_bad, text)] = found(**changes)
    assert how_bad is level
    assert said in text


def test_server_with_aof_is_fine(
    workspace: Workspace, fresh_server: Callable[..., PrivateServer], doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with View(workspace, fresh_server(aof=True).url) as view:
        levels = [each.level for each in server.check(Patient(view))]
    assert levels == [Level.OK]


def test_server_that_may_evict_jobs_is_an_error(
    workspace: Workspace, fresh_server: Callable[..., PrivateServer]
) -> None:
    url = fresh_server(aof=True, options={"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}).url
    with View(workspace, url) as view:
        first, second = server.check(Patient(view))
    assert (first.level, first.remedy) == (Level.ERROR, "Set it to 'noeviction'.")
    assert "maxmemory-policy 'allkeys-lru' may delete jobs" in first.text
    assert second.level is Level.OK


def test_server_that_cannot_be_had_leaves_checks_of_files(lab: Lab, doctor: Doctor) -> None:
    lab.end("a")
    away = doctor(away=True)
    assert away.code == 1
    assert AWAY in away.about("redis")["text"]
    assert away.about("redis")["remedy"]
    unknown = {each["subject"] for each in away.findings if each["level"] == "unknown"}
    assert unknown == {"workers", "imports", "jobs", "links", "lists", "view for RQ"}
    assert away.levels("index") == ["ok"]


def test_user_without_rights_is_told_which(workspace: Workspace, fresh_server: Callable[..., PrivateServer]) -> None:
    started = fresh_server(aof=True)
    with started.client() as client:
        rules = [rule for rule in rights.RULES if rule not in ("+zadd", "+info")]
        client.execute_command("ACL", "SETUSER", "alice", "on", ">secret", "resetkeys", "-@all", *rules)
    url = started.url.replace("unix://", "unix://alice:secret@")
    with View(workspace, url) as view:
        found = [each for each in checks.examine(Patient(view)) if each.subject == "redis"]
    assert [each.level for each in found] == [Level.ERROR, Level.UNKNOWN]
    assert "may not call INFO, ZADD" in found[0].text
    assert "ACL SETUSER alice" in found[0].remedy


def test_user_with_the_documented_rights_can_be_examined(
    workspace: Workspace, fresh_server: Callable[..., PrivateServer]
) -> None:
    started = fresh_server(aof=True)
    with started.client() as client:
        Lab(workspace, client).end("a")
        client.execute_command("ACL", "SETUSER", "alice", "on", ">secret", "resetkeys", "-@all", *rights.RULES)
        client.delete(*client.keys("rq:*"))
    with View(workspace, started.url.replace("unix://", "unix://alice:secret@")) as view:
        levels = {each.level for each in checks.examine(Patient(view), repair=True)}
    assert levels == {Level.OK, Level.MENDED}


def test_clock_that_differs_from_the_servers_is_a_warning(
    lab: Lab, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.time, "time", lambda: real() - 100)
    with View(lab.workspace, redis_url) as view:
        [finding] = [each for each in server.check(Patient(view)) if each.subject == "clock"]
    assert "1 min 40 s behind the server's" in finding.text or "1 min 39 s" in finding.text
    assert finding.remedy == "set the clocks by NTP on both"


real = time.time


def test_slow_server_is_a_warning(lab: Lab, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SLOW_S", 0.0)
    with View(lab.workspace, redis_url) as view:
        assert any("an answer takes" in each.text for each in server.check(Patient(view)))
