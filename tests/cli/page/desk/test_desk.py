"""The desk reads a workspace once for all requests, and follows its events."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from helpers.page import PageClient, page_of
from helpers.private_server import PrivateServer
from helpers.simulated_jobs import ERROR, Lab
from helpers.waiting import wait_until

from xpm_cli.page.desk.desk import Batch
from xpm_cli.page.desk.feed import said_by
from xpm_cli.page.desk.orders import _near
from xpm_core.errors import EmbeddedServerError, FilterError
from xpm_core.results import listed as listed_results
from xpm_core.states import State
from xpm_core.store.jobs import new_execution_id
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis


def listed(page: PageClient, text: str = "", sort: str = "") -> list[str]:
    return [row.tags["name"] for row in page.desk.listed(text, sort).rows]


def test_a_list_has_what_happens_after_it_was_first_read(lab: Lab, page: PageClient) -> None:
    assert listed(page) == []
    lab.submit("a")
    wait_until(lambda: listed(page) == ["a"])
    lab.claim(lab.identity("a"))
    wait_until(lambda: page.desk.listed("state=running").matched == 1)
    assert page.desk.listed("").counts[State.RUNNING] == 1


def test_a_part_of_a_list_is_read_in_order(lab: Lab, page: PageClient) -> None:
    for name in "abcde":
        lab.submit(name)
    wait_until(lambda: len(listed(page)) == 5)
    whole, part = page.desk.listed("").rows, page.desk.listed("", "", first=1, count=2)
    assert (part.rows, part.matched, part.total) == (whole[1:3], 5, 5)
    times = [(row.submitted_s, row.identity) for row in whole]
    assert times == sorted(times), "jobs of one millisecond have the order of their identities"
    assert listed(page, sort="-name") == ["e", "d", "c", "b", "a"]


@pytest.mark.parametrize("sort", ["", "name"])
def test_no_job_is_passed_over_or_comes_twice_while_others_move(lab: Lab, page: PageClient, sort: str) -> None:
    names = [f"job{number}" for number in range(9)]
    for name in names:
        lab.submit(name)
    wait_until(lambda: len(listed(page)) == 9)
    part = page.desk.listed("", sort, 0, 3)
    found, seen = [row.tags["name"] for row in part.rows], 3
    while part.last:
        lab.store.claim(lab.worker, new_execution_id())  # the first job that is ready moves to the top
        lab.store.cancel(lab.identity(found[-1]))  # and the last one that was seen to the end
        moved = page.desk.generation
        wait_until(lambda: page.desk.listed("").matched == 9 and page.desk.generation > moved)  # noqa: B023
        part = page.desk.listed("", sort, seen, 3, after=part.last)
        found, seen = [*found, *(row.tags["name"] for row in part.rows if row.tags["name"] not in found)], seen + 3
    assert sorted(found) == names


def test_a_place_in_an_order_is_found_again_near_where_it_was() -> None:
    order = [str(number) for number in range(9000)]
    assert [_near(order, "250", first) for first in (251, 200, 300, 8000)] == [251, 251, 251, 8000]
    assert _near(order, "gone", 400) == 400


def test_a_filter_that_means_nothing_is_an_error_and_forgotten(lab: Lab, page: PageClient) -> None:
    lab.submit("a", params={"lr": 0.1})
    wait_until(lambda: len(listed(page)) == 1)
    with pytest.raises(FilterError, match="no job has a field"):
        page.desk.listed("rl=1")
    assert page.desk.listed("lr=0.1").matched == 1


def test_who_subscribes_hears_of_each_change_with_its_cursor(lab: Lab, page: PageClient) -> None:
    heard: list[Batch] = []
    end = page.desk.subscribe(heard.append)
    lease = lab.start("a")
    wait_until(lambda: any(batch.changed.get(lease.identity) is State.RUNNING for batch in heard))
    last = page.desk.view.reader.events.last()
    wait_until(lambda: heard[-1].cursor == last)
    assert heard[-1].counts[State.RUNNING] == 1
    end()
    count = len(heard)
    lab.finish("a", lease)
    wait_until(lambda: page.desk.listed("state=done").matched == 1)
    assert len(heard) == count


def test_what_is_remembered_is_made_again_after_a_change(lab: Lab, page: PageClient) -> None:
    made: list[int] = []

    def make(view: object) -> int:
        made.append(1)
        return len(made)

    assert [page.desk.remembered("x", make) for _ in range(3)] == [1, 1, 1]
    lab.submit("a")
    wait_until(lambda: page.desk.remembered("x", make) == 2)


def test_others_read_while_a_table_is_made(lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.end("a", results={"loss": 0.5})
    wait_until(lambda: page.desk.listed("state=done").matched == 1)
    begun, gate, real = threading.Event(), threading.Event(), listed_results.table_of

    def slow(*given: Any, **more: Any) -> Any:
        begun.set()
        assert gate.wait(60)
        return real(*given, **more)

    monkeypatch.setattr(listed_results, "table_of", slow)
    answers: list[int] = []
    urls = ["/results", "/curves", "/api/results?experiment=sweep"]
    for url in urls:
        asking = threading.Thread(target=lambda url=url: answers.append(page.client.get(url).status_code))
        asking.start()
        assert begun.wait(60)
        lab.submit(f"while {url}")
        wait_until(lambda url=url: f"while {url}" in listed(page))
        gate.set()
        asking.join(60)
        begun.clear()
        gate.clear()
    assert answers == [200] * len(urls)


def test_many_threads_read_at_the_same_time(lab: Lab, page: PageClient) -> None:
    for number in range(30):
        lab.submit(f"job{number}", params={"lr": number})
    wrong: list[Exception] = []

    def ask(number: int) -> None:
        try:
            for _ in range(5):
                page.desk.listed(f"lr>={number}" if page.desk.listed("").matched else "", "-submitted")
        except Exception as error:
            wrong.append(error)

    wait_until(lambda: len(listed(page)) == 30)
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    lease = lab.claim(lab.identity("job0"))
    lab.finish("job0", lease, State.FAILED, ERROR)
    for thread in threads:
        thread.join()
    assert wrong == []
    wait_until(lambda: page.desk.listed("state=failed").matched == 1)


def test_an_outage_leaves_what_was_known_and_is_said(
    fresh_server: Callable[..., PrivateServer], workspace: Workspace
) -> None:
    server = fresh_server(aof=True)
    with server.client() as client, page_of(workspace.path, server.url) as page:
        lab = Lab(workspace, client)
        lab.submit("a")
        wait_until(lambda: listed(page) == ["a"])
        assert "The server does not answer" not in page.get("/jobs")
        server.kill()
        text = page.get("/jobs")
        assert lab.identity("a")[:7] in text
        server.start()
        lab.submit("b")
        wait_until(lambda: listed(page) == ["a", "b"])
        assert "The server does not answer" not in page.get("/jobs")


def test_the_files_answer_when_the_server_stays_away(
    fresh_server: Callable[..., PrivateServer], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_cli.page.desk.desk.AGAIN_S", 0.05)
    server = fresh_server(aof=True)
    with server.client() as client, page_of(workspace.path, server.url) as page:
        lab = Lab(workspace, client)
        lab.end("a")
        lab.submit("b")
        wait_until(lambda: sorted(listed(page)) == ["a", "b"])
        heard: list[Batch] = []
        page.desk.subscribe(heard.append)
        server.kill()
        wait_until(lambda: page.desk.outage != "")
        heard.clear()
        monkeypatch.setattr("xpm_cli.page.desk.desk.FILES_S", 0.0)
        wait_until(lambda: page.desk.away is not None)
        wait_until(lambda: any(batch.missed for batch in heard))
        assert said_by(page.desk) == {"away": str(page.desk.away)}
        for url in ("/", "/jobs?sort=-name", f"/job/{lab.identity('a')}"):
            assert "the files of the workspace answer, last written" in page.get(url)
        assert "1 unknown" in page.get("/")
        assert "1 unknown" in page.get("/jobs/counts")
        server.start()
        wait_until(lambda: page.desk.away is None and page.desk.outage == "")
        assert "the files of the workspace answer" not in page.get("/")
        wait_until(lambda: any(batch.missed and batch.counts.get(State.READY) == 1 for batch in heard))
        lab.submit("c")
        wait_until(lambda: sorted(listed(page)) == ["a", "b", "c"])


def test_without_a_server_the_files_answer_until_it_is_back(
    fresh_server: Callable[..., PrivateServer], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_cli.page.desk.desk.AGAIN_S", 0.05)
    server = fresh_server(aof=True)
    with server.client() as client:
        Lab(workspace, client).end("a")
    server.kill()
    with page_of(workspace.path, server.url) as page:
        heard: list[Batch] = []
        page.desk.subscribe(heard.append)
        assert listed(page) == ["a"]
        assert "the files of the workspace answer" in page.get("/")
        server.start()
        wait_until(lambda: page.desk.listed("").matched == 1 and page.desk.away is None)
        assert "the files of the workspace answer" not in page.get("/")
        wait_until(lambda: any(batch.missed and batch.counts.get(State.DONE) == 1 for batch in heard))
        with server.client() as client:
            Lab(workspace, client).submit("b")
        wait_until(lambda: sorted(listed(page)) == ["a", "b"])


def test_jobs_that_are_listed_anew_count_as_missed(lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Batch] = []
    page.desk.subscribe(heard.append)
    monkeypatch.setattr("xpm_cli.page.desk.desk.ALL_S", 0.0)
    lab.submit("a")
    wait_until(lambda: bool(heard))
    assert all(batch.missed for batch in heard), "what has changed is in no batch"


def test_all_jobs_are_named_though_a_remembered_order_has_some_that_match_no_more(
    lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        lab.submit(name)
    wait_until(lambda: len(listed(page)) == 3)
    ids = [lab.identity(name) for name in "abc"]
    monkeypatch.setattr(page.desk, "_sorted", lambda *asked: ["f" * 64, "e" * 64, *ids])
    assert page.desk.identities("", "-name") == ids


def test_what_the_index_says_late_is_news_for_whoever_asks_for_now(
    lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.submit("a")
    wait_until(lambda: listed(page) == ["a"])
    with page.desk.reading():
        known, before = page.desk.rows([lab.identity("a")]), page.desk.generation
        monkeypatch.setattr(page.desk, "_read_some", lambda changed: known)
        with page.desk.reading_now():
            assert page.desk.generation == before + 1


def test_who_closes_it_waits_for_what_it_reads(lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    reads, may_go_on = threading.Event(), threading.Event()

    def slow(news: object) -> list[object]:
        reads.set()
        may_go_on.wait()
        return []

    monkeypatch.setattr(page.desk, "_read_some", slow)
    page.desk.subscribe(lambda batch: None)
    lab.submit("a")
    reads.wait()
    closes = threading.Thread(target=page.desk.close)
    closes.start()
    closes.join(0.2)
    assert closes.is_alive(), "the connection would be closed while it is read from"
    may_go_on.set()
    closes.join()
    assert not page.desk._follower.is_alive()


def test_an_embedded_server_is_started_again_and_why_that_fails_is_said(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_cli.lookup.open_workspace.REVIVE_S", 0.05)
    with page_of(workspace.path) as page:
        embedded = page.desk.view.connector.embedded
        assert embedded is not None
        Lab(workspace, page.desk.view.connector.client).submit("a")
        wait_until(lambda: listed(page) == ["a"])

        def fails() -> bool:
            raise EmbeddedServerError("Embedded Redis", "its folder is gone", "Restore it.")

        with monkeypatch.context() as broken:
            broken.setattr(embedded, "revive", fails)
            os.kill(embedded.pid, signal.SIGKILL)
            wait_until(lambda: "(Embedded Redis: its folder is gone. Restore it)" in page.client.get("/jobs").text)
        wait_until(lambda: "does not answer" not in page.client.get("/jobs").text)
        assert listed(page) == ["a"]
