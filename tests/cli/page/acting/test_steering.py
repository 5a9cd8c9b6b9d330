"""Drain, stay, pause and resume by the page: what the commands do, in their words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from helpers.page import FormClient, form_client_of
from helpers.simulated_jobs import Lab

from xpm_cli.page.links import Links
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis


@pytest.fixture
def page(workspace: Workspace, redis_url: str, lab: Lab) -> Iterator[FormClient]:
    lab.join()
    with form_client_of(workspace.path, redis_url, acts=True) as client:
        yield client


def test_a_worker_is_drained_and_kept_after_all(page: FormClient, lab: Lab) -> None:
    lab.start("runs")
    drained = page.send("/acting/drain", worker="node1-1")
    assert "node1-1: it finishes" in drained.text
    assert "Take it back: xpm workers resume node1-1" in drained.text
    assert "it stays." in page.send("/acting/stay", worker="node1-1").text
    assert "it was not ordered to leave." in page.send("/acting/stay", worker="node1-1").text


def test_a_queue_is_paused_with_a_reason_and_resumed(page: FormClient, lab: Lab) -> None:
    lab.submit("waits")
    paused = page.send("/acting/pause", queue="default", why="<b>new driver</b>")
    assert "default: paused. 1 ready job waits." in paused.text
    (queue,) = page.get("/api/queues").json()["queues"]
    assert queue["paused"]["why"] == "<b>new driver</b>"
    assert "@" in queue["paused"]["by"]
    again = page.send("/acting/pause", queue="default", why="x")
    assert "it is paused already" in again.text
    assert "<b>new" not in again.text
    assert "default: resumed" in page.send("/acting/resume", queue="default").text


@pytest.mark.parametrize(
    ("verb", "fields", "status", "said"),
    [
        ("drain", {"worker": "moon"}, 404, "moon"),
        ("drain", {"worker": ""}, 404, "Worker"),
        ("resume", {"queue": "moon"}, 404, "moon"),
        ("pause", {"queue": "a b/c"}, 400, "a b/c"),
    ],
)
def test_what_is_not_there_is_said(page: FormClient, verb: str, fields: dict[str, str], status: int, said: str) -> None:
    found = page.send(f"/acting/{verb}", **fields)
    assert (found.status_code, said in found.text) == (status, True)


def test_looking_at_such_a_url_does_nothing(page: FormClient) -> None:
    assert page.get("/acting/drain", params={"worker": "node1-1"}).status_code == 405
    (worker,) = page.get("/api/workers").json()["workers"]
    assert worker["order"] is None


def test_the_filter_goes_along_past_a_form(page: FormClient, lab: Lab) -> None:
    shown = page.get(Links("lr>1").workers())
    action = next(found for found in re.findall(r'action="([^"]+)"', shown.text) if "drain" in found)
    said = page.send(html.unescape(action), worker="node1-1")
    assert f'href="{Links("lr>1").workers()}">Back to the workers' in said.text
