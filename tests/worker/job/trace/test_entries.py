"""The first entries of functions, with a stand-in for `sys.monitoring`; with the real one: test_tracing.py."""

from __future__ import annotations

import inspect
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from xpm_worker.job.trace import entries as entries_module
from xpm_worker.job.trace.entries import Entries

NAMES = {"file": "/copy/a.py", "name": "f", "flags": inspect.CO_OPTIMIZED}


class Monitoring:
    """What `sys.monitoring` does, for one event."""

    DISABLE = object()
    events = SimpleNamespace(PY_START=1)

    def __init__(self, *taken: int) -> None:
        self.tools: dict[int, str] = dict.fromkeys(taken, "other")
        self.set: dict[int, int] = {}
        self.callback: Any = None

    def get_tool(self, number: int) -> str | None:
        return self.tools.get(number)

    def use_tool_id(self, number: int, name: str) -> None:
        assert number not in self.tools
        self.tools[number] = name

    def free_tool_id(self, number: int) -> None:
        del self.tools[number]

    def set_events(self, number: int, events: int) -> None:
        self.set[number] = events

    def get_events(self, number: int) -> int:
        return self.set.get(number, 0)

    def register_callback(self, number: int, event: int, callback: Any) -> Any:
        before, self.callback = self.callback, callback
        return before


def code(**changes: Any) -> Any:
    fields = NAMES | changes
    return SimpleNamespace(co_filename=fields["file"], co_qualname=fields["name"], co_flags=fields["flags"])


def started(monkeypatch: pytest.MonkeyPatch, *taken: int) -> tuple[Entries, Monitoring, str]:
    monitoring = Monitoring(*taken)
    monkeypatch.setattr(sys, "monitoring", monitoring, raising=False)
    entries = Entries(("/copy/",))
    return entries, monitoring, entries.start()


def test_only_functions_of_the_project_are_noted_and_each_is_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    entries, monitoring, _ = started(monkeypatch)
    for each in (code(), code(), code(file="/other/a.py"), code(name="Body", flags=0), code(name="g.<locals>.h")):
        assert monitoring.callback(each, 0) is monitoring.DISABLE
    assert list(entries.seen) == [("/copy/a.py", "f"), ("/copy/a.py", "g.<locals>.h")]
    assert not entries.is_full


@pytest.mark.parametrize(("taken", "used"), [((), 4), ((4,), 3), ((0, 1, 2, 5), 4)])
def test_an_id_is_used_that_is_free_and_no_debuggers_coverages_or_profilers(
    monkeypatch: pytest.MonkeyPatch, taken: tuple[int, ...], used: int
) -> None:
    entries, monitoring, why = started(monkeypatch, *taken)
    assert (why, monitoring.tools[used]) == ("", "xpm")
    assert entries.stop()
    assert set(monitoring.tools) == set(taken)
    assert not entries.stop()


def test_without_a_free_id_nothing_is_taken_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    entries, monitoring, why = started(monkeypatch, 3, 4)
    assert why == "other tools use sys.monitoring"
    assert not entries.stop()
    assert monitoring.tools == {3: "other", 4: "other"}


def test_an_older_python_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys, "monitoring", raising=False)
    assert "has no sys.monitoring" in Entries(("/copy/",)).start()


def test_functions_above_the_limit_are_left_out_and_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries_module, "MOST_FUNCTIONS", 2)
    entries, monitoring, _ = started(monkeypatch)
    for number in range(3):
        monitoring.callback(code(name=f"f{number}"), 0)
    assert (len(entries.seen), entries.is_full) == (2, True)


def test_a_tool_whose_events_were_switched_off_is_not_on(monkeypatch: pytest.MonkeyPatch) -> None:
    entries, monitoring, _ = started(monkeypatch)
    monitoring.set_events(4, 0)
    assert not entries.stop()


def test_a_tool_whose_callback_was_replaced_has_not_seen_all(monkeypatch: pytest.MonkeyPatch) -> None:
    entries, monitoring, _ = started(monkeypatch)
    monitoring.register_callback(4, 1, print)
    assert not entries.stop()
    assert monitoring.tools == {}
