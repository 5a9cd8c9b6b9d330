"""Charts in the browser: lines, legend, keys, switches, and that a chart grows with its jobs."""

from __future__ import annotations

import math
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers.browser import Shown, Visits
from helpers.page import PageClient
from helpers.page_studies import StudyPage
from helpers.simulated_jobs import Lab
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]

HOSTILE = "<img src=x onerror=document.title='hurt'>"
CELLS = ".legend tbody tr"


@pytest.fixture
def study(lab: Lab, shown: Shown) -> StudyPage:
    """Two models with three seeds each; one job goes on."""
    made = StudyPage(lab, PageClient(shown.desk, shown.guard, None))  # type: ignore[arg-type]  # nobody asks by it
    for model, scale in (("mlp", 1.0), (HOSTILE, 2.0)):
        for seed in range(3):
            values = [scale * math.exp(-step / 8) + seed / 100 for step in range(20 if seed else 12)]
            made.job(f"{scale}{seed}", {"loss": values, "f1": values}, params={"model": model, "seed": seed})
    return made


def texts(tab: Page) -> list[list[str]]:
    return [row.locator("th, td").all_inner_texts() for row in tab.locator(CELLS).all()]


def serious(tab: Page) -> list[tuple[str, str]]:
    """What axe finds that keeps somebody from reading the page."""
    found = Axe().run(tab).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]


def test_a_chart_has_a_line_for_each_group_and_tells_its_values(study: StudyPage, visits: Visits) -> None:
    tab = visits().open("/curves?metric=loss&all_but=seed")
    expect(tab.locator(CELLS)).to_have_count(2)
    expect(tab.locator("[data-curve] canvas")).to_have_count(1)
    assert [row[0] for row in texts(tab)] == ["model=mlp", f"model={HOSTILE}"]
    assert [row[-1] for row in texts(tab)] == ["2 of 3", "2 of 3"]
    assert tab.title() != "hurt"
    expect(tab.locator(".notes")).to_contain_text("Mean and 95 % t interval at each step")
    chart = tab.locator("[data-curve]")
    chart.focus()
    tab.keyboard.press("Home")
    expect(tab.locator(".legend thead")).to_contain_text("at step 0")
    assert texts(tab)[0][1:] == ["1.01", "0.98516 to 1.0348", "3"]
    tab.keyboard.press("ArrowRight")
    expect(tab.locator(".legend thead")).to_contain_text("at step 1")
    box = tab.locator(".u-over").bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20)
    expect(tab.locator(".legend thead")).to_contain_text("at step 19")


def test_curves_are_switched_off_and_axes_are_logarithmic(study: StudyPage, visits: Visits) -> None:
    tab = visits(viewport={"width": 360, "height": 700}, color_scheme="dark").open("/curves?metric=loss&all_but=seed")
    expect(tab.locator(CELLS)).to_have_count(2)
    button = tab.locator(".legend button").first
    button.focus()
    tab.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "false")
    tab.get_by_label("logarithmic values").check()
    tab.get_by_label("logarithmic steps").check()
    expect(tab.locator(".notes")).to_contain_text("2 points at or below 0 have no place on a logarithmic axis.")
    expect(tab.locator("[data-curve] canvas")).to_have_count(1)
    expect(tab.locator(".legend button").first).to_have_attribute("aria-pressed", "false")
    wide = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    assert serious(tab) == []


@pytest.mark.parametrize(
    "values", [[None, None], [0.0, 0.0], [1.0], [-1e300, 1e300], [1e-310, 2e-310], [5.0] * 9], ids=str
)
def test_odd_values_break_no_chart(study: StudyPage, visits: Visits, values: list[float | None]) -> None:
    study.job("odd", {"odd": values}, params={"model": "odd"})
    study.settle()
    tab = visits().open("/curves?metric=odd&all_but=")
    expect(tab.locator(CELLS)).to_have_count(1)
    for label in ("logarithmic values", "logarithmic steps"):
        tab.get_by_label(label).check()
        tab.locator("[data-curve]").focus()
        tab.keyboard.press("End")
    for label in ("logarithmic steps", "logarithmic values"):
        tab.get_by_label(label).uncheck()
    expect(tab.locator("[data-curve] canvas")).to_have_count(1)


def test_a_chart_grows_with_its_jobs(study: StudyPage, lab: Lab, visits: Visits) -> None:
    tab = visits().open("/curves?metric=loss&all_but=seed&filter=model=mlp")
    expect(tab.locator(CELLS)).to_have_count(1)
    lease = lab.start("more", params={"name": "all", "model": "mlp", "seed": 7}, tags={})
    study.log("more", "loss", [1.0] * 30)
    expect(tab.locator(CELLS)).to_contain_text("1 of 4")
    study.log("more", "loss", [5.0] * 5, first=30)  # no event says it
    tab.locator("[data-curve]").focus()
    expect(tab.locator(".notes")).to_contain_text("ended before step 34")
    lab.finish("more", lease)


def test_jobs_are_chosen_in_the_list_and_compared(study: StudyPage, visits: Visits) -> None:
    tab = visits().open("/jobs")
    for box in tab.get_by_role("checkbox").all()[:2]:
        box.check()
    tab.get_by_role("button", name="Compare the chosen").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("2 jobs side by side")
    expect(tab.locator("[data-curve] canvas")).to_have_count(2)
    expect(tab.locator(".charts figure").first.locator(CELLS)).to_have_count(2)
    assert serious(tab) == []


def test_what_cannot_be_drawn_is_said_and_without_scripts_there_are_numbers(study: StudyPage, visits: Visits) -> None:
    visitor = visits()
    tab = visitor.open("/curves?metric=los")
    expect(tab.locator("[data-curve] .wrong")).to_contain_text("Did you mean 'loss'?")
    assert all("400" in each for each in visitor.complaints)
    visitor.complaints.clear()
    plain = visits(java_script_enabled=False).open("/curves?metric=loss&all_but=seed")
    plain.get_by_role("link", name="numbers").first.click()
    expect(plain.locator("#numbers tbody tr")).to_have_count(20)


def test_an_error_hides_what_was_drawn_until_it_can_be_read_again(study: StudyPage, visits: Visits) -> None:
    visitor = visits()
    tab = visitor.open("/curves?metric=loss&all_but=seed")
    expect(tab.locator(CELLS)).to_have_count(2)
    tab.route("**/curves/data*", lambda route: route.fulfill(status=400, json={"error": "No such filter."}))
    tab.evaluate("document.dispatchEvent(new Event('xpm:jobs'))")
    expect(tab.locator("[data-curve] .wrong")).to_have_text("No such filter.")
    for part in ("canvas", CELLS, ".notes"):
        expect(tab.locator(f"[data-curve] {part}").first).to_be_hidden()
    assert all("400" in each for each in visitor.complaints)
    visitor.complaints.clear()
    tab.unroute("**/curves/data*")
    tab.evaluate("document.dispatchEvent(new Event('xpm:jobs'))")
    expect(tab.locator("[data-curve] canvas")).to_be_visible()
    expect(tab.locator("[data-curve] .wrong")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tables_and_numbers_are_read_by_everybody(study: StudyPage, lab: Lab, visits: Visits, scheme: str) -> None:
    for at in range(6):
        params = {"model": "svm", "seed": at % 3, "depth": at // 3}
        study.job(f"r{at}", params=params, results={"accuracy": 0.5 + at / 100})
    study.settle()
    visitor = visits(viewport={"width": 360, "height": 700}, color_scheme=scheme)
    asked = "experiment=sweep&over=seed&rows=model&across=depth&value=accuracy&form=latex"
    for path in (f"/results?{asked}", "/results", "/curves?metric=loss&show=numbers", "/curves"):
        tab = visitor.open(path)
        assert tab.get_by_role("alert").count() == 0, tab.get_by_role("alert").all_inner_texts()
        assert serious(tab) == [], path
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path


def test_a_table_is_asked_for_by_the_form(study: StudyPage, visits: Visits) -> None:
    for seed in range(3):
        study.job(f"r{seed}", params={"model": "svm", "seed": seed}, results={"accuracy": 0.5 + seed / 100})
    study.settle()
    tab = visits(java_script_enabled=False).open("/results?experiment=sweep&filter=model=svm")
    tab.get_by_label("fold over").select_option("seed")
    tab.get_by_role("button", name="Show").click()
    expect(tab.locator("table.results tbody")).to_contain_text("0.51 ± 0.02")
    tab.get_by_role("link", name="LaTeX to copy").click()
    expect(tab.get_by_role("textbox", name="LaTeX")).to_have_value(re.compile(r"\\begin\{tabular\}"))
    expect(tab.get_by_role("heading", level=1)).to_contain_text("model=svm")


def test_a_step_is_told_with_all_its_digits_and_a_long_name_is_cut(study: StudyPage, visits: Visits) -> None:
    study.job("late", {"loss": [1.0]}, params={"model": "late", "text": "x " * 500})
    study.log("late", "loss", [0.5], first=1_234_567)
    study.settle()
    tab = visits().open(f"/curves?metric=loss&ids={study.lab.identity('late')},{study.lab.identity('1.00')}")
    expect(tab.locator(CELLS)).to_have_count(2)
    tab.locator("[data-curve]").focus()
    tab.keyboard.press("End")
    expect(tab.locator(".legend thead")).to_contain_text("at step 1234567")
    box = tab.locator(".legend .name").first.bounding_box()
    assert box is not None
    assert box["height"] < 80
