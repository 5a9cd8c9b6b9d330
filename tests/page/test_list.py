"""The list of jobs: the filter and its completion, the next rows, and what the keyboard does."""

from __future__ import annotations

import pytest
from helpers.browser import Visits
from helpers.simulated_jobs import ERROR, Lab
from helpers.waiting import wait_until
from playwright.sync_api import Route, expect

from xpm_core.states import State

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]

ROWS = "tr[data-job]"
CHANGE = "document.dispatchEvent(new CustomEvent('xpm:jobs', {detail: {jobs: {}, counts: null, many: true}}))"


def is_list(url: str) -> bool:
    """Whether the first rows of the list are asked for."""
    return "/jobs/rows" in url and "ids=" not in url


def test_more_rows_come_as_one_scrolls(lab: Lab, visits: Visits) -> None:
    names = [f"job {index}" for index in range(450)]
    for name in names:
        lab.submit(name)
    visitor = visits()
    tab = visitor.open("/jobs")
    expect(tab.locator(ROWS)).to_have_count(200)
    expect(tab.locator("#counts")).to_contain_text("450 jobs")
    for count in (400, 450):
        tab.locator(ROWS).last.scroll_into_view_if_needed()
        expect(tab.locator(ROWS)).to_have_count(count)
    assert len(set(tab.locator(ROWS).evaluate_all("rows => rows.map(row => row.dataset.job)"))) == 450
    last = tab.locator(ROWS).last.get_attribute("data-job")
    tab.locator(ROWS).last.scroll_into_view_if_needed()
    lab.store.cancel(str(last))
    expect(tab.locator(f"#job-{last} .state")).to_contain_text("cancelled")


def test_no_job_is_lost_while_one_scrolls_and_jobs_move(lab: Lab, visits: Visits) -> None:
    for index in range(450):
        lab.submit(f"job {index}")
    tab = visits().open("/jobs")
    expect(tab.locator(ROWS)).to_have_count(200)
    for identity in tab.locator(ROWS).evaluate_all("rows => rows.slice(50, 110).map(row => row.dataset.job)"):
        lab.store.cancel(identity)  # they go to the end of the list
    expect(tab.locator("#counts")).to_contain_text("60 cancelled")

    def seen() -> set[str]:
        tab.evaluate("document.querySelector('tr.more')?.scrollIntoView()")
        return set(tab.locator(ROWS).evaluate_all("rows => rows.map(row => row.dataset.job)"))

    wait_until(lambda: len(seen()) == 450, show=lambda: len(seen()))
    assert tab.locator(ROWS).count() == 450, "a job is there twice"


def test_new_jobs_do_not_make_the_page_longer_than_was_asked_for(lab: Lab, visits: Visits) -> None:
    for index in range(199):
        lab.submit(f"job {index}")
    tab = visits().open("/jobs")
    expect(tab.locator(ROWS)).to_have_count(199)
    for index in range(5):
        lab.submit(f"new {index}")
    expect(tab.locator("#counts")).to_contain_text("204 jobs")
    expect(tab.locator("tr.more")).to_have_count(1)
    expect(tab.locator(ROWS)).to_have_count(200)
    tab.locator(ROWS).last.scroll_into_view_if_needed()
    expect(tab.locator(ROWS)).to_have_count(204)


def test_a_job_that_ends_while_the_list_is_asked_for_is_seen_to_end(lab: Lab, visits: Visits) -> None:
    """By then, the list has other jobs in its first rows, and this row is one too many."""
    for index in range(250):
        lab.submit(f"job {index}")
    held: list[Route] = []
    tab = visits().open("/jobs")
    expect(tab.locator(ROWS)).to_have_count(200)
    tab.route(is_list, lambda route: route.continue_() if held else held.append(route))
    with tab.expect_request(lambda request: is_list(request.url)):
        tab.evaluate(CHANGE)
    first = str(tab.locator(ROWS).first.get_attribute("data-job"))
    lab.store.cancel(first)
    expect(tab.locator(f"#job-{first}[data-stale]")).to_have_count(1)
    held[0].continue_()
    expect(tab.locator(f"#job-{first} .state")).to_contain_text("cancelled")


@pytest.mark.parametrize("sort", ["submitted", "-submitted"])
def test_a_list_that_was_read_to_its_end_keeps_what_is_chosen_and_the_focus(
    lab: Lab, visits: Visits, sort: str
) -> None:
    for index in range(250):
        lab.submit(f"job {index}")
    tab = visits().open(f"/jobs?sort={sort}")
    tab.locator(ROWS).last.scroll_into_view_if_needed()
    expect(tab.locator(ROWS)).to_have_count(250)
    expect(tab.locator("tr.more")).to_have_count(0)
    last = tab.locator(ROWS).last
    last.get_by_role("checkbox").check()
    last.get_by_role("link").focus()
    identity = last.get_attribute("data-job")
    for more in (CHANGE, None):
        with tab.expect_response(lambda answer: is_list(answer.url)):
            if more:
                tab.evaluate(more)
            else:
                lab.submit("new")
        expect(tab.locator(ROWS)).to_have_count(250 if more else 251)
        expect(tab.locator("tr.more")).to_have_count(0)
        expect(tab.locator(f"#job-{identity}").get_by_role("checkbox")).to_be_checked()
        expect(tab.locator(f"#job-{identity}").get_by_role("link")).to_be_focused()


def test_the_filter_is_completed_by_the_keyboard_alone(lab: Lab, visits: Visits) -> None:
    for rate in (0.1, 0.01):
        lab.end(f"rate {rate}", State.FAILED, ERROR, params={"optim.lr": rate}, tags={"model": "bm 25"})
    tab = visits().open("/jobs")
    expect(tab.locator(ROWS)).to_have_count(2)
    tab.keyboard.press("/")
    words = tab.get_by_role("listbox")
    box = tab.get_by_role("combobox")
    tab.keyboard.type("l")
    expect(words.get_by_role("option").first).to_contain_text("lr")
    expect(box).to_have_attribute("aria-expanded", "true")
    tab.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "filter-words-0")
    tab.keyboard.press("Enter")
    expect(box).to_have_value("lr=")
    expect(words.get_by_role("option")).to_have_text(["0.01 1 job", "0.1 1 job"])
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Tab")
    expect(box).to_have_value("lr=0.1")
    tab.keyboard.type(" ")
    expect(words.get_by_role("option").first).to_contain_text("and")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.keyboard.type("model=")
    expect(words.get_by_role("option")).to_have_text(["'bm 25' 2 jobs"])
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    expect(box).to_have_value("lr=0.1 and model='bm 25'")
    tab.keyboard.press("Escape")
    tab.keyboard.press("/")
    tab.keyboard.press("Enter")
    expect(tab.locator(ROWS)).to_have_count(1)
    assert "filter=lr%3D0.1+and+model%3D%27bm+25%27" in tab.url


def test_a_filter_that_is_wrong_says_why(lab: Lab, visits: Visits) -> None:
    lab.submit("first")
    visitor = visits()
    tab = visitor.open("/jobs?filter=stat%3Ddone")
    expect(tab.get_by_role("alert")).to_contain_text("Did you mean 'state'")
    expect(tab.get_by_role("searchbox").or_(tab.get_by_role("combobox"))).to_have_value("stat=done")
    visitor.complaints.clear()  # the answer has the status 400


def test_rows_are_reached_and_chosen_by_keys(lab: Lab, visits: Visits) -> None:
    for name in ("a", "b", "c"):
        lab.submit(name)
    visitor = visits()
    tab = visitor.open("/jobs")
    row = "document.activeElement.closest('tr').rowIndex"
    for key, index in (("j", 1), ("j", 2), ("j", 3), ("j", 3), ("k", 2)):
        tab.keyboard.press(key)
        assert tab.evaluate(row) == index
    tab.keyboard.press("x")
    expect(tab.locator(ROWS).nth(1).get_by_role("checkbox")).to_be_checked()
    lab.store.cancel(str(tab.locator(ROWS).nth(1).get_attribute("data-job")))
    expect(tab.locator(ROWS).nth(1)).to_contain_text("cancelled")
    assert tab.evaluate(row) == 2, "the row was replaced, and the focus is lost"
    expect(tab.locator(ROWS).nth(1).get_by_role("checkbox")).to_be_checked()
    href = tab.evaluate("document.activeElement.getAttribute('href')")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**{href}")
    visitor.complaints.clear()


def test_what_needs_somebody_and_experiments_are_reached_by_keys(lab: Lab, visits: Visits) -> None:
    lab.end("a", State.FAILED, ERROR)
    tab = visits().open("/")
    expect(tab.get_by_text("1 failed").first).to_be_visible()
    tab.keyboard.press("k")
    expect(tab.get_by_role("link", name="sweep")).to_be_focused()
    tab.keyboard.press("k")
    expect(tab.get_by_role("link", name=f"✗ {lab.identity('a')[:7]}")).to_be_focused()
    tab.keyboard.press("j")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/jobs?filter=experiment%3Dsweep")


def test_the_keys_are_listed_and_can_be_turned_off(lab: Lab, visits: Visits) -> None:
    lab.submit("a")
    tab = visits().open("/jobs")
    tab.keyboard.press("?")
    dialog = tab.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    dialog.get_by_role("checkbox").uncheck()
    tab.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    tab.keyboard.press("j")
    assert tab.evaluate("document.activeElement.tagName") == "BODY" or not tab.evaluate(
        "document.activeElement.closest('tr') !== null"
    )
    tab.get_by_role("button", name="keys: ?").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Close").click()
    tab.keyboard.press("j")
    assert tab.evaluate("document.activeElement.closest('tr') !== null")


def test_keys_are_text_where_one_types(lab: Lab, visits: Visits) -> None:
    tab = visits().open("/jobs")
    tab.get_by_role("combobox").click()
    tab.keyboard.type("j?/k")
    expect(tab.get_by_role("combobox")).to_have_value("j?/k")
