"""Words for reasons that lie in the workers."""

from __future__ import annotations

import pytest

from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Reason
from xpm_core.words.reasons_of_workers import (
    Avoided,
    Draining,
    Paused,
    Refused,
    ShortLived,
    Silent,
    Suspended,
    TooLarge,
    Unserved,
    listed,
)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (TooLarge("gpu", 8, 4), "it asks for 8 of token gpu, there are 4"),
        (TooLarge("gpu", 8, 4, machine=True), "it asks for 8 of token gpu, the largest worker of its queue has 4"),
        (Paused("gpu", 300.0, "ann@node1", "a\x1b b"), "queue gpu was paused 5 min ago by ann@node1: a? b"),
        (Paused("gpu"), "queue gpu was paused"),
        (Unserved("gpu", 3), "no living worker serves queue gpu"),
        (Avoided("m2", "cannot import sweep", "", 1), "worker m2 cannot import sweep; 1 job avoids it"),
        (Avoided("m2", "cannot import sweep", "", 3), "worker m2 cannot import sweep; 3 jobs avoid it"),
        (Refused("gpu", 2, 2), "all 2 workers of queue gpu refused jobs of its project"),
        (Silent("gpu", 1, 3), "1 of 3 workers of queue gpu is silent now"),
        (Silent("gpu", 2, 2, (), 25.0, 5.0),
         "all 2 workers of queue gpu are silent for 25 s, and count as gone in 5 s"),
        (Suspended(), "all workers of the server are suspended"),
        (Draining("gpu", 1, 1), "the worker of queue gpu finishes its job and leaves"),
        (Draining("gpu", 2, 3), "2 of 3 workers of queue gpu finish their jobs and leave"),
        (ShortLived("gpu", 1, 1, (), 3600.0), "it needs 1 h, and the worker of queue gpu ends before that"),
        (ShortLived("gpu", 2, 2, (), 3600.0, 60.0),
         "it needs 1 h, and all 2 workers of queue gpu have at most 1 min left"),
    ],
)  # fmt: skip
def test_each_reason_is_one_sentence(reason: Reason, words: str) -> None:
    assert str(reason) == words


def test_an_unserved_queue_is_said_to_whoever_waits_and_whoever_does_not() -> None:
    one, three = Unserved("gpu", 1), Unserved("gpu", 3)
    assert one.entry() == "1 job ready in queue gpu, which no worker serves"
    start = "xpm-worker --workspace w --queue gpu"
    wait = f"and no living worker serves it. Start one: {start}"
    assert one.warning(start) == f"1 job is ready in queue 'gpu', {wait}"
    assert three.warning(start) == f"3 jobs are ready in queue 'gpu', {wait}"
    assert three.after_retry(start).startswith(f"No worker serves queue gpu. Start one: {start} (or ")


def test_refusals_are_listed_once_each_and_more_are_counted() -> None:
    problems = tuple(f"worker m{number} cannot import sweep" for number in range(6))
    reason = Refused("gpu", 6, 6, (), problems, ("install it", "install it", "start it again"))
    assert reason.details() == [*problems[:4], "and 2 refusals more"]
    assert reason.what_to_do(Commands(), "") == ["install it", "start it again", "xpm-worker --queue gpu"]


def test_workers_are_named_and_more_are_counted() -> None:
    assert Draining("gpu", 7, 7, tuple("abcdefg")).details() == ["a, b, c, d and 3 more"]
    assert (listed(["a"]), listed(["a", "b"], 5)) == ("a", "a, b and 3 more")


@pytest.mark.parametrize(
    ("reason", "first"),
    [
        (TooLarge("gpu", 8, 4), "give token gpu more units"),
        (TooLarge("gpu", 8, 4, machine=True), "start a worker on a larger machine"),
        (Paused("gpu"), "xpm queues resume gpu"),
        (Avoided("m2", "", "install it there", 1), "install it there"),
        (Silent("gpu", 1, 1), "wait"),
        (Suspended(), "rq resume (with the address of the server: -u URL)"),
        (ShortLived("gpu", 1, 1), "xpm-worker --queue gpu"),
    ],
)
def test_each_says_what_to_do(reason: Reason, first: str) -> None:
    assert reason.what_to_do(Commands(), "a" * 64)[0] == first
