"""A line of progress is seen on a terminal only, and not too often."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
import pytest

from xpm_cli.output import progress
from xpm_cli.output.progress import ProgressLine


@pytest.fixture(autouse=True)
def command() -> Iterator[click.Context]:
    with click.Context(click.Command("xpm")) as context:
        yield context


def test_a_terminal_sees_the_line_and_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress, "EVERY_S", 0.0)
    line = ProgressLine()
    line.show("read: 3")
    line.show("read: 4")
    line.clear()
    line.clear()
    assert capsys.readouterr().err == "\r\x1b[Kread: 3\r\x1b[Kread: 4\r\x1b[K"


def test_the_line_is_not_drawn_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress, "EVERY_S", 1000.0)
    line = ProgressLine()
    line.show("read: 3")
    line.clear()
    assert capsys.readouterr().err == ""


def test_a_pipe_sees_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "EVERY_S", 0.0)
    line = ProgressLine()
    line.show("read: 3")
    line.clear()
    assert capsys.readouterr().err == ""
