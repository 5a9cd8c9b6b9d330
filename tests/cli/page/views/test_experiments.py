"""The first view says how the workspace stands."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import redis
from click.testing import Result
from helpers.page import PageClient, page_of
from helpers.simulated_jobs import ERROR, Lab
from helpers.waiting import wait_until

from xpm_core.states import State

pytestmark = pytest.mark.redis


def test_an_empty_workspace_says_what_to_do(page: PageClient) -> None:
    assert "No jobs yet. A script submits them" in page.get("/")


def test_what_needs_somebody_comes_with_its_cause_and_command(lab: Lab, page: PageClient) -> None:
    lab.end("a", State.FAILED, ERROR)
    lab.submit("b")
    wait_until(lambda: "the learning rate is negative" in page.get("/"))
    text = page.get("/")
    assert "Needs you" in text
    assert f"xpm show {lab.identity('a')[:7]}" in text
    assert 'href="/jobs?filter=state%3Dfailed"' in text
    assert "1 failed" in text


def test_when_the_jobs_may_have_ended_is_said_as_the_command_says_it(
    lab: Lab, page: PageClient, xpm: Callable[..., Result]
) -> None:
    lab.join()
    lab.end("a")
    lab.submit("b")
    (said,) = (line for line in xpm("status").stdout.splitlines() if "ETA" in line)
    wait_until(lambda: "ETA" in page.get("/"), show=lambda: page.get("/"))
    assert "from 1 job of Train" in said
    assert "from 1 job of Train" in page.get("/")


def test_names_are_text(lab: Lab, page: PageClient) -> None:
    lab.end("a", State.FAILED, {**ERROR, "message": '<script>alert(1)</script>"><img src=x onerror=alert(1)>'})
    wait_until(lambda: "alert(1)" in page.get("/"))
    assert "<script>alert" not in page.get("/")
    assert "<img" not in page.get("/")


def test_jobs_that_only_the_index_knows_are_counted_and_it_is_said(
    lab: Lab, page: PageClient, redis_client: redis.Redis
) -> None:
    lab.end("a")
    lab.submit("b")
    wait_until(lambda: page.desk.listed("").matched == 2)
    redis_client.flushall()
    with page_of(lab.workspace.path, page.desk.view.server) as later:
        wait_until(lambda: later.desk.is_ready)
        text = later.get("/")
    assert "No jobs yet" not in text
    assert "1 done" in text
    assert "1 unknown" in text
    assert "The server does not know 2 jobs that the index has. Run their script." in text
    assert 'filter=experiment%3Dsweep">sweep</a>' in text


def test_after_a_server_was_wiped_and_a_script_ran_again_it_says_what_the_command_says(
    lab: Lab, page: PageClient, redis_client: redis.Redis
) -> None:
    lab.end("a")
    (lab.workspace.experiment("sweep").path / "runs" / "20200101-000000").mkdir(parents=True)
    wait_until(lambda: page.desk.listed("").matched == 1)
    redis_client.flushall()
    lab.run = lab.store.open_run("sweep", "run2", {})
    lab.end("b", State.FAILED, ERROR)
    with page_of(lab.workspace.path, page.desk.view.server) as later:
        wait_until(lambda: later.desk.is_ready)
        text, document = later.get("/"), json.loads(later.get("/api/status"))
    assert '<p class="muted">2 jobs' in text
    assert text.count("1 done") == text.count("1 failed") == 2  # of the workspace, and of the experiment
    assert (document["jobs"]["done"], document["jobs"]["failed"]) == (1, 1)
    assert [each["jobs"] for each in document["experiments"]] == [2]


def test_a_url_that_has_nothing_is_a_page_with_the_way_back(page: PageClient) -> None:
    text = page.get("/nothing", status=404)
    assert "There is nothing at /nothing." in text
    assert "Back to the experiments" in text
