"""Whatever a view raises becomes one page without a traceback, and the log says where it was."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from helpers.page import PageClient
from helpers.typed_commands import AWAY
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.page.desk.desk import Desk
from xpm_cli.page.rendering import VIEWS
from xpm_core.reading.look import View

pytestmark = pytest.mark.redis


def raising(error: Exception) -> Any:
    def broken(*_: object, **__: object) -> None:
        raise error

    return broken


@pytest.fixture
def broken(page: PageClient, monkeypatch: pytest.MonkeyPatch) -> PageClient:
    monkeypatch.setattr(Desk, "listed", raising(KeyError("<b>lr</b>")))
    return page


def test_a_fault_is_a_page_that_says_where_and_is_logged(broken: PageClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        text = broken.get("/jobs", status=500)
    assert "<h1>The page itself has failed.</h1>" in text
    assert "KeyError: &#39;&lt;b&gt;lr&lt;/b&gt;&#39; (test_faults.py:" in text
    assert "Traceback" not in text
    assert '<nav aria-label="Views">' in text
    (record,) = caplog.records
    assert record.getMessage().startswith("page: GET '/jobs' failed at test_faults.py:")
    assert record.exc_info is not None


def test_it_has_the_headers_of_all_pages_and_others_go_on(broken: PageClient) -> None:
    answer = broken.client.get("/jobs")
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert answer.headers["cache-control"] == "no-store"
    assert broken.client.get("/").status_code == 200


def test_programs_get_it_as_json(broken: PageClient) -> None:
    answer = broken.client.get("/api/jobs")
    assert answer.status_code == 500
    assert answer.json()["schema"] == 1
    assert answer.json()["error"]["message"].startswith("The page itself has failed. KeyError:")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RedisConnectionError("gone"), "Reload the page."),
        (ResponseError("NOPERM this user has no permissions to run the 'hmget' command"), "NOPERM"),
    ],
)
def test_a_server_that_is_away_or_refuses_is_no_fault_of_the_page(
    page: PageClient, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    monkeypatch.setattr(Desk, "listed", raising(error))
    text = page.get("/jobs", status=503)
    assert said in text
    assert "itself has failed" not in text


@pytest.mark.parametrize(("path", "said"), [("/jobs", "the files of the workspace answer"), ("/api/jobs", AWAY)])
def test_a_call_that_fails_when_the_files_begin_to_answer_is_no_fault_of_the_page(
    page: PageClient, monkeypatch: pytest.MonkeyPatch, path: str, said: str
) -> None:
    """Another thread has found meanwhile that the server stays away."""
    opened = page.desk.opened

    def gives_up(desk: Desk, *_: object, **__: object) -> None:
        desk.opened = OpenWorkspace(View(opened.workspace, AWAY), opened.commands)
        raise RedisConnectionError("gone")

    monkeypatch.setattr(Desk, "listed", gives_up)
    answer = page.client.get(path)
    page.desk.opened = opened
    assert answer.status_code == 503
    assert said in answer.text
    assert "itself has failed" not in answer.text


@pytest.mark.parametrize(
    "path", [*(f"/{view}" for view in VIEWS if view != "experiments"), "/", "/api/status", "/api/jobs"]
)
def test_files_that_know_of_no_job_answer_when_the_server_stays_away(page: PageClient, path: str) -> None:
    opened = page.desk.opened
    page.desk.opened = OpenWorkspace(View(opened.workspace, AWAY), opened.commands)
    answer = page.client.get(path)
    page.desk.opened = opened
    assert answer.status_code == 200
    assert "Infinity" not in answer.text
