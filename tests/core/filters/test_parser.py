"""The grammar: what is written and parsed again stays the same, and any text is a filter or an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from helpers.filter_rows import NOW, JobRow
from hypothesis import example, given
from hypothesis import strategies as st

from xpm_core.errors import FilterError
from xpm_core.filters import Vocabulary, parse, parse_columns, parse_sort
from xpm_core.filters.parser import DEEPEST, LONGEST, parse_condition, parse_names, parse_values
from xpm_core.filters.syntax import And, Comparison, Condition, Literal, Name, Not, Or, all_of, any_of

KEYWORDS = ("and", "or", "not")

bare = st.from_regex(r"[^\s(),=!<>&|'\"\[{][^\s(),=!<>&|'\"]*", fullmatch=True)
bare_names = bare.filter(lambda word: word.lower() not in KEYWORDS and not word.startswith(("tag.", "param.")))
scopes = st.sampled_from(["", "tag", "param"])
names = st.one_of(
    st.builds(Name, bare_names),
    st.builds(Name, bare, st.sampled_from(["tag", "param"])),
    st.builds(Name, st.text(), scopes, st.just(True)),
)
lists = st.sampled_from(["[]", "[64, 64]", "[a,[b,'c]'],\"d}\"]", '{"a": [1]}'])
literals = st.one_of(st.builds(Literal, bare), st.builds(Literal, st.text(), st.just(True)), st.builds(Literal, lists))
comparisons = st.one_of(
    st.builds(Comparison, names, st.sampled_from(["=", "!="]), st.lists(literals, min_size=1, max_size=3).map(tuple)),
    st.builds(Comparison, names, st.sampled_from(["<", "<=", ">", ">="]), st.tuples(literals)),
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(all_of),
        st.lists(inner, min_size=2, max_size=3).map(any_of),
    ),
)


@given(conditions)
def test_a_filter_that_is_written_and_parsed_again_is_the_same(condition: Condition) -> None:
    assert parse_condition(str(condition), "filter") == condition


WORDS = """
    ( ) , = == != < <= > >= and or not AND state failed since 2h task tag. param. tag.model lr optim.lr > 0.1 1e-3
    * none 'quoted' "also [ ] { } \\ ' id started 2026-11-27 & | ! ~ - 9999-12-31 1e999 0x1F -started é
"""
pieces = st.one_of(
    st.sampled_from(WORDS.split()),
    st.sampled_from([" ", "\n", "\t", "\x00", "\u2009"]),
    st.text(max_size=5),
)
texts = st.lists(pieces, max_size=20).map("".join) | st.lists(pieces, max_size=20).map(" ".join) | st.text()


READERS: list[Callable[[str, Vocabulary, JobRow], object]] = [
    lambda text, vocabulary, row: parse(text).bind(vocabulary, NOW).matches(row),
    lambda text, vocabulary, row: len(parse_sort(text, vocabulary).sorted([row, row])) < 2,
    lambda text, vocabulary, row: [column.value(row) for column in parse_columns(text, vocabulary)] == [],
]


def error_of(text: str, read: Callable[[str, Vocabulary, JobRow], object]) -> FilterError | None:
    """The error that a text is; None if it is none, and then it has an answer."""
    row = JobRow()
    try:
        assert read(text, Vocabulary.of([row]), row) in (True, False, None)
    except FilterError as error:
        return error
    return None


@given(texts, st.sampled_from(READERS))
@example("since=9999999999999999999d", READERS[0])
@example("started>0001-01-01", READERS[0])
@example("optim.lr=" + "9" * 5000, READERS[0])
@example("optim.lr=[" + "1," * 400 + "]", READERS[0])
@example("model=" + "*a" * 500 + "b", READERS[0])
@example("x" * 9000 + "=1", READERS[0])
@example("state=" + "x" * 9000, READERS[0])
@example("optim.lr=" + "x" * 9000, READERS[0])
@example("experiment=" + "'x'," * 2000 + "y", READERS[0])
@example("id=1 " + "x" * 9000, READERS[0])
@example("- lr", READERS[1])
@example("-'x'", READERS[1])
def test_any_text_is_read_or_is_an_error_that_shows_where(
    text: str, read: Callable[[str, Vocabulary, JobRow], object]
) -> None:
    if (error := error_of(text, read)) is not None:
        shown, caret = error.pointer.split("\n")
        assert 1 <= error.column <= len(text) + 1
        assert caret.strip() == "^"
        assert len(caret) <= len(shown) + 1
        assert str(error).endswith((".", "?"))
        assert len(str(error)) < 1000


@pytest.mark.parametrize("text", ["(" * 9000, "not " * 2400, "a=" + "[" * 9000, "(" * 60 + "a=1" + ")" * 60])
def test_nesting_that_is_too_deep_is_refused(text: str) -> None:
    with pytest.raises(FilterError, match=f"nested more than {DEEPEST} deep at column"):
        parse(text)


def test_nesting_as_deep_as_allowed_is_parsed_and_asked() -> None:
    row = JobRow()
    text = "(" * DEEPEST + "epochs=10" + ")" * DEEPEST
    assert parse(text).bind(Vocabulary.of([row])).matches(row) is True
    assert parse("not " * DEEPEST + "epochs=10").bind(Vocabulary.of([row])).matches(row) is True


def test_a_filter_that_is_too_long_is_refused() -> None:
    with pytest.raises(FilterError, match=f"10004 characters, there may be {LONGEST}"):
        parse("a=1 and " * 1250 + "a=11")


def test_the_longest_filters_are_parsed_and_asked() -> None:
    row, many = JobRow(params={"a": 1}), ",".join(["2"] * 4000 + ["1"])
    vocabulary = Vocabulary.of([row])
    assert parse(" or ".join(["a=2"] * 1400 + ["a=1"])).bind(vocabulary).matches(row) is True
    assert parse(f"a={many}").bind(vocabulary).matches(row) is True


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a == 1", "a=1"),
        ("a=1 AND b=2 Or c=3", "a=1 and b=2 or c=3"),
        ("a=1 and (b=2 and c=3)", "a=1 and b=2 and c=3"),
        ("a=1 and (b=2 or c=3)", "a=1 and (b=2 or c=3)"),
        ("not (a=1)", "not a=1"),
        ("not(a=1 or b=2)", "not (a=1 or b=2)"),
        ("a = 1 , 2", "a=1,2"),
        ('a="it\'s"', "a='it\\'s'"),
        ("tag.'my tag'=x", "tag.'my tag'=x"),
        ("layers = [64, 64]", "layers=[64, 64]"),
        ("a=and", "a=and"),
    ],
)
def test_a_filter_is_written_in_one_form(text: str, same: str) -> None:
    assert str(parse(text)) == same
    assert parse(text) == parse(same)


def test_and_binds_closer_than_or_and_not_closest() -> None:
    found = parse_condition("not a=1 and b=2 or c=3", "filter")
    assert isinstance(found, Or)
    assert isinstance(found.parts[0], And)
    assert isinstance(found.parts[0].parts[0], Not)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a name, got the end at column 1. Write NAME=VALUE"),
        ("lr>>0.01", "expected a value after '>' at column 4. Write NAME=VALUE"),
        ("lr", "expected an operator after 'lr', got the end at column 3"),
        ("lr=", "expected a value after '=' at column 4"),
        ("lr=1,", "expected a value after ',' at column 6"),
        ("lr<1,2", "several values after '<' at column 5. Write one value"),
        ("a=1 b=2", "expected 'and', 'or' or the end, got 'b' at column 5"),
        ("a=1 and", "expected a name, got the end at column 8"),
        ("and=1", "expected a name, got 'and' at column 1"),
        ("(a=1", "expected ')', got the end at column 5. Close the '(' of column 1."),
        ("a=1)", "')' closes nothing at column 4"),
        ("a=1 && b=2", "unknown operator '&' at column 5. Write 'and'"),
        ("a=1 || b=2", "unknown operator '|' at column 5. Write 'or'"),
        ("!a=1", "unknown operator '!' at column 1. Write 'not'"),
        ("a='x", "a quote begins and does not end at column 3"),
        ("tag.=1", "expected a name after 'tag.' at column 1. Write tag.NAME"),
        ("a=tag.'x'", "expected a value after '=' at column 3"),
        ("a=[1,(2)", "'[' is not closed at column 3"),
        ("a=[1}", "'}' closes another bracket at column 5"),
    ],
)
def test_an_error_says_what_was_expected_and_where(text: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text, "--where")
    assert str(caught.value).startswith(f"--where: {text!r}: {message}")


def test_the_caret_stands_below_the_column_also_in_a_long_text() -> None:
    with pytest.raises(FilterError) as caught:
        parse("lr>>0.01")
    assert caught.value.pointer == "lr>>0.01\n   ^"
    with pytest.raises(FilterError) as caught:
        parse("epochs=1 and " * 20 + "lr\t>>0.01")
    shown, caret = caught.value.pointer.split("\n")
    assert len(shown) <= 72
    assert shown[len(caret) - 1 :] == ">0.01"


def test_values_and_names_alone_are_parsed_with_their_errors() -> None:
    assert [literal.text for literal in parse_values("failed, 'a,b'", "--state")] == ["failed", "a,b"]
    assert [(sign, str(name)) for sign, name in parse_names("-started, +lr,tag.'x'", "--sort", "+-")] == [
        ("-", "started"),
        ("+", "lr"),
        ("", "tag.'x'"),
    ]
    with pytest.raises(FilterError, match="expected ',' or the end, got 'b' at column 3"):
        parse_values("a b", "--state")
    with pytest.raises(FilterError, match="expected ',' or the end, got '=' at column 3"):
        list(parse_names("lr=1", "--columns"))
    with pytest.raises(FilterError, match=r"expected a value at column 1\. Write a value"):
        parse_values("", "--state")
