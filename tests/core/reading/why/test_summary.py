"""All that waits, by reason: each job once, counted by line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from helpers.store_client import OTHER, WORKER, StoreClient, W, identity, submission

from xpm_core.reading.reader import Reader
from xpm_core.reading.why import summary
from xpm_core.reading.why.records import Summary
from xpm_core.states import State
from xpm_core.store import keys, scripts
from xpm_core.store.records import WorkerId
from xpm_core.store.tokens import create_token

pytestmark = pytest.mark.redis

ERROR = {"type": "ValueError", "message": "too hot"}


def read(desk: StoreClient) -> Summary:
    return Reader(desk.client, W).reasons.summary()


def counted(desk: StoreClient) -> list[tuple[str, int, str]]:
    return [(group.code.value, group.jobs, group.queue) for group in read(desk).groups]


def join(desk: StoreClient, *workers: WorkerId) -> None:
    for worker in workers:
        desk.store.join(worker, pid=1, path="/data", version="1")


def test_each_job_that_waits_counts_once_under_its_reason(desk: StoreClient) -> None:
    create_token(desk.client, "gpu", 1)
    join(desk, WORKER, OTHER)
    desk.submit(submission("fails", max_retries=0), submission("blocked", needs=("fails",)))
    desk.finish(desk.claim(), State.FAILED, error=ERROR)
    desk.submit(submission("again", max_retries=1, backoff_s=100))
    desk.finish(desk.claim(), State.FAILED, error=ERROR)
    desk.submit(*(submission(name, demand={"gpu": 1}) for name in "abc"), submission("after", needs=("c",)))
    desk.claim()
    desk.submit(*(submission(name, queue="far") for name in "xy"))
    assert counted(desk) == [
        ("blocked", 1, ""),
        ("dependency", 1, ""),
        ("unserved", 2, "far"),
        ("token_held", 2, "default"),
        ("retry", 1, ""),
    ]
    groups = {group.code.value: group for group in read(desk).groups}
    assert groups["token_held"].example == identity("b")
    assert groups["retry"].example == identity("again")
    assert groups["retry"].text.startswith("they failed, and are tried again; the first in 1 min ")
    assert read(desk).jobs == 7


def test_behind_a_job_that_is_about_to_start_the_others_stand_in_line(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(*(submission(name) for name in "abc"))
    assert counted(desk) == [("in_line", 2, "default"), ("about_to_start", 1, "default")]
    desk.client.set(keys.suspended, 1)
    assert counted(desk) == [("suspended", 3, "default")]


def test_lines_of_one_reason_are_one_group(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", min_time_s=60), submission("c", project="lab"))
    assert counted(desk) == [("unserved", 3, "default")]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_lines_are_read_in_pages(desk: StoreClient, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(summary, "LINES", size)
    desk.submit(*(submission(f"j{least}", min_time_s=least) for least in range(1, 6)))
    assert counted(desk) == [("unserved", 5, "default")]


def test_many_jobs_cost_no_more_calls_than_few(desk: StoreClient, monkeypatch: pytest.MonkeyPatch) -> None:
    join(desk, WORKER)
    calls: list[str] = []
    run: Callable[..., Any] = scripts.run

    def counting(client: Any, name: str, *rest: Any) -> Any:
        calls.append(name)
        return run(client, name, *rest)

    for start in range(0, 3000, 1000):
        desk.submit(*(submission(f"j{number}") for number in range(start, start + 1000)))
    monkeypatch.setattr(scripts, "run", counting)
    assert counted(desk) == [("in_line", 2999, "default"), ("about_to_start", 1, "default")]
    assert calls == ["waits"]


def test_a_queue_whose_keys_somebody_spoiled_is_unknown_and_its_jobs_are_counted(desk: StoreClient) -> None:
    desk.submit(submission("a"), *(submission(name, queue="gpu") for name in "xy"))
    desk.client.set(keys.serving(W, "gpu"), "spoiled")
    assert counted(desk) == [("unserved", 1, "default"), ("unknown", 2, "gpu")]
    assert keys.serving(W, "gpu") in read(desk).groups[1].text


def test_nothing_waits_in_an_empty_workspace(desk: StoreClient) -> None:
    assert read(desk).groups == ()
