"""Every example in docs/migrating.md runs, and prints what stands there; what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fences import blocks, play
from house import ROOT

import xpm_core
from xpm_core.config import Config, Task

DOCUMENT = ROOT / "docs" / "migrating.md"


def test_examples_run_in_order_and_print_what_stands_there(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    play(DOCUMENT, tmp_path, {"XPM_REDIS_URL": redis_url})


def test_every_block_is_run_or_is_a_file() -> None:
    idle = [block for block in blocks(DOCUMENT) if block.kind not in ("python", "pycon", "console") and not block.file]
    assert idle == []


def test_what_is_the_same_is_there() -> None:
    rows = re.findall(r"^\| (`.*`) \| the same", DOCUMENT.read_text(), re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`\.?(\w+)(?:\(\))?`", row)}
    members = {name for cls in (Config, Task, type(Config), xpm_core.experiment) for name in dir(cls)}
    assert len(names) > 30
    assert names - members - set(xpm_core.__all__) == set()
