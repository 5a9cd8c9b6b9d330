"""Which words are proposed, and that a filter with a proposed value finds the jobs that have it."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_cli.page.completing.unfinished import unfinished
from xpm_cli.page.completing.words import MOST, MOST_VALUES, Word, names, proposed, values, written
from xpm_core.filters import Vocabulary, parse
from xpm_core.filters.syntax import Name
from xpm_core.states import State

VOCABULARY = Vocabulary(
    tags={"model": ["bm25"], "state": ["x"], "a b": [1], "lr": [0.1]},
    parameters={"optim.lr": [0.1], "train.size": [1], "eval.size": [2], "seed": [1], "tag.x": [1]},
    results={"accuracy": [0.5], "seed": [1]},
    experiments={"digits", "two words"},
    tasks={"sweep:Train", "sweep:Eval", "other:Train"},
)


def row(**facts: Any) -> Any:
    """A job with some facts."""
    return SimpleNamespace(**{"tags": {}, "params": {}, "results": {}, "host": None, "demand": None, **facts})


ROWS = [row(tags={"model": "bm25"}, params={"seed": n}, host="a", demand={"gpu": 1}) for n in (10, 9, 9)]


def words(text: str, rows: list[Any] = ROWS) -> list[str]:
    """The words that can come next."""
    found = unfinished(text)
    assert found is not None
    return [each.word for each in proposed(text, found, VOCABULARY, lambda name: values(VOCABULARY, name, rows))]


def test_each_name_that_is_proposed_means_what_it_says() -> None:
    for word in names(VOCABULARY):
        if word.about != "of each job":
            (comparison,) = [parse(f"{word.word}=1").condition]
            scopes = VOCABULARY.resolve(comparison.name).scopes  # type: ignore[union-attr]
            assert scopes[0] == {"tag": "tag", "parameter": "param", "result": "result"}[word.about], word


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("sta", ["state", "started", "tag.state"]),
        ("siz", ["param.train.size", "param.eval.size"]),
        ("acc", ["accuracy"]),
        ("lr ", ["=", "!=", "<"]),
        ("state=f", ["failed"]),
        ("state=failed,b", ["blocked"]),
        ("task=", ["Eval", "Train"]),
        ("experiment=", ["digits", "'two words'"]),
        ("experiment='", ["'digits'", "'two words'"]),
        ('experiment="tw', ["'two words'"]),
        ("seed=", ["9", "10"]),
        ("model=", ["bm25"]),
        ("host=", ["a"]),
        ("since=", []),
        ("nothing=", []),
        ("state=failed", ["failed"]),
        ("state=failed ", ["and", "or"]),
        ("(state=failed)", [" and", " or"]),
        ("state=failed o", ["or"]),
        ("no", ["not"]),
    ],
)
def test_words_that_come_next(text: str, first: list[str]) -> None:
    found = words(text)
    assert found[: len(first)] == first
    assert bool(found) == bool(first)


def test_values_say_how_many_jobs_have_them() -> None:
    assert values(VOCABULARY, Name("seed", "param"), ROWS) == [Word("9", "2 jobs"), Word("10", "1 job")]


def test_no_more_words_than_anybody_reads() -> None:
    many = [row(params={"seed": n}) for n in range(MOST_VALUES + 10)]
    assert len(values(VOCABULARY, Name("seed", "param"), many)) == MOST_VALUES
    assert len(words("param.seed=", many)) == MOST


@given(
    st.one_of(
        st.integers(), st.booleans(), st.none(), st.text(), st.floats(allow_nan=False), st.sampled_from(State),
        st.builds(lambda text: {"path": text}, st.text(min_size=1)),
        st.builds(lambda text: {"enum": f"m:Norm.{text}"}, st.sampled_from(["BATCH", "LAYER"])),
        st.builds(lambda seconds: {"timedelta": seconds}, st.integers(0, 10**6).map(float)),
    )
)  # fmt: skip
def test_a_filter_with_a_value_that_is_proposed_finds_it(value: Any) -> None:
    text = written(value)
    if text:
        bound = parse(f"param.x={text}").bind(Vocabulary(parameters={"x": [value]}))
        assert bound.matches(row(params={"x": value})) is True


@pytest.mark.parametrize("value", ["two\nlines", "x" * 200, [1, 2], {"a": 1}])
def test_what_nobody_would_pick_is_not_proposed(value: Any) -> None:
    assert written(value) == ""
    assert values(Vocabulary(tags={"x": [value]}), Name("x"), [row(tags={"x": value})]) == []


def test_numbers_that_are_none_come_last() -> None:
    vocabulary = Vocabulary(tags={"x": [1.0, math.nan]})
    found = values(vocabulary, Name("x"), [row(tags={"x": value}) for value in (math.nan, 2.0, -1)])
    assert [each.word for each in found] == ["-1", "2.0", "nan"]
