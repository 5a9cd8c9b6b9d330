"""What the page has from others works under its Content-Security-Policy, which allows no `unsafe-*`."""

from __future__ import annotations

import pytest
from helpers.browser import Visits
from helpers.simulated_jobs import Lab
from helpers.waiting import wait_until
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]

CHART = """() => {
  const chart = new uPlot({width: 300, height: 200, scales: {x: {time: false}}, series: [{}, {stroke: "red"}]},
                          [[1, 2, 3], [3, 1, 2]], document.getElementById("main"));
  chart.setCursor({left: 100, top: 100});
  chart.setSize({width: 250, height: 150});
  return document.querySelector(".u-wrap canvas").width;
}"""


def test_charts_are_drawn_without_a_complaint(lab: Lab, visits: Visits) -> None:
    tab = visits().open("/jobs")
    tab.evaluate("""() => { const link = document.createElement("link"); link.rel = "stylesheet";
                            link.href = "/assets/vendor/uPlot.min.css"; document.head.append(link); }""")
    tab.add_script_tag(url="/assets/vendor/uPlot.iife.min.js")
    assert tab.evaluate(CHART) > 0
    assert tab.locator(".u-wrap").evaluate("element => getComputedStyle(element).position") == "relative"
    expect(tab.locator(".u-legend")).to_be_visible()


def test_htmx_swaps_without_a_complaint(lab: Lab, visits: Visits) -> None:
    lab.submit("first")
    tab = visits().open("/jobs")
    assert tab.evaluate("htmx.config.includeIndicatorCSS") is False
    tab.evaluate("htmx.ajax('GET', '/jobs/counts', {target: '#counts', swap: 'innerHTML'})")
    expect(tab.locator("#counts")).to_contain_text("1 job")


def test_what_the_policy_forbids_is_a_complaint(lab: Lab, visits: Visits) -> None:
    visitor = visits()
    tab = visitor.open("/jobs")
    tab.evaluate("""() => { const script = document.createElement("script"); script.textContent = "window.hacked = 1";
                            document.head.append(script); document.body.setAttribute("style", "color: red"); }""")
    assert tab.evaluate("window.hacked") is None
    wait_until(lambda: tab.evaluate("1") == 1 and len(visitor.complaints) == 2)
    assert all("Content Security Policy" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
