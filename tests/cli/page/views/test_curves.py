"""The view of curves: means of all runs, what is said of them, and what cannot be had."""

from __future__ import annotations

import csv
import random
import statistics
from pathlib import Path

import pytest
from helpers.page import PageClient
from helpers.page_studies import StudyPage, Tables
from helpers.simulated_jobs import Lab

from xpm_cli.page.results import charts
from xpm_core.results.statistics.intervals import summary
from xpm_core.states import State

pytestmark = pytest.mark.redis

HOSTILE = '<script>alert(1)</script>"onload=x '


@pytest.fixture
def shown(lab: Lab, page: PageClient) -> StudyPage:
    return StudyPage(lab, page)


def test_the_mean_at_each_step_is_that_of_500_runs(shown: StudyPage) -> None:
    random.seed(5)
    runs = [[random.gauss(1 / (step + 1), 0.2) for step in range(8)] for _ in range(500)]
    for seed, values in enumerate(runs):
        shown.job(f"a{seed}", {"loss": values}, params={"lr": 0.1, "seed": seed})
    for seed in range(3):
        shown.job(f"b{seed}", {"loss": [1.0, 0.5]}, params={"lr": 0.2, "seed": seed})
    found = shown.data(metric="loss", all_but="seed")
    many, few = found["curves"]
    assert (many["name"], many["n"], few["name"], few["n"]) == ("lr=0.1", 500, "lr=0.2", 3)
    assert many["count"] == [500] * 8
    assert many["value"] == pytest.approx([statistics.fmean(run[at] for run in runs) for at in range(8)], rel=1e-12)
    for at in range(8):
        interval = summary([run[at] for run in runs]).interval
        assert interval is not None
        assert (many["low"][at], many["high"][at]) == pytest.approx(tuple(interval), rel=1e-9)
    assert found["caption"] == "Mean and 95 % t interval at each step; dotted where fewer runs count."
    assert (found["jobs"], found["total"], found["live"], found["unread"]) == (503, 2, False, 0)


def test_without_a_word_seeds_are_folded_and_with_an_empty_one_nothing_is(shown: StudyPage) -> None:
    for seed in range(3):
        shown.job(f"a{seed}", {"loss": [1.0, 0.5]}, params={"train_seed": seed})
    assert [each["n"] for each in shown.data(metric="loss")["curves"]] == [3]
    alone = shown.data(metric="loss", all_but="")["curves"]
    assert [(each["n"], each["low"]) for each in alone] == [(1, None)] * 3
    assert [each["name"] for each in alone] == ["train_seed=0", "train_seed=1", "train_seed=2"]


def test_runs_that_ended_early_are_said_and_have_no_part_in_the_rest(shown: StudyPage) -> None:
    for seed in range(3):
        shown.job(f"a{seed}", {"loss": [1.0] * 6}, params={"seed": seed})
    short = shown.job("a3", {"loss": [9.0] * 2}, params={"seed": 3})
    failed = shown.job("a4", {"loss": [99.0] * 2}, params={"seed": 4}, state=State.FAILED)
    (curve,), notes = (found := shown.data(metric="loss"))["curves"], found["notes"]
    assert curve["count"] == [4, 4, 3, 3, 3, 3]
    assert curve["value"] == [3.0, 3.0, 1.0, 1.0, 1.0, 1.0]
    assert f"1 of 4 runs ended before step 5 ({short[:7]} done, at step 1)." in notes
    assert f"1 of 5 runs does not count ({failed[:7]} failed, at step 1)." in notes
    alone = shown.data(metric="loss", all_but="")
    assert (len(alone["curves"]), alone["notes"]) == (5, [f"1 run did not succeed: {failed[:7]} failed."])
    page = shown.get("/curves", metric="loss", show="numbers")
    assert "1 of 4 runs ended before step 5" in page
    assert Tables(page).rows[1:] == [
        ["0", "3 [-3.365, 9.365]"], ["1", "3 [-3.365, 9.365]"], *([str(at), "1 [1, 1] (n=3)"] for at in range(2, 6))
    ]  # fmt: skip


def test_what_is_nan_has_no_mean_and_is_null(shown: StudyPage) -> None:
    for seed in range(3):
        shown.job(f"a{seed}", {"loss": [1.0, None if seed else 2.0, 3.0]}, params={"seed": seed})
    shown.log("a0", "f1", [float("1e400")] * 2, first=3)  # JSON of other programs: Infinity
    found = shown.data(metric="loss")
    assert found["curves"][0]["value"] == [1.0, None, 3.0]
    assert any("no mean where a run is nan or infinite" in note for note in found["notes"])
    assert shown.data(metric="loss", all_but="")["curves"][1]["value"] == [1.0, None, 3.0]


def test_a_chart_is_read_again_only_where_it_has_grown(shown: StudyPage, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3):
        shown.job(f"a{seed}", {"loss": [1.0, 0.5]}, params={"seed": seed})
    first = shown.data(metric="loss")
    made: list[str] = []
    monkeypatch.setattr(charts, "curved", lambda *args, **more: made.append("chart"))
    same = shown.client.get("/curves/data", params={"metric": "loss", "version": first["version"]})
    assert (same.status_code, same.content, made) == (204, b"", [])
    assert shown.data(metric="loss") == first
    monkeypatch.undo()
    shown.log("a1", "loss", [0.25], first=2)
    again = shown.data(metric="loss", version=first["version"])
    assert again["version"] != first["version"]
    assert again["curves"][0]["step"] == [0, 1, 2]
    assert again["curves"][0]["count"] == [3, 3, 1]


def test_a_chart_that_takes_long_is_not_made_all_the_time(shown: StudyPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "QUICK_S", -1.0)
    monkeypatch.setattr(charts, "SHARE", 10**9)
    shown.job("a0", {"loss": [1.0, 0.5]})
    first = shown.data(metric="loss")
    assert not first["live"]
    shown.log("a0", "loss", [0.25], first=2)
    assert shown.data(metric="loss") == {**first, "live": True}  # so that it is asked for again


def test_a_mean_of_files_that_were_not_all_read_is_not_shown(shown: StudyPage, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3):
        shown.job(f"a{seed}", {"loss": [1.0, 0.5]}, params={"seed": seed})
    monkeypatch.setattr(charts, "BUDGET_S", 0.0)
    found = shown.data(metric="loss")
    assert (found["unread"], found["curves"], found["live"]) == (2, [], True)
    assert "2 of 3 jobs read so far" in shown.get("/curves", metric="loss", show="numbers")
    assert shown.data(metric="loss")["curves"][0]["count"] == [3, 3]


def test_steps_are_written_whole(shown: StudyPage) -> None:
    shown.job("a", {"loss": [1.0]})
    shown.log("a", "loss", [0.5, 0.25], first=123_456_788)
    page = shown.get("/curves", metric="loss", show="numbers")
    assert [row[0] for row in Tables(page).rows[1:]] == ["0", "123456788", "123456789"]


def test_chosen_jobs_have_a_curve_each(shown: StudyPage) -> None:
    first = shown.job("a0", {"loss": [1.0, 0.5]}, tags={"model": "mlp"}, params={"seed": 1})
    second = shown.job("a1", {"loss": [2.0]}, tags={"model": "svm"}, params={"seed": 2})
    shown.job("a2", {"loss": [3.0]}, params={"seed": 3})
    found = shown.data(metric="loss", ids=f"{first},{second}")
    assert [(each["name"], each["value"]) for each in found["curves"]] == [
        ("model=mlp seed=1", [1.0, 0.5]), ("model=svm seed=2", [2.0])
    ]  # fmt: skip
    alone = shown.data(metric="loss", ids=first)["curves"]
    assert [(each["name"], each["value"]) for each in alone] == [(first[:7], [1.0, 0.5])]
    assert shown.client.get("/curves/data", params={"metric": "loss", "ids": "f" * 64}).status_code == 404
    assert (
        shown.client.get("/curves/data", params={"metric": "loss", "ids": ",".join("abcdefghijk")}).status_code == 400
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"metric": "los"}, "curves: no job has logged 'los' as a number. Did you mean 'loss'? There are: loss."),
        ({}, "curves: expected the name of a metric. There are: loss."),
        ({"metric": "loss", "all_but": "sed"}, "over: no column 'sed'"),
        ({"metric": "loss", "all_but": "accuracy"}, "expected a tag or a parameter, but 'accuracy' is a result"),
        ({"metric": "loss", "filter": "lrr>1"}, "lrr"),
        (
            {"metric": "loss", "interval": "bootstrap"},
            "curves have no interval 'bootstrap'. Write one of t, sd, se, minmax.",
        ),
    ],
)
def test_what_cannot_be_had_is_said(shown: StudyPage, query: dict[str, str], said: str) -> None:
    for seed in range(2):
        shown.job(f"a{seed}", {"loss": [1.0]}, params={"seed": seed}, results={"accuracy": 0.5})
    shown.settle()
    answer = shown.client.get("/curves/data", params=query)
    assert (answer.status_code, said in answer.json()["error"]) == (400, True), answer.text
    if query:
        page = shown.client.get("/curves", params={**query, "show": "numbers"})
        assert page.status_code == 400
        assert 'role="alert"' in page.text


def test_too_many_jobs_are_refused_and_too_many_curves_are_cut(
    shown: StudyPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(4):
        shown.job(f"a{seed}", {"loss": [1.0]}, params={"lr": seed})
    monkeypatch.setattr(charts, "MOST_SERIES", 3)
    found = shown.data(metric="loss")
    assert (len(found["curves"]), found["total"]) == (3, 4)
    assert found["notes"][0] == "The first 3 of 4 curves are shown. Narrow the filter, or fold more."
    monkeypatch.setattr(charts, "MOST_JOBS", 3)
    answer = shown.client.get("/curves/data", params={"metric": "loss"})
    assert "4 jobs match, and curves are made of at most 3" in answer.json()["error"]


def test_a_view_offers_the_metrics_and_what_can_be_folded(shown: StudyPage) -> None:
    shown.job("a0", {"loss": [1.0], "f1": [0.5]}, params={"seed": 1, "lr": 5})
    shown.job("a1", {"loss": [1.0]}, params={"seed": 2, "lr": 7})
    page = shown.get("/curves")
    assert all(f'<option value="{each}">' in page for each in ("loss", "f1", "seed", "lr"))
    assert "/curves?metric=f1" in page
    assert "data-curve" not in page
    drawn = shown.get("/curves", metric="loss", filter="lr>5")
    assert 'data-curve="/curves/data?metric=loss&amp;filter=lr%3E5"' in drawn or "lr%3E5" in drawn
    assert "1 job that match" in drawn


def test_all_numbers_are_there_as_csv(shown: StudyPage) -> None:
    for seed in range(3):
        shown.job(f"a{seed}", {"loss": [1.0 + seed, 0.5]}, params={"seed": seed})
    shown.settle()
    answer = shown.client.get("/curves/data", params={"metric": "loss", "form": "csv"})
    rows = list(csv.reader(answer.text.splitlines()))
    assert rows[0] == ["curve", "step", "loss", "low", "high", "n"]
    assert [(row[1], row[2], row[5]) for row in rows[1:]] == [("0", "2.0", "3"), ("1", "0.5", "3")]
    assert "attachment" in answer.headers["content-disposition"]


def test_half_a_character_is_no_error(shown: StudyPage) -> None:
    shown.job("a0", {"a\ud800": [1.0], "loss": [1.0]}, tags={"model": "\udc80"}, results={"x\ud800": 1.0})
    shown.job("a1", {"loss": [2.0]}, tags={"model": "b"})
    assert [each["name"] for each in shown.data(metric="loss")["curves"]] == ["model=?", "model=b"]
    for path in ("/curves", "/curves?metric=loss&show=numbers", "/curves/data?metric=loss&form=csv", "/results"):
        shown.get(path)
    shown.get("/results/table.tex")
    first, second = (shown.lab.identity(name) for name in ("a0", "a1"))
    shown.get("/compare", ids=f"{first},{second}")


def test_hostile_names_stay_text_and_links_are_not_followed(shown: StudyPage) -> None:
    shown.job("a0", {HOSTILE: [1.0], "loss": [1.0]}, tags={"model": HOSTILE})
    shown.job("a1", {"loss": [2.0]}, tags={"model": "b"})
    file = shown.directory("a1") / "metrics.jsonl"
    file.rename(shown.directory("a1") / "elsewhere")
    file.symlink_to(shown.directory("a1") / "elsewhere")
    for query in ({}, {"metric": HOSTILE, "show": "numbers"}, {"metric": "loss", "show": "numbers"}):
        page = shown.get("/curves", **query)
        assert "<script>alert" not in page
        assert not {name for name in Tables(page).attributes if name.startswith("on")}
    found = shown.data(metric="loss")
    assert [each["name"] for each in found["curves"]] == [f"model={HOSTILE}"]
    assert any("it is a link, which the page does not follow" in note for note in found["notes"])


def test_nothing_of_a_file_that_a_link_leads_to_is_told(shown: StudyPage, tmp_path: Path) -> None:
    shown.job("a0", {"loss": [1.0]})
    shown.log("a0", "private", [2.0])
    (shown.directory("a0") / "metrics.jsonl").rename(tmp_path / "private.jsonl")
    (shown.directory("a0") / "metrics.jsonl").symlink_to(tmp_path / "private.jsonl")
    identity = shown.lab.identity("a0")
    for path in (f"/job/{identity}", f"/api/jobs/{identity}", "/curves"):
        assert "private" not in shown.get(path), path
    assert "private" not in shown.get("/curves/data", status=400, metric="loss")
