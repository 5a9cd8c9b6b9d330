"""Replies of a server, with anything in them that others could have written."""

from __future__ import annotations

from typing import Any

import pytest

from xpm_core.reading.events import Record
from xpm_core.states import Event
from xpm_core.store.replies import map_of, map_or_none, shown, text_of


@pytest.mark.parametrize(("value", "text"), [(b"a\xc3\xa9", "aé"), (b"\xff\x00", "\\xff\x00"), ("x", "x"), (3, "3")])
def test_a_value_is_a_text(value: Any, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize("value", [b"", None, b"[]", b"3", b"{", b"\x80\x04N.", b"[" * 100_000])
def test_what_holds_no_map_is_none(value: Any) -> None:
    assert map_or_none(value) is None
    assert map_of(value) == {}


def test_a_map_is_read() -> None:
    assert map_of(b'{"a": 1}') == {"a": 1}
    assert map_or_none(b"{}") == {}


def test_an_event_that_says_what_cannot_be_read_says_nothing() -> None:
    record = Record("1-0", Event.PROGRESS, 1.0, "j", "t", "e", "w", {"data": "\\x80\\x04", "error": "[1]"})
    assert (record.said, record.error) == ({}, {})


def test_what_is_shown_has_nothing_that_acts_on_a_terminal() -> None:
    assert shown("a\x1b[2J\r\x9b1m b\n\tc é 🙂") == "a?[2J??1m b\n\tc é 🙂"
    assert shown({"\x1b": ["\x00", 1, None, {"a": "\x7f"}]}) == {"?": ["?", 1, None, {"a": "?"}]}
