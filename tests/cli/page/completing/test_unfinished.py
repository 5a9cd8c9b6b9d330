"""Where the last word of a filter begins, and what it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_cli.page.completing.unfinished import Expected, unfinished

NAME, OPERATOR, VALUE, JOIN = Expected.NAME, Expected.OPERATOR, Expected.VALUE, Expected.JOIN


@pytest.mark.parametrize(
    ("text", "expected", "piece", "name"),
    [
        ("", NAME, "", None),
        ("st", NAME, "st", None),
        ("optim.l", NAME, "optim.l", None),
        ("not ", NAME, "", None),
        ("not (lr", NAME, "lr", None),
        ("lr ", OPERATOR, "", "lr"),
        ("lr=", VALUE, "", "lr"),
        ("lr <= 0.", VALUE, "0.", "lr"),
        ("state=failed,bl", VALUE, "bl", "state"),
        ("state=failed,", VALUE, "", "state"),
        ("state=failed ", JOIN, "", "state"),
        ("(state=failed)", JOIN, "", "state"),
        ("state=failed a", JOIN, "a", "state"),
        ("state=failed and ", NAME, "", "state"),
        ("state=failed OR (task=Tr", VALUE, "Tr", "task"),
        ("tag.model=b", VALUE, "b", "tag.model"),
        ("param.'a b'=b", VALUE, "b", "param.'a b'"),
        ("note='two wo", VALUE, "'two wo", "note"),
        ('note="two wo', VALUE, '"two wo', "note"),
        ("note='two words'", JOIN, "", "note"),
        ("state=failed and", JOIN, "and", "state"),
    ],
)
def test_end_of_a_filter(text: str, expected: Expected, piece: str, name: str | None) -> None:
    found = unfinished(text)
    assert found is not None
    assert (found.expected, found.piece) == (expected, piece)
    if expected in (VALUE, OPERATOR):
        assert str(found.name) == name
    assert found.quotes == piece.startswith(("'", '"'))


@pytest.mark.parametrize("text", ["= ", "lr==0.1 0.2 ", ")", "lr=[1, ", "and x=", "lr && ", "tag.'a", "x" * 20_000])
def test_text_that_is_no_filter_has_no_end(text: str) -> None:
    assert unfinished(text) is None


@given(st.text())
def test_the_piece_ends_any_text(text: str) -> None:
    found = unfinished(text)
    assert found is None or text.endswith(found.piece)
