"""The list of jobs: filter, order, columns, parts, and rows one by one."""

from __future__ import annotations

import re

import pytest
from helpers.page import PageClient
from helpers.simulated_jobs import ERROR, Lab
from helpers.waiting import wait_until

from xpm_core.states import State

pytestmark = pytest.mark.redis


def shown(text: str) -> list[str]:
    return re.findall(r'<tr id="job-([0-9a-f]+)"', text)


def heads(text: str) -> list[str]:
    return re.findall(r'<th scope="col"[^>]*>(?:<a [^>]*>)?([^<]*)<', text)


def test_what_differs_and_what_was_reported_are_columns(lab: Lab, page: PageClient) -> None:
    for number in range(2):
        lab.end(f"job{number}", params={"lr": number, "depth": 3}, tags={}, results={"accuracy": 0.5})
    wait_until(lambda: page.desk.listed("state=done").matched == 2 and "accuracy" in heads(page.get("/jobs")))
    assert heads(page.get("/jobs")) == ["", "id", "state", "task", "name", "lr", "accuracy", "time", "where", "why"]
    assert heads(page.get("/jobs?columns=depth")) == ["", "id", "state", "task", "depth", "time", "where", "why"]


def test_a_filter_that_is_wrong_says_what_to_write(lab: Lab, page: PageClient) -> None:
    lab.submit("a", params={"lr": 1})
    wait_until(lambda: page.desk.listed("").matched == 1)
    text = page.get("/jobs?filter=lrr%3D1", status=400)
    assert "Did you mean" in text
    assert 'value="lrr=1"' in text
    assert shown(text) == []


def test_jobs_come_in_parts_and_in_an_order(lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xpm_cli.page.views.jobs.PAGE", 2)
    for name in "abcde":
        lab.submit(name)
    wait_until(lambda: page.desk.listed("").matched == 5)
    text = page.get("/jobs?sort=-name")
    assert shown(text) == [lab.identity("e"), lab.identity("d")]
    (more,) = re.findall(r'data-more="([^"]*)"', text)
    part = page.get(more.replace("&amp;", "&"))
    assert shown(part) == [lab.identity("c"), lab.identity("b")]
    assert "<html" not in part
    assert "data-more" not in page.get("/jobs/rows?first=4")


def test_rows_of_some_jobs_are_those_that_match(lab: Lab, page: PageClient) -> None:
    lease, ready = lab.start("a"), lab.submit("b")
    wait_until(lambda: page.desk.listed("state=running").matched == 1)
    url = f"/jobs/rows?ids={ready},{lease.identity},{'0' * 64}&filter=state%3Drunning"
    assert shown(page.get(url)) == [lease.identity]
    lab.finish("a", lease, State.FAILED, ERROR)
    wait_until(lambda: shown(page.get(url)) == [])
    assert "ValueError (sweep.py:41)" in page.get(f"/jobs/rows?ids={lease.identity}")


def test_states_lead_to_their_jobs_within_the_filter(lab: Lab, page: PageClient) -> None:
    lab.submit("a", params={"lr": 1})
    wait_until(lambda: page.desk.listed("").matched == 1)
    assert "filter=lr%3D1+and+state%3Dready" in page.get("/jobs?filter=lr%3D1")


def test_values_are_text(lab: Lab, page: PageClient) -> None:
    hostile = '"><script>alert(1)</script>'
    lab.submit("a", tags={"model": hostile, hostile: 1})
    lab.submit("b", tags={"model": "b"})
    wait_until(lambda: page.desk.listed("").matched == 2)
    for url in ("/jobs", f"/jobs?filter={hostile}", f"/jobs?sort={hostile}"):
        assert "<script>alert" not in page.client.get(url).text
