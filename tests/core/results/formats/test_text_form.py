"""A table as `print` shows it, and small and empty tables in every form."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import pytest
from helpers.project_files import require
from helpers.result_jobs import FakeJob, table
from helpers.sheets import hostile_sheet

from xpm_core.results.formats.text_form import SHOWN, as_text
from xpm_core.results.formats.written import Written
from xpm_core.results.table import Table
from xpm_core.states import State


def grid(seeds: int = 3) -> Table:
    return table(
        [
            FakeJob({"model": model, "data": data, "seed": seed}, {"f1": base + seed / 100})
            for model, base in (("mlp", 0.9), ("svm", 0.7))
            for data in "xy"
            for seed in range(seeds)
        ]
    )


def test_a_table_is_printed_as_aligned_text_and_its_repr_stays_short() -> None:
    found = grid(2).select("model", "seed", "f1")
    lines = str(found).splitlines()
    assert lines[:3] == ["model  seed  f1", "mlp    0     0.9", "mlp    1     0.91"]
    assert len(lines) == 9
    assert repr(found) == "<8 rows with model, seed, f1>"
    long = table([FakeJob({"seed": seed}, {"f1": seed}) for seed in range(SHOWN + 5)])
    assert str(long).splitlines()[-1] == f"{SHOWN} of {SHOWN + 5} rows"
    assert len(str(long).splitlines()) == SHOWN + 2


def test_folded_tables_pivots_and_comparisons_are_printed_with_caption_and_notes() -> None:
    jobs = [row.job for row in grid()]
    jobs[0].state = State.FAILED  # type: ignore[misc]
    folded = table(jobs).over("seed")  # type: ignore[arg-type]
    lines = str(folded).splitlines()
    assert lines[0].split() == ["model", "data", "f1"]
    assert lines[1].split() == ["mlp", "x", "0.915", "(n=2", "of", "3", "seeds)"]
    assert lines[2].split() == ["mlp", "y", "0.91", "±", "0.02"]
    assert lines[5] == "Mean and 95 % t interval over 2 to 3 seeds."
    assert lines[6].startswith("model=mlp data=x: 2 of 3 seeds (1 failed: xpm show ")
    pivot = str(grid().over("seed").pivot("model", "data"))
    assert pivot.splitlines()[1].split() == ["mlp", "0.91", "±", "0.02*", "0.91", "±", "0.02*"]
    assert "\n* is bold in papers.\n" in f"{pivot}\n"
    assert str(grid().compare("model=mlp", "model=svm", over="seed")).splitlines()[0].split()[:4] == [
        "data", "a", "b", "difference",
    ]  # fmt: skip
    assert (str(table([])), repr(table([]))) == ("no rows", "<0 rows with no columns>")


def test_rows_of_jobs_begin_with_their_ids_and_the_states_if_some_are_not_done() -> None:
    jobs = [FakeJob({"lr": lr}, {"f1": lr}) for lr in (1, 2)]
    assert str(table(jobs)).splitlines()[0].split() == ["ID", "lr", "f1"]
    assert str(table(jobs)).splitlines()[1].split() == [jobs[0].identity[:7], "1", "1"]
    jobs[1].state, jobs[1].results = State.FAILED, {}
    lines = str(table(jobs)).splitlines()
    assert (lines[0].split(), lines[2].split()) == (
        ["ID", "STATE", "lr", "f1"], [jobs[1].identity[:7], "failed", "2", "-"],
    )  # fmt: skip
    jobs[1].results = {"f1": 3.123456}
    lines = str(table(jobs)).splitlines()
    assert (lines[0].split(), lines[2].split()) == (
        ["ID", "STATE", "lr", "f1"], [jobs[1].identity[:7], "failed", "2", "3.123"],
    )  # fmt: skip
    assert lines[-1].startswith("1 job not done, whose values may not be final: ")


def test_each_row_of_hostile_texts_stays_a_line() -> None:
    lines = as_text(hostile_sheet()).splitlines()
    assert lines[0].startswith("x|y <b> & %")
    assert not any(each in as_text(hostile_sheet()) for each in "\x00\x1b\t")


TABLES: dict[str, Callable[[], Written]] = {
    "empty": lambda: table([]),
    "empty with a note": lambda: table([], notes=["Something is wrong."]),
    "nothing": lambda: table([FakeJob({})]),
    "one": lambda: table([FakeJob({"lr": 1}, {"a": 1})]),
    "none": lambda: table([FakeJob({"lr": lr}, {"a": None}) for lr in range(2)]),
    "one folded": lambda: table([FakeJob({"seed": 1}, {"a": True})]).over("param.seed"),
    "integers": lambda: table([FakeJob({"m": m, "seed": s}, {"a": m + s}) for m in (1, 2) for s in range(3)]).over(
        "seed"
    ),
    "truths": lambda: table([FakeJob({"m": m, "seed": s}, {"a": s > m}) for m in (0, 1) for s in range(3)]).over(
        "seed"
    ),
    "large": lambda: table([FakeJob({"seed": s}, {"a": 10 ** (300 + s)}) for s in range(9)]).over("seed"),
    "texts": lambda: table([FakeJob({"seed": s}, {"a": "x"}) for s in range(3)]).over("seed"),
    "undone": lambda: table([FakeJob({"seed": s}, {"a": 1}, State.RUNNING) for s in range(3)]).over("seed"),
    "pivot": lambda: table([FakeJob({"m": 1, "d": 2}, {"a": 1})]).pivot("param.m", "param.d"),
    "truths in a pivot": lambda: (
        table([FakeJob({"m": m, "d": d, "seed": s}, {"a": s > m}) for m in (0, 1) for d in (0, 1) for s in range(3)])
        .over("seed")
        .pivot("m", "d")
    ),
    "truths compared": lambda: table(
        [FakeJob({"m": m, "seed": s}, {"a": s > m}) for m in (0, 1) for s in range(3)]
    ).compare("m=0", "m=1", over="seed"),
    "slice": lambda: grid().over("seed")[:0],
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("form", ["str", "repr", "html", "csv", "markdown", "latex", "pandas", "polars"])
def test_small_and_odd_tables_have_every_form(name: str, form: str) -> None:
    found = TABLES[name]()
    if form in ("pandas", "polars"):
        require(importlib.util.find_spec(form), form)
    if form in ("str", "repr"):
        assert {"str": str, "repr": repr}[form](found)
        return
    made = getattr(found, "_repr_html_" if form == "html" else f"to_{form}")()
    rows = len(found) if found.sheet().headings else 0  # type: ignore[arg-type]
    assert isinstance(made, str) or len(made) == rows


def test_truth_values_have_a_mean_in_every_form() -> None:
    found = TABLES["truths"]()
    assert "0.7 ± 1.4" in str(found)
    assert "0.6666666666666666" in found.to_csv()
