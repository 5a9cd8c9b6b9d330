"""The page of a job in a browser: its log streams, follows or not, is searched, and hostile texts stay text."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.browser import Visitor, Visits
from helpers.simulated_jobs import ERROR, Lab
from playwright.sync_api import Locator, Page, Route, expect

from xpm_core.states import State
from xpm_core.store.records import Lease

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]

MINUTE_MS = 60_000
"""So far the clock of a page is turned on at once, to see what it would do meanwhile."""


@pytest.fixture
def lease(lab: Lab) -> Lease:
    """That of a job that runs, `a`, with a directory."""
    found = lab.start("a")
    lab.directory("a").prepare(1)
    return found


def write(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def lines(tab: Page) -> Locator:
    return tab.locator("[data-log-lines] .line")


def asked_for_log(visitor: Visitor) -> list[str]:
    """The requests for parts of a log."""
    return [path for path in visitor.requests if path.startswith("/job/") and "/log" in path]


def at_end(tab: Page) -> bool:
    script = "each => each.scrollHeight - each.scrollTop - each.clientHeight <= 4"
    return bool(tab.locator("[data-log-lines]").evaluate(script))


def test_a_log_streams_and_a_progress_bar_stays_one_line(lab: Lab, lease: Lease, visits: Visits) -> None:
    out = lab.directory("a").out
    tab = visits().open(f"/job/{lease.identity}")
    tab.evaluate("window.same = true")
    write(out, "start\n10 %")
    expect(lines(tab)).to_have_text(["start", "10 %"])
    write(out, "\r20 %")
    expect(lines(tab)).to_have_text(["start", "20 %"])
    write(out, "\r100 %\n\x1b[31mend\x1b[0m\n")
    expect(lines(tab)).to_have_text(["start", "100 %", "end"])
    expect(tab.locator("[data-log-lines] .f1")).to_have_text("end")
    lab.finish("a", lease, State.FAILED, ERROR)
    expect(tab.locator("#standing .state.failed").first).to_be_visible()
    expect(tab.locator("#error")).to_be_visible()
    assert tab.evaluate("window.same"), "the page was loaded anew"


def test_the_page_of_a_log_says_how_its_job_stands_now(lab: Lab, lease: Lease, visits: Visits) -> None:
    write(lab.directory("a").out, "one\n")
    tab = visits().open(f"/job/{lease.identity}/log?filter=name%3Da")
    expect(tab.locator("#main .state")).to_contain_text("running")
    lab.finish("a", lease, State.FAILED, ERROR)
    expect(tab.locator("#main .state")).to_contain_text("failed")
    lab.store.retry(lease.identity)
    expect(tab.locator("#main .state")).to_contain_text("ready")
    expect(tab.locator("#main p a").first).to_have_attribute("href", f"/job/{lease.identity}?filter=name%3Da")


def test_a_log_that_was_cut_begins_anew(lab: Lab, lease: Lease, visits: Visits) -> None:
    out = lab.directory("a").out
    write(out, "one\ntwo\n")
    tab = visits().open(f"/job/{lease.identity}")
    expect(lines(tab)).to_have_text(["one", "two"])
    out.write_text("new\n")
    expect(lines(tab)).to_have_text(["new"])
    expect(tab.locator("[data-log-said]")).to_contain_text("The log begins anew here: the file was cut shorter.")


def test_it_follows_until_the_user_scrolls_up(lab: Lab, lease: Lease, visits: Visits) -> None:
    out = lab.directory("a").out
    write(out, "".join(f"line {number}\n" for number in range(500)))
    visitor = visits()
    visitor.context.clock.install()
    tab = visitor.open(f"/job/{lease.identity}")
    expect(lines(tab).last).to_have_text("line 499")
    assert at_end(tab)
    write(out, "line 500\n")
    expect(lines(tab).last).to_have_text("line 500")
    assert at_end(tab)
    tab.locator("[data-log-lines]").evaluate("each => { each.scrollTop = 2000; }")
    expect(tab.locator("[data-log-follow]")).not_to_be_checked()
    visitor.requests.clear()
    write(out, "line 501\n")
    tab.clock.run_for(MINUTE_MS)
    assert asked_for_log(visitor) == []
    assert not at_end(tab)
    assert tab.locator("[data-log-lines]").evaluate("each => each.scrollTop") == 2000
    tab.locator("[data-log-follow]").check()
    expect(lines(tab).last).to_have_text("line 501")
    assert at_end(tab)


def test_a_last_line_without_an_end_is_not_asked_for_again_and_again(lab: Lab, lease: Lease, visits: Visits) -> None:
    write(lab.directory("a").out, "".join(f"line {number}\n" for number in range(500)) + "90 %")
    visitor = visits()
    visitor.context.clock.install()
    tab = visitor.open(f"/job/{lease.identity}")
    expect(lines(tab).last).to_have_text("90 %")
    box = tab.locator("[data-log-lines]")
    box.evaluate("each => { each.scrollTop = 2000; }")
    expect(tab.locator("[data-log-follow]")).not_to_be_checked()
    visitor.requests.clear()
    box.evaluate("each => { each.scrollTop = each.scrollHeight; }")
    expect(tab.locator("[data-log-follow]")).to_be_checked()
    assert len(asked_for_log(visitor)) <= 1


def test_earlier_lines_come_to_who_scrolled_while_new_ones_were_asked_for(
    lab: Lab, lease: Lease, visits: Visits
) -> None:
    write(lab.directory("a").out, "".join(f"line {number}\n" for number in range(5000)))
    held: list[Route] = []
    tab = visits().open(f"/job/{lease.identity}")
    expect(lines(tab)).to_have_count(2000)
    tab.route(lambda url: "at=" in url, lambda route: route.continue_() if held else held.append(route))
    with tab.expect_request(lambda request: "at=" in request.url):
        pass
    tab.locator("[data-log-lines]").evaluate("each => { each.scrollTop = 0; }")
    expect(tab.locator("[data-log-follow]")).not_to_be_checked()
    held[0].continue_()
    expect(lines(tab)).to_have_count(4000)


def test_earlier_lines_come_as_the_user_scrolls(lab: Lab, lease: Lease, visits: Visits) -> None:
    write(lab.directory("a").out, "".join(f"line {number}\n" for number in range(5000)))
    tab = visits().open(f"/job/{lease.identity}")
    expect(lines(tab)).to_have_count(2000)
    tab.locator("[data-log-lines]").evaluate("each => { each.scrollTop = 0; }")
    expect(lines(tab)).to_have_count(4000)
    expect(lines(tab).first).to_have_text("line 1000")
    shown = tab.locator("[data-log-lines]").evaluate(
        "each => [...each.querySelectorAll('.line')]"
        ".find(line => line.offsetTop - each.offsetTop >= each.scrollTop).textContent"
    )
    assert shown in ("line 2999", "line 3000", "line 3001"), "what the user was reading stays where it was"


def test_a_search_leads_to_its_lines_and_the_traceback_is_found(lab: Lab, lease: Lease, visits: Visits) -> None:
    err = lab.directory("a").err
    write(err, "".join(f"step {number}\n" for number in range(9000)))
    write(err, "Traceback (most recent call last):\n  File x\nValueError: <b>no</b>\n")
    write(err, "".join(f"after {number}\n" for number in range(3000)))
    tab = visits().open(f"/job/{lease.identity}/log?stream=err")
    tab.locator("#find").fill("step 4242")
    tab.locator("#find").press("Enter")
    expect(tab.locator(".matches mark")).to_have_text(["step 4242"])
    tab.locator(".matches a").click()
    expect(tab.locator(".line.found")).to_have_text("step 4242")
    expect(tab.locator(".line.found")).to_be_in_viewport()
    expect(tab.get_by_text("step 4241", exact=True)).to_be_visible()
    expect(tab.locator("[data-log-follow]")).not_to_be_checked()
    tab.locator("[data-log-traceback]").click()
    expect(tab.locator(".line.found")).to_have_text("Traceback (most recent call last):")
    expect(tab.locator(".line.found + .line + .line")).to_have_text("ValueError: <b>no</b>")
    expect(tab.locator(".line.found")).to_be_in_viewport()
    tab.locator("[data-log-lines]").press("G")
    expect(lines(tab).last).to_have_text("after 2999")
    tab.locator("[data-log-lines]").press("g")
    expect(lines(tab).first).to_have_text("step 0")
    tab.locator("[data-log-lines]").press("w")
    expect(tab.locator("[data-log-lines]")).to_have_class("log wrap")
    tab.locator("#find").fill("(")
    tab.locator("[name=regex]").check()
    tab.locator("#find").press("Enter")
    expect(tab.locator(".found .wrong")).to_contain_text("cannot be understood: missing )")


def test_where_there_is_no_traceback_no_line_is_marked_as_one(lab: Lab, lease: Lease, visits: Visits) -> None:
    write(lab.directory("a").out, "one\ntwo\n")
    tab = visits().open(f"/job/{lease.identity}/log?stream=out")
    tab.locator("[data-log-lines]").press("t")
    expect(tab.locator("[data-log-said]")).to_have_text("There is no traceback.")
    expect(tab.locator("[data-log-follow]")).not_to_be_checked()
    expect(lines(tab)).to_have_text(["one", "two"])
    expect(tab.locator(".line.found")).to_have_count(0)


def test_a_hidden_log_asks_for_nothing(lab: Lab, lease: Lease, visits: Visits) -> None:
    write(lab.directory("a").out, "one\n")
    visitor = visits()
    visitor.context.clock.install()
    tab = visitor.open(f"/job/{lease.identity}")
    expect(lines(tab)).to_have_text(["one"])
    hide = "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
    tab.evaluate(hide + "document.dispatchEvent(new Event('visibilitychange'))")
    visitor.requests.clear()
    write(lab.directory("a").out, "two\n")
    tab.clock.run_for(MINUTE_MS)
    assert asked_for_log(visitor) == []


def test_a_job_that_has_ended_asks_for_nothing(lab: Lab, visits: Visits) -> None:
    lab.end("done")
    lab.directory("done").out.write_text("one\n")
    visitor = visits()
    visitor.context.clock.install()
    tab = visitor.open(f"/job/{lab.identity('done')}")
    expect(lines(tab)).to_have_text(["one"])
    tab.clock.run_for(MINUTE_MS)
    assert len(asked_for_log(visitor)) <= 1, "when the stream is open, it asks once"


def test_hostile_texts_stay_text(lab: Lab, lease: Lease, visits: Visits) -> None:
    hostile = "<script>window.broken = 1</script><img src=x onerror='window.broken = 1'>"
    write(lab.directory("a").out, f"{hostile}\n\x1b]8;;javascript:alert(1)\x07{hostile}\x1b]8;;\x07\n" + "\u202eabc\n")
    tab = visits().open(f"/job/{lease.identity}")
    expect(lines(tab)).to_have_text([hostile, hostile, "\u202eabc"])
    write(lab.directory("a").out, f"{hostile} again\n")
    expect(lines(tab)).to_have_count(4)
    tab.locator("#find").fill("<script>")
    tab.locator("#find").press("Enter")
    expect(tab.locator(".matches mark")).to_have_text(["<script>"] * 3)
    assert tab.evaluate("window.broken") is None


def test_what_has_changed_of_the_code_comes_in_place(lab: Lab, visits: Visits) -> None:
    lab.end("done")
    tab = visits().open(f"/job/{lab.identity('done')}")
    tab.get_by_text("What has changed since it ran?").click()
    expect(tab.locator("#since")).to_contain_text("it cannot be told")


def test_without_javascript_there_are_links(lab: Lab, lease: Lease, visits: Visits) -> None:
    write(lab.directory("a").out, "".join(f"line {number}\n" for number in range(5000)))
    tab = visits(java_script_enabled=False).open(f"/job/{lease.identity}/log")
    expect(lines(tab).last).to_have_text("line 4999")
    tab.get_by_text("earlier lines").click()
    expect(lines(tab).last).to_have_text("line 2999")
    tab.get_by_text("later lines").click()
    expect(lines(tab).last).to_have_text("line 4999")
    tab.locator("#find").fill("line 17")
    tab.get_by_role("button", name="Search", exact=True).click()
    expect(tab.locator(".matches mark").first).to_have_text("line 17")
    tab.locator(".matches a").first.click()
    expect(lines(tab).first).to_have_text("line 17")
