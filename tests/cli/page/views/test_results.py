"""The view of results: the tables of `xpm results`, their holes and marks, and the forms to copy."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.page import PageClient, page_of
from helpers.page_studies import StudyPage, Tables
from helpers.simulated_jobs import Lab
from helpers.typed_commands import AWAY
from helpers.waiting import wait_until

from xpm_cli.page.desk.desk import MOST_TABLES
from xpm_cli.page.views import results
from xpm_core.results.table import Table
from xpm_core.states import State
from xpm_core.workspace.experiment_directory import Sampling
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def shown(lab: Lab, page: PageClient) -> StudyPage:
    return StudyPage(lab, page)


@pytest.fixture
def swept(shown: StudyPage) -> StudyPage:
    """Two models on two sets of data, three seeds each. One job has failed, one is missing."""
    for model, base in (("bm25", 0.8), ("dense", 0.5)):
        for data in ("cranfield", "fever"):
            for seed in (1, 2, 3):
                name, params = f"{model}{data}{seed}", {"model": model, "data": data, "seed": seed}
                if name == "densefever3":
                    shown.job(name, params=params, state=State.FAILED)
                elif name != "densefever2":
                    shown.job(name, params=params, results={"accuracy": round(base + seed / 100, 2)})
    shown.settle()
    return shown


def test_each_job_is_a_row_with_a_link(swept: StudyPage) -> None:
    page = swept.get("/results", experiment="sweep")
    head, first = Tables(page).rows[:2]
    assert head == ["id", "state", "task", "model", "data", "seed", "accuracy"]
    assert first == [swept.lab.identity("bm25cranfield1")[:7], "✓ done", "Train", "bm25", "cranfield", "1", "0.81"]
    assert f'href="/job/{swept.lab.identity("bm25cranfield1")}"' in page
    assert "Fold over seed" in page


def test_folded_rows_have_intervals_and_their_holes_are_named(swept: StudyPage) -> None:
    page = swept.get("/results", experiment="sweep", over="seed")
    rows = Tables(page).rows
    assert rows[0] == ["model", "data", "accuracy", "jobs"]
    assert rows[1][:3] == ["bm25", "cranfield", "0.82 ± 0.02"]
    assert rows[4][2] == "0.51 (n=1 of 3 seeds)"
    failed = swept.lab.identity("densefever3")[:7]
    assert f"model=dense data=fever: 1 of 3 seeds (1 failed: xpm show {failed}, 1 missing: seed=2)." in page
    assert "Mean and 95 % t interval over 1 to 3 seeds." in page
    assert "xpm results sweep --workspace" in page
    assert "--over seed</code>" in page


def test_a_pivot_marks_the_best_and_what_is_like_it(swept: StudyPage) -> None:
    asked = {"experiment": "sweep", "over": "seed", "rows": "model", "across": "data", "value": "accuracy"}
    page = swept.get("/results", **asked)
    assert Tables(page).rows[:3] == [
        ["model", "cranfield", "fever"],
        ["bm25", "0.82 ± 0.02*", "0.82 ± 0.02?"],
        ["dense", "0.52 ± 0.02", "0.51? (n=1 of 3 seeds)"],
    ]
    assert "* best" in page
    assert "<strong>0.82 ± 0.02*</strong>" in page
    assert "<strong>0.52 ± 0.02*</strong>" in swept.get("/results", **asked, best="lowest")
    assert "--over seed --pivot model data accuracy</code>" in page


@pytest.mark.parametrize(("form", "option"), [("latex", "latex"), ("csv", "csv"), ("md", "md")])
def test_what_is_copied_is_what_the_command_prints(
    swept: StudyPage, xpm: Callable[..., Result], form: str, option: str
) -> None:
    asked = {"experiment": "sweep", "over": "seed", "filter": "model=bm25"}
    printed = xpm("results", "sweep", "--over", "seed", "--where", "model=bm25", "-o", option).stdout
    ending = results.FORMS[form].ending
    answer = swept.client.get(f"/results/table.{ending}", params=asked)
    assert answer.text.replace("\r\n", "\n").rstrip("\n") == printed.rstrip("\n")
    assert f'filename="table.{ending}"' in answer.headers["content-disposition"]
    page = swept.get("/results", **asked, form=form)
    assert "<textarea" in page
    assert printed.splitlines()[1].replace("&", "&amp;") in page


@pytest.mark.parametrize(
    ("query", "options", "said"),
    [
        ({"over": "sed"}, ["--over", "sed"], "no column 'sed'"),
        ({"over": "accuracy"}, ["--over", "accuracy"], "expected a tag or a parameter, but 'accuracy' is a result"),
        (
            {"rows": "model", "across": "data", "value": "accuracy"},
            ["--pivot", "model", "data", "accuracy"],
            "differ in",
        ),
        ({"over": "seed", "interval": "x"}, [], "interval"),
        ({"rows": "model", "value": "accuracy"}, [], "--pivot: expected rows, columns and a value"),
        ({"over": "seed", "low": "x"}, [], "--range low: expected a number, got 'x'"),
        ({"filter": "modl=x"}, ["--where", "modl=x"], "no job has a field, tag, parameter"),
    ],
)
def test_errors_are_those_of_the_command(
    swept: StudyPage, xpm: Callable[..., Result], query: dict[str, str], options: list[str], said: str
) -> None:
    page = swept.get("/results", 400, experiment="sweep", **query)
    assert said in page.replace("&#39;", "'")
    if options:
        told = xpm("results", "sweep", *options).stderr.strip().splitlines()[0]
        assert told.removeprefix("Error: ").removeprefix("--where: ").replace("'", "&#39;")[:60] in page


def test_an_experiment_that_is_not_there_is_404_and_no_rows_are_said(swept: StudyPage) -> None:
    assert "digits" in swept.get("/results", 404, experiment="digits")
    assert "No job matches, so there is no row." in swept.get("/results", experiment="sweep", filter="state=blocked")
    assert swept.client.get("/results/table.exe").status_code == 400


def test_long_tables_come_in_parts_and_are_made_once(swept: StudyPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "PAGE", 4)
    page = swept.get("/results", experiment="sweep", first="4")
    assert len(Tables(page).rows) == 5
    assert "Rows 5 to 8 of 11." in page
    behind = swept.get("/results", experiment="sweep", first="40")
    assert "No row from row 41 on: there are 11." in behind
    assert re.search(r'href="[^"]*first=7"[^>]*>Earlier', behind)
    assert "No results yet" not in swept.get("/results", first="40")
    assert "No row from row 41 on" in swept.get("/results", first="40")
    made: list[int] = []
    init = Table.__init__

    def counted(self: Table, jobs: object, *args: object, **more: object) -> None:
        found = list(jobs)  # type: ignore[call-overload]
        made.append(len(found))
        init(self, found, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Table, "__init__", counted)
    swept.get("/results", experiment="sweep", first="8")
    assert made == [3]  # the rows that are shown


def test_a_width_that_has_stopped_the_sampling_is_said_also_below_a_table_that_was_shown_before(
    swept: StudyPage,
) -> None:
    asked = {"experiment": "sweep", "over": "seed"}
    assert "sampling" not in swept.get("/results", **asked)
    jobs = frozenset(swept.lab.identity(f"bm25cranfield{seed}") for seed in (1, 2, 3))
    experiment = swept.lab.workspace.experiment("sweep")
    experiment.keep_sampling(Sampling("accuracy", ("seed",), 0.1, 20, "width", 3, jobs))
    said = "stopped the sampling of accuracy in 1 of 4 rows, at n=3: its level holds only roughly"
    assert said in swept.get("/results", **asked)


def test_hostile_names_and_values_stay_text(shown: StudyPage) -> None:
    for seed in range(2):
        shown.job(f"a{seed}", tags={"model": HOSTILE, HOSTILE: seed}, params={"seed": seed}, results={HOSTILE: 0.5})
    for query in ({}, {"over": "seed"}, {"over": "seed", "form": "latex"}, {"filter": HOSTILE}, {"over": HOSTILE}):
        page = shown.client.get("/results", params=query).text
        assert "<script>alert" not in page
        assert not {name for name in Tables(page).attributes if name.startswith("on")}


def test_files_answer_where_the_server_is_gone(swept: StudyPage) -> None:
    swept.log("bm25cranfield1", "loss", [1.0, 0.5])
    with page_of(swept.lab.workspace.path, AWAY) as page:
        assert "0.82 ± 0.02" in page.get("/results?experiment=sweep&over=seed")
        assert "data-curve" in page.get("/curves?metric=loss")
        found = page.client.get("/curves/data?metric=loss&all_but=").json()
        assert [each["value"] for each in found["curves"]] == [[1.0, 0.5]]
        ids = [swept.lab.identity(name) for name in ("bm25cranfield1", "densecranfield1")]
        assert "2 jobs side by side" in page.get(f"/compare?ids={','.join(ids)}&code=1")


def test_only_a_few_tables_are_kept(swept: StudyPage) -> None:
    for seed in range(10):
        swept.get("/results", filter=f"seed!={seed}", over="seed")
    assert len(swept.desk._tables._kept) == MOST_TABLES


def test_an_empty_workspace_says_what_makes_a_row_and_offers_nothing_to_fold(
    workspace: Workspace, redis_url: str, lab: Lab
) -> None:
    with page_of(workspace.path, redis_url) as page:
        assert "No results yet. What <code>execute</code> returns" in (empty := page.get("/results"))
        assert "No job matches" not in empty
        assert "No job matches" in page.get("/results?filter=state%3Ddone")
        lab.end("only", results={"loss": 0.5}, tags={})
        wait_until(lambda: "<td" in page.get("/results"))
        assert 'name="over"' not in page.get("/results")
        assert 'name="over"' in page.get("/results?over=seed", status=400)
