"""Files are read as of one moment, while others write, replace and remove them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.taking import reading
from xpm_core.snapshot.taking.reading import TRIES, read_stable


@pytest.fixture
def busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Makes a file that grows while it is read, a number of times."""
    monkeypatch.setattr(reading, "_PAUSE_S", 0)

    def start(times: int) -> list[int]:
        real, done = os.read, [0]

        def grown(descriptor: int, size: int) -> bytes:
            data = real(descriptor, size)
            if done[0] < times and len(data) == size - 1:  # it has read what the file had when it was opened
                done[0] += 1
                (tmp_path / "a.txt").write_text("longer" * (done[0] + 1))
            return data

        monkeypatch.setattr(reading.os, "read", grown)
        return done

    return start


def test_a_file_that_changes_is_read_again(tmp_path: Path, busy: Callable[[int], list[int]]) -> None:
    (tmp_path / "a.txt").write_text("start")
    busy(3)
    content = read_stable(str(tmp_path / "a.txt"), "a.txt")
    assert content is not None
    assert content.data == b"longer" * 4


def test_a_file_that_changes_each_time_is_an_error(tmp_path: Path, busy: Callable[[int], list[int]]) -> None:
    (tmp_path / "a.txt").write_text("start")
    done = busy(10**6)
    with pytest.raises(SnapshotError, match=r'a.txt: this file changes while it is read.*exclude = \["a.txt"\]'):
        read_stable(str(tmp_path / "a.txt"), "a.txt")
    assert done == [TRIES]


def test_what_is_gone_or_no_file_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").mkdir()
    for name in ("gone", "gone/below", "pipe", "link", "folder"):
        assert read_stable(str(tmp_path / name), name) is None


def stale_at_first(real: Callable[..., Any]) -> Callable[..., Any]:
    """A call of the system that fails twice."""
    failures = iter([errno.ESTALE, errno.ESTALE])

    def call(*given: Any) -> Any:
        for number in failures:
            raise OSError(number, os.strerror(number))
        return real(*given)

    return call


def test_a_file_that_another_machine_replaced_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("new")
    monkeypatch.setattr(reading, "_PAUSE_S", 0)
    for name in ("open", "read"):
        monkeypatch.setattr(reading.os, name, stale_at_first(getattr(os, name)))
    content = read_stable(str(tmp_path / "a.txt"), "a.txt")
    assert content is not None
    assert content.data == b"new"


def test_other_errors_name_the_file_and_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> bytes:
        raise OSError(5, "Input/output error")

    (tmp_path / "a\n\udcff").write_text("1")
    monkeypatch.setattr(reading.os, "read", failing)
    with pytest.raises(SnapshotError) as raised:
        read_stable(str(tmp_path / "a\n\udcff"), "a\n\udcff")
    assert 'exclude = ["a\\n?"]' in str(raised.value)
    assert "input/output error" in str(raised.value)
    str(raised.value).encode()
