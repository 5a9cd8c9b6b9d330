"""What the desk remembers is made again when that is due, and nothing old is given out for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from helpers.waiting import wait_until

from xpm_cli.page.desk import memory
from xpm_cli.page.desk.memory import Memory


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
    kept, make = Memory(6, ages=False), counted()
    assert [kept.get("x", make, generation) for generation in (1, 1, 2, 2)] == [1, 1, 2, 2]
    assert not kept.is_due()


def test_a_value_that_took_long_is_given_out_old_and_is_due_later_which_is_said_once() -> None:
    kept, make = Memory(6, ages=False), counted(0.01)
    assert [kept.get("x", make, generation) for generation in (1, 2)] == [1, 1]
    assert not kept.is_due()
    wait_until(kept.is_due)
    assert not kept.is_due()
    assert kept.get("x", make, 2) == 2


def test_what_is_made_of_something_old_is_old_too() -> None:
    kept, make = Memory(6, ages=False), counted(0.01)
    assert kept.get("inner", make, 1) == 1
    assert kept.get("outer", lambda: kept.get("inner", make, 2), 2) == 1
    wait_until(kept.is_due)
    assert kept.get("outer", lambda: kept.get("inner", make, 2), 2) == 2


def test_only_a_value_that_ages_is_made_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "FRESH_S", -1.0)
    aging, lasting, one, other = Memory(6, ages=True), Memory(6, ages=False), counted(), counted()
    assert aging.get("x", one, 1) == 1
    wait_until(lambda: aging.get("x", one, 1) > 1)
    assert [lasting.get("x", other, 1) for _ in range(3)] == [1, 1, 1]


def test_the_latest_values_are_kept() -> None:
    kept, first = Memory(3, ages=False), counted()
    kept.get(0, first, 1)
    for number in range(1, 4):
        kept.get(number, counted(), 1)
    assert kept.get(0, first, 1) == 2
