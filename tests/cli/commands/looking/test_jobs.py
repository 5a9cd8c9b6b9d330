"""`xpm jobs`: which jobs it lists, in which form and order."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_cli.output.job_record import FIELDS
from xpm_core.labels import short
from xpm_core.states import State

if TYPE_CHECKING:
    from conftest import Scene

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]

ORDER = [
    State.FAILED, State.BLOCKED, State.RUNNING, State.DELAYED, State.READY, State.WAITING, State.CANCELLED, State.DONE,
]  # fmt: skip
"""What needs somebody comes first."""


def names(result: Result) -> list[str]:
    """The identities that `-o name` prints."""
    assert result.exit_code == 0, result.stderr
    return result.stdout.split()


def test_what_needs_somebody_comes_first_and_what_is_done_last(scene: Scene, seen: Xpm) -> None:
    assert names(seen("jobs", "-o", "name")) == [scene.ids[state] for state in ORDER]
    rows = [line.split() for line in seen("jobs").stdout.splitlines()[1:9]]
    assert [(row[0], row[1]) for row in rows] == [(short(scene.ids[state]), state.value) for state in ORDER]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("--state failed,blocked", [State.FAILED, State.BLOCKED]),
        ("--state failed --state done", [State.FAILED, State.DONE]),
        ("--tag name=ready", [State.READY]),
        ("--where lr<0.1", [State.DONE]),
        ("--where param.optim.lr=0.1 --state done", []),
        ("--where token=gpu", [State.READY]),
        ("--where worker=node1* --state done,ready", [State.DONE]),
        ("--task Train --experiment sweep --since 1h --limit 2", [State.FAILED, State.BLOCKED]),
        ("--sort -lr,name --limit 2", [State.BLOCKED, State.CANCELLED]),
        ("--sort -lr --sort name --limit 2", [State.BLOCKED, State.CANCELLED]),
    ],
)
def test_options_select_and_sort(scene: Scene, seen: Xpm, options: str, found: list[State]) -> None:
    assert names(seen("jobs", "-o", "name", *options.split())) == [scene.ids[state] for state in found]


def test_table_has_what_differs_as_columns_and_what_is_common_below(seen: Xpm) -> None:
    head, *rows, footer = seen("jobs", "--state", "failed,done").stdout.splitlines()
    assert head.split() == ["ID", "STATE", "TASK", "name", "lr", "TIME", "WHERE", "WHY", "/", "PROGRESS"]
    assert [row.split()[3:5] for row in rows] == [["failed", "0.1"], ["done", "0.01"]]
    assert footer == "the same in all: optim=Adam corpus=/data/corpus layers=[3, 3]"


def test_columns_are_those_that_were_asked_for(scene: Scene, seen: Xpm) -> None:
    words = ["jobs", "--state", "done", "--columns", "state,id,lr,ended,tag.name"]
    head, row, *rest = seen(*words).stdout.splitlines()
    assert head.split() == ["state", "id", "lr", "ended", "tag.name"]
    assert row.split()[:3] == ["done", short(scene.ids[State.DONE]), "0.01"]
    assert rest == []
    (found,) = json.loads(seen(*words, "--json").stdout)["jobs"]
    assert list(found) == ["state", "id", "lr", "ended", "tag.name"]
    assert (found["id"], found["lr"]) == (scene.ids[State.DONE], 0.01)
    assert found["ended"][4] == "-"


def test_a_state_in_a_column_that_was_asked_for_is_its_word(seen: Xpm) -> None:
    words = ["--tag", "name=done", "--columns", "state"]
    assert seen("jobs", *words, "-o", "csv").stdout == "state\ndone\n"
    assert seen("jobs", *words, "-o", "jsonl").stdout == '{"state": "done"}\n'


def test_csv_and_json_lines_have_the_same_fields_as_json(seen: Xpm) -> None:
    documents = json.loads(seen("jobs", "-o", "json").stdout)["jobs"]
    lines = [json.loads(line) for line in seen("jobs", "-o", "jsonl").stdout.splitlines()]
    rows = list(csv.DictReader(io.StringIO(seen("jobs", "-o", "csv").stdout)))
    assert all(tuple(each) == FIELDS for each in (*documents, *lines, *rows))
    assert [each["id"] for each in documents] == [each["id"] for each in lines] == [each["id"] for each in rows]
    assert [json.loads(each["tags"]) for each in rows] == [each["tags"] for each in documents]


def test_json_says_how_many_there_are_beyond_the_limit(seen: Xpm) -> None:
    data = json.loads(seen("jobs", "--json", "--limit", 3, "--where", "state!=done").stdout)
    assert (len(data["jobs"]), data["matched"], data["total"]) == (3, 7, 8)
    assert "3 of 7 shown (--limit 0 shows all)" in seen("jobs", "--limit", 3, "--where", "state!=done").stdout
    assert "shown" not in seen("jobs", "--limit", 0).stdout


def test_json_says_who_answers_and_how_old_that_is(scene: Scene, seen: Xpm) -> None:
    for words in (["jobs"], ["show", "name=done"]):
        live, away = (json.loads(seen(*words, "--json", away=each).stdout) for each in (False, True))
        assert (live["source"], live["age_s"], away["source"]) == (scene.shell.url, 0, "files")
        assert away["age_s"] > 0


def test_wide_table_has_more_of_each_job(scene: Scene, seen: Xpm) -> None:
    head, *rows = seen("jobs", "-o", "wide", "--state", "ready", env={"COLUMNS": "40"}).stdout.splitlines()
    assert head.split()[-8:] == ["QUEUE", "TOKENS", "ATTEMPTS", "SUBMITTED", "EXPERIMENTS", "WHY", "/", "PROGRESS"]
    assert "gpu=2" in rows[0]


def test_no_match_is_said_with_how_many_there_are(seen: Xpm) -> None:
    result = seen("jobs", "--where", "lr>7")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "no job of 8 matches\n", "")


def test_jobs_that_a_filter_cannot_judge_are_counted(seen: Xpm) -> None:
    result = seen("jobs", "--state", "ready", "-o", "name", away=True)
    assert result.stdout == ""
    assert "Left out: 5 jobs of which a fact that the filter asks about is not known." in result.stderr


def test_torn_line_of_the_index_is_passed_over_and_said(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    (file,) = (lab.workspace.path / ".xpm" / "index").glob("*.jsonl")
    with file.open("a") as stream:
        stream.write('{"ended": 17\n')
    lab.end("b", State.FAILED, ERROR)
    with file.open("a") as stream:
        stream.write('{"ended"')  # somebody writes it right now
    result = xpm("jobs", "-o", "name")
    assert names(result) == [lab.identity("b"), lab.identity("a")]
    assert "1 line of the index cannot be read" in result.stderr
    assert "xpm doctor --repair" in result.stderr


def test_jobs_that_the_index_lacks_are_listed_and_said(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a")
    for file in (lab.workspace.path / "experiments" / "sweep" / "index").iterdir():
        file.unlink()
    result = xpm("jobs", "-o", "name")
    assert names(result) == [lab.identity("a")]
    assert "The index lacks 1 job" in result.stderr


@pytest.fixture
def reported(lab: Lab) -> dict[str, str]:
    """Three jobs that have ended, with what they have reported, and one that runs; their identities."""
    for name, results in (("a", {"accuracy": 0.95, "loss.test": 0.1 + 0.2}), ("b", {"accuracy": 0.5}), ("c", {})):
        lab.finish(name, lab.start(name, params={"lr": 0.1}), results=results)
    lab.start("d")
    return {name: lab.identity(name) for name in "abcd"}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--where", "accuracy>0.9"], "a"),
        (["--where", "accuracy<=0.9"], "b"),
        (["--where", "result.loss.test=none"], "bcd"),
        (["--where", "accuracy!=none", "--sort", "-accuracy"], "ab"),
        (["--sort", "accuracy", "--limit", "2"], "ba"),
    ],
)
def test_results_are_names(reported: dict[str, str], xpm: Xpm, options: list[str], found: str) -> None:
    listed = names(xpm("jobs", "-o", "name", *options))
    wanted = [reported[name] for name in found]
    assert (listed if "--sort" in options else sorted(listed)) == (wanted if "--sort" in options else sorted(wanted))


def test_results_are_columns_and_part_of_each_record(reported: dict[str, str], xpm: Xpm) -> None:
    options = ["--columns", "lr,accuracy,result.loss.test", "--sort", "-accuracy", "--where", "accuracy>0.1"]
    rows = [line.split() for line in xpm("jobs", *options).stdout.splitlines()]
    assert rows[:3] == [["lr", "accuracy", "result.loss.test"], ["0.1", "0.95", "0.3"], ["0.1", "0.5", "-"]]
    assert str(0.1 + 0.2) in xpm("jobs", *options, "-o", "wide").stdout
    records = {record["id"]: record["results"] for record in json.loads(xpm("jobs", "-o", "json").stdout)["jobs"]}
    expected = {"a": {"accuracy": 0.95, "loss.test": 0.1 + 0.2}, "b": {"accuracy": 0.5}, "c": {}, "d": {}}
    assert records == {reported[name]: results for name, results in expected.items()}
    chosen = json.loads(xpm("jobs", "-o", "json", "--columns", "accuracy", "--sort", "accuracy").stdout)["jobs"]
    assert [record["accuracy"] for record in chosen] == [0.5, 0.95, None, None]


def test_an_unknown_result_is_an_error_that_names_near_ones(reported: dict[str, str], xpm: Xpm) -> None:
    result = xpm("jobs", "--where", "acuracy>0.9")
    assert result.exit_code == 2
    assert (
        "no job has a field, tag, parameter or result 'acuracy' at column 1. Did you mean 'accuracy'?" in result.stderr
    )
