"""The words for why jobs do not run."""

from __future__ import annotations

from typing import get_args

import pytest

from xpm_core.words import reasons
from xpm_core.words.reasons import (
    AboutToStart,
    Avoided,
    Blocked,
    Delayed,
    Reason,
    TokensHeld,
    Unserved,
    WorkersBusy,
)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Unserved("gpu", 3), "no living worker serves them"),
        (
            Avoided("m2", "cannot import sweep: looked in /data", "", 1),
            "worker m2 cannot import sweep: looked in /data; 1 job avoids it",
        ),
        (
            Avoided("m2", "cannot import sweep: looked in /data", "", 3),
            "worker m2 cannot import sweep: looked in /data; 3 jobs avoid it",
        ),
        (TokensHeld(("cpu", "gpu")), "token cpu, gpu held by running jobs"),
        (WorkersBusy(), "all workers are busy"),
        (AboutToStart(), "about to start"),
        (Delayed(41.2), "next attempt in 41 s"),
        (Blocked("3f2a91c" + "0" * 57), "by 3f2a91c"),
    ],
)
def test_each_reason_is_said_in_a_few_words(reason: Reason, words: str) -> None:
    assert str(reason) == words


def test_the_list_is_closed() -> None:
    defined = {
        each for each in vars(reasons).values() if isinstance(each, type) and each.__module__ == reasons.__name__
    }
    assert set(get_args(Reason)) == defined


def test_an_unserved_queue_is_said_to_whoever_waits_and_whoever_does_not() -> None:
    one, three = Unserved("gpu", 1), Unserved("gpu", 3)
    assert one.entry() == "1 job ready in queue gpu, which no worker serves"
    start = "xpm-worker --workspace w --queue gpu"
    wait = f"and no living worker serves it. Start one: {start}"
    assert one.warning(start) == f"1 job is ready in queue 'gpu', {wait}"
    assert three.warning(start) == f"3 jobs are ready in queue 'gpu', {wait}"
    assert three.after_retry(start) == f"No worker serves queue gpu. Run the script again, or start one: {start}"
