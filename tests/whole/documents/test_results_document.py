"""Every example in docs/results.md runs, and prints what stands there; its messages are those of the code."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from helpers.documents import idle_blocks, play
from helpers.project_files import ROOT, python_files, require, strings

from xpm_core.results.statistics.intervals import KINDS

PAGE = ROOT / "docs" / "results.md"


@pytest.mark.redis
@pytest.mark.slow
def test_examples_run_in_order_and_print_what_stands_there(
    snapshots_on: None, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(importlib.util.find_spec("matplotlib"), "matplotlib")
    monkeypatch.setenv("XPM_REDIS_URL", redis_url)
    monkeypatch.setenv("XPM_SNAPSHOT_FOLDER", str(tmp_path / "host"))
    folder = tmp_path / "study"
    folder.mkdir()
    play(PAGE, folder, {"XPM_REDIS_URL": redis_url})


def test_every_block_is_run() -> None:
    assert idle_blocks(PAGE) == []


def test_every_kind_of_interval_is_explained() -> None:
    rows = PAGE.read_text().partition("| you write |")[2].partition("\n\n")[0].splitlines()[2:]
    named = [re.search(r'interval="(\w+)"', row) for row in rows]
    assert sorted(found[1] if found else "t" for found in named) == sorted(KINDS)


def test_messages_are_those_of_the_code() -> None:
    said = "\n".join(text for path in python_files() for _, text in strings(path.read_text()))
    rows = PAGE.read_text().partition("| the message says |")[2].partition("\n\n")[0].splitlines()[2:]
    messages = [message for row in rows for message in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert len(messages) > 5
    assert [each for each in messages if not all(part.strip() in said for part in each.split("..."))] == []
