"""The list of jobs: filter, order, columns, parts, and rows one by one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.page import PageClient
from helpers.simulated_jobs import ERROR, Lab
from helpers.waiting import wait_until

from xpm_core.states import State

pytestmark = pytest.mark.redis


def shown(text: str) -> list[str]:
    return re.findall(r'<tr id="job-([0-9a-f]+)"', text)


def heads(text: str) -> list[str]:
    return re.findall(r'<th scope="col"[^>]*>(?:<a [^>]*>)?([^<]*)<', text)


def test_what_differs_and_what_was_reported_are_columns(lab: Lab, page: PageClient) -> None:
    for number in range(2):
        lab.end(f"job{number}", params={"lr": number, "depth": 3}, tags={}, results={"accuracy": 0.5})
    wait_until(lambda: page.desk.listed("state=done").matched == 2 and "accuracy" in heads(page.get("/jobs")))
    assert heads(page.get("/jobs")) == ["", "id", "state", "task", "name", "lr", "accuracy", "time", "where", "why"]
    assert heads(page.get("/jobs?columns=depth")) == ["", "id", "state", "task", "depth", "time", "where", "why"]


def test_a_filter_that_is_wrong_says_what_to_write(lab: Lab, page: PageClient) -> None:
    lab.submit("a", params={"lr": 1})
    wait_until(lambda: page.desk.listed("").matched == 1)
    text = page.get("/jobs?filter=lrr%3D1", status=400)
    assert "Did you mean" in text
    assert 'value="lrr=1"' in text
    assert shown(text) == []


def test_jobs_come_in_parts_and_in_an_order(lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xpm_cli.page.views.jobs.PAGE", 2)
    for name in "abcde":
        lab.submit(name)
    wait_until(lambda: page.desk.listed("").matched == 5)
    text = page.get("/jobs?sort=-name")
    assert shown(text) == [lab.identity("e"), lab.identity("d")]
    (more,) = re.findall(r'data-more="([^"]*)"', text)
    part = page.get(more.replace("&amp;", "&"))
    assert shown(part) == [lab.identity("c"), lab.identity("b")]
    assert "<html" not in part
    assert "data-more" not in page.get("/jobs/rows?first=4")


def test_rows_of_some_jobs_are_those_that_match(lab: Lab, page: PageClient) -> None:
    lease, ready = lab.start("a"), lab.submit("b")
    wait_until(lambda: page.desk.listed("state=running").matched == 1)
    url = f"/jobs/rows?ids={ready},{lease.identity},{'0' * 64}&filter=state%3Drunning"
    assert shown(page.get(url)) == [lease.identity]
    lab.finish("a", lease, State.FAILED, ERROR)
    wait_until(lambda: shown(page.get(url)) == [])
    assert "ValueError (sweep.py:41)" in page.get(f"/jobs/rows?ids={lease.identity}")


def test_states_lead_to_their_jobs_within_the_filter(lab: Lab, page: PageClient) -> None:
    lab.submit("a", params={"lr": 1})
    wait_until(lambda: page.desk.listed("").matched == 1)
    assert "filter=lr%3D1+and+state%3Dready" in page.get("/jobs?filter=lr%3D1")


def test_values_are_text(lab: Lab, page: PageClient) -> None:
    hostile = '"><script>alert(1)</script>'
    lab.submit("a", tags={"model": hostile, hostile: 1})
    lab.submit("b", tags={"model": "b"})
    wait_until(lambda: page.desk.listed("").matched == 2)
    for url in ("/jobs", f"/jobs?filter={hostile}", f"/jobs?sort={hostile}"):
        assert "<script>alert" not in page.client.get(url).text


def test_what_turns_a_text_round_is_shown_in_heads_as_in_cells(lab: Lab, page: PageClient) -> None:
    for number in range(2):
        lab.submit(f"job{number}", tags={"\u202eab": f"\u202e{number}"})
    wait_until(lambda: page.desk.listed("").matched == 2)
    text = page.get("/jobs")
    assert heads(text)[4:5] == ["&#39;?ab&#39;"]
    assert "<td>&#34;?0&#34;</td>" in text


def test_what_stands_for_a_number_stands_where_numbers_do(lab: Lab, page: PageClient) -> None:
    lab.end("good", params={"lr": 0.1, "size": 3}, tags={}, results={"accuracy": 0.5})
    lab.end("bad", State.FAILED, ERROR, params={"lr": 0.2, "opt": "sgd"}, tags={})
    wait_until(lambda: page.desk.listed("").matched == 2 and "accuracy" in heads(page.get("/jobs")))
    text = page.get("/jobs?columns=accuracy,size,opt")
    assert text.count('<td class="number">-</td>') == 2
    assert text.count("<td>-</td>") == 1  # of the job without a word
    assert len(re.findall(r'<th scope="col" class="number"', text)) == 2


def test_chosen_columns_say_what_the_command_says(lab: Lab, page: PageClient, xpm: Callable[..., Result]) -> None:
    lab.finish("a", lab.start("a", params={"lr": 0.25}), results={"accuracy": 0.123456}, code={"snapshot": "ab" * 32})
    names = "id,submitted,started,ended,since,code,attempts,lr,accuracy"
    wait_until(lambda: page.desk.listed("state=done").matched == 1 and "accuracy" in heads(page.get("/jobs")))
    _, printed = xpm("jobs", "--columns", names).stdout.splitlines()
    (row,) = re.findall(r"<tr id=.*?</tr>", page.get(f"/jobs?columns={names}"), re.DOTALL)
    cells = re.findall(r"<td(?: class=\"number\")?>([^<]*)</td>", row)
    assert cells[1 : 1 + len(names.split(","))] == re.split(r"\s{2,}", printed)
    assert "just now" in printed


def test_columns_can_be_chosen_and_those_without_room_are_counted(
    lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_cli.page.views.jobs.PARAMETERS", 2)
    for number in range(2):
        lab.submit(f"job{number}", params=dict.fromkeys("abcd", number), tags={})
    wait_until(lambda: page.desk.listed("").matched == 2)
    text = page.get("/jobs?sort=-name")
    assert heads(text)[4:6] == ["name", "a"]
    assert "Columns: 2 of 5 are shown" in text
    assert '<input id="columns" name="columns" value="name,a"' in text
    assert 'href="/jobs?sort=-name&amp;columns=name%2Ca%2Cb%2Cc%2Cd">Show all</a>' in text
    chosen = page.get("/jobs?sort=-name&columns=d,a&filter=a>0")
    assert heads(chosen)[4:6] == ["d", "a"]
    box, _, rest = chosen.partition("</form>")
    assert '<input type="hidden" name="sort" value="-name">' in box  # another filter keeps the order and the columns
    assert '<input type="hidden" name="columns" value="d,a">' in box
    assert '<input type="hidden" name="filter" value="a&gt;0">' in rest.partition("</form>")[0]


def test_repeated_columns_count_once_and_too_many_are_not_shown_which_is_said(
    lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.submit("a", params=dict.fromkeys("abcd", 1), tags={})
    wait_until(lambda: page.desk.listed("").matched == 1)
    assert heads(page.get(f"/jobs?columns={','.join('ab' * 2000)}"))[4:-3] == ["a", "b"]
    monkeypatch.setattr("xpm_cli.page.views.jobs.MOST_COLUMNS", 3)
    text = page.get("/jobs?columns=a,b,c,a,d")
    assert heads(text)[4:-3] == ["a", "b", "c"]
    assert "1 further column not shown: a page has at most 3. <code>/api/jobs</code> has all." in text
    (key,) = re.findall(r'data-columns="([^"]*)"', text)
    assert page.client.get("/jobs/rows?columns=a,b,c,a,d").headers["X-Columns"] == key


def test_the_question_about_one_job_leads_back_to_it(lab: Lab, page: PageClient) -> None:
    lab.end("done")
    wait_until(lambda: page.desk.listed("state=done").matched == 1)
    asked = page.get(f"/acting/retry?ids={lab.identity('done')}")
    assert f'href="/job/{lab.identity("done")}">No</a>' in asked
