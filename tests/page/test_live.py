"""What a browser shows while jobs go on: rows come and change in place, in all tabs, by one connection."""

from __future__ import annotations

import pytest
from helpers.browser import Visits
from helpers.simulated_jobs import ERROR, Lab
from playwright.sync_api import expect

from xpm_core.states import State

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]


def row_of(lab: Lab, name: str) -> str:
    return f"#job-{lab.identity(name)}"


def test_a_job_appears_and_changes_its_state_without_a_reload(lab: Lab, visits: Visits) -> None:
    tab = visits().open("/jobs")
    expect(tab.get_by_text("No jobs yet.")).to_be_visible()
    tab.evaluate("window.same = true")
    lab.submit("first")
    row = tab.locator(row_of(lab, "first"))
    expect(row.locator(".state")).to_contain_text("ready")
    lease = lab.claim(lab.identity("first"))
    expect(row.locator(".state")).to_contain_text("running")
    lab.finish("first", lease, State.FAILED, ERROR)
    expect(row.locator(".state")).to_contain_text("failed")
    expect(tab.locator("#counts")).to_contain_text("1 failed")
    lab.end("second")
    expect(tab.locator(row_of(lab, "second")).locator(".state")).to_contain_text("done")
    assert tab.evaluate("window.same"), "the page was loaded anew"
