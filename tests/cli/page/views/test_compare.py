"""Jobs side by side: only what differs, and the code on demand."""

from __future__ import annotations

import itertools
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from helpers.page import PageClient
from helpers.page_studies import StudyPage, Tables
from helpers.simulated_jobs import Lab
from helpers.stored_code import Code
from helpers.waiting import wait_until

from xpm_cli.page.views import compare
from xpm_core.states import State

pytestmark = pytest.mark.redis

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def shown(lab: Lab, page: PageClient) -> StudyPage:
    return StudyPage(lab, page)


def rows(page: str) -> list[list[str]]:
    return Tables(page).rows


def test_only_what_differs_is_shown_and_the_rest_is_counted(shown: StudyPage) -> None:
    same = {"depth": 3, "data": "cranfield"}
    first = shown.job(
        "a", {"loss": [1.0]}, params={**same, "lr": 0.1}, tags={"model": "mlp"}, results={"accuracy": 0.5, "n": 7}
    )
    second = shown.job("b", params={**same, "lr": 0.2}, tags={"model": "mlp"}, results={"accuracy": 0.75, "n": 7})
    third = shown.job("c", params={**same, "lr": 0.2}, tags={"model": "svm"}, results={"n": 7})
    page = shown.get("/compare", ids=f"{first},{second},{third}")
    found = rows(page)
    assert found[0][1:] == [f"{each[:7]} Train ✓ done" for each in (first, second, third)]
    assert ["model", "mlp", "mlp", "svm"] in found
    assert ["lr", "0.1", "0.2", "0.2"] in found
    assert ["accuracy", "0.5", "0.75", "-"] in found
    assert ["tags and parameters 3 values alike"] in found  # name, depth, data
    assert ["results 1 result alike"] in found
    assert ["code nothing differs"] in found
    assert not any(row[0] in ("depth", "data", "n") for row in found)
    assert f"/curves/data?metric=loss&amp;ids={first}%2C{second}%2C{third}" in page
    assert f"xpm diff {first[:7]} {second[:7]} --code" in page


def test_the_filter_goes_along_to_code_curves_and_back(shown: StudyPage) -> None:
    metrics = {f"m{number}": [1.0] for number in range(compare.CHARTS + 1)}
    first, second = (
        shown.job(name, metrics, params={"seed": seed}, results={"f": 1}) for seed, name in enumerate("ab")
    )
    page = shown.get("/compare", ids=f"{first},{second}", filter="seed<2")
    found = [href.replace("&amp;", "&") for href in re.findall(r'href="(/(?:compare|curves)\?[^"]*ids=[^"]*)"', page)]
    assert len(found) == 1 + 2 * compare.CHARTS + 1  # the code, each chart's numbers with and without scripts, a link
    assert {parse_qs(urlsplit(href).query).get("filter", [""])[0] for href in found} == {"seed<2"}
    assert "filter=seed%3C2" in shown.get("/results", filter="seed<2", over="seed").split("/compare?")[1].split('"')[0]
    job = shown.get(f"/job/{first}", filter="seed<2")
    numbers = re.findall(r'href="(/curves\?[^"]*ids=[^"]*)"', job)
    assert numbers
    assert all("filter=seed%3C2" in href for href in numbers)
    chosen = parse_qs(urlsplit(found[1]).query)
    assert "2 chosen jobs" in shown.get("/curves", metric=chosen["metric"][0], ids=chosen["ids"][0], filter="seed<2")


def test_a_job_without_a_commit_does_not_differ_from_one_of_which_it_is_not_known(shown: StudyPage, lab: Lab) -> None:
    lab.finish("a", lab.start("a"), code={"snapshot": "ab" * 32})
    first, second = lab.identity("a"), lab.start("b").identity
    wait_until(lambda: {row.state for row in shown.desk.rows([first, second])} == {State.DONE, State.RUNNING})
    found = rows(shown.get("/compare", ids=f"{first},{second}"))
    assert ["code", "abababa", "live"] in found
    assert not any(row[0] in ("commit", "packages") for row in found), "nothing is seen that differs"


def test_where_and_how_long_they_ran_is_shown_only_if_it_differs(
    shown: StudyPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = shown.job("a", params={"lr": 0.1}), shown.job("b", params={"lr": 0.2})
    monkeypatch.setattr("xpm_cli.page.views.compare.span", lambda seconds: "2 s")  # as both are read
    page = rows(shown.get("/compare", ids=f"{first},{second}"))
    assert ["run nothing differs"] in page
    assert not any(row[0] in ("host", "seconds") for row in page)
    numbers = itertools.count()
    monkeypatch.setattr("xpm_cli.page.views.compare.span", lambda seconds: f"{next(numbers)} s")
    assert any(row[0] == "seconds" for row in rows(shown.get("/compare", ids=f"{first},{second}")))


def test_check_boxes_and_short_names_choose_jobs(shown: StudyPage) -> None:
    first, second = (shown.job(name, params={"seed": seed}) for seed, name in enumerate("ab"))
    pages = (
        shown.get(f"/compare?job={first}&job={second}&job={second}"),
        shown.get("/compare", ids=f"{first[:9]},{second[:9]}"),
    )
    # Above it, they say up to which event they were made.
    boxes, names = (page[page.index("<main") :] for page in pages)
    assert " ago" not in boxes
    assert boxes == names


@pytest.mark.parametrize(
    ("names", "status", "said"),
    [
        ([], 400, "No job chosen. Choose 2 to 10 in the list of jobs."),
        (["a"], 400, "1 job chosen."),
        (list("abcdefghijk"), 400, "11 jobs chosen, and at most 10 stand side by side."),
        (["a", "x" * 64], 404, "Job"),
    ],
)
def test_other_numbers_of_jobs_are_refused(shown: StudyPage, names: list[str], status: int, said: str) -> None:
    known = {name: shown.job(name, params={"seed": name}) for name in "abcdefghijk"} if names else {}
    page = shown.get("/compare", status, ids=",".join(known.get(name, name) for name in names))
    assert said in page


def test_hostile_values_stay_text(shown: StudyPage) -> None:
    first = shown.job("a", {HOSTILE: [1.0]}, tags={"model": HOSTILE}, results={HOSTILE: 1})
    second = shown.job("b", tags={"model": "b"}, state=State.FAILED)
    page = shown.get("/compare", ids=f"{first},{second}")
    assert "<img" not in page
    assert "&lt;img src=x" in page
    assert "onerror" not in Tables(page).attributes


def test_files_and_packages_that_differ_are_shown_on_demand(shown: StudyPage) -> None:
    code, lab = Code(shown.lab.workspace.path), shown.lab
    for name, train, version in (("a", "lr = 0.1\n", "1"), ("b", "lr = 0.2  # <b>\n", "2")):
        packages = code.packages(json.dumps({"packages": {"numpy": version}, "python": "3.12"}))
        snapshot = code.snapshot(train=train, same="x = 1\n")
        about = {"snapshot": snapshot, "provenance": code.provenance(snapshot, packages)}
        lab.finish(name, lab.start(name, params={"seed": name}), code=about, packages=packages)
    first, second = lab.identity("a"), lab.identity("b")
    wait_until(lambda: {row.state for row in shown.desk.rows([first, second])} == {State.DONE})
    page = shown.get("/compare", ids=f"{first},{second}")
    assert {row[0] for row in rows(page)} >= {"code", "packages"}
    assert "code=1#code" in page
    assert "lr = 0.2" not in page
    asked = shown.get("/compare", ids=f"{first},{second}", code="1")
    assert '<span class="removed">-lr = 0.1' in asked
    assert '<span class="added">+lr = 0.2  # &lt;b&gt;' in asked
    assert "same.py" not in asked
    assert ["numpy", "1", "2"] in rows(asked)


def test_code_that_cannot_be_compared_is_said(shown: StudyPage) -> None:
    first, second = (shown.job(name, params={"seed": name}) for name in "ab")
    asked = shown.get("/compare", ids=f"{first},{second}", code="1")
    assert "it is not known which code it ran" in asked
    assert "The packages of both are not known, so they are not compared." in asked
