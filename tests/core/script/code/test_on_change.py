"""Which rule holds for the tasks of a class."""

from __future__ import annotations

import pytest

from xpm_core import Param, Task
from xpm_core.errors import ExperimentError
from xpm_core.script.code.on_change import CHOICES, is_choice, rule_of, without_effect


class Plain(Task):
    def execute(self) -> None: ...


class Renewed(Plain):
    on_code_change = "rerun"


class Wrong(Plain):
    on_code_change = True


class Own(Plain):
    on_code_change: Param[int]


def test_a_class_goes_before_the_experiment() -> None:
    assert rule_of(Renewed, "ignore", "a.py:1") == "rerun"
    assert [rule_of(Plain, each, "a.py:1") for each in CHOICES] == list(CHOICES)


def test_a_parameter_of_that_name_is_no_rule() -> None:
    assert rule_of(Own, "error", "a.py:1") == "error"


def test_another_word_is_refused() -> None:
    with pytest.raises(ExperimentError, match=r"a.py:1: Wrong.on_code_change = True: expected 'warn'"):
        rule_of(Wrong, "warn", "a.py:1")
    assert not is_choice(["warn"])


def test_rules_that_live_code_makes_useless_are_named() -> None:
    assert without_effect(["warn", "ignore"]) == []
    [line] = without_effect({"error", "rerun"})
    assert line.startswith('note    on_code_change="rerun" and on_code_change="error" did nothing: live code')
