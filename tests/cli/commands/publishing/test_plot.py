"""`xpm plot`: a plot in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab
from helpers.typed_commands import Shell

pytest.importorskip("matplotlib")
pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


@pytest.fixture
def swept(lab: Lab) -> Lab:
    """Two rates with three seeds each. One job has logged fewer steps than the others."""
    for lr in (0.1, 0.01):
        for seed in (1, 2, 3):
            name = f"{lr}-{seed}"
            lab.end(
                name, params={"name": "all", "lr": lr, "seed": seed}, tags={"lr": lr}, results={"accuracy": seed * lr}
            )
            steps = 2 if name == "0.1-3" else 5
            lines = [
                {"xpm_execution": "e", "at": 1.0},
                *({"step": step, "loss": 1 / (step + seed)} for step in range(steps)),
            ]
            text = "".join(f"{json.dumps(line)}\n" for line in lines)
            (lab.directory(name).path / "metrics.jsonl").write_text(text)
    return lab


@pytest.mark.parametrize(
    "words", ["seed accuracy --by lr", "lr accuracy --over seed", "step loss", "step loss --over seed"]
)
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_plot_is_written_into_a_file(swept: Lab, xpm: Xpm, tmp_path: Path, words: str, ending: str) -> None:
    file = tmp_path / f"plot.{ending}"
    result = xpm("plot", "sweep", *words.split(), "-o", file)
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert f"Wrote {file}.\n" in result.stderr
    assert file.read_bytes().startswith(b"\x89PNG" if ending == "png" else b"<?xml")


def test_runs_that_ended_early_are_said(swept: Lab, xpm: Xpm, tmp_path: Path) -> None:
    result = xpm("plot", "sweep", "step", "loss", "--over", "seed", "-o", tmp_path / "a.png")
    assert "lr=0.1: 1 of 3 runs ended before step 4" in result.stderr


def test_filter_leaves_out_jobs(swept: Lab, xpm: Xpm, tmp_path: Path) -> None:
    result = xpm("plot", "sweep", "step", "loss", "--over", "seed", "--where", "lr=0.01", "-o", tmp_path / "a.png")
    assert (result.exit_code, "ended before" in result.stderr) == (0, False)


def test_what_matplotlib_warns_of_is_one_line(lab: Lab, xpm: Xpm, tmp_path: Path) -> None:
    for number in range(2):
        lab.end(f"{number}", params={"model": f"模型{number}"}, results={"accuracy": 0.5})
    result = xpm("plot", "sweep", "model", "accuracy", "-o", tmp_path / "a.png")
    said = [each for each in result.stderr.splitlines() if "Glyph" in each]
    assert (result.exit_code, len(said), said[0].startswith("matplotlib says: Glyph")) == (0, 1, True)


def test_other_files_are_not_replaced(swept: Lab, xpm: Xpm, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    result = xpm("plot", "sweep", "seed", "accuracy", "-o", file)
    assert (result.exit_code, file.read_text()) == (2, "mine")
    assert "expected the name of an image" in result.stderr


def test_form_that_needs_another_program_is_an_error_without_traceback(
    swept: Lab, xpm: Xpm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    file = tmp_path / "a.pgf"
    result = xpm("plot", "sweep", "seed", "accuracy", "-o", file)
    assert (result.exit_code, file.exists()) == (2, False)
    assert "a.pgf: matplotlib cannot draw it: 'xelatex' not found" in result.stderr


def test_filter_that_matches_nothing_is_said_and_no_file_is_written(swept: Lab, xpm: Xpm, tmp_path: Path) -> None:
    result = xpm("plot", "sweep", "seed", "accuracy", "--where", "lr=7", "-o", tmp_path / "a.png")
    assert (result.exit_code, (tmp_path / "a.png").exists()) == (2, False)
    assert "sweep: no job matches, so there is nothing to draw." in result.stderr


def test_folder_that_is_not_there_is_an_error_without_traceback(swept: Lab, shell: Shell, tmp_path: Path) -> None:
    result = shell.run("plot", "sweep", "seed", "accuracy", "-o", tmp_path / "nowhere" / "a.png")
    assert result.returncode == 2
    assert "nowhere/a.png: the plot cannot be written: No such file or directory. Name a file" in result.stderr
