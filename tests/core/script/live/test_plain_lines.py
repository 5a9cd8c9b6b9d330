"""What stands in a log while a script waits: changes one by one, or counts if jobs are many."""

from __future__ import annotations

import pytest
from helpers.tracked_jobs import job

from xpm_core.script.live import plain_lines
from xpm_core.script.live.plain_lines import EACH, FAILURES, PlainLines, described
from xpm_core.states import State


def table(count: int) -> dict[str, plain_lines.TrackedJob]:
    """So many jobs that are ready."""
    jobs = [job(State.READY) for _ in range(count)]
    return {each.identity: each for each in jobs}


def test_each_change_has_a_line_in_the_order_of_changes(capfd: pytest.CaptureFixture[str]) -> None:
    jobs, lines = table(EACH), PlainLines("x")
    first, second, *_ = jobs.values()
    for each, state in ((first, State.RUNNING), (second, State.RUNNING), (first, State.DONE)):
        each.state = state
        lines.note(each, jobs)
    lines.show(jobs, last=False)
    assert capfd.readouterr().err.splitlines() == [
        f"x  0/200  ● running   Train lr=0.01  {first.identity[:7]}  gpu-a:0",
        f"x  0/200  ● running   Train lr=0.01  {second.identity[:7]}  gpu-a:0",
        f"x  1/200  ✓ done      Train lr=0.01  {first.identity[:7]}",
    ]
    lines.show(jobs, last=True)
    assert capfd.readouterr().err == "", "each once"


def test_many_jobs_are_counted_and_only_the_first_failures_are_named(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, lines = table(EACH + 1), PlainLines("x")
    for number, each in enumerate(jobs.values()):
        each.state = State.FAILED if number < FAILURES + 5 else State.DONE
        lines.note(each, jobs)
    lines.show(jobs, last=False)
    *failures, last = capfd.readouterr().err.splitlines()
    assert len(failures) == FAILURES
    assert all("  ✗ failed    Train" in line for line in failures)
    assert last == "x: 20 failures were shown; from now on they are only counted"
    monkeypatch.setattr(plain_lines, "EVERY_S", 0.0)
    for is_last in (False, False, True):
        lines.show(jobs, last=is_last)
    assert capfd.readouterr().err == "x  176 done, 25 failed\n", "not again while nothing changes"


def test_what_was_drawn_is_not_printed_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    jobs, lines = table(1), PlainLines("x")
    for each in jobs.values():
        lines.note(each, jobs)
    lines.forget()
    lines.show(jobs, last=True)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("state", State)
def test_each_state_is_a_word_beside_its_mark(state: State) -> None:
    mark, word, *_ = described(job(state)).split()
    assert word == state.value
    assert len(mark) == 1
