"""Act on all that match, in a browser: the number first, progress, and the answer."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from helpers.browser import Visits
from helpers.simulated_jobs import ERROR, Lab
from playwright.sync_api import expect

from xpm_cli.page.acting import deeds, jobs
from xpm_core.states import State

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]


@pytest.mark.parametrize("scripts", [True, False])
def test_all_that_match_are_cancelled_after_a_question(lab: Lab, visits: Visits, scripts: bool) -> None:
    lab.start("runs")
    for number in range(3):
        lab.submit(f"waits {number}", "runs")
    tab = visits(java_script_enabled=scripts).open("/jobs?filter=state%3Dwaiting,running")
    tab.get_by_role("link", name="Cancel all 4").click()
    expect(tab.locator("h1")).to_have_text("Cancel them?")
    expect(tab.locator("pre")).to_contain_text("This would cancel 4 jobs. One of them runs, and loses")
    tab.get_by_role("button", name="Cancel 4 jobs").click()
    expect(tab.locator("h1")).to_have_text("4 jobs were cancelled.")
    expect(tab.get_by_text("worker node1-1 was told to stop it")).to_be_visible()


def test_chosen_jobs_are_retried_and_none_is_not_all(lab: Lab, visits: Visits) -> None:
    for name in ("first", "second"):
        lab.end(name, State.FAILED, ERROR)
    visitor = visits()
    tab = visitor.open("/jobs")
    tab.get_by_role("button", name="Retry the chosen").click()
    expect(tab.locator("h1")).to_have_text("No job is chosen.")
    visitor.complaints.clear()  # the browser tells of each answer that is an error
    tab.go_back()
    tab.locator(f"#job-{lab.identity('first')} input").check()
    tab.get_by_role("button", name="Retry the chosen").click()
    tab.get_by_role("button", name="Retry 1 job").click()
    expect(tab.locator("h1")).to_have_text("1 job was retried.")


def test_a_long_act_shows_how_far_it_is_and_then_its_answer(
    lab: Lab, visits: Visits, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        lab.submit(f"waits {number}")
    monkeypatch.setattr(jobs, "SOON_S", 0.0)
    gate, real = threading.Event(), deeds.acts.cancel

    def slow(opened: Any, row: Any, **more: Any) -> Any:
        if row.identity == lab.identity("waits 3"):
            gate.wait(60)
        return real(opened, row, **more)

    monkeypatch.setattr(deeds.acts, "cancel", slow)
    tab = visits().open("/acting/cancel?filter=state%3Dready")
    tab.get_by_role("button", name="Cancel 5 jobs").click()
    expect(tab.locator("h1")).to_contain_text("taken up so far")
    gate.set()
    expect(tab.locator("h1")).to_have_text("5 jobs were cancelled.")


def test_one_job_is_cancelled_from_its_own_page(lab: Lab, visits: Visits) -> None:
    lab.submit("waits")
    tab = visits().open(f"/job/{lab.identity('waits')}")
    tab.get_by_role("button", name="Cancel", exact=True).click()
    expect(tab.locator("h1")).to_have_text("1 job was cancelled.")
