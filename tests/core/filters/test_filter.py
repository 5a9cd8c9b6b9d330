"""Filters as a whole: what they answer when facts are unknown, and the short options."""

from __future__ import annotations

import copy
import itertools
import pickle
from dataclasses import replace
from typing import Any

import pytest
from helpers.filter_rows import NOW, JobRow
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import FilterError
from xpm_core.filters import Filter, Vocabulary, from_options, parse
from xpm_core.filters.filter import joined, negated
from xpm_core.states import State

ANSWERS = (True, False, None)

FACTS = [
    "state=failed,done", "state!=running", "task=Train", "task=eval*", "experiment=digits", "queue=default",
    "token=gpu", "worker=gpu-a*", "worker=none", "host!=gpu-a", "error=*Memory*", "attempts>1", "since=70m",
    "submitted<2h", "started>1h", "ended=none", "model=bm25", "model!=none", "lr>0.01", "lr=0.1,0.2", "epochs<=10",
    "id=3f", "code=8c1f2e0,live", "commit!=none", "commit=1a2b+", "accuracy>0.9", "loss.test!=none",
]  # fmt: skip

VOCABULARY = Vocabulary(
    {"model": ["bm25"]}, {"optim.lr": [0.1], "epochs": [10]}, results={"accuracy": [0.93], "loss.test": [0.2]}
)

rows = st.builds(
    JobRow,
    task=st.sampled_from(["sweep:Study.Train", "eval:Evaluate"]),
    name=st.just("Train"),
    state=st.sampled_from(State),
    tags=st.sampled_from([{}, {"model": "bm25"}, {"model": 3}, {"model": None}]),
    params=st.sampled_from([{}, {"optim.lr": 0.1, "epochs": 10}, {"optim.lr": 0.001, "epochs": None}]),
    results=st.sampled_from([{}, {"accuracy": 0.93}, {"accuracy": 0.5, "loss.test": None}]),
    experiments=st.sampled_from([(), ("digits",), ("letters", "digits")]),
    demand=st.sampled_from([{}, {"gpu": 1}]),
    worker=st.sampled_from(["", "gpu-a.1", "gpu-b.2"]),
    error_type=st.sampled_from(["", "MemoryError"]),
    code=st.sampled_from(["live", "8c1f2e0a1b2c"]),
    commit=st.sampled_from(["", "1a2b3c4d5e6f", "1a2b3c4d5e6f+"]),
    attempts=st.integers(0, 3),
    started_s=st.sampled_from([0.0, NOW - 5400]),
    ended_s=st.sampled_from([0.0, NOW - 3600]),
)
filters = st.recursive(
    st.sampled_from(FACTS),
    lambda inner: st.one_of(
        inner.map(lambda text: f"not ({text})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: "({}) {} ({})".format(*parts)),
    ),
)
hidden = st.sets(st.sampled_from([name for name in JobRow.__dataclass_fields__ if name != "identity"]))


def answer(text: str, row: JobRow) -> bool | None:
    return parse(text).bind(VOCABULARY, NOW).matches(row)


def without(row: JobRow, names: set[str]) -> JobRow:
    """The row with some facts unknown."""
    facts: dict[str, Any] = dict.fromkeys(names)
    return replace(row, **facts)


@given(filters, rows, hidden)
def test_an_answer_that_is_given_without_some_facts_is_the_one_that_is_given_with_them(
    text: str, row: JobRow, names: set[str]
) -> None:
    known = answer(text, row)
    assert known is not None
    assert answer(text, without(row, names)) in (None, known)


@given(filters, filters, rows, hidden)
def test_the_laws_of_logic_hold_also_for_unknown_facts(a: str, b: str, whole: JobRow, names: set[str]) -> None:
    row = without(whole, names)
    assert answer(f"not not ({a})", row) is answer(a, row)
    assert answer(f"({a}) and ({b})", row) is answer(f"({b}) and ({a})", row)
    assert answer(f"({a}) or ({b})", row) is answer(f"({b}) or ({a})", row)
    assert answer(f"not (({a}) and ({b}))", row) is answer(f"not ({a}) or not ({b})", row)
    assert answer(f"not (({a}) or ({b}))", row) is answer(f"not ({a}) and not ({b})", row)
    assert answer(f"({a}) and (({a}) or ({b}))", row) is answer(a, row)


@given(
    st.sampled_from([fact for fact in FACTS if "=" in fact and not set("<>!") & set(fact) and "since" not in fact]),
    rows,
    hidden,
)
def test_unequal_is_the_negation_of_equal(fact: str, whole: JobRow, names: set[str]) -> None:
    row = without(whole, names)
    assert answer(fact.replace("=", "!="), row) is answer(f"not {fact}", row)


@given(filters, rows, hidden)
def test_a_filter_that_is_written_and_parsed_again_means_the_same(text: str, whole: JobRow, names: set[str]) -> None:
    row = without(whole, names)
    assert answer(str(parse(text)), row) is answer(text, row)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(ANSWERS, ANSWERS)))
def test_and_or_and_not_are_those_of_kleene(a: bool | None, b: bool | None) -> None:
    value = {True: 1.0, None: 0.5, False: 0.0}
    row, tests = JobRow(), [lambda row: a, lambda row: b]
    assert value[joined(tests, decisive=False)(row)] == min(value[a], value[b])
    assert value[joined(tests, decisive=True)(row)] == max(value[a], value[b])
    assert value[negated(tests[0])(row)] == 1 - value[a]


def test_a_filter_reads_no_fact_after_the_one_that_decides() -> None:
    assert answer("model=svm and state=done", JobRow(state=None)) is False
    assert answer("model=bm25 or state=done", JobRow(state=None)) is True
    assert answer("model=bm25 and state=done", JobRow(state=None)) is None


def test_a_job_without_the_value_is_unequal_and_in_no_order() -> None:
    row = JobRow(params={}, tags={})
    assert answer("lr!=0.1", row) is True
    for text in ("lr=0.1", "lr<1", "lr>=0", "model=bm25", "lr!=none"):
        assert answer(text, row) is False


def test_a_bound_filter_says_what_it_reads() -> None:
    bound = parse("lr>0.01 and (state=failed or not model=bm25) and 'epochs'=3").bind(VOCABULARY)
    assert bound.fields == {"param", "state", "tag"}


def test_filters_are_joined_and_the_empty_one_asks_nothing() -> None:
    a, b, c = parse("lr>0.01"), parse("state=failed or state=done"), parse("epochs=1 and model=bm25")
    assert str(a & b & c) == "lr>0.01 and (state=failed or state=done) and epochs=1 and model=bm25"
    assert repr(a) == "Filter('lr>0.01')"
    assert Filter() & a == a & Filter() == a
    assert (str(Filter()), from_options()) == ("", Filter())
    assert Filter().bind(Vocabulary()).matches(JobRow(state=None)) is True


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"state": "failed,blocked"}, "state=failed,blocked"),
        ({"state": ["failed", "blocked,done"]}, "state=failed,blocked,done"),
        ({"task": "Train"}, "task=Train"),
        ({"experiment": "digits"}, "experiment=digits"),
        ({"since": "2h"}, "since=2h"),
        ({"tag": "model=bm25"}, "tag.model=bm25"),
        ({"tag": ("model=bm25", "lr>0.1")}, "tag.model=bm25 and tag.lr>0.1"),
        ({"tag": "tag.model=bm25,svm"}, "tag.model=bm25,svm"),
        ({"tag": "'my tag'=1"}, "tag.'my tag'=1"),
        ({"tag": "state=old"}, "tag.state=old"),
        ({"where": "lr>1 or lr<0", "state": "done", "tag": []}, "(lr>1 or lr<0) and state=done"),
        ({"where": ["lr>1", "epochs=3"]}, "lr>1 and epochs=3"),
    ],
    ids=str,
)
def test_short_options_write_a_filter(options: dict[str, Any], text: str) -> None:
    assert from_options(**options) == parse(text)
    assert str(from_options(**options)) == text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"state": ""}, "--state: '': expected a value at column 1. Write a value, such as failed."),
        ({"state": "faild"}, "--state: 'faild': unknown state 'faild' at column 1. Did you mean 'failed'?"),
        ({"since": "soon"}, "--since: 'soon': expected a duration"),
        ({"since": "2h,3h"}, "--since: '2h,3h': since takes '=' and one value at column 1"),
        ({"tag": "model"}, "--tag: 'model': expected an operator after 'model'"),
        ({"tag": "model=a or model=b"}, "--tag: 'model=a or model=b': expected one comparison at column 1"),
        (
            {"tag": "param.lr=1"},
            "--tag: 'param.lr=1': 'param.lr' is a parameter at column 1. Write the comparison in --where.",
        ),
        ({"tag": "modl=1"}, "--tag: 'modl=1': no job has a tag 'modl' at column 1. Did you mean 'tag.model'?"),
        ({"where": "lr>"}, "--where: 'lr>': expected a value"),
    ],
    ids=str,
)
def test_a_wrong_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(FilterError) as caught:
        from_options(**options).bind(VOCABULARY)
    assert message in str(caught.value)


def test_an_error_is_a_value_error_and_survives_pickling() -> None:
    with pytest.raises(ValueError, match="expected a value") as caught:
        parse("lr>")
    for other in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert (str(other), other.pointer) == (str(caught.value), caught.value.pointer)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("state=done", True),
        ("state=failed,done and lr>1", True),
        ("not state!=done", True),
        ("state!=done", False),
        ("not (state=done or lr>1)", False),
        ("state=failed", False),
        ("tag.state=done", False),
        ("lr>1", False),
    ],
)
def test_a_filter_asks_for_a_state_if_it_names_it(text: str, asks: bool) -> None:
    assert parse(text).asks_for("state", "done") is asks
