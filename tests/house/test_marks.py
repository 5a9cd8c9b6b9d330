"""Marks say what tests cost: without a server, leave out `redis`; without time, leave out `faults` and `slow`."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

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
