"""Files of curves that are kept between requests: read on, forgotten, and never read through a link."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from xpm_cli.page.results.curve_files import CurveFiles, Wanted
from xpm_core.job.reporting.metrics import NAME
from xpm_core.results import curves

LOSS = Wanted("loss", "every")


def job(folder: Path, *losses: float) -> Path:
    folder.mkdir(exist_ok=True)
    with open(folder / NAME, "a") as out:
        for loss in losses:
            out.write(f"{json.dumps({'step': loss, 'loss': loss})}\n")
    return folder


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the jobs whose files are opened from now on."""
    found: list[str] = []
    before = open

    def seen(path: Any, *args: Any, **more: Any) -> Any:
        found.append(Path(path).parent.name)
        return before(path, *args, **more)

    monkeypatch.setattr("builtins.open", seen)
    return found


def test_only_files_that_have_grown_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [job(tmp_path / name, 1.0, 2.0) for name in "abc"]
    files = CurveFiles()
    assert files.read_on(jobs, LOSS, 60) == 3
    before = [files.changes(each, LOSS) for each in jobs]
    job(tmp_path / "b", 3.0)
    names = opened(monkeypatch)
    assert files.read_on(jobs, LOSS, 60) == 3
    assert names == ["b"]
    assert [files.changes(each, LOSS) == old for each, old in zip(jobs, before, strict=True)] == [True, False, True]
    assert [point.value for point in files.curve(jobs[1], LOSS, "loss")["loss"]] == [1.0, 2.0, 3.0]


def test_a_budget_is_spent_on_reading_and_not_on_looking(tmp_path: Path) -> None:
    jobs = [job(tmp_path / name, 1.0) for name in "abc"]
    files = CurveFiles()
    assert [files.read_on(jobs, LOSS, 0.0) for _ in range(4)] == [1, 2, 3, 3]


def test_a_large_file_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "BLOCK", 100)
    jobs = [job(tmp_path / "a", *range(50)), job(tmp_path / "b", 1.0)]
    files, all_metrics = CurveFiles(), Wanted("", "extremes")
    calls = 0
    while files.read_on(jobs, all_metrics, 0.0) < 2:
        calls += 1
        assert calls < 100
    assert calls > 5
    assert [point.value for point in files.curve(jobs[0], all_metrics, "loss")["loss"]] == list(range(50))
    assert dict(files.curve(jobs[0], all_metrics, "f1")) == {}


def test_what_was_not_asked_for_the_longest_is_forgotten(tmp_path: Path) -> None:
    jobs = [job(tmp_path / name, *range(40)) for name in "abcd"]
    files = CurveFiles(most=300)
    files.read_on(jobs, LOSS, 60)
    assert files.held <= 300
    changes = [files.changes(each, LOSS) for each in jobs]
    assert changes[0] == -1
    assert changes[3] > 0
    assert len(files.curve(jobs[0], LOSS, "loss")["loss"]) == 40  # it is read again
    assert files.changes(jobs[0], LOSS) > max(changes)


def test_links_and_pipes_are_not_read(tmp_path: Path) -> None:
    real, linked, piped = job(tmp_path / "a", 1.0), tmp_path / "b", tmp_path / "c"
    linked.mkdir()
    piped.mkdir()
    (linked / NAME).symlink_to(real / NAME)
    os.mkfifo(piped / NAME)
    files = CurveFiles()
    assert files.read_on([linked, piped, tmp_path / "none"], LOSS, 60) == 3
    with pytest.raises(OSError, match="it is a link"):
        files.curve(linked, LOSS, "loss")
    with pytest.raises(OSError, match="no regular file"):
        files.curve(piped, LOSS, "loss")
    assert dict(files.curve(tmp_path / "none", LOSS, "loss")) == {}
