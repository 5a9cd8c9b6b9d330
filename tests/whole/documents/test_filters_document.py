"""Every example in docs/reference/filters.md runs, and prints what stands there; its tables name all names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.documents import blocks, play
from helpers.project_files import ROOT

from xpm_core.filters import FIELDS
from xpm_core.filters.parser import DEEPEST, LONGEST, parse_condition
from xpm_core.filters.values import KINDS

DOCUMENT = ROOT / "docs" / "reference" / "filters.md"


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the table in a section, without its head."""
    section = DOCUMENT.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


def test_examples_run_in_order_and_print_what_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [block.kind for block in blocks(DOCUMENT)].count("pycon") >= 3
    play(DOCUMENT, tmp_path, {})


def test_the_table_of_names_has_every_field() -> None:
    named = [name for row in rows_of("Names") for name in re.findall(r"`([a-z]+)`", row[0])]
    assert sorted(named) == sorted(FIELDS)


def test_the_table_of_values_has_every_kind() -> None:
    assert len(rows_of("Values")) == len(KINDS) + 1, "the kinds, and no value"


def test_the_filters_that_it_shows_are_filters() -> None:
    shown = re.findall(r"^    (\S.*)$", DOCUMENT.read_text().partition("## Comparisons")[0], re.MULTILINE)
    assert len(shown) == 5
    assert [str(parse_condition(text, "filter")) for text in shown] == shown


def test_the_short_options_are_what_it_says() -> None:
    assert [row[1] for row in rows_of("Short options")] == [
        "`state=failed,blocked`",
        "`tag.model=bm25`",
        "`task=Train`",
        "`experiment=digits`",
        "`since=2h`",
    ]


def test_the_limits_are_those_of_the_parser() -> None:
    assert f"at most {LONGEST:,} characters, and is nested at most {DEEPEST} deep" in DOCUMENT.read_text()
