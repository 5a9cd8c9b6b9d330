"""Act on all that match, in a browser: the number first, progress, and the answer."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browser import Visits
from helpers.simulated_jobs import ERROR, Lab
from playwright.sync_api import Browser, Page, expect

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.page.acting import deeds, jobs
from xpm_cli.page.export import write
from xpm_core.reading.look import View
from xpm_core.states import State
from xpm_core.words.commands import Commands

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}


@pytest.mark.parametrize("scripts", [True, False])
def test_all_that_match_are_cancelled_after_a_question(lab: Lab, visits: Visits, scripts: bool) -> None:
    lab.start("runs")
    for number in range(3):
        lab.submit(f"waits {number}", "runs")
    tab = visits(java_script_enabled=scripts).open("/jobs?filter=state%3Dwaiting,running")
    tab.get_by_role("link", name="Cancel all that match…").click()
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

    def slow(opened: Any, rows: Any, **more: Any) -> Any:
        if lab.identity("waits 3") in [row.identity for row in rows]:
            gate.wait(60)
        return real(opened, rows, **more)

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


def test_questions_answers_and_copies_have_no_serious_fault(
    lab: Lab, visits: Visits, browser: Browser, redis_url: str, tmp_path: Path
) -> None:
    lab.end("failed", State.FAILED, ERROR, params={"lr": 0.1})
    lab.end("done", results={"accuracy": 0.5}, params={"lr": 0.2})
    lines = [json.dumps({"step": step, "loss": 1 / (step + 1)}) for step in range(9)]
    (lab.directory("done").path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    lab.directory("done").out.write_text("epoch 1\n" + "x" * 500 + "\n")
    lab.submit("waits")
    tab = visits(**PHONE).open("/acting/retry?filter=state%3Dfailed")
    found = faults(tab)
    tab.get_by_role("button", name="Retry 1 job").click()
    expect(tab.locator("h1")).to_have_text("1 job was retried.")
    found += faults(tab)
    with View(lab.workspace, redis_url) as view:
        write(OpenWorkspace(view, Commands.of_script(lab.workspace.path)), tmp_path / "copy")
    context = browser.new_context(**PHONE, java_script_enabled=True, offline=True)
    copy = context.new_page()
    for path in sorted((tmp_path / "copy").rglob("*.html")):
        copy.goto(path.as_uri())
        found += [f"{path.name}: {each}" for each in faults(copy)]
    context.close()
    assert found == []


def faults(tab: Page) -> list[str]:
    """What is wrong with a page: serious faults of access, and that it is wider than a phone."""
    found = [
        f"{fault['id']}: {[node['html'][:160] for node in fault['nodes'][:2]]}"
        for fault in Axe().run(tab).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
    width = tab.evaluate("document.documentElement.scrollWidth")
    return [*found, *([f"{width} wide"] if width > PHONE["viewport"]["width"] else [])]
