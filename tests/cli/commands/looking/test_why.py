"""`xpm why`: its three forms, and its exit code. tests/core/reading/why looks for the reasons."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from xpm_core.labels import short
from xpm_core.states import State

if TYPE_CHECKING:
    from conftest import Scene

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def test_reason_of_a_job_tells_never_from_not_yet_and_what_to_do(scene: Scene, seen: Xpm) -> None:
    failed = short(scene.ids[State.FAILED])
    text = seen("why", "name=blocked").stdout
    assert "why it never runs, as it is now" in text
    assert f"  1. never: it needs {failed}, which failed: ValueError: the learning rate is negative" in text
    assert f"do          xpm show {failed}   xpm retry {failed}" in text
    assert "facts read  Redis 0 s ago" in text
    assert "why it does not run yet" in seen("why", "name=waiting").stdout


def test_without_a_job_all_that_waits_is_summed_up_by_reason(seen: Xpm) -> None:
    head, *lines = seen("why").stdout.splitlines()
    assert head == "waiting     4 jobs   4 reasons"
    assert lines[0] == "  1         never: they need jobs that failed or were cancelled   xpm jobs --state blocked"
    assert lines[1] == "  1         not yet: they need jobs that are not done   xpm jobs --state waiting"


def test_selected_jobs_have_a_line_each(scene: Scene, seen: Xpm) -> None:
    (line,) = seen("why", "--state", "blocked,done").stdout.splitlines()
    assert line.startswith(f"{short(scene.ids[State.BLOCKED])}     Train name=blocked   blocked   never: it needs")
    assert seen("why", "--state", "done").stdout == "no job that was selected waits\n"


@pytest.mark.parametrize(("name", "code"), [("failed", 1), ("name=done", 0), ("name=blocked", 0)])
def test_exit_code_is_that_of_the_job(seen: Xpm, name: str, code: int) -> None:
    assert seen("why", name).exit_code == seen("why", name, "--json").exit_code == code


def test_text_and_json_have_the_same_reason(seen: Xpm) -> None:
    data = json.loads(seen("why", "name=waiting", "--json").stdout)
    reason = data["reasons"][0]
    assert f"1. {reason['outlook']}: {reason['text']}" in seen("why", "name=waiting").stdout
    (found,) = json.loads(seen("jobs", "--state", "waiting", "--json").stdout)["jobs"]
    assert [found["why"][name] for name in ("code", "text")] == [reason[name] for name in ("code", "text")]


def test_job_and_options_together_are_a_usage_error(seen: Xpm) -> None:
    assert seen("why", "name=waiting", "--state", "ready").exit_code == 2


def test_no_job_waits(xpm: Xpm) -> None:
    assert xpm("why").stdout == "no job waits\n"
