"""Words for people."""

from __future__ import annotations

import io
import os

import pytest

from xpm_core.words.text import line, plain, say, shows_glyphs


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("two\nlines\tand tabs", "two lines and tabs"),
        ("\x1b[2J\x07erased", "?[2J?erased"),
        ("日本語 é", "日本語 é"),
        (0.1, "0.1"),
        ("a" * 50, "a" * 39 + "…"),
    ],
)
def test_text_from_elsewhere_becomes_one_harmless_line(text: object, shown: str) -> None:
    assert line(text, 40) == shown


def test_glyphs_fall_back_where_they_cannot_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), "ascii", "backslashreplace")
    assert not shows_glyphs(ascii_only)
    assert shows_glyphs(io.TextIOWrapper(io.BytesIO(), "utf-8"))
    monkeypatch.setattr("sys.stderr", ascii_only)
    say("✗ failed · 3 …")
    assert ascii_only.buffer.getvalue() == b"x failed - 3 ...\n"
    assert plain("✓ ● ⧗ ↻") == "v * ~ @"


def test_message_that_nobody_can_read_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    closed = io.StringIO()
    closed.close()
    unread = io.TextIOWrapper(io.FileIO(writer, "w"), "utf-8", write_through=True)  # type: ignore[type-var]
    for stream in (unread, closed, None):
        monkeypatch.setattr("sys.stderr", stream)
        say("done")
    unread.close()
