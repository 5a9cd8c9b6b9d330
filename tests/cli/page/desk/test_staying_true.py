"""The desk finds out what no event says, and says it when it cannot follow the jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from helpers.page import PageClient
from helpers.simulated_jobs import Lab
from helpers.waiting import wait_until
from redis.exceptions import ResponseError

from xpm_cli.page.desk.desk import Batch
from xpm_core.index.entries import End
from xpm_core.index.writers import RemovalWriter
from xpm_core.reading.events import EventReader
from xpm_core.reading.jobs import JobReader
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.look import View
from xpm_core.states import State
from xpm_core.store.records import CollectCode
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis


@contextmanager
def hearing(page: PageClient) -> Iterator[list[Batch]]:
    """All batches, as a stream gets them."""
    heard: list[Batch] = []
    end = page.desk.subscribe(heard.append)
    yield heard
    end()


def test_an_error_is_said_and_the_desk_goes_on_following(
    lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert page.desk.listed("").matched == 0
    works, fails = View.update, [True]

    def update(view: View, *given: object) -> object:
        if fails:
            raise TypeError("a row of another kind")
        return works(view, *given)

    monkeypatch.setattr(View, "update", update)
    monkeypatch.setattr(View, "refresh", update)
    with hearing(page) as heard:
        lab.submit("a")
        wait_until(lambda: heard)
        assert "cannot follow the jobs (TypeError: a row of another kind)" in page.get("/jobs")
        fails.clear()
        monkeypatch.undo()
        wait_until(lambda: any(batch.missed for batch in heard))
    assert page.desk.trouble == ""
    assert "cannot follow" not in page.get("/jobs")
    assert page.desk.listed("").matched == 1


def test_another_listener_hears_on_when_one_has_ended(
    lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_cli.page.desk.desk.AGAIN_S", 0.1)
    works = EventReader.after

    def after(reader: EventReader, cursor: str, **more: float) -> object:
        if more:
            raise ResponseError("NOPERM this user has no permissions to run the 'xread' command")
        return works(reader, cursor)

    with hearing(page) as heard:
        monkeypatch.setattr(EventReader, "after", after)
        wait_until(lambda: "NOPERM" in page.desk.trouble)
        monkeypatch.setattr(EventReader, "after", works)
        wait_until(lambda: not page.desk.trouble)
        heard.clear()
        lab.submit("a")
        wait_until(lambda: any(lab.identity("a") in batch.changed for batch in heard))


def test_results_are_told_that_come_after_the_last_event(lab: Lab, page: PageClient) -> None:
    lease = lab.start("a")
    page.desk.listed("")
    with hearing(page) as heard:
        lab.store.finish(lab.worker, lease, State.DONE)
        wait_until(lambda: any(batch.changed.get(lease.identity) is State.DONE for batch in heard))
        assert page.desk.listed("").rows[0].results is None
        heard.clear()
        about = {"host": "node1", "worker": lab.worker.name, "execution": lease.execution}
        lab.ends.add(lease.identity, End(State.DONE, time.time(), time.time() - 1, **about, results={"loss": 0.5}))
        wait_until(lambda: any(lease.identity in batch.changed for batch in heard))
    assert page.desk.listed("loss=0.5").matched == 1


def test_parameters_are_told_that_come_after_the_last_event(lab: Lab, page: PageClient) -> None:
    page.desk.listed("")
    written: list[Callable[[], None]] = []
    lab.submit("other")
    add = lab.writers["sweep"].add
    lab.writers["sweep"].add = lambda jobs: written.append(lambda: add(jobs))  # type: ignore[method-assign]
    with hearing(page) as heard:
        identity = lab.submit("a", params={"lr": 0.1})
        wait_until(lambda: any(identity in batch.changed for batch in heard))
        heard.clear()
        written[0]()
        wait_until(lambda: any(identity in batch.changed for batch in heard))
    assert page.desk.listed("lr=0.1").matched == 1


def test_a_job_that_is_removed_leaves_the_list(lab: Lab, page: PageClient) -> None:
    lab.end("a")
    lab.submit("b")
    wait_until(lambda: page.desk.listed("").matched == 2)
    with hearing(page) as heard:
        forget(lab, "a")
        wait_until(lambda: any(batch.missed for batch in heard))
    assert [row.tags["name"] for row in page.desk.listed("").rows] == ["b"]
    assert page.desk.listed("").total == 1


def rows(page: PageClient) -> list[JobRow]:
    return page.desk.listed("").rows


def forget(lab: Lab, name: str) -> None:
    """Remove a job from the server, and then from the index, as `xpm clean` does."""
    assert lab.store.collect("c", 60, {})[0] is CollectCode.BEGUN
    (row,) = JobReader(lab.client, lab.workspace.id).read([lab.identity(name)])
    lab.store.forget("c", 60, row.identity, row.execution)
    RemovalWriter(lab.workspace.path, "cleaner").add(row.identity, time.time())


def test_whoever_gets_something_old_is_told_when_it_can_be_made_anew(lab: Lab, page: PageClient) -> None:
    def slow() -> int:
        time.sleep(0.05)
        with page.desk.reading() as view:
            return view.total

    def outer() -> int:
        return page.desk.table("outer", lambda: page.desk.table("slow", slow))

    assert outer() == 0
    with hearing(page) as heard:
        lab.submit("a")
        wait_until(lambda: heard)
        heard.clear()
        assert outer() == 0, "it was made so lately that it is not made again"
        wait_until(lambda: any(batch.missed for batch in heard))
        assert outer() == 1


def test_whoever_gets_an_old_order_is_told_when_it_can_be_sorted_anew(lab: Lab, page: PageClient) -> None:
    lab.submit("a")
    wait_until(lambda: any(row.params for row in page.desk.listed("").rows))  # before that, nobody knows a name
    with hearing(page) as heard:
        assert len(page.desk.listed("", "-name").rows) == 1
        lab.submit("b")
        wait_until(lambda: heard)
        heard.clear()
        if len(page.desk.listed("", "-name").rows) == 1:
            wait_until(lambda: any(batch.missed for batch in heard))
    assert len(page.desk.listed("", "-name").rows) == 2


def test_what_depends_on_the_time_is_made_anew_without_an_event(
    page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_cli.page.desk.memory.FRESH_S", 0.01)
    first = page.desk.remembered("now", lambda view: view.now_s)
    wait_until(lambda: page.desk.remembered("now", lambda view: view.now_s) > first)


def test_what_happens_to_a_queue_is_told(lab: Lab, page: PageClient) -> None:
    page.desk.listed("")
    generation = page.desk.generation
    with hearing(page) as heard:
        lab.join()
        wait_until(lambda: heard)
    assert page.desk.generation > generation


def test_a_server_that_was_emptied_and_filled_again_is_noticed(lab: Lab, page: PageClient) -> None:
    lab.submit("a")
    lab.submit("b")
    wait_until(lambda: page.desk.listed("state=ready").matched == 2)
    with hearing(page):
        with lab.client.pipeline(transaction=True) as pipe:  # so fast that nobody sees it empty
            pipe.flushdb()
            pipe.execute()
        Lab(Workspace.open(lab.workspace.path), lab.client).submit("a")
        wait_until(lambda: page.desk.listed("state=ready").matched == 1)


def test_a_done_job_that_comes_to_another_experiment_is_told(
    lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_cli.page.desk.desk.JOINED_S", 0.1)
    lab.end("a")
    lab.submit("b", experiment="other")
    wait_until(lambda: page.desk.listed("").matched == 2 and {"other"} in [{*row.experiments} for row in rows(page)])
    assert page.desk.listed("experiment=other").matched == 1
    with hearing(page) as heard:
        wait_until(lambda: page.desk._joined_at > time.monotonic() - 60)
        heard.clear()
        lab.submit("a", experiment="other")
        wait_until(lambda: any(lab.identity("a") in batch.changed for batch in heard))
    assert page.desk.listed("experiment=other").matched == 2
