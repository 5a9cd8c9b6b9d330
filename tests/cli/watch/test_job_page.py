"""The end of a job's logs. What else is shown of a job: test_watch.py."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from xpm_cli.watch import job_page
from xpm_cli.watch.job_page import log_lines


def written(path: Path, data: bytes, at_s: float = 1.0) -> Path:
    path.write_bytes(data)
    os.utime(path, (at_s, at_s))
    return path


def shown(*paths: Path) -> list[str]:
    return [click.unstyle(line) for line in log_lines(*paths)[0]]


def test_the_log_that_was_written_last_comes_last(tmp_path: Path) -> None:
    out, err = written(tmp_path / "t.out", b"a\nb\n", 5.0), written(tmp_path / "t.err", b"c", 1.0)
    assert shown(out, err) == ["── t.err ──", "c", "── t.out ──", "a", "b"]


def test_a_log_that_is_empty_or_not_there_is_left_out(tmp_path: Path) -> None:
    assert log_lines(written(tmp_path / "t.out", b""), tmp_path / "t.err") == ([], False)


def test_a_progress_bar_is_shown_as_it_was_at_last(tmp_path: Path) -> None:
    assert shown(written(tmp_path / "t.err", b"10 %\r50 %\r90 %\nnext\r\n"))[1:] == ["90 %", "next"]


def test_of_a_large_log_only_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_page, "READ", 10)
    lines, cut = log_lines(written(tmp_path / "t.out", b"first line\nsecond\nthird\n"))
    assert (lines[1:], cut) == (["third"], True)
    lines, cut = log_lines(written(tmp_path / "t.out", b"x" * 100))
    assert (lines[1:], cut) == (["x" * 10], True)


def test_bytes_that_are_no_text_are_shown_somehow(tmp_path: Path) -> None:
    assert shown(written(tmp_path / "t.out", b"a\xffb\tc\n"))[1:] == ["a�b     c"]
