"""Words for reasons of a job that stands in line."""

from __future__ import annotations

import pytest

from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Reason
from xpm_core.words.reasons_in_line import (
    AboutToStart,
    Busy,
    Holder,
    InLine,
    Place,
    Shortage,
    TokenHeld,
    TokenKept,
)

A, B = "3f2a91c" + "0" * 57, "9bc04e1" + "0" * 57


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (TokenHeld(("cpu", "gpu")), "token cpu, gpu held by running jobs"),
        (TokenKept(A), "its tokens are kept for 3f2a91c, which was passed too often"),
        (TokenKept(A, "abc"), "its tokens are kept for 3f2a91c of workspace abc, which was passed too often"),
        (Busy(), "all workers are busy"),
        (Busy(1), "the worker that could take it is busy"),
        (Busy(4), "all 4 workers are busy"),
        (InLine(), "idle workers take other jobs first"),
        (AboutToStart(), "about to start"),
        (AboutToStart("w1"), "worker w1 is about to take it"),
    ],
)
def test_each_reason_is_one_sentence(reason: Reason, words: str) -> None:
    assert str(reason) == words


def test_a_shortage_says_who_holds_what_and_when_the_first_is_likely_to_end() -> None:
    holders = (Holder(A, 2, 720.0), Holder(B, 1, None, "abc"))
    reason = TokenHeld(("gpu",), (Shortage("gpu", 2, 1, 4, "node1", holders, 300.0),), Place(3, 7, (A, B)))
    assert reason.details() == [
        "token gpu: it asks for 2, 1 of 4 free on node1",
        "held by 3f2a91c for 12 min, 9bc04e1 of workspace abc; the first likely ends in 5 min",
        "place 3 of 7 in its line, behind 3f2a91c, 9bc04e1",
    ]
    assert Place(9, 9, (A,)).lines() == ["place 9 of 9 in its line, behind 3f2a91c and 7 more"]


def test_busy_workers_say_when_the_first_is_likely_free_and_who_comes_before() -> None:
    assert Busy().details() == []
    assert Busy(2, 60.0, 2).details() == ["the first likely is free in 1 min", "2 jobs of its queue come before it"]
    assert Busy(2, None, 0).details() == ["when the first is free is unknown", "no job of its queue comes before it"]
    assert InLine(1).details() == ["1 job of its queue comes before it"]


def test_a_job_of_another_workspace_cannot_be_looked_at_from_here() -> None:
    assert TokenKept(A).what_to_do(Commands(), B) == ["wait", "xpm why 3f2a91c"]
    assert TokenKept(A, "abc").what_to_do(Commands(), B) == ["wait"]
