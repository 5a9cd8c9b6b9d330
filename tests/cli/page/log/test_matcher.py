"""Matches in a log: in the text that people see, line by line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_cli.page.log import matcher
from xpm_cli.page.log.matcher import matches
from xpm_cli.page.log.visible import text_of


def facts(path: Path, data: bytes, wanted: str, *, regex: bool = False, start: int = 0) -> list[dict[str, Any]]:
    path.write_bytes(data)
    with path.open("rb", buffering=0) as file:
        return list(matches(file, wanted, regex=regex, start=start, stop=len(data)))


def found(path: Path, data: bytes, wanted: str, *, regex: bool = False, start: int = 0) -> list[tuple[int, int, str]]:
    all_facts = facts(path, data, wanted, regex=regex, start=start)
    return [(each["at"], each["line"], each["match"]) for each in all_facts if "match" in each]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.mark.parametrize(
    ("data", "wanted", "lines"),
    [
        (b"loss 1\nLoss 2\nloss 3", "loss", [1, 2, 3]),
        (b"loss 1\nLoss 2\n", "Loss", [2]),
        (b"\x1b[1mepoch\x1b[0m 3\nepoch 4\n", "epoch 3", [1]),
        (b"10 %\r20 %\n", "10 %", []),
        (b"10 %\r20 %\n", "20 %", [1]),
        (b"a.b\naxb\n", "a.b", [1]),
        ("größer\nGRÖSSER\n".encode(), "größ", [1]),
        (b"x\n\n\nx\n", "x", [1, 4]),
        (b"a\xffb\n", "a", [1]),
    ],
)
def test_text_is_found_as_it_is_seen(log: Path, data: bytes, wanted: str, lines: list[int]) -> None:
    assert [line for _, line, _ in found(log, data, wanted)] == lines


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [("loss=[0-9]+$", [1]), ("^b", [2]), ("LOSS", []), ("l.ss", [1, 2]), (r"\A.*\Z", [1, 2, 3]), ("s=1[^x]b", [])],
)
def test_expressions_are_of_one_line(log: Path, wanted: str, lines: list[int]) -> None:
    assert [line for _, line, _ in found(log, b"loss=1\nb loss=x\nc\n", wanted, regex=True)] == lines


def test_an_expression_that_is_wrong_is_an_error(log: Path) -> None:
    with pytest.raises(re.error, match="unterminated subpattern"):
        found(log, b"x\n", "(", regex=True)


def test_what_stands_around_a_match_is_cut(log: Path) -> None:
    [fact] = [each for each in facts(log, b"a" * 1000 + b"needle" + b"b" * 1000, "needle") if "match" in each]
    assert (len(fact["before"]), fact["match"], len(fact["after"])) == (60, "needle", 200)
    [fact] = [each for each in facts(log, b"a" * 1000, "a+", regex=True) if "match" in each]
    assert (fact["before"], len(fact["match"]), len(fact["after"])) == ("", 200, 200)


def test_it_goes_on_where_it_was(log: Path) -> None:
    data = b"x1\ny\nx2\n"
    first = next(each for each in facts(log, data, "x") if "match" in each)
    assert (first["at"], first["next"]) == (0, 3)
    assert found(log, data, "x", start=first["next"]) == [(5, 2, "x")]


@pytest.mark.parametrize("block", [3, 16, 1 << 22])
def test_blocks_do_not_cut_lines(log: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(matcher, "BLOCK", block)
    data = b"".join(b"line %d\n" % number for number in range(100))
    assert [line for _, line, _ in found(log, data, "line 7")] == [8, *range(71, 81)]
    last = [each for each in facts(log, data, "nothing") if "read" in each][-1]
    assert last == {"read": len(data), "line": 100}


def test_only_the_beginning_of_a_long_line_is_searched_and_that_is_known(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matcher, "BLOCK", 64)
    monkeypatch.setattr(matcher, "LONGEST", 100)
    data = b"first\n" + b"x" * 500 + b"needle\nneedle\n"
    said = facts(log, data, "needle")
    assert [each["long"] for each in said if "long" in each] == [6]
    assert [(each["at"], each["line"]) for each in said if "match" in each] == [(513, 3)]


@given(
    st.lists(st.sampled_from([b"a", b"B", b"ab", b"\n", b"\r", b"\x1b[1m", b"\b", "é".encode(), b"\xff"]), max_size=40),
    st.sampled_from(["a", "ab", "B", "é", "ba"]),
    st.integers(1, 9),
)
def test_each_line_that_shows_the_text_is_found(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], wanted: str, block: int
) -> None:
    data = b"".join(parts)
    folds = wanted == wanted.lower()
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    texts = [text_of(line).lower() if folds else text_of(line) for line in lines]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matcher, "BLOCK", block)
        seen = [line for _, line, _ in found(tmp_path_factory.getbasetemp() / "log", data, wanted)]
    assert seen == [number for number, text in enumerate(texts, 1) if wanted in text]
