"""Every example in docs/reference/statistics.md runs, and prints what stands there; its tables name all kinds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.documents import blocks, play
from helpers.project_files import ROOT

from xpm_core.results.statistics.aggregates import STATISTICS
from xpm_core.results.statistics.intervals import KINDS

DOCUMENT = ROOT / "docs" / "reference" / "statistics.md"


def test_examples_run_in_order_and_print_what_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [block.kind for block in blocks(DOCUMENT)].count("pycon") >= 7
    play(DOCUMENT, tmp_path, {})


def test_the_tables_have_every_kind_of_interval_and_every_statistic() -> None:
    named = re.findall(r'^\| `"(\w+)"` \|', DOCUMENT.read_text(), re.MULTILINE)
    assert sorted(named) == sorted([*KINDS, *STATISTICS])
