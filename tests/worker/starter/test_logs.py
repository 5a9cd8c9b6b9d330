"""Logs are kept below a size: their beginning, a notice, and their end."""

from __future__ import annotations

import math
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from xpm_worker.starter.logs import LONGEST_END, Log, Logs

LIMIT = 100_000
NOTICE = re.compile(rb"\[xpm: ([0-9.]+) MB are left out here, a log may have 0.1 MB\]\n")


def lines(start: int, count: int) -> bytes:
    return b"".join(b"line %07d %s\n" % (number, b"x" * 80) for number in range(start, start + count))


def append(path: Path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def shortened(path: Path) -> None:
    logs = Logs([path], LIMIT, nullcontext)
    logs.close()


def test_a_log_below_the_limit_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    data = lines(0, LIMIT // 100)
    append(path, data)
    shortened(path)
    assert path.read_bytes() == data


def test_of_a_larger_one_the_middle_is_left_out_between_two_lines(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, lines(0, 50_000))
    size = path.stat().st_size
    shortened(path)
    data = path.read_bytes()
    assert len(data) <= LIMIT
    begin, megabytes, end = NOTICE.split(data)
    assert (begin.splitlines()[0], begin[-1:], end[-1:]) == (lines(0, 1).strip(), b"\n", b"\n")
    assert begin == lines(0, len(begin) // len(lines(0, 1)))
    assert end == lines(50_000 - len(end) // len(lines(0, 1)), len(end) // len(lines(0, 1)))
    assert abs(float(megabytes) * 1e6 - (size - len(begin) - len(end))) < 1e5


def test_what_is_printed_afterwards_follows_and_is_left_out_in_its_turn(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, lines(0, 5000))
    log = Log(path, LIMIT)
    log.shorten()
    append(path, b"more\n")
    assert path.read_bytes().endswith(b"\nmore\n")
    append(path, lines(5000, 5000))
    log.shorten()
    log.close()
    data = path.read_bytes()
    assert len(NOTICE.findall(data)) == 1
    assert float(NOTICE.findall(data)[0]) == pytest.approx(0.9, abs=0.1), "of all that was printed"
    assert data.startswith(lines(0, 10))
    assert data.endswith(lines(9990, 10))


def test_a_log_without_lines_is_cut_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, b"x" * 10 * LIMIT)
    shortened(path)
    assert path.stat().st_size <= LIMIT


def test_a_log_from_before_is_shortened_too(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, lines(0, 5000))
    shortened(path)
    append(path, lines(5000, 5000))
    shortened(path)
    assert path.stat().st_size <= LIMIT
    assert path.read_bytes().endswith(lines(9990, 10))


def test_nothing_is_looked_at_before_it_is_time(tmp_path: Path) -> None:
    path = tmp_path / "log"
    logs = Logs([path, tmp_path / "none"], LIMIT, nullcontext)
    assert logs.due == math.inf
    logs.start(10.0)
    append(path, lines(0, 5000))
    assert logs.due < math.inf
    logs.look(10.0)
    assert path.stat().st_size > LIMIT
    logs.look(logs.due)
    assert path.stat().st_size <= LIMIT
    assert logs.due > 10.25
    logs.close()
    assert logs.due == math.inf


def test_with_no_limit_a_log_has_any_size(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, lines(0, 5000))
    logs = Logs([path], 0, nullcontext)
    logs.start(0.0)
    assert logs.due == math.inf
    logs.close()
    assert path.read_bytes() == lines(0, 5000)


def test_what_a_job_has_put_in_the_place_of_a_log_is_its_own(tmp_path: Path) -> None:
    own, link, pipe, folder = tmp_path / "own", tmp_path / "link", tmp_path / "pipe", tmp_path / "folder"
    append(own, lines(0, 5000))
    link.symlink_to(own)
    os.mkfifo(pipe)
    folder.mkdir()
    Logs([link, pipe, folder, tmp_path / "gone"], LIMIT, nullcontext).close()
    assert own.read_bytes() == lines(0, 5000)


def test_a_log_that_is_deleted_while_it_grows_is_shortened_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, lines(0, 900))
    logs = Logs([path], LIMIT, nullcontext)
    logs.start(0.0)
    logs.look(1.0)
    with open(path, "ab") as file:
        path.unlink()
        file.write(lines(0, 5000))
        file.flush()
        logs.look(2.0)
        assert os.fstat(file.fileno()).st_size <= LIMIT
        logs.close()


def test_a_writer_that_is_kept_still_meanwhile_loses_only_what_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    quiet, pauses = threading.Lock(), []

    def write() -> None:
        with open(path, "ab", buffering=0) as file:
            for number in range(0, 60_000, 10):
                with quiet:
                    file.write(lines(number, 10))

    @contextmanager
    def still() -> Iterator[None]:
        with quiet:
            pauses.append(path.stat().st_size)
            yield

    path.touch()
    thread = threading.Thread(target=write)
    thread.start()
    logs, second = Logs([path], LIMIT, still), 0.0
    logs.start(second)
    while thread.is_alive():
        second += 1
        logs.look(second)
    logs.close()
    assert pauses
    begin, _, end = NOTICE.split(path.read_bytes())
    assert begin == lines(0, len(begin) // len(lines(0, 1)))
    assert end == lines(60_000 - len(end) // len(lines(0, 1)), len(end) // len(lines(0, 1)))


def test_the_end_that_is_kept_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, b"x" * 99 + b"\n")
    with open(path, "ab") as file:
        file.truncate(10 * LONGEST_END * 4)
    logs = Logs([path], 8 * LONGEST_END, nullcontext)
    logs.close()
    assert path.stat().st_size < 5 * LONGEST_END + 1000
