"""`xpm results`: a table of what jobs have reported."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.index.writers import IndexedJob
from xpm_core.results import listed as results_listed
from xpm_core.states import State

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


@pytest.fixture
def swept(lab: Lab) -> Lab:
    """Two models with three seeds each. One job has failed, and one seed is missing."""
    for model, base in (("bm25", 0.8), ("dense", 0.6)):
        for seed in (1, 2, 3):
            params = {"name": "all", "model": model, "seed": seed}
            name, given = f"{model}{seed}", {"params": params, "tags": {"model": model}}
            if name == "dense3":
                lab.end(name, State.FAILED, ERROR, **given)
            elif name != "dense2":
                lab.end(name, results={"accuracy": round(base + seed / 100, 2), "loss.test": float("nan")}, **given)
    return lab


@pytest.fixture
def typed(swept: Lab, xpm: Xpm) -> Xpm:
    """Type `xpm results sweep` and more."""
    return lambda *words, **options: xpm("results", "sweep", *words, **options)


def test_each_job_is_a_row_with_what_differs_and_what_it_has_reported(typed: Xpm, swept: Lab) -> None:
    result = typed()
    header, *rows, last = result.stdout.splitlines()
    assert header.split() == ["ID", "STATE", "model", "seed", "accuracy", "loss.test"]
    assert rows[0].split() == [swept.identity("bm251")[:7], "done", "bm25", "1", "0.81", "nan"]
    assert rows[-1].split() == [swept.identity("dense3")[:7], "failed", "dense", "3", "-", "-"]
    assert (len(rows), last) == (5, "5 rows")


def test_filters_columns_and_order(typed: Xpm) -> None:
    lines = typed("--where", "accuracy>0.805", "--sort", "-accuracy", "--columns", "seed,accuracy").stdout.splitlines()
    assert [line.split() for line in lines[:-1]] == [["seed", "accuracy"], ["3", "0.83"], ["2", "0.82"], ["1", "0.81"]]
    assert typed("--state", "failed", "--columns", "state").stdout.splitlines() == ["state", "failed", "1 row"]


def test_an_option_with_names_that_stands_twice_means_all_of_them(typed: Xpm) -> None:
    twice = typed("--columns", "model", "--columns", "accuracy", "--sort=-model", "--sort", "accuracy")
    assert twice.stdout == typed("--columns", "model,accuracy", "--sort=-model,accuracy").stdout
    assert "accuracy" in twice.stdout
    folded = typed("--over", "seed", "--over", "model", "--columns", "accuracy")
    assert folded.stdout == typed("--over", "seed,model", "--columns", "accuracy").stdout
    assert "0.77 ± 0.17 (n=4 of 5 runs)" in folded.stdout


def test_folded_rows_have_intervals_and_their_holes_are_named(typed: Xpm, swept: Lab) -> None:
    result = typed("--over", "seed", "--columns", "accuracy")
    header, first, second, caption, *notes = result.stdout.splitlines()
    assert header.split() == ["model", "accuracy"]
    assert first.split() == ["bm25", "0.82", "±", "0.02"]
    assert second == "dense  0.61 (n=1 of 3 seeds)"
    assert caption == "Mean and 95 % t interval over 1 to 3 seeds."
    assert notes == ["accuracy of model=dense: 1 value is too few for an interval, which needs 3."]
    holes = f"1 failed: xpm show {swept.identity('dense3')[:7]}, 1 missing: seed=2"
    assert result.stderr == f"model=dense: 1 of 3 seeds ({holes}).\n"


def test_interval_and_range_are_those_that_were_asked_for(typed: Xpm) -> None:
    def cell(*words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(typed("--over", "seed", *words, "-o", "json").stdout)
        return dict(found["rows"][0]["values"]["accuracy"])

    assert cell()["method"] == "95 % t"
    assert cell("--interval", "minmax")["interval"] == pytest.approx([0.81, 0.83])
    outside = cell("--range", "0", "0.5")
    assert (outside["interval"], "outside of the range" in outside["note"]) == (None, True)


def test_pivot_marks_the_best_and_leaves_out_tasks_without_the_value(typed: Xpm, swept: Lab) -> None:
    swept.submit("other", tags={"model": "none"})
    lines = typed("--over", "seed", "--pivot", "model", "task", "accuracy", "--columns", "x").stderr
    assert "--columns and --pivot exclude each other" in lines
    table = typed("--where", "seed=1", "--pivot", "model", "seed", "accuracy").stdout.splitlines()
    assert [line.split() for line in table[:3]] == [["model", "1"], ["bm25", "0.81"], ["dense", "0.61"]]


def test_two_values_in_one_place_are_an_error_in_words_of_the_command_line(typed: Xpm) -> None:
    result = typed("--pivot", "model", "model", "accuracy")
    assert result.exit_code == 2
    assert "--pivot: 3 rows have the place" in result.stderr
    assert "Fold what is repeated with --over, choose with --where, or add it to ROWS." in result.stderr
    assert "over(" not in result.stderr


def test_forms_for_programs_and_papers(typed: Xpm) -> None:
    rows = list(csv.DictReader(io.StringIO(typed("-o", "csv").stdout)))
    assert [row["accuracy"] for row in rows][:2] == ["0.81", "0.82"]
    assert typed("-o", "md", "-q").stdout.startswith("| ")
    latex = typed("--over", "seed", "-o", "latex").stdout
    assert ("\\toprule" in latex, "$\\pm$" in latex) == (True, True)


def test_json_has_whole_numbers_and_all_jobs_of_a_cell(typed: Xpm, swept: Lab) -> None:
    found = json.loads(typed("--json").stdout)
    assert (found["form"], found["experiment"], found["caption"]) == ("jobs", "sweep", None)
    assert [column["kind"] for column in found["columns"]] == ["tag", "param", "result", "result"]
    assert found["rows"][0]["values"] == {"model": "bm25", "seed": 1, "accuracy": 0.81, "loss.test": "nan"}
    folded = json.loads(typed("--over", "seed", "--json").stdout)
    assert folded["rows"][0]["values"]["accuracy"]["ids"] == [swept.identity(f"bm25{seed}") for seed in (1, 2, 3)]
    why = {hole["why"]: hole["id"] for hole in folded["rows"][1]["values"]["accuracy"]["missing"]}
    assert why == {"failed": swept.identity("dense3"), "missing": None}


def test_narrow_terminal_loses_results_from_the_right_then_parameters(
    typed: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = {45: ["model", "seed", "accuracy"], 33: ["model", "accuracy"], 28: ["accuracy"]}
    for width, names in shown.items():
        monkeypatch.setenv("COLUMNS", str(width))
        lines = typed().stdout.splitlines()
        assert lines[0].split() == ["ID", "STATE", *names]
        assert max(map(len, lines)) <= width
    assert "too narrow for: model, seed," in lines


def test_folded_rows_keep_on_a_narrow_terminal_what_tells_them_apart(
    typed: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = typed("--over", "seed").stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["model", "bm25", "dense"]
    assert "too narrow for: loss.test" in lines
    monkeypatch.setenv("COLUMNS", "12")
    lines = typed("--pivot", "model", "seed", "accuracy", "--where", "state=done").stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["model", "bm25", "dense"]


def test_tasks_that_report_nothing_are_left_out_without_a_filter(typed: Xpm, swept: Lab) -> None:
    swept.writers["sweep"].add([IndexedJob("1d" * 32, "sweep:Prepare", {}, lambda: {"part": 1}, new=True)])
    result = typed()
    assert "Left out, because none has reported anything: 1 job of Prepare." in result.stderr
    assert "part" not in result.stdout
    assert "1d1d1d1" in typed("--where", "task=Prepare").stdout


def test_filter_that_matches_nothing_is_no_error_of_the_columns(typed: Xpm) -> None:
    for words in (["--over", "seed"], ["--columns", "accuracy"], ["--pivot", "model", "seed", "accuracy"]):
        result = typed("--where", "model=none", *words)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "no rows\n", "")
    for form in ("csv", "md", "latex"):
        result = typed("--where", "model=none", "--over", "seed", "-o", form)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No job matches, so there is no row.\n")
    found = json.loads(typed("--where", "model=none", "--over", "seed", "--json").stdout)
    assert (found["form"], found["rows"], found["notes"]) == ("folded", [], ["No job matches, so there is no row."])


def test_results_of_jobs_that_are_not_done_are_said_where_the_state_is_not_shown(lab: Lab, xpm: Xpm) -> None:
    lab.end("a", results={"accuracy": 0.9})
    lab.end("b", State.FAILED, ERROR, results={"accuracy": 0.1})
    note = f"1 row with results is not done, so these may not be the last ones: {lab.identity('b')[:7]} failed.\n"
    for words in ([], ["--json"]):
        assert "not done" not in xpm("results", "sweep", *words).stderr
    for words in (["--columns", "name,accuracy"], ["-o", "csv"], ["-o", "latex"]):
        assert xpm("results", "sweep", *words).stderr == note
    assert "not done" not in xpm("results", "sweep", "--columns", "name", "-o", "csv").stderr


def test_large_numbers_have_no_exponent(lab: Lab, xpm: Xpm) -> None:
    lab.end("a", results={"speed": 23456.789})
    assert "23457" in xpm("results", "sweep").stdout.split()


def test_a_row_is_one_line_also_without_a_terminal(lab: Lab, xpm: Xpm) -> None:
    for number in range(2):
        lab.end(f"a{number}", params={"note": f"a\nb {number}"}, results={"label": f"x\ny {number}"})
    rows = [line.split()[2:] for line in xpm("results", "sweep").stdout.splitlines()]
    assert rows[1:3] == [["a", "b", "0", "x", "y", "0"], ["a", "b", "1", "x", "y", "1"]]


def test_experiment_whose_jobs_report_nothing_says_so(lab: Lab, xpm: Xpm) -> None:
    lab.submit("a")
    result = xpm("results", "sweep")
    assert result.exit_code == 0
    assert "No job has reported a result: return it from execute(), or call result()." in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--interval", "sd"], "--interval and --range need --over"),
        (["--range", "0", "1"], "--interval and --range need --over"),
        (["--lowest"], "--lowest needs --over and --pivot"),
        (["--over", "seeed"], "no column 'seeed'. Did you mean seed"),
        (["--sort", "acuracy"], "no column 'acuracy'. Did you mean accuracy?"),
        (["--over", "seed", "--range", "1", "0"], "range"),
    ],
)
def test_bad_input_is_an_error_with_exit_code_2(typed: Xpm, words: list[str], said: str) -> None:
    result = typed(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_jobs_whose_directories_were_deleted_are_named(typed: Xpm, swept: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their rows stay. A failed job may never have had a directory, and a young one may not be seen yet."""
    for name in ("bm251", "dense3"):
        shutil.rmtree(swept.directory(name).path)
    assert "gone" not in typed().stderr
    monkeypatch.setattr(results_listed, "LISTING_LAG_S", -1.0)
    whole = typed()
    first = f"Train/{swept.identity('bm251')[:7]}"
    assert "5 rows" in whole.stdout
    told = f"The directory of a done job is gone: {first}. Only the index has its values. Run its script again."
    assert told in whole.stderr
    assert told in json.loads(typed("--json").stdout)["notes"]
    assert told in typed("--over", "seed").stderr
    shutil.rmtree(swept.workspace.path / "jobs")
    (note,) = [each for each in json.loads(typed("--json").stdout)["notes"] if "gone" in each]
    assert note.startswith("The directories of 4 done jobs are gone: ")
    assert note.endswith(" and 1 more. Only the index has their values. Run their script again.")


@pytest.mark.parametrize(("few", "call"), [(0, "listdir"), (50, "lstat")])
def test_a_folder_of_jobs_that_cannot_be_read_is_no_reason_to_call_them_gone(
    typed: Xpm, monkeypatch: pytest.MonkeyPatch, few: int, call: str
) -> None:
    plain, refused = getattr(os, call), list[str]()

    def closed(path: Any, **more: Any) -> Any:
        if "/jobs/sweep.train" in str(path):
            refused.append(str(path))
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path, **more)

    monkeypatch.setattr(results_listed, "LISTING_LAG_S", -1.0)
    monkeypatch.setattr(results_listed, "FEW", few)
    monkeypatch.setattr(os, call, closed)
    found = typed()
    assert refused
    assert "5 rows" in found.stdout
    assert "gone" not in found.stderr


def test_a_folder_with_many_directories_is_not_listed_for_a_few_jobs(
    typed: Xpm, swept: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network file system may take seconds for that."""
    plain, seen = os.listdir, list[str]()
    monkeypatch.setattr(os, "listdir", lambda *folder: seen.append(str(*folder)) or plain(*folder))
    monkeypatch.setattr(results_listed, "LISTING_LAG_S", -1.0)
    shutil.rmtree(swept.directory("bm251").path)
    assert f"is gone: Train/{swept.identity('bm251')[:7]}. " in typed().stderr
    assert not any(each.endswith("/jobs/sweep.train") for each in seen)
