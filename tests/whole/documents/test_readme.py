"""The README: its example runs as printed, it is short, and it leads to all other documents."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.documents import Shell, idle_blocks, play_in_order
from helpers.project_files import ROOT
from helpers.user_scripts import Desktop

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("snapshots_on")]

README = ROOT / "README.md"
TEXT = README.read_text()
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "squares.py"], cwd=folder, capture_output=True, text=True, timeout=120)


def test_example_is_short() -> None:
    assert len(EXAMPLE.splitlines()) <= 20


def test_example_runs_as_printed_and_again_runs_only_what_is_new(tmp_path: Path) -> None:
    (tmp_path / "squares.py").write_text(EXAMPLE)
    first = run(tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines() == [f"{{'number': {n}}} {n * n}" for n in range(5)]
    assert "range(5)" in EXAMPLE
    (tmp_path / "squares.py").write_text(EXAMPLE.replace("range(5)", "range(6)"))
    second = run(tmp_path)
    assert second.returncode == 0, second.stderr
    assert second.stdout.splitlines()[5:] == ["{'number': 5} 25"]
    assert "6 done (5 reused)" in second.stderr
    records = list(tmp_path.glob("workspace/jobs/squares.square/*/.xpm/executions/*.json"))
    assert len(records) == 6, "each job ran once"


def test_readme_shows_what_a_reader_sees(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    try:
        play_in_order([README], Shell(tmp_path, terminal=True))
    finally:
        desktop.clear()


def test_every_block_is_run_or_is_a_file() -> None:
    assert idle_blocks(README) == []


def test_readme_is_one_screen_and_a_half() -> None:
    assert len(TEXT.splitlines()) <= 80


def test_readme_leads_to_every_section_of_the_documents() -> None:
    sections = {f"docs/{folder.name}/index.md" for folder in (ROOT / "docs").iterdir() if list(folder.glob("*.md"))}
    assert sections <= set(re.findall(r"\]\(([^)#]+)", TEXT))
