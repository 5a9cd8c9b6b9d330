"""What a browser shows while jobs go on: rows come and change in place, in all tabs, by one connection."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from helpers.browser import Shown, Visitor, Visits
from helpers.private_server import PrivateServer
from helpers.simulated_jobs import ERROR, Lab
from helpers.waiting import wait_until
from playwright.sync_api import Locator, Page, expect

from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]

TABS = 8
"""More than the six connections that a browser has to a host."""
HIDE = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); "
HIDE += "document.dispatchEvent(new Event('visibilitychange')); }"
CHANGE = "document.dispatchEvent(new CustomEvent('xpm:jobs', {detail: {jobs: {}, counts: null, many: true}}))"


def state_of(tab: Page, lab: Lab, name: str) -> Locator:
    """Where a page shows the state of a job."""
    return tab.locator(f"#job-{lab.identity(name)} .state")


def streams(requests: list[str]) -> list[str]:
    return [path for path in requests if path.startswith("/live")]


def heard_by(shown: Shown) -> int:
    """How many streams the page has."""
    return len(shown.app.state.feed._streams)


def test_a_job_appears_and_changes_its_state_without_a_reload(lab: Lab, visits: Visits) -> None:
    tab = visits().open("/jobs")
    expect(tab.get_by_text("No jobs yet.")).to_be_visible()
    tab.evaluate("window.same = true")
    lab.submit("first")
    expect(state_of(tab, lab, "first")).to_contain_text("ready")
    lease = lab.claim(lab.identity("first"))
    expect(state_of(tab, lab, "first")).to_contain_text("running")
    lab.finish("first", lease, State.FAILED, ERROR)
    expect(state_of(tab, lab, "first")).to_contain_text("failed")
    expect(tab.locator("#counts")).to_contain_text("1 failed")
    lab.end("second", params={"lr": 0.1})
    expect(state_of(tab, lab, "second")).to_contain_text("done")
    assert tab.evaluate("window.same"), "the page was loaded anew"


def test_a_job_leaves_the_list_when_it_matches_no_longer(lab: Lab, visits: Visits) -> None:
    lease = lab.start("first")
    tab = visits().open("/jobs?filter=state%3Drunning")
    expect(state_of(tab, lab, "first")).to_contain_text("running")
    lab.finish("first", lease)
    expect(state_of(tab, lab, "first")).to_have_count(0)


def test_the_first_view_follows(lab: Lab, visits: Visits) -> None:
    lease = lab.start("first")
    tab = visits().open("/")
    expect(tab.get_by_text("1 running").first).to_be_visible()
    tab.evaluate("window.same = true")
    lab.finish("first", lease, State.FAILED, ERROR)
    expect(tab.get_by_text("1 failed").first).to_be_visible()
    assert tab.evaluate("window.same")


def test_what_is_asked_for_too_early_is_asked_for_again(
    lab: Lab, shown: Shown, visits: Visits, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, old = shown.desk.remembered, {}
    young_s = [float("inf")]

    def remembered(key: Any, make: Any) -> Any:  # what costs much is some seconds old
        old.setdefault(key, real(key, make))
        return old[key] if time.monotonic() < young_s[0] else real(key, make)

    monkeypatch.setattr(shown.desk, "remembered", remembered)
    lease = lab.start("first")
    tab = visits().open("/")
    lab.finish("first", lease, State.FAILED, ERROR)
    young_s[0] = time.monotonic() + 1.8
    expect(tab.get_by_text("1 failed").first).to_be_visible()


def test_many_tabs_live_by_one_stream_and_another_reads_when_its_tab_goes(
    lab: Lab, shown: Shown, visits: Visits
) -> None:
    lease = lab.start("first")
    visitor = visits()
    tabs = [visitor.open("/jobs") for _ in range(TABS)]
    wait_until(lambda: heard_by(shown) == 1)
    lab.finish("first", lease)
    for tab in tabs:
        expect(state_of(tab, lab, "first")).to_contain_text("done")
    assert len(streams(visitor.requests)) == 1
    reading = [tab for tab in tabs if tab.evaluate("performance.getEntriesByType('resource').length >= 0")]
    assert len(reading) == TABS, "a tab hangs"
    tabs.pop(0).close()  # the first tab reads the stream
    lab.end("second")
    for tab in tabs:
        expect(state_of(tab, lab, "second")).to_contain_text("done")
    assert len(streams(visitor.requests)) == 2


def test_nobody_reads_while_all_tabs_are_hidden_and_nothing_is_missed(lab: Lab, shown: Shown, visits: Visits) -> None:
    lease = lab.start("first")
    visitor = visits()
    tabs = [visitor.open("/jobs") for _ in range(2)]
    wait_until(lambda: heard_by(shown) == 1)
    for tab in tabs:
        tab.evaluate(HIDE, True)

    def is_quiet() -> bool:
        tabs[0].evaluate("0")  # playwright hears of events only while it is called
        return heard_by(shown) == 0

    wait_until(is_quiet)
    lab.finish("first", lease)
    tabs[1].evaluate(HIDE, False)
    expect(state_of(tabs[1], lab, "first")).to_contain_text("done")
    expect(state_of(tabs[0], lab, "first")).to_contain_text("running")
    tabs[0].evaluate(HIDE, False)
    expect(state_of(tabs[0], lab, "first")).to_contain_text("done")


def test_what_was_left_when_the_tab_was_hidden_is_done_when_it_is_shown(lab: Lab, visits: Visits) -> None:
    lab.start("first")
    tab = visits().open("/jobs")
    expect(state_of(tab, lab, "first")).to_contain_text("running")
    tab.evaluate(f"() => {{ {CHANGE}; {CHANGE}; ({HIDE})(true); }}")
    tab.wait_for_timeout(1000)
    expect(tab.locator("tr[data-stale]")).to_have_count(1)
    tab.evaluate(HIDE, False)
    expect(tab.locator("tr[data-stale]")).to_have_count(0)


@pytest.mark.parametrize("url", ["/jobs", "/workers"])
def test_time_goes_on_without_an_event(lab: Lab, visits: Visits, url: str) -> None:
    lab.join()
    lab.start("first")
    visitor = visits()
    visitor.context.add_init_script("const plain = setInterval; setInterval = (what, ms) => plain(what, ms / 50);")
    tab = visitor.open(url)
    row = tab.locator("#main tr", has_text=lab.identity("first")[:7] if url == "/jobs" else lab.worker.name).first
    for _ in range(4):  # at first, an event may be on its way
        before = row.inner_text()
        expect(row).not_to_have_text(before, use_inner_text=True)


def test_without_locks_each_visible_tab_reads_for_itself(lab: Lab, shown: Shown, visits: Visits) -> None:
    lease = lab.start("first")
    visitor = visits()
    visitor.context.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', {value: undefined});")
    tabs = [visitor.open("/jobs") for _ in range(2)]
    wait_until(lambda: heard_by(shown) == 2)
    tabs[0].evaluate(HIDE, True)
    wait_until(lambda: tabs[0].evaluate("1") == 1 and heard_by(shown) == 1)
    lab.finish("first", lease)
    expect(state_of(tabs[1], lab, "first")).to_contain_text("done")
    tabs[0].evaluate(HIDE, False)
    expect(state_of(tabs[0], lab, "first")).to_contain_text("done")


def test_a_lost_connection_goes_on_where_it_was(lab: Lab, shown: Shown, visits: Visits) -> None:
    leases = {name: lab.start(name) for name in ("first", "second")}
    visitor = visits()
    tab = visitor.open("/jobs")
    lab.finish("first", leases["first"])
    expect(state_of(tab, lab, "first")).to_contain_text("done")
    for stream in [*shown.app.state.feed._streams]:
        stream.close()
    wait_until(lambda: heard_by(shown) == 0)
    lab.finish("second", leases["second"])
    expect(state_of(tab, lab, "second")).to_contain_text("done")
    assert len(streams(visitor.requests)) == 2
    visitor.complaints.clear()


def test_a_page_that_is_gone_is_said_to_be(lab: Lab, shown: Shown, visits: Visits) -> None:
    lab.submit("first")
    visitor = visits()
    tab = visitor.open("/jobs")
    wait_until(lambda: heard_by(shown) == 1)
    shown.close()
    expect(tab.locator("#live")).to_contain_text("No connection")
    visitor.complaints.clear()


def test_an_outage_is_said_on_each_page_until_it_is_over(
    fresh_server: Callable[..., PrivateServer], workspace: Workspace, browser: Browser
) -> None:
    server = fresh_server(aof=True)
    with server.client() as client, closing(Shown(workspace, server.url)) as shown:
        lab = Lab(workspace, client)
        lease = lab.start("first")
        with closing(Visitor(browser, shown)) as visitor:
            tab = visitor.open("/jobs")
            expect(state_of(tab, lab, "first")).to_contain_text("running")
            server.kill()
            expect(tab.locator("#live")).to_contain_text("The server does not answer")
            loaded = visitor.open("/jobs")
            expect(loaded.locator("[data-outage]")).to_be_visible()
            server.start()
            expect(tab.locator("#live")).to_be_empty()
            expect(loaded.locator("[data-outage]")).to_have_count(0)
            lab.finish("first", lease)
            expect(state_of(tab, lab, "first")).to_contain_text("done")


def test_each_page_says_when_the_files_answer_in_place_of_the_server(
    fresh_server: Callable[..., PrivateServer], workspace: Workspace, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_cli.page.desk.desk.AGAIN_S", 0.1)
    server = fresh_server(aof=True)
    with server.client() as client, closing(Shown(workspace, server.url)) as shown:
        lab = Lab(workspace, client)
        lab.start("first")
        with closing(Visitor(browser, shown)) as visitor:
            tab = visitor.open("/jobs")
            expect(state_of(tab, lab, "first")).to_contain_text("running")
            server.kill()
            expect(tab.locator("#live")).to_contain_text("The server does not answer")
            loaded = visitor.open("/jobs")
            expect(loaded.locator("[data-outage]")).to_contain_text("shows how things stood")
            monkeypatch.setattr("xpm_cli.page.desk.desk.FILES_S", 0.0)
            expect(tab.locator("#live")).to_have_text("The server cannot be had: the files of the workspace answer.")
            expect(loaded.locator("[data-outage]")).to_contain_text("the files of the workspace answer")
            expect(loaded.locator("#live")).to_be_empty()
            server.start()
            expect(tab.locator("#live")).to_be_empty()
            expect(loaded.locator("[data-outage]")).to_have_count(0)
            expect(state_of(tab, lab, "first")).to_contain_text("running")


def test_the_focus_stays_where_a_part_is_renewed(lab: Lab, visits: Visits) -> None:
    lease = lab.start("first")
    tab = visits().open("/")
    link = tab.get_by_role("link", name="sweep")
    link.focus()
    lab.finish("first", lease, State.FAILED, ERROR)
    expect(tab.get_by_text("1 failed").first).to_be_visible()
    expect(link).to_be_focused()


def test_events_of_a_night_leave_nothing_behind(lab: Lab, visits: Visits) -> None:
    for index in range(30):
        lab.submit(f"job {index}")
    tab = visits().open("/jobs")
    metrics = tab.context.new_cdp_session(tab)
    metrics.send("Performance.enable")
    lab.store.cancel(lab.identity("job 0"))
    expect(state_of(tab, lab, "job 0")).to_contain_text("cancelled")

    def measured(rounds: int) -> dict[str, float]:
        for _ in range(rounds):
            with tab.expect_response(lambda answer: "ids=" in answer.url):
                tab.evaluate(CHANGE)
        tab.wait_for_timeout(3000)  # what is done now and then has been done
        metrics.send("HeapProfiler.collectGarbage")
        found = metrics.send("Performance.getMetrics")["metrics"]
        wanted = ("Nodes", "JSEventListeners", "JSHeapUsedSize")
        return {each["name"]: each["value"] for each in found if each["name"] in wanted}

    before, after = measured(5), measured(25)
    assert after["Nodes"] <= before["Nodes"] * 1.1
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 2
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] * 1.2
