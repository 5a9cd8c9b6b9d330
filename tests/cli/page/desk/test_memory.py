"""What the desk remembers is made again when that is due, and nothing old is given out for ever."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import pytest
from helpers.waiting import wait_until

from xpm_cli.page.desk import memory
from xpm_cli.page.desk.memory import MOST_HEAVY, Memory


def counted(seconds: float = 0.0) -> Callable[[], int]:
    """Says how often it was called, and takes so long."""
    calls: list[int] = []

    def make() -> int:
        time.sleep(seconds)
        calls.append(1)
        return len(calls)

    return make


def test_a_value_is_made_once_for_each_generation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SHARE", 0)
    kept, make = Memory(), counted()
    assert [kept.get("x", make, generation, True) for generation in (1, 1, 2, 2)] == [1, 1, 2, 2]
    assert kept.due_s == math.inf


def test_a_value_that_took_long_is_given_out_old_and_is_due_later() -> None:
    kept, make = Memory(), counted(0.01)
    assert [kept.get("x", make, generation, True) for generation in (1, 2)] == [1, 1]
    due_s = kept.due_s
    assert due_s < math.inf
    wait_until(lambda: time.monotonic() >= due_s)
    assert kept.get("x", make, 2, True) == 2


def test_what_is_made_of_something_old_is_old_too() -> None:
    kept, make = Memory(), counted(0.01)
    assert kept.get("inner", make, 1, True) == 1
    assert kept.get("outer", lambda: kept.get("inner", make, 2, True), 2, True) == 1
    wait_until(lambda: time.monotonic() >= kept.due_s)
    assert kept.get("outer", lambda: kept.get("inner", make, 2, True), 2, True) == 2


def test_a_light_value_is_made_again_after_a_while_and_a_heavy_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "FRESH_S", -1.0)
    kept, light, heavy = Memory(), counted(), counted()
    assert kept.get("light", light, 1, False) == 1
    wait_until(lambda: kept.get("light", light, 1, False) > 1)
    assert [kept.get("heavy", heavy, 1, True) for _ in range(3)] == [1, 1, 1]


def test_few_heavy_values_are_kept() -> None:
    kept, first = Memory(), counted()
    kept.get(0, first, 1, True)
    for number in range(1, MOST_HEAVY + 1):
        kept.get(number, counted(), 1, True)
    assert kept.get(0, first, 1, True) == 2
