"""Colours and marks of a terminal as CSS classes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_cli.page.log.styles import PLAIN, Style, nearest, rgb, styled

STYLES = st.builds(
    Style,
    st.none() | st.integers(0, 255),
    st.none() | st.integers(0, 255),
    st.sets(st.sampled_from("bdirsu")).map(lambda marks: "".join(sorted(marks))),
)


@pytest.mark.parametrize(
    ("numbers", "classes"),
    [
        ("31", "f1"),
        ("1;31", "f1 b"),
        ("31;1", "f1 b"),
        ("97;104", "f15 k12"),
        ("38;5;208;1", "f208 b"),
        ("38:5:208;48:5:16", "f208 k16"),
        ("38;2;255;0;0", "f196"),
        ("38:2::255:0:0", "f196"),
        ("38:2:255:0:0", "f196"),
        ("48;2;128;128;128", "k244"),
        ("4:3", "u"),
        ("4:3;4:0", ""),
        ("1;2;3;4;7;9", "b d i r s u"),
        ("1;2;22", ""),
        ("1;31;0", ""),
        ("1;31;", ""),
        ("31;39;41;49", ""),
        ("38;5", ""),
        ("38;5;300", ""),
        ("38;2;1;2", ""),
        ("38;2;1;2;256;1", "b"),
        ("38", ""),
        ("8;5;73;999", ""),
        ("9" * 5000, ""),
        ("\u0663\u0661", ""),  # digits, but not those of ASCII
    ],
)
def test_numbers_become_classes(numbers: str, classes: str) -> None:
    assert styled(PLAIN, numbers).classes == classes


@given(STYLES)
def test_a_style_comes_back_from_its_code(style: Style) -> None:
    assert styled(PLAIN, style.code) == style


@given(STYLES, st.text("0123456789;:", max_size=40))
def test_any_numbers_give_a_style_that_has_a_class(style: Style, numbers: str) -> None:
    found = styled(style, numbers)
    assert all(each is None or 0 <= each <= 255 for each in (found.front, found.back))
    assert set(found.marks) <= set("bdirsu")


@given(st.integers(16, 255))
def test_a_colour_of_the_palette_is_the_nearest_one_to_itself(colour: int) -> None:
    assert rgb(nearest(*rgb(colour))) == rgb(colour)
