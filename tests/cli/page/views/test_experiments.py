"""The first view says how the workspace stands."""

from __future__ import annotations

import pytest
from helpers.page import PageClient
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


def test_names_are_text(lab: Lab, page: PageClient) -> None:
    lab.end("a", State.FAILED, {**ERROR, "message": '<script>alert(1)</script>"><img src=x onerror=alert(1)>'})
    wait_until(lambda: "alert(1)" in page.get("/"))
    assert "<script>alert" not in page.get("/")
    assert "<img" not in page.get("/")
