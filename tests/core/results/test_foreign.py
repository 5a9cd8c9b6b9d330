"""Foreign runs are rows of tables as jobs are, and nobody takes them for jobs."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from helpers.result_jobs import FakeJob, table

from xpm_core.errors import ExchangeError
from xpm_core.results.foreign import (
    ForeignImport,
    ForeignRun,
    beside,
    file_of,
    foreign_notes,
    foreign_runs,
    forget,
    imports,
    keep,
    names,
)
from xpm_core.states import State

DAY = 1795780800.0


def source(name: str = "runs.csv", experiment: str = "digits", rows: int = 1, kind: str = "csv") -> ForeignImport:
    return ForeignImport(name, kind, experiment, name, "/old/runs.csv", "0" * 64, DAY, "ana", rows)


def kept(number: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": f"csv:{number:064x}",
        "where": f"line {number + 2}",
        "params": {"model": "svm", "lr": 0.1},
        "tags": {},
        "results": {"accuracy": 0.9},
        **more,
    }


def put(workspace: Path, *runs: dict[str, Any], name: str = "runs.csv", experiment: str = "digits") -> None:
    keep(workspace, source(name, experiment, len(runs)), runs)


def test_runs_come_back_as_they_were_kept(tmp_path: Path) -> None:
    run = kept(failed=True, started=DAY, ended=DAY + 60, host="gpu-a", commit="1a2b3c", folder="0")
    run["results"] = {"accuracy": None, "loss": None}
    run["not_finite"] = {"results.accuracy": "nan"}
    put(tmp_path, run)
    [found] = foreign_runs(tmp_path, "digits").runs
    assert math.isnan(found.results["accuracy"])
    assert found.results["loss"] is None
    assert (found.state, found.host, found.commit) == (State.FAILED, "gpu-a", "1a2b3c")
    assert (found.started_s, found.ended_s, found.folder) == (DAY, DAY + 60, Path("/old/runs.csv/0"))
    assert (found.params, found.experiments, found.where) == ({"model": "svm", "lr": 0.1}, ("digits",), "line 2")


def test_only_those_of_the_experiment_are_read(tmp_path: Path) -> None:
    put(tmp_path, kept(1), name="a")
    put(tmp_path, kept(2), kept(3), name="b", experiment="other")
    assert [run.foreign for run in foreign_runs(tmp_path, "digits").runs] == ["a"]
    assert [run.foreign for run in foreign_runs(tmp_path).runs] == ["a", "b", "b"]
    assert foreign_runs(tmp_path / "none") == ([], [])


def test_a_run_that_two_imports_have_counts_once(tmp_path: Path) -> None:
    put(tmp_path, kept(1), kept(2), name="monday.csv")
    put(tmp_path, kept(1), kept(2), kept(3), name="tuesday.csv")
    found = foreign_runs(tmp_path, "digits")
    assert len(found.runs) == 3
    assert found.notes == ["2 foreign rows in both monday.csv and tuesday.csv count once."]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1 does not say what it is"),
        ("{", "line 1 does not say what it is"),
        ("[]\n", "line 1 does not say what it is"),
        ('{"schema": 2}\n', "was written by a later xpm"),
        ("HEAD\n[]\n", "line 2 is no run"),
        ("HEAD\n{}\n", "line 2 is no run"),
        ('HEAD\n{"id": "csv:1"}\n{"id": ', "line 3 is no run"),
        ('HEAD\n{"id": "csv:1"}\n', "expected 2 runs, got 1"),
    ],
)
def test_a_damaged_file_is_a_note_and_the_others_are_read(tmp_path: Path, content: str, said: str) -> None:
    put(tmp_path, kept(1), kept(2), name="broken")
    put(tmp_path, kept(3), name="whole")
    file = file_of(tmp_path, "broken")
    file.write_text(content.replace("HEAD", file.read_text().splitlines()[0]))
    found = foreign_runs(tmp_path, "digits")
    assert [run.foreign for run in found.runs] == ["whole"]
    [note] = found.notes
    assert note.startswith(f"Foreign rows are missing. {file}: {said}")
    forget(tmp_path, "broken")
    assert names(tmp_path) == ["whole"]


def test_bytes_that_are_no_text_are_a_note(tmp_path: Path) -> None:
    put(tmp_path, kept(1))
    file_of(tmp_path, "runs.csv").write_bytes(b"\xff\xfe\n")
    assert "it is no text" in foreign_runs(tmp_path).notes[0]
    assert imports(tmp_path) == []


def test_a_folder_that_cannot_be_read_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, kept(1))

    def denied(path: Path) -> list[str]:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "listdir", denied)  # root may read every folder
    [note] = foreign_runs(tmp_path).notes
    assert note.startswith(f"Foreign rows are missing. {tmp_path}/.xpm/foreign: cannot be read (Permission denied)")


def test_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    put(tmp_path, kept(1))
    with pytest.raises(ExchangeError, match=r"no foreign rows of the name 'run.csv'. There are: runs.csv."):
        forget(tmp_path, "run.csv")
    with pytest.raises(ExchangeError):
        forget(tmp_path, "../foreign/runs.csv")
    forget(tmp_path, "runs.csv")
    assert foreign_runs(tmp_path).runs == []


# -- in a table --------------------------------------------------------------------------------------------------------


def mixed(jobs: Sequence[FakeJob], *runs: ForeignRun) -> Any:
    return table([*jobs, *beside(jobs, runs)])  # type: ignore[list-item]  # the helper is typed for its own jobs


def test_a_parameter_counts_as_the_tag_of_that_name() -> None:
    job = FakeJob({"model": "mlp", "lr": 0.2}, {"accuracy": 0.8}, tags={"model": "mlp"})
    found = mixed([job], ForeignRun(source(), kept()))
    assert [column.name for column in found.columns] == ["model", "lr", "accuracy"]
    assert [(row["model"], row["lr"], row["accuracy"]) for row in found] == [("mlp", 0.2, 0.8), ("svm", 0.1, 0.9)]
    assert [row["foreign"] for row in found] == [None, "runs.csv"]
    assert [row.identity for row in found.where("model=svm")] == [f"csv:{0:064x}"]


def test_a_foreign_row_has_the_facts_that_are_known() -> None:
    [row] = mixed([], ForeignRun(source(), kept(started=DAY, ended=DAY + 60, folder="3")))
    assert (row["seconds"], row["directory"], row["task"]) == (60.0, Path("/old/runs.csv/3"), "runs.csv")
    assert (row["state"], row["host"], row["attempts"], row["submitted"]) == (State.DONE, "", None, None)
    assert repr(row) == "<runs.csv csv:0000000 done>"
    [row] = mixed([], ForeignRun(source(), kept()))
    assert (row["seconds"], row["directory"]) == (None, None)


def test_a_table_says_which_rows_are_foreign_and_where_they_come_from() -> None:
    job = FakeJob({"model": "mlp", "lr": 0.2}, {"accuracy": 0.8})
    found = mixed([job], *(ForeignRun(source(), kept(number)) for number in (1, 2)), ForeignRun(source("x"), kept(3)))
    day = "imported 2026-11-2"
    [note] = found.notes
    assert note.startswith(f"3 rows are foreign: runs.csv, {day}")
    assert note.endswith("by ana (1).")
    assert found.where("task=Train").notes == []
    [note] = found.where("task=x").notes
    assert note.startswith(f"1 row is foreign: x, {day}")
    assert found[:2].notes[0].startswith("1 row is foreign: runs.csv")


def test_a_note_names_few_imports() -> None:
    [note] = foreign_notes(ForeignRun(source(f"x{number}"), kept(number)) for number in range(5))
    assert note.startswith("5 rows are foreign: x0,")
    assert note.endswith("; and 2 more.")


def test_foreign_rows_are_filtered_as_jobs_are() -> None:
    found = mixed([FakeJob({"model": "mlp", "lr": 0.2}, {"accuracy": 0.8})], ForeignRun(source(), kept()))
    for words in ("lr<0.15", "state=done and model=svm", "experiment=digits and lr=0.1", "not task=Train"):
        assert [row["foreign"] for row in found.where(words)] == ["runs.csv"], words


def test_foreign_rows_are_folded_and_a_failed_one_is_a_hole() -> None:
    jobs = [FakeJob({"model": "svm", "lr": 0.1, "seed": seed}, {"accuracy": 0.8}) for seed in (1, 2)]
    runs = [
        ForeignRun(source(), kept(seed, params={"model": "svm", "lr": 0.1, "seed": seed}, failed=seed == 3))
        for seed in (1, 2, 3)
    ]
    found = mixed(jobs, *runs).over("seed")
    assert [row["accuracy"].n for row in found] == [2, 2]  # they count as another task
    assert [row["accuracy"].mean for row in found] == [0.8, 0.9]
    assert any(note.startswith("3 rows are foreign: runs.csv") for note in found.notes)
    assert any("csv:0000000" in note for note in found.notes)


def test_foreign_rows_that_count_as_a_task_are_folded_with_its_jobs_if_nothing_differs() -> None:
    """`xpm import --task Train` says that they are runs of Train."""
    jobs = [FakeJob({"model": "svm", "lr": 0.1, "seed": seed}, {"accuracy": 0.8}) for seed in (1, 2)]
    runs = [
        ForeignRun(source()._replace(task="Train"), kept(seed, params={"model": "svm", "lr": 0.1, "seed": seed}))
        for seed in (2, 3, 4)
    ]
    [row] = folded = mixed(jobs, *runs).over("seed")
    assert (row["accuracy"].n, row["accuracy"].unit, folded.holes) == (5, "runs", [])
    assert "Jobs and foreign rows that differ in no tag and parameter are folded together: all." in folded.notes
    assert any("seed=2: 2 jobs differ in nothing else, and all count" in note for note in folded.notes)
    two = [*jobs, FakeJob({"model": "svm", "lr": 0.1, "seed": 3}, {"accuracy": 0.8}, task="other:Train")]
    assert [len(row.jobs) for row in mixed(two, *runs).over("seed")] == [2, 1, 3]  # nobody can tell which of the two


def test_foreign_rows_are_folded_apart_from_jobs_if_they_do_not_say_a_parameter() -> None:
    jobs = [
        FakeJob({"model": "svm", "lr": lr, "epochs": 3, "seed": seed}, {"accuracy": 0.8 + seed / 100})
        for lr in (0.1, 0.2)
        for seed in (1, 2, 3)
    ]
    runs = [
        ForeignRun(source()._replace(task="Train"), kept(seed, params={"model": "svm", "lr": 0.1, "seed": seed}))
        for seed in (7, 8, 9, 10)
    ]
    found = mixed(jobs, *runs)
    folded = found.over("seed")
    assert [(row["lr"], row["accuracy"].n) for row in folded] == [(0.1, 3), (0.2, 3), (0.1, 4)]
    assert folded.holes == []  # old runs have other seeds, so nobody lacks any
    assert folded.notes[-1] == (
        "4 foreign rows of Train are folded apart from jobs, because they do not say epochs. If it was the same, "
        "import them with it."
    )
    [row] = found.compare("lr=0.1 and epochs=3", "not epochs=3", over="seed")
    assert (row["a"].n, row["b"].n, row["test"]) == (3, 4, "Welch t")


def test_the_file_is_strict_json(tmp_path: Path) -> None:
    put(tmp_path, kept(1, where="łódź"))
    for line in file_of(tmp_path, "runs.csv").read_text().splitlines():
        json.loads(line, parse_constant=lambda word: pytest.fail(word))


@pytest.mark.parametrize(("task", "rows", "count"), [("study:Train", 1, 3), ("Train", 1, 3), ("runs:1.csv", 2, 2)])
def test_runs_share_rows_with_jobs_of_the_task_that_was_named(task: str, rows: int, count: int) -> None:
    brought = ForeignRun(source("runs:1.csv")._replace(task=task), kept(params={"lr": 0.1, "seed": 2}))
    jobs: list[Any] = [FakeJob({"lr": 0.1, "seed": seed}, {"accuracy": 0.8}) for seed in range(2)]
    folded = table([*jobs, brought]).over("seed")
    assert (len(folded), folded[0]["accuracy"].n, brought.task) == (rows, count, task)
    assert brought.name == {"study:Train": "Train"}.get(task, task)
