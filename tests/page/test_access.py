"""The page for everybody: with a screen reader, without JavaScript, on a phone; and hostile texts stay texts."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browser import Shown, Visits
from helpers.every_state import EveryState
from helpers.simulated_jobs import ERROR, Lab
from playwright.sync_api import expect

from xpm_cli.page.links import Links
from xpm_cli.page.rendering import VIEWS
from xpm_core.states import State

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]

SERIOUS = ("serious", "critical")
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}
HOSTILE = (
    "<script>window.hacked = 1</script>",
    "\"'><img src=x onerror='window.hacked = 1'>",
    "</td></tr></table><h1>gone</h1>",
    "{{ 7 * 7 }} ${7} \x1b[31mred\x1b]8;;http://evil/\x07",
)


@pytest.fixture
def lab(workspace: Any, redis_client: Any) -> Lab:
    """A workspace with a job in each state."""
    return EveryState(workspace, redis_client).lab


def paths(shown: Shown, lab: Lab) -> list[str]:
    """A URL of each view."""
    links = Links()
    views = [getattr(links, name)() for name in VIEWS]
    jobs = [links.job(lab.identity(state.value)) for state in (State.FAILED, State.RUNNING)]
    lists = [links.jobs("state=failed,blocked", sort="-submitted"), links.jobs("stat=failed")]
    return [*views, *jobs, *lists]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_has_a_serious_fault_for_those_who_cannot_see_it(
    lab: Lab, shown: Shown, visits: Visits, scheme: str
) -> None:
    visitor = visits(color_scheme=scheme)
    faults = []
    for path in paths(shown, lab):
        tab = visitor.open(path)
        for fault in Axe().run(tab).response["violations"]:
            if fault["impact"] in SERIOUS:
                places = [node["html"][:200] for node in fault["nodes"][:3]]
                faults.append(f"{path}: {fault['id']}: {fault['help']}: {places}")
        assert tab.locator("main").count() == tab.locator("h1").count() == 1, path
        tab.close()
    visitor.complaints = [each for each in visitor.complaints if "status of 400" not in each]
    assert faults == []


def test_dialog_and_completion_have_no_serious_fault(lab: Lab, visits: Visits) -> None:
    tab = visits().open("/jobs")
    tab.keyboard.press("/")
    tab.keyboard.type("sta")
    expect(tab.get_by_role("option").first).to_be_visible()
    tab.keyboard.press("ArrowDown")
    found = Axe().run(tab).response["violations"]
    tab.keyboard.press("Escape")
    tab.keyboard.press("Escape")
    tab.keyboard.press("?")
    expect(tab.get_by_role("dialog")).to_be_visible()
    found += Axe().run(tab).response["violations"]
    assert [fault["id"] for fault in found if fault["impact"] in SERIOUS] == []


def test_no_view_is_wider_than_a_phone(lab: Lab, shown: Shown, visits: Visits) -> None:
    visitor = visits(**PHONE)
    wide = []
    for path in paths(shown, lab):
        tab = visitor.open(path)
        width = tab.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["viewport"]["width"]:
            wide.append(f"{path}: {width}")
        tab.close()
    visitor.complaints.clear()
    assert wide == []


def test_long_words_make_no_view_wider_than_a_phone(lab: Lab, shown: Shown, visits: Visits) -> None:
    long = "name" * 50
    lab.store.cancel(lab.identity("ready"))  # so that the worker takes the next one
    error = {**ERROR, "message": long}
    lab.end("long", State.FAILED, error, tags={"name": "long", "label": long}, params={"p": long, long: 1})
    visitor = visits(**PHONE)
    links, wide = Links(), []
    of_job = [links.job(lab.identity("long")), links.log(lab.identity("long")), links.graph(lab.identity("long"))]
    asked = [links.act("retry", "state=failed"), links.results(over="name"), links.jobs(f"label={long}")]
    for path in [*paths(shown, lab), *of_job, *asked, links.compare([lab.identity("long"), lab.identity("done")])]:
        tab = visitor.open(path)
        width = tab.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["viewport"]["width"]:
            wide.append(f"{path}: {width}")
        tab.close()
    tab = visitor.open(of_job[0])
    assert tab.locator(".pairs tbody th").first.evaluate("each => each.clientHeight") < 60, "a letter on each line"
    visitor.complaints.clear()
    assert wide == []


def test_without_scripts_all_is_reached_by_links_and_forms(lab: Lab, shown: Shown, visits: Visits) -> None:
    visitor = visits(java_script_enabled=False)
    tab = visitor.open("/")
    tab.get_by_role("navigation").get_by_role("link", name="jobs", exact=True).click()
    expect(tab.locator("tr[data-job]")).to_have_count(len(State))
    tab.get_by_role("searchbox").fill("state=failed")
    tab.get_by_role("button", name="Filter", exact=True).click()
    expect(tab.locator("tr[data-job]")).to_have_count(1)
    assert [path for path in visitor.requests if path.startswith(("/live", "/complete"))] == []


def test_without_scripts_the_page_reloads(lab: Lab, shown: Shown, visits: Visits) -> None:
    visitor = visits(java_script_enabled=False)
    tab = visitor.open("/jobs")
    refresh = tab.locator("meta[http-equiv=refresh]")
    assert refresh.get_attribute("content") == "10"


def test_without_scripts_more_rows_are_a_page_away(lab: Lab, visits: Visits) -> None:
    for index in range(210):
        lab.submit(f"job {index}")
    tab = visits(java_script_enabled=False).open("/jobs")
    expect(tab.locator("tr[data-job]")).to_have_count(200)
    tab.get_by_role("link", name="The next of").click()
    expect(tab.locator("tr[data-job]")).to_have_count(10 + len(State))


def test_hostile_texts_stay_texts(lab: Lab, shown: Shown, visits: Visits) -> None:
    visitor = visits()
    lab.store.cancel(lab.identity("ready"))  # so that the worker takes the next one
    open_tabs = [visitor.open(path) for path in ("/", "/jobs")]  # these get the jobs as they come
    for index, text in enumerate(HOSTILE):
        error = {**ERROR, "message": text, "type": f"E{index}", "function": text, "file": text}
        lab.end(f"job {text}", State.FAILED, error, tags={"note": text}, params={"p": text, f"q{text}": 1})
    expect(open_tabs[1].get_by_text(HOSTILE[0]).first).to_be_visible()
    tabs = [visitor.open(path) for path in paths(shown, lab)] + open_tabs
    tabs += [visitor.open(Links().jobs(text)) for text in HOSTILE]
    for tab in tabs:
        tab.wait_for_load_state()
        assert tab.evaluate("window.hacked") is None, tab.url
        assert tab.locator("img[src=x]").count() == 0, tab.url
        assert tab.get_by_role("heading", name="gone", exact=True).count() == 0
    visitor.complaints = [each for each in visitor.complaints if "status of 400" not in each]


def test_hostile_values_are_texts_in_the_completion(lab: Lab, visits: Visits) -> None:
    lab.store.cancel(lab.identity("ready"))
    for index, text in enumerate(HOSTILE):
        lab.end(f"job {index}", tags={"note": text})
    tab = visits().open("/jobs")
    tab.get_by_role("combobox").fill("tag.note=")
    expect(tab.get_by_role("option")).to_have_count(3)  # what cannot be printed is not proposed
    expect(tab.get_by_role("option").filter(has_text="<script>")).to_have_count(1)
    assert tab.evaluate("window.hacked") is None
