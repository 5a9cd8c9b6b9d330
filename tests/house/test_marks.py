"""Marks say what tests cost: without a server, leave out `redis`; without time, leave out `faults` and `slow`."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import pytest
from helpers.marks import LOADS_NO_REDIS, SERVERS, SHOWS, TESTS, any_server_holds
from helpers.project_files import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SERVER = "server_program"
"""The fixture that each fixture of a server asks for."""


def unmarked(items: Iterable[pytest.Item]) -> list[str]:
    """The tests that need a server, and do not say so."""
    return [
        item.nodeid
        for item in items
        if SERVER in getattr(item, "fixturenames", ()) and item.get_closest_marker("redis") is None
    ]


def test_what_needs_a_server_is_marked_redis(request: pytest.FixtureRequest) -> None:
    """It looks at all that was collected with it: in a run of all tests, at all."""
    assert unmarked(request.session.items) == []


def test_what_is_not_marked_is_noticed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request.node, "fixturenames", [SERVER])
    assert unmarked([request.node]) == [request.node.nodeid]
    request.node.add_marker("redis")
    assert unmarked([request.node]) == []


def test_rooms_that_load_no_redis_have_a_contract_for_that() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = (each for each in options["contracts"] if each["name"] == "processes of jobs load nothing of Redis")
    assert {f"xpm_{room.replace('/', '.')}" for room in LOADS_NO_REDIS} <= {*contract["source_modules"]}


def test_what_any_server_holds_is_there() -> None:
    assert [name for name in (*SHOWS, *LOADS_NO_REDIS, *SERVERS) if not (TESTS / name).exists()] == []
    assert any_server_holds(TESTS / "worker" / "job" / "test_main.py")
    assert not any_server_holds(TESTS / "worker" / "slot" / "test_orders.py")
    assert not any_server_holds(TESTS / SERVERS[0])
