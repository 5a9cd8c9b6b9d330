"""Keys, as terminals send them."""

from __future__ import annotations

import pytest

from xpm_cli.watch.keys import BACKSPACE, CLEAR, DOWN, END, ENTER, ESCAPE, HOME, PAGE_DOWN, PAGE_UP, UP, Keys


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"jk/?", ["j", "k", "/", "?"]),
        (b"\r\n", [ENTER, ENTER]),
        (b"\x7f\x08\x15", [BACKSPACE, BACKSPACE, CLEAR]),
        (b"\x1b[A\x1b[B\x1bOA\x1bOB", [UP, DOWN, UP, DOWN]),
        (b"\x1b[1;5A\x1b[6;2~", [UP, PAGE_DOWN]),
        (b"\x1b[5~\x1b[6~\x1b[H\x1b[F\x1b[1~\x1b[4~\x1bOH", [PAGE_UP, PAGE_DOWN, HOME, END, HOME, END, HOME]),
        (b"\x1bj", [ESCAPE, "j"]),
        ("é日".encode(), ["é", "日"]),
        (b"\x1b[15~\x1b[Z\x00\x1b[200~x", ["x"]),  # keys without a name here
    ],
)
def test_keys_have_names(data: bytes, names: list[str]) -> None:
    keys = Keys()
    assert keys.feed(data) == names
    assert not keys.pending


@pytest.mark.parametrize("data", [b"\x1b[5~", b"\x1bOA", b"\x1b[1;5A", "日".encode()])
def test_a_key_that_arrives_in_parts_is_one_key(data: bytes) -> None:
    whole = Keys().feed(data)
    keys = Keys()
    assert [name for byte in data for name in keys.feed(bytes([byte]))] == whole
    assert len(whole) == 1


def test_an_escape_that_nothing_follows_is_the_key() -> None:
    keys = Keys()
    assert (keys.feed(b"\x1b"), keys.pending, keys.rest(), keys.pending) == ([], True, [ESCAPE], False)
    assert keys.rest() == []
    assert (keys.feed(b"\x1b["), keys.rest()) == ([], [ESCAPE, "["])


def test_bytes_that_are_no_text_end_nothing() -> None:
    assert Keys().feed(b"\xffj")[-1] == "j"
