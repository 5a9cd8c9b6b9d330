"""Words for reasons that lie in a job, or in what it needs."""

from __future__ import annotations

import pytest

from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Reason
from xpm_core.words.reasons_of_jobs import (
    Blocked,
    Cancelled,
    Dependency,
    Done,
    Failed,
    Frozen,
    Retry,
    Running,
    Unknown,
    said,
)

A, B = "3f2a91c" + "0" * 57, "9bc04e1" + "0" * 57


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Blocked(A, "failed", "ValueError: no"), "it needs 3f2a91c, which failed: ValueError: no"),
        (Blocked(A, "cancelled"), "it needs 3f2a91c, which was cancelled"),
        (Blocked(A), "it needs 3f2a91c, which did not succeed"),
        (Blocked(""), "it needs a job that did not succeed; which one is unknown"),
        (Dependency(1), "it needs 1 job that is not done"),
        (Dependency(0), "what it needs has just been done"),
        (Cancelled(), "somebody cancelled it"),
        (Retry(41.2), "next attempt in 41 s"),
        (Retry(0.0, "MemoryError"), "its next attempt is due, after MemoryError"),
        (Running(2461.0, "w1", "gpu-a"), "it has run for 41 min 1 s on gpu-a"),
        (Running(2.0, "", ""), "it has run for 2 s on an unknown machine"),
        (Frozen(9.0, "w1", "n1", {}, 40.0, -10.0), "its processes are frozen, or gone: its worker has not reached "
         "Redis for 40 s"),
        (Done(), "it is done"),
        (Failed("MemoryError", 1380.0), "it failed 23 min ago: MemoryError"),
        (Unknown("the server does not know it any more"), "unknown: the server does not know it any more"),
    ],
)  # fmt: skip
def test_each_reason_is_one_sentence(reason: Reason, words: str) -> None:
    assert str(reason) == words


def test_a_lease_that_is_over_or_not_known_is_said_so() -> None:
    assert Running(9.0, "w1", "n1").details() == ["worker w1"]
    assert "lease renewed 40 s ago, over" in Frozen(9.0, "w1", "n1", {}, 40.0, -10.0).details()
    assert Frozen(9.0, "w1", "n1", {}, 29.0, 1.0).details()[-1] == "it is free in 1 s"


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        ({"fraction": 0.8, "desc": "epoch 8/10"}, "80%  epoch 8/10"),
        ({"fraction": "x", "desc": "a\x1b[2J"}, "a?[2J"),
        ({"fraction": 0.5}, "50%"),
    ],
)
def test_the_last_word_of_progress_is_shown_as_far_as_it_is_one(progress: dict[str, object], words: str) -> None:
    assert Running(9.0, "w1", "n1", progress).details()[1] == f"last word of progress: {words}"


def test_what_helps_a_job_that_waits_is_what_helps_the_first_of_its_dependencies() -> None:
    steps = ((B, "waiting"), (A, "ready"))
    commands = Commands()
    assert Dependency(1, steps, Retry(3.0)).what_to_do(commands, "") == ["wait", "xpm logs 3f2a91c"]
    assert Dependency(1, steps, Running(1.0, "w", "h")).what_to_do(commands, "") == ["wait", "xpm show 3f2a91c"]
    assert Dependency(1, steps).what_to_do(commands, "") == ["wait", "xpm show 3f2a91c"]
    assert Dependency(0).what_to_do(commands, "") == ["wait"]


def test_a_blocked_job_whose_root_is_unknown_leads_to_its_sheet() -> None:
    assert Blocked("").what_to_do(Commands(), A) == ["xpm show 3f2a91c"]


def test_an_error_in_a_few_words() -> None:
    assert said({"type": "numpy._core.MemoryError", "message": "no\nspace"}) == "MemoryError: no space"
    assert said({}) == ""
    assert len(said({"type": "x" * 500, "message": "y" * 500})) == 402
