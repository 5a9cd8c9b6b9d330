"""Values are compared by their own kind, not by the form of what was typed."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.filter_rows import JobRow

from xpm_core.errors import FilterError
from xpm_core.filters import Vocabulary, parse
from xpm_core.filters.values import kind_and_value, read_number, shown

DATE = {"datetime": "2026-11-27T14:30:05"}


def answer(value: Any, condition: str) -> bool | None:
    """Whether a job matches whose parameter `x` has that value."""
    row = JobRow(params={"x": value})
    return parse(f"x{condition}").bind(Vocabulary.of([row])).matches(row)


@pytest.mark.parametrize(
    ("value", "right", "wrong"),
    [
        (0.001, ["=1e-3", "=0.001", "=.001", "=+1E-3", "<=0.001", "!=0.002", "=7,0.001"], ["<0.001", "=1", "!=1e-3"]),
        (3, ["=3", "=3.0", "=0x3", ">2.5", "='3'", "!=none"], ["=4", ">3", "=none", "!=3"]),
        (10**30, [f"={10**30}", f"=0x{10**30:x}", ">1e29"], [f"={10**30 + 1}"]),
        ({"int": hex(2**2000)}, [f"=0x{2**2000:x}", ">1e300"], ["<0"]),
        ({"float": "inf"}, ["=inf", ">1e308"], ["=1e308"]),
        ({"float": "-inf"}, ["=-inf", "<0"], ["=inf"]),
        ({"float": "nan"}, ["=nan"], ["=0", "<0", ">0"]),
        (True, ["=true", "=yes", "=True", "!=false", "=no,yes"], ["=false", "=no"]),
        (False, ["=false", "=No"], ["=true"]),
        (None, ["=none", "=None", "=null", "!=3", "=3,none"], ["=3", "='none'", "!=none"]),
        ("mlp", ["=mlp", "='mlp'", "=m*", "=?lp", "<n", ">=mlp", "!=svm", "=svm,mlp"], ["=MLP", "='m*'", "=ml", ">n"]),
        ("0.10", ["=0.10"], ["=0.1"]),
        ("none", ["=none", "='none'"], ["=null"]),
        ("a*b", ["='a*b'", "=a*b"], ["='a?b'"]),
        ("[x]", ["=[x]", "='[x]'"], ["=[y]"]),
        ("a, b", ["='a, b'", '="a, b"'], ["=a"]),
        ("it's \\", [r"='it\'s \\'"], ["=it"]),
        ({"enum": "sweep:Norm.BATCH"}, ["=BATCH", "=Norm.BATCH", "=sweep:Norm.BATCH", "=B*"], ["=LAYER", "=batch"]),
        ({"path": "/data/mnist"}, ["=/data/mnist", "=/data/*", "!=/data"], ["=/data"]),
        ({"path": "model.pt", "in": "job"}, ["=model.pt", "=*.pt"], ["=*.txt"]),
        ([64, 64], ["=[64,64]", "=[64, 64.0]", "=[1],[64,64]"], ["=[64]", "=[64,65]", "=[true,64]"]),
        ({"tuple": ["relu", {"tuple": [1]}]}, ["=[relu,[1]]", '=["relu", [1]]', "=['relu',[0x1]]"], ["=[[1],relu]"]),
        ([], ["=[]"], ["=[1]"]),
        ([None, True, {"enum": "a:B.C"}], ["=[none,true,C]"], ["=[none,false,C]"]),
        ({"set": [1, 2]}, ["=[2,1]", "=[1,2]"], ["=[1,1]", "=[1]", "=[1,2,3]"]),
        ({"a": 1, "b": [2]}, ['={"a": 1, "b": [2]}', "={b:[2],a:1}"], ["={a:1}"]),
        ({"dict": [[1, "x"]]}, ['={"1": x}'], ["={a:x}"]),
        ({"path": 3, "other": 1}, ['={"path": 3, "other": 1}'], ["={path:3}"]),
        ({"timedelta": 7200.0}, ["=2h", "=120m", "=7200", "=1h60m", ">1h", "<3h", "<=2h"], ["=1h", ">2h"]),
        (DATE, ["=2026-11-27", "=2026-11-27T14:30", "='2026-11-27 14:30:05'", ">2026-11-26", "<2026-11-28",
                "<=2026-11-27", ">=2026-11-27"], [">2026-11-27", "<2026-11-27", "=2026-11-28"]),
        ({"date": "2026-11-27"}, ["=2026-11-27", "<2026-11-28"], [">2026-11-27"]),
        ({"time": "14:30:00"}, ["=14:30:00", "<15"], ["=15"]),
        ({"bytes": "00ff"}, ["=00ff"], ["=00fe"]),
        ({"text": "Fraction(1, 2)"}, ["='Fraction(1, 2)'"], ["=x"]),
        ({"object": {"class": "a:B", "fields": {"n": 1}}}, ["={n:1}"], ["={n:2}"]),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_is_compared_by_its_kind(value: Any, right: list[str], wrong: list[str]) -> None:
    assert {condition: answer(value, condition) for condition in right} == dict.fromkeys(right, True)
    assert {condition: answer(value, condition) for condition in wrong} == dict.fromkeys(wrong, False)


@pytest.mark.parametrize(
    ("value", "condition", "message"),
    [
        (
            0.1,
            ">abc",
            "expected a number, got 'abc' at column 3. The values of x are numbers, such as 0.1: write x>0.1.",
        ),
        (0.1, "=0.1,abc", "expected a number, got 'abc' at column 7"),
        (0.1, "=0.*", "expected a number, got '0.*'"),
        (1, "=true", "expected a number, got 'true'"),
        (1, ">none", "expected = or !=, got '>' at column 3"),
        (True, "=1", "expected true or false, got '1'"),
        (True, "<true", "expected = or !=, got '<' at column 3. The values of x are true or false, such as true"),
        ({"enum": "a:B.C"}, "<C", "expected = or !=, got '<'"),
        (
            {"path": "/data"},
            ">/data",
            "expected = or !=, got '>' at column 3. The values of x are paths, such as /data",
        ),
        ([64, 64], "=64,64", "expected a list, such as [64,64], got '64'"),
        ([64, 64], "=[64,]", "expected a list, such as [64,64], got '[64,]'"),
        ({"a": 1}, "=3", "expected a map"),
        ({"set": [1]}, "=1", "expected a set"),
        (DATE, "=soon", "expected a date, such as 2026-11-27 or 2026-11-27T14:30, got 'soon'"),
        (DATE, "=2026-02-30", "expected a date"),
        ({"timedelta": 3.0}, "=soon", "expected a duration, such as 30s, 10m, 2h or 3d, got 'soon'"),
    ],
    ids=str,
)
def test_a_value_that_fits_no_job_is_refused(value: Any, condition: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        answer(value, condition)
    assert message in str(caught.value)


def test_values_of_several_kinds_are_each_compared_by_their_own() -> None:
    rows = [JobRow(params={"x": value}) for value in (3, "3", None, [3], 4, "four")] + [JobRow(params={})]
    vocabulary = Vocabulary.of(rows)

    def answers(text: str) -> list[bool | None]:
        return [parse(text).bind(vocabulary).matches(row) for row in rows]

    assert answers("x=3") == [True, True, False, False, False, False, False]
    assert answers("x>3") == [False, False, False, False, True, True, False]
    assert answers("x=four,[3]") == [False, False, False, True, False, True, False]
    assert answers("x=none") == [False, False, True, False, False, False, True]
    assert answers("x!=3") == [False, False, True, True, True, True, True]


def test_a_kind_that_the_vocabulary_has_not_seen_is_compared_all_the_same() -> None:
    bound = parse("x=3").bind(Vocabulary(parameters={"x": ["text"]}))
    assert [bound.matches(JobRow(params={"x": value})) for value in (3, 3.0, "3", 4)] == [True, True, True, False]


class Text(str):
    """A text of a class of its own, as the graph of a script may hold it."""


def test_a_value_of_a_subclass_is_compared_as_the_plain_one() -> None:
    bound = parse("x=a*").bind(Vocabulary(parameters={"x": [Text("abc")]}))
    assert bound.matches(JobRow(params={"x": Text("abc")})) is True


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("1.", 1.0), ("1e3", 1000.0), ("0x1f", 31), ("-inf", float("-inf")), ("1_000", None), ("", None),
     ("one", None), ("1e", None), ("٣", None), ("9" * 5000, float("inf"))],
)  # fmt: skip
def test_numbers_are_read_as_they_are_written(text: str, number: float | None) -> None:
    found = read_number(text)
    assert (type(found), found) == (type(number), number)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (True, "true"), (None, "none"), ("mlp", "mlp"), ("a b", "'a b'"), ("none", "'none'"),
     ([1, "a"], '[1, "a"]'), ({"timedelta": 60.0}, "60s"), ({"path": "/data"}, "/data"), ("x" * 50, "x" * 40 + "…")],
)  # fmt: skip
def test_an_example_in_an_error_is_written_as_in_a_filter(value: Any, text: str) -> None:
    assert shown(value) == text


def test_a_dict_that_only_looks_like_a_typed_value_is_a_dict() -> None:
    assert kind_and_value({"int": "x"}) == ("map", {"int": "x"})
    assert kind_and_value({"path": "/a", "in": "job", "more": 1})[0] == "map"
