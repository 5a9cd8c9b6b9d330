"""Parts of a log: its end, what came since, what stands before; and how few bytes are read for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xpm_cli.page.log import log_file
from xpm_cli.page.log.log_file import FAR, LINES, LONGEST, PART, LogFile, Part, Span
from xpm_cli.page.log.styles import PLAIN, Style
from xpm_cli.page.log.visible import text_of


class Counted:
    """A file that counts what is read of it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.count = 0

    def __del__(self) -> None:
        self._file.close()

    def fileno(self) -> int:
        return self._file.fileno()

    def seek(self, at: int) -> None:
        self._file.seek(at)

    def read(self, count: int) -> bytes:
        found = self._file.read(count)
        self.count += len(found)
        return found


def opened(path: Path, span: Span | None = None) -> LogFile:
    return LogFile(cast(BinaryIO, Counted(path)), span or Span())


def texts(part: Part) -> list[str]:
    return [str(line.html) for line in part.lines]


def written(path: Path, data: bytes) -> LogFile:
    path.write_bytes(data)
    return opened(path)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "train.err"


def test_the_end_has_the_last_lines(log: Path) -> None:
    part = written(log, b"one\ntwo\n").last()
    assert (texts(part), part.start, part.end, part.size, part.open) == (["one", "two"], 0, 8, 8, False)
    assert [line.at for line in part.lines] == [0, 4]


def test_an_empty_log_has_no_lines(log: Path) -> None:
    part = written(log, b"").last()
    assert (part.lines, part.start, part.end) == ([], 0, 0)


def test_a_line_without_an_end_comes_again(log: Path) -> None:
    part = written(log, b"one\n10 %\r20 %").last()
    assert (texts(part), part.end, part.open) == (["one", "20 %"], 4, True)
    with log.open("ab") as file:
        file.write(b"\r30 %\nnext")
    part = opened(log).news(part.end, part.file, part.style)
    assert (texts(part), part.start, part.open) == (["30 %", "next"], 4, True)


def test_colours_go_on_from_part_to_part(log: Path) -> None:
    part = written(log, b"\x1b[31mone\ntw").last()
    assert (part.style, part.open) == (Style(1), True)
    with log.open("ab") as file:
        file.write(b"o\n\x1b[0mthree\n")
    part = opened(log).news(part.end, part.file, part.style)
    assert (texts(part), part.style) == (['<span class="f1">two</span>', "three"], PLAIN)


def test_a_log_that_was_cut_or_replaced_is_said(log: Path) -> None:
    part = written(log, b"a long line\nanother\n").last()
    assert opened(log).news(part.end, part.file).lines == []
    log.write_bytes(b"cut\n")
    again = opened(log).news(part.end, part.file)
    assert (texts(again), again.fresh) == (["cut"], "the file was cut shorter")
    other = log.with_name("other")
    other.write_bytes(b"replaced, and longer than it was\n")
    other.replace(log)
    again = opened(log).news(part.end, part.file)
    assert (texts(again), again.fresh) == (["replaced, and longer than it was"], "another file has taken its place")


@pytest.mark.parametrize(
    ("at", "found"),
    [
        (0, ["é1", "\u6f22", "red"]),
        (1, ["\u6f22", "red"]),  # within a character
        (4, ["\u6f22", "red"]),
        (5, ["red"]),
        (10, []),  # within a sequence
        (100, []),
    ],
)
def test_from_within_a_line_it_begins_at_the_next_one(log: Path, at: int, found: list[str]) -> None:
    part = written(log, "é1\n漢\n\x1b[31mred\n".encode()).after(at)
    assert [text.replace('<span class="f1">', "").replace("</span>", "") for text in texts(part)] == found


def test_behind_a_carriage_return_a_line_begins(log: Path) -> None:
    file = written(log, b"10 %\r20 %\r\nnext\n")
    assert texts(file.after(5)) == ["20 %", "next"]
    assert texts(file.after(10)) == texts(file.after(11)) == ["next"]  # this one is part of the end of a line


def test_an_attempt_has_a_part_of_the_log(log: Path) -> None:
    log.write_bytes(b"first\nhalf\nsecond\nthird\n")
    part = opened(log, Span(8, 18)).last()
    assert (texts(part), part.start, part.end, part.open) == (["lf", "second"], 8, 18, False)
    assert texts(opened(log, Span(8, 18)).after(0)) == ["lf", "second"]
    part = opened(log, Span(0, 3)).last()
    assert (texts(part), part.open) == (["fir"], False), "the attempt has ended, so its line does not go on"


def test_before_and_after_meet(log: Path) -> None:
    data = b"".join(b"line %d\n" % number for number in range(3 * LINES))
    file = written(log, data)
    last = file.last()
    assert (len(last.lines), last.lines[-1].html) == (LINES, f"line {3 * LINES - 1}")
    earlier = file.before(last.start)
    assert (earlier.lines[-1].html, earlier.end) == (f"line {2 * LINES - 1}", last.start)
    assert texts(file.after(earlier.start)) == texts(earlier)


def test_many_empty_lines(log: Path) -> None:
    file = written(log, b"\n" * PART * 2)
    assert len(file.last().lines) == LINES
    assert len(file.after(0).lines) == LINES


def test_a_line_of_50_mb_is_cut_and_that_is_known(log: Path) -> None:
    with log.open("wb") as sink:
        sink.write(b"before\n")
        for _ in range(50):
            sink.write(b"x" * 1_000_000)
        sink.write(b"\nafter\n")
    file = opened(log)
    first = file.after(0)
    assert texts(first) == ["before"]
    long = file.after(first.end)
    assert [(len(line.html), line.size, line.cut) for line in long.lines] == [(LONGEST, 50_000_000, True)]
    assert texts(file.after(long.end)) == ["after"]
    last = file.before(long.end)
    assert [(line.at, len(line.html), line.size, line.cut) for line in last.lines] == [(7, LONGEST, 50_000_001, True)]
    assert (last.start, texts(file.before(last.start))) == (7, ["before"])


def test_a_long_line_is_cut_between_characters(log: Path) -> None:
    part = written(log, "漢".encode() * PART).last()
    assert (set(part.lines[0].html), part.lines[0].cut) == ({"漢"}, True)


def test_a_progress_bar_of_a_night_shows_its_newest_text(log: Path) -> None:
    with log.open("wb") as sink:
        sink.write(b"start\n")
        for step in range(30_000):
            sink.write(b"\r%6d/30000 [%s]" % (step, b"#" * 20))
    counted = Counted(log)
    part = LogFile(cast(BinaryIO, counted)).last()
    assert (str(part.lines[-1].html)[:12], part.open) == (" 29999/30000", True)
    assert len(part.lines) == 1
    counted.count = 0
    with log.open("ab") as sink:
        sink.write(b"\r 30000/30000 end")
    part = LogFile(cast(BinaryIO, counted)).news(part.end, part.file)
    assert (texts(part), part.open) == ([" 30000/30000 end"], True)
    assert counted.count < 1000
    assert texts(opened(log).after(6)) == [" 30000/30000 end"]
    assert texts(opened(log).before(opened(log).last().start)) == ["start"]


def test_a_line_without_an_end_that_is_too_long_is_closed(log: Path) -> None:
    part = written(log, b"x" * (PART + 1)).after(0)
    assert (part.open, part.end, part.lines[0].cut) == (False, PART + 1, True)
    with log.open("ab") as sink:
        sink.write(b"more\nnext\n")
    assert texts(opened(log).after(part.end)) == ["next"]


def test_a_line_whose_end_is_too_far_is_left_out_bit_by_bit(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "FAR", 2 * PART)
    file = written(log, b"x" * (5 * PART) + b"\nnext\n")
    part, found = file.after(0), list[str]()
    assert (part.lines[0].cut, part.end) == (True, 2 * PART)
    for _ in range(3):
        part = file.after(part.end)
        found += texts(part)
    assert found == ["next"]
    headless = file.before(5 * PART + 1)
    assert [(line.headless, line.cut) for line in headless.lines] == [(True, True)]


def test_the_end_of_a_gigabyte_is_shown_without_reading_it(log: Path) -> None:
    with log.open("wb") as sink:
        sink.truncate(1 << 30)  # a sparse file: zero bytes, and no end of line
        sink.seek((1 << 30) - PART)
        sink.write(b"a line of 20 bytes.\n" * (PART // 20))
    counted = Counted(log)
    file = LogFile(cast(BinaryIO, counted))
    last = file.last()
    assert counted.count <= PART + 1
    assert len(last.lines) == LINES
    counted.count = 0
    file.before(last.start)
    file.after(last.start)
    file.news(last.end, last.file)
    assert counted.count <= 3 * (PART + 2)


def test_a_gigabyte_without_an_end_of_line_is_not_read_either(log: Path) -> None:
    with log.open("wb") as sink:
        sink.truncate(1 << 30)
    for look in (
        LogFile.last,
        lambda file: file.after(0),
        lambda file: file.after(1),
        lambda file: file.before(1 << 29),
    ):
        counted = Counted(log)
        look(LogFile(cast(BinaryIO, counted)))
        assert counted.count <= FAR + PART + LONGEST * 4 + 10


LOGS = st.lists(
    st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", "é".encode(), b"\xff", b"\x1b[31m", b"\b"]), max_size=40
).map(b"".join)


@given(LOGS, st.integers(1, 5), st.integers(0, 50))
@example(b"a\r\r\n", 1, 0)
def test_parts_one_after_another_are_the_whole_log(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, lines: int, at: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "log"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "LINES", lines)
        file = opened(path)
        forward, backward = list[str](), list[str]()
        part = file.after(0)
        while part.lines:
            forward += seen(part)
            if part.open:
                break
            part = file.after(part.end, part.style)
        part = file.last()
        while part.lines:
            backward = seen(part) + backward
            part = file.before(part.start)
        whole = [text_of(line) for line in data.removesuffix(b"\n").split(b"\n")] if data else []
        assert forward == whole
        assert backward == whole
        within = file.after(at)
        assert within.start >= min(at, len(data))


def seen(part: Part) -> list[str]:
    return [str(line.html).replace('<span class="f1">', "").replace("</span>", "") for line in part.lines]


@given(LOGS, st.integers(3, 30), st.integers(1, 10))
def test_small_windows_show_no_line_that_is_not_there(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, window: int, far: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "log"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "PART", window)
        patch.setattr(log_file, "FAR", window + far)
        file = opened(path)
        at, parts = -1, 0
        part = file.after(0)
        while part.end > at and not part.open:
            at, parts = part.end, parts + 1
            part = file.after(at)
        assert part.open or part.end == os.path.getsize(path)
        assert file.last().end <= len(data)
        assert file.before(file.last().start).end <= len(data)
