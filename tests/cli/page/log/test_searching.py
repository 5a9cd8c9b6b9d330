"""Searches as processes: they end in time, also with an expression that would take years."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from xpm_cli.page.log import searching
from xpm_cli.page.log.searching import search


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"epoch %d\n" % number for number in range(1000)))
    return path


def test_matches_come_in_order_with_their_lines(log: Path) -> None:
    with log.open("rb", buffering=0) as file:
        found = search(file, "epoch 99", 0, log.stat().st_size)
    assert [match.line for match in found.matches] == [100, *range(991, 1001)]
    assert (found.goes_on, found.line, found.late) == (False, 1000, False)
    assert log.read_bytes()[found.matches[0].at :].startswith(b"epoch 99\n")


def test_there_are_no_more_than_wanted_and_it_goes_on(log: Path) -> None:
    size = log.stat().st_size
    with log.open("rb", buffering=0) as file:
        first = search(file, "epoch", 0, size, most=3)
        assert ([match.line for match in first.matches], first.goes_on) == ([1, 2, 3], True)
        second = search(file, "epoch", first.read, size, most=3)
    assert [match.at for match in second.matches] == [24, 32, 40]


def test_an_expression_that_would_take_years_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a" * 60 + b"!\n")
    with path.open("rb", buffering=0) as file:
        found = search(file, "(a+)+$", 0, 62, regex=True, limit_s=1.0)
    assert (found.matches, found.late, found.stuck, found.goes_on) == ([], True, True, False)


def test_an_expression_that_is_wrong_is_said(log: Path) -> None:
    with log.open("rb", buffering=0) as file:
        found = search(file, "epoch (", 0, 100, regex=True)
    assert found.wrong.startswith("missing ), unterminated subpattern")
    assert not found.goes_on


@pytest.mark.parametrize("wanted", ["a{99999999999999999999}", "(" * 1000])
def test_an_expression_with_a_huge_number_or_nesting_is_said_too(log: Path, wanted: str) -> None:
    with log.open("rb", buffering=0) as file:
        found = search(file, wanted, 0, 100, regex=True)
    assert found.wrong
    assert not found.late


def test_what_is_searched_is_no_argument_because_others_see_those(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    popen = searching.subprocess.Popen

    def noted(command: list[str], **more: object) -> object:
        started.append(command)
        return popen(command, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(searching.subprocess, "Popen", noted)
    with log.open("rb", buffering=0) as file:
        assert len(search(file, "epoch 998", 0, log.stat().st_size).matches) == 1
    [command] = started
    assert "epoch" not in " ".join(command)


def test_nothing_is_found_in_an_empty_log(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    with (tmp_path / "log").open("rb", buffering=0) as file:
        found = search(file, "x", 0, 0)
    assert (found.matches, found.goes_on, found.late) == ([], False, False)


def test_words_of_a_search_are_no_options(log: Path) -> None:
    with log.open("rb", buffering=0) as file:
        assert isinstance(file, io.FileIO)
        found = search(file, "--help '; \x00 \udcff", 0, log.stat().st_size)
    assert (found.matches, found.late) == ([], False)


def test_a_search_waits_for_others_and_gives_up(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = threading.BoundedSemaphore(1)
    nobody.acquire()
    monkeypatch.setattr(searching, "AT_ONCE", nobody)
    with log.open("rb", buffering=0) as file:
        found = search(file, "x", 0, 10, limit_s=0.01)
    assert (found.busy, found.goes_on, found.matches) == (True, False, [])
    nobody.release()
    with log.open("rb", buffering=0) as file:
        assert not search(file, "x", 0, 10).busy
    assert nobody.acquire(blocking=False), "each search leaves its place to the next one"
