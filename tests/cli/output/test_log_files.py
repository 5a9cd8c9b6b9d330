"""Log files as they grow, are cut, and are replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_cli.output.log_files import BLOCK, LogFile, last_lines


def new(file: LogFile) -> bytes:
    return b"".join(file.read())


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = LogFile(path)
    assert (file.exists(), new(file)) == (False, b"")
    path.write_bytes(b"one\n")
    assert (file.exists(), new(file), new(file)) == (True, b"one\n", b"")
    with path.open("ab") as stream:
        stream.write(b"two\n")
    assert new(file) == b"two\n"


def test_file_that_was_cut_or_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a long line\n")
    file = LogFile(path)
    assert new(file) == b"a long line\n"
    path.write_bytes(b"cut\n")
    assert new(file) == b"cut\n"
    other = tmp_path / "other"
    other.write_bytes(b"replaced, and longer\n")
    other.replace(path)
    assert new(file) == b"replaced, and longer\n"


def test_part_of_a_file_ends_where_it_should(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * BLOCK + b"0123456789")
    file = LogFile(path, BLOCK + 2, BLOCK + 5)
    assert (new(file), new(file)) == (b"234", b"")


def test_line_comes_when_it_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntw")
    file = LogFile(path)
    assert list(file.lines()) == [b"one"]
    with path.open("ab") as stream:
        stream.write(b"o\nthree")
    assert list(file.lines()) == [b"two"]
    assert list(file.lines(rest=True)) == [b"three"]
    assert list(file.lines(rest=True)) == []


@pytest.mark.parametrize(
    ("count", "stop", "found"),
    [(0, None, b""), (1, None, b"three"), (2, None, b"two\nthree"), (9, None, b"one\ntwo\nthree"), (1, 8, b"two\n")],
)
def test_last_lines_begin_where_they_begin(tmp_path: Path, count: int, stop: int | None, found: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\nthree")
    assert path.read_bytes()[last_lines(path, count, stop) : stop] == found


def test_last_lines_may_be_longer_than_a_block(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\n" + b"y" * (2 * BLOCK) + b"\n")
    assert last_lines(path, 1) == len(b"first\n")
    assert last_lines(tmp_path / "none", 3) == 0
