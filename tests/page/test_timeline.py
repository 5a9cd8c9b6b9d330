"""The timeline in a browser: by wheel and mouse, by buttons without JavaScript, and while jobs run."""

from __future__ import annotations

import re

import pytest
from helpers.browser import Shown, Visits
from helpers.simulated_jobs import Lab
from helpers.waiting import wait_until
from playwright.sync_api import Page, expect

from xpm_cli.page.timeline import history
from xpm_core.index.entries import End
from xpm_core.index.writers import EndWriter
from xpm_core.states import State

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]

BEGAN_S = 1_700_000_000.0


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LEAST_S", 0.0)
    monkeypatch.setattr(history, "PATIENCE_S", 60.0)


@pytest.fixture
def past(lab: Lab) -> str:
    """The part of time in which a worker ran 100 jobs of 9 seconds."""
    writer = EndWriter(lab.workspace.path, "old.0")
    for n in range(100):
        started_s = BEGAN_S + 10 * n
        writer.add(f"{n:064}", End(State.DONE, started_s + 9, started_s, "node0", "old.0", f"e{n}", 1))
    return f"/timeline?from={BEGAN_S:.0f}&to={BEGAN_S + 1000:.0f}"


def span(tab: Page) -> tuple[float, float]:
    """What is seen, by the address."""
    found = re.findall(r"(?:from|to)=([0-9.]+)", tab.evaluate("location.href"))
    return float(found[0]), float(found[1])


def middle(tab: Page) -> tuple[float, float]:
    """A place on the first lane, in the middle of the time."""
    box = tab.locator("svg.timeline").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * (170 + 500) / 1200, box["y"] + box["height"] * 34 / 54


def test_the_wheel_looks_closer_at_what_is_under_the_mouse(past: str, visits: Visits) -> None:
    tab = visits().open(past)
    tab.mouse.move(*middle(tab))
    tab.keyboard.down("Control")
    for _ in range(5):
        tab.mouse.wheel(0, -100)
    tab.keyboard.up("Control")
    wait_until(lambda: span(tab)[1] - span(tab)[0] < 400, show=lambda: tab.url, poll_s=0.05)
    from_s, to_s = span(tab)
    assert abs((from_s + to_s) / 2 - (BEGAN_S + 500)) < 5
    expect(tab.locator("svg.timeline")).to_have_attribute("data-from", f"{from_s:.3f}")


def test_dragging_moves_and_is_no_click_on_a_job(past: str, visits: Visits) -> None:
    tab = visits().open(past)
    x, y = middle(tab)
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x - 100, y, steps=4)
    tab.mouse.up()
    wait_until(lambda: span(tab)[0] > BEGAN_S + 50, show=lambda: tab.url, poll_s=0.05)
    assert "/timeline" in tab.url
    assert span(tab)[1] - span(tab)[0] == pytest.approx(1000, abs=1)


def test_without_javascript_buttons_do_the_same(past: str, visits: Visits) -> None:
    tab = visits(java_script_enabled=False).open(past)
    expect(tab.locator("svg.timeline")).to_be_visible()
    tab.get_by_role("link", name="closer").click()
    assert span(tab) == (BEGAN_S + 250, BEGAN_S + 750)
    tab.get_by_role("link", name="later").click()
    assert span(tab) == (BEGAN_S + 500, BEGAN_S + 1000)
    tab.get_by_role("link", name="old.0").last.click()
    expect(tab.locator("h1")).to_contain_text("old.0")
    expect(tab.get_by_role("table").last).to_contain_text("0000000")


def test_a_job_that_runs_appears_without_a_reload(lab: Lab, shown: Shown, visits: Visits) -> None:
    lab.end("first")
    tab = visits().open("/timeline")
    expect(tab.locator("#timeline")).to_contain_text("1 execution")
    tab.evaluate("window.stays = true")
    lab.end("second")
    expect(tab.locator("#timeline")).to_contain_text("2 executions")
    assert tab.evaluate("window.stays")


def test_workers_and_graph_change_without_a_reload(lab: Lab, visits: Visits) -> None:
    visitor = visits()
    workers, graph = visitor.open("/workers"), visitor.open("/graph")
    expect(workers.locator("#workers-now")).to_contain_text("1 idle")
    expect(graph.locator("#graph")).to_contain_text("No jobs yet.")
    lab.start("a")
    workers.bring_to_front()
    expect(workers.locator("#workers-now")).to_contain_text("1 busy")
    graph.bring_to_front()
    expect(graph.locator("#graph")).to_contain_text("1 running")
