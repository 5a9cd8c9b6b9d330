"""Markdown that shows each text as it is, and can be read without being shown."""

from __future__ import annotations

import re
from pathlib import Path

from helpers.result_jobs import FakeJob, table
from helpers.sheets import HOSTILE, hostile_sheet, plain_sheet
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.results.formats.markdown import as_markdown, escaped
from xpm_core.results.formats.sheet import Sheet, Span

SPECIAL = set("\\`*[]<>|~$")


def test_columns_are_aligned_and_numbers_stand_right() -> None:
    assert as_markdown(plain_sheet()).splitlines()[:5] == [
        "| model |   lr | accuracy | steps |",
        "| ----- | ---: | -------: | ----: |",
        "| mlp   |  0.1 |   0.9124 |  1200 |",
        "| svm   | 0.01 |          |    30 |",
        "| svm   |    1 |      nan |       |",
    ]
    assert as_markdown(plain_sheet()).endswith("\n\nOf 3 done jobs of Train: 1 without accuracy.\n")


def test_cells_say_how_many_jobs_count_and_the_best_are_bold(tmp_path: Path) -> None:
    jobs = [FakeJob({"lr": lr, "seed": seed}, {"f1": lr + seed / 100}) for lr in (1, 2) for seed in range(3)]
    cells = table(jobs).over("seed")
    assert "| **2.01 ± 0.02 (n=3 seeds)** |" in cells.to_markdown(bold="f1")
    assert "\n\nMean and 95 % t interval over 3 seeds.\n" in cells.to_markdown()
    assert cells.to_markdown(tmp_path / "a.md", bold="f1") is None
    assert (tmp_path / "a.md").read_text() == cells.to_markdown(bold="f1")


def test_a_cell_without_an_interval_says_so() -> None:
    jobs = [FakeJob({"lr": 1, "seed": seed}, {"f1": seed / 10}) for seed in range(2)]
    assert "| 0.05 (no interval, n=2 seeds) |" in table(jobs).over("seed").to_markdown()


def test_each_text_stays_in_its_cell() -> None:
    found = as_markdown(hostile_sheet())
    lines = found.split("\n\n")[0].splitlines()
    assert len(lines) == 2 + len(HOSTILE)
    assert {len(re.split(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines} == {5}
    assert "<script>" not in re.sub(r"\\.", "", found)


@given(st.text())
def test_no_sign_is_left_that_means_something(text: str) -> None:
    found = escaped(text)
    assert not SPECIAL & set(re.sub(r"\\.", "", found))
    assert "\n" not in found
    shown = re.sub(r"\\(.)", r"\1", found)
    assert shown == "".join(each if each.isprintable() else " " for each in text)


def test_names_with_underscores_stay_readable() -> None:
    assert (escaped("train_loss_2"), escaped("_x_"), escaped("&amp;"), escaped("R&D")) == (
        "train_loss_2",
        "\\_x\\_",
        "\\&amp;",
        "R&D",
    )


def test_headings_above_headings_stand_before_them() -> None:
    assert as_markdown(Sheet(["a", "x"], [], spans=[Span("data", 1, 1)])).splitlines()[0] == "| a   | data: x |"
    assert as_markdown(Sheet([], [])) == "\n"
