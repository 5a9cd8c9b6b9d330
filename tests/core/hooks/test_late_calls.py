"""Calls of hooks that nobody waits for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from xpm_core.hooks import late_calls
from xpm_core.hooks.calls import Hooks
from xpm_core.hooks.late_calls import LateCalls


class Plugin(ModuleType):
    """A module with a hook that waits until it may go on."""

    def __init__(self) -> None:
        super().__init__("late_plugin")
        self.told: list[object] = []
        self.may_go = threading.Event()
        self.began = threading.Event()

    def hook(self, word: object) -> None:
        self.began.set()
        self.may_go.wait()
        self.told.append(word)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:
    import sys

    plugin = Plugin()
    monkeypatch.setitem(sys.modules, "late_plugin", plugin)
    yield plugin
    plugin.may_go.set()


@pytest.fixture
def calls(plugin: Plugin) -> LateCalls:
    return LateCalls(Hooks(lambda: [EntryPoint("run_ended", "late_plugin:hook", "xpm.hooks")]), "run_ended")


def test_calls_are_made_in_order_and_close_waits_for_them(calls: LateCalls, plugin: Plugin) -> None:
    for number in range(3):
        calls.put(number)
    assert plugin.told == []
    plugin.may_go.set()
    calls.close()
    assert plugin.told == [0, 1, 2]


def test_close_waits_no_longer_than_it_may(calls: LateCalls, plugin: Plugin, caplog: pytest.LogCaptureFixture) -> None:
    calls.put("first")
    plugin.began.wait()
    calls.put("second")
    calls.close(0.05)
    assert "calls were not made in time" in caplog.text


def test_calls_beyond_the_most_that_may_wait_are_left_out_and_that_is_said_once(
    calls: LateCalls, plugin: Plugin, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_calls, "MOST", 2)
    calls = LateCalls(Hooks(lambda: [EntryPoint("run_ended", "late_plugin:hook", "xpm.hooks")]), "run_ended")
    calls.put(0)
    plugin.began.wait()
    for number in range(1, 6):
        calls.put(number)
    plugin.may_go.set()
    calls.close()
    assert plugin.told == [0, 1, 2]
    assert caplog.text.count("left out, because 2 calls wait") == 1


def test_without_hooks_there_is_no_thread() -> None:
    before = threading.active_count()
    calls = LateCalls(Hooks(list), "run_ended")
    calls.put("word")
    calls.close()
    assert threading.active_count() == before
