"""What is read for a page, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import click
import pytest
from helpers.round_trips import counted
from helpers.simulated_jobs import ERROR, Lab

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.terminal import Terminal
from xpm_cli.watch import pages as module
from xpm_cli.watch.pages import Page, Pages, Request, Shown
from xpm_core.errors import FilterError
from xpm_core.index.entries import End
from xpm_core.labels import short
from xpm_core.reading.look import View
from xpm_core.states import State
from xpm_core.store.refusals import Refusal
from xpm_core.store.steering.orders import Order, order_worker
from xpm_core.store.tokens import create_token
from xpm_core.words.commands import Commands

pytestmark = pytest.mark.redis

LIST = Request(Shown.JOBS, Terminal(80), 20)


@pytest.fixture
def pages(lab: Lab, redis_url: str) -> Iterator[Pages]:
    """Pages of a workspace with thirty jobs, of which nothing was read yet."""
    lab.join()
    for n in range(30):
        lab.submit(f"job{n}", queue="later")
    with View(lab.workspace, redis_url) as view:
        yield Pages(OpenWorkspace(view, Commands()))


def rows(page: Page) -> list[str]:
    return [click.unstyle(line).split()[0] for line in page.lines]


def test_a_list_shows_as_many_jobs_as_there_is_room_for(pages: Pages) -> None:
    pages.read_all()
    page = pages.page(LIST)
    assert len(page.above) + len(page.lines) + 1 == LIST.height
    assert rows(page) == list(map(short, page.jobs))
    assert page.total == 30
    assert page.below.startswith(f"1-{len(page.jobs)} of 30 · the same in all: ") or "1-" in page.below


def test_the_place_that_is_chosen_is_on_the_page(pages: Pages) -> None:
    pages.read_all()
    order = pages.ranking(LIST).window(0, 30)
    page = pages.page(replace(LIST, place=25))
    assert page.request.identity == order[25] == page.jobs[-1]
    again = pages.page(replace(page.request, place=24))
    assert again.jobs == page.jobs  # nothing scrolls as long as it need not
    assert pages.page(replace(page.request, place=10**6)).jobs[-1] == order[-1]
    assert pages.page(replace(page.request, place=3)).jobs[0] == order[3]


def test_a_pinned_job_is_followed_and_another_place_is_not(pages: Pages, lab: Lab) -> None:
    pages.read_all()
    pinned = pages.page(replace(LIST, place=2, pinned=True)).request
    loose = pages.page(LIST).request
    lab.store.cancel(loose.identity)
    pages.read([loose.identity])
    assert (pages.page(pinned).request.identity, pages.page(pinned).request.place) == (pinned.identity, 1)
    moved = pages.page(loose).request
    assert (moved.place, moved.identity != loose.identity) == (0, True)


def test_a_pinned_job_that_leaves_the_list_leaves_its_place(pages: Pages, lab: Lab) -> None:
    pages.read_all()
    wanted = replace(LIST, filter="state=ready", place=2, pinned=True)
    before = pages.page(wanted)
    lab.store.cancel(before.request.identity)
    pages.read([before.request.identity])
    after = pages.page(before.request)
    assert (after.request.place, after.request.identity) == (2, before.jobs[3])
    assert after.total == 29


def test_only_what_has_changed_is_read_again(pages: Pages, lab: Lab) -> None:
    pages.read_all()
    pages.page(LIST)
    with counted() as idle:
        pages.page(LIST)
    assert idle.trips == 0
    lab.submit("new", queue="later")
    with counted() as spoken:
        pages.read([lab.identity("new")])
    assert spoken.trips <= 6  # the time, the job, the survey; however many jobs there are
    assert pages.page(LIST).total == 31


def test_only_a_filter_that_names_times_is_asked_anew_after_a_while(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed, other = replace(LIST, filter="since=2h"), replace(LIST, shown=Shown.FAILURES, filter="name!=x")
    pages.read_all()
    before = pages.ranking(timed), pages.ranking(other)
    pages.read([])
    assert (pages.ranking(timed), pages.ranking(other)) == before
    monkeypatch.setattr(module, "REBIND_S", 0.0)
    pages.read([])
    assert pages.ranking(timed) is not before[0]
    assert pages.ranking(other) is before[1]
    with pytest.raises(FilterError):
        pages.page(replace(LIST, filter="nmae=x"))


def test_other_views_have_tables(pages: Pages, lab: Lab) -> None:
    create_token(lab.client, "gpu", 2)
    lab.end("bad", State.FAILED, ERROR)
    lab.start("long", demand={"gpu": 1})
    pages.read_all()
    tokens = pages.page(replace(LIST, shown=Shown.TOKENS))
    assert "".join(tokens.above).split() == ["TOKEN", "HELD", "WAITING", "HELD", "BY"]
    assert f"{short(lab.identity('long'))} 1" in tokens.lines[0]
    workers = pages.page(replace(LIST, shown=Shown.WORKERS))
    (line,) = workers.lines
    assert line.startswith(f"node1-1  busy   {short(lab.identity('long'))} Train name=lo…  ")
    failures = pages.page(replace(LIST, shown=Shown.FAILURES))
    assert failures.jobs == [lab.identity("bad")]
    assert failures.above[0].startswith(f"✗ {short(lab.identity('bad'))}")
    assert pages.page(replace(LIST, shown=Shown.JOB, job="f" * 64)).lines == [
        "The workspace does not know this job any more."
    ]


def test_the_workers_are_those_of_xpm_workers_with_what_they_are_ordered_and_have_refused(
    pages: Pages, lab: Lab
) -> None:
    wanted = replace(LIST, shown=Shown.WORKERS)
    refusal = Refusal.of_module("node1-1", "node1", "sweep", "/data/code")
    lab.store.refuse(lab.worker, lab.start("bad", project="sweep"), refusal, {"message": "no"})
    order_worker(lab.client, lab.workspace.id, "node1-1", Order.DRAIN, "ann@node1")
    pages.read_all()
    page = pages.page(wanted)
    assert page.lines[0].startswith("node1-1  draining  -")
    assert any(line.startswith("! refused   worker node1") for line in page.lines)
    lab.store.leave("node1-1")
    pages.read_all()
    assert pages.page(wanted).above == ["no workers: start one by xpm-worker --queue default"]


def test_what_stands_above_the_list_leaves_room_for_it(pages: Pages, lab: Lab) -> None:
    for n in range(7):
        lab.end(f"bad{n}", State.FAILED, {**ERROR, "line": n + 1})
    pages.read_all()
    for height in range(1, 40):
        page = pages.page(replace(LIST, height=height))
        assert page.jobs
        assert len(page.above) - 1 <= max(height // 2, 1)
    assert "more: f" in "\n".join(pages.page(LIST).above)


def test_jobs_that_only_the_index_knows_are_counted(pages: Pages, lab: Lab) -> None:
    lab.end("done")
    lab.client.flushall()
    pages.read_all()
    above = click.unstyle("\n".join(pages.page(LIST).above))
    assert "1 done" in above
    assert "30 not known to have ended" in above
    assert "31 in all" in above


def test_what_the_index_gets_after_the_end_of_a_job_comes_without_an_event(
    pages: Pages, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker tells the server first, and then writes the index."""
    held: list[tuple[str, End]] = []
    lease = lab.start("late")
    pages.read_all()
    assert pages.page(LIST).total == 31
    with monkeypatch.context() as patch:
        patch.setattr(lab.ends, "add", lambda *line: held.append(line))
        lab.finish("late", lease, results={"accuracy": 0.9})
    pages.read([lease.identity])
    [row] = pages.opened.view.rows([lease.identity])
    assert not row.results
    assert pages.awaits
    lab.ends.add(*held[0])
    pages.read([])
    assert row.results == {"accuracy": 0.9}
    assert not pages.awaits
