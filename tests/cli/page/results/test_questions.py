"""What a URL asks of a table, and the command that asks for the same."""

from __future__ import annotations

import shlex

import pytest
from starlette.datastructures import QueryParams

from xpm_cli.lookup.publishing.asked_table import Asked, Places
from xpm_cli.page.results.questions import asked_by, changed, command_of, curve_interval
from xpm_core.errors import ResultsError
from xpm_core.words.commands import Commands

KNOWN = {"model", "data", "a,b", "accuracy"}


def asked(text: str) -> Asked:
    return asked_by(QueryParams(text), KNOWN)


def test_names_come_with_commas_or_one_by_one_and_may_have_commas() -> None:
    assert asked("over=seed,data&over=data").over == ["seed", "data"]
    assert asked("over=a,b").over == ["a,b"]
    assert asked("sort=-a,b").sort == ["-a,b"]
    assert asked("sort=-accuracy, model").sort == ["-accuracy", "model"]
    assert asked("").form == "jobs"


def test_what_a_form_sends_with_each_table_counts_only_where_it_has_a_meaning() -> None:
    assert asked("interval=t&value=accuracy&best=lowest&rows=&over=") == Asked([], [], [], {}, None)
    found = asked("over=seed&interval=sd&low=0&rows=model&across=data&value=accuracy&best=lowest")
    assert found.settings == {"interval": "sd", "range": (0.0, float("inf"))}
    assert (found.pivot, found.lowest, found.form) == (Places(["model"], ["data"], "accuracy"), True, "pivot")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns=model&rows=model&across=data&value=accuracy", "--columns and --pivot exclude each other"),
        ("rows=model", "--pivot: expected rows, columns and a value"),
        ("over=seed&high=much", "--range high: expected a number, got 'much'"),
    ],
)
def test_contradictions_are_said(text: str, said: str) -> None:
    with pytest.raises(ResultsError, match=said):
        asked(text)


def test_the_command_asks_for_the_same() -> None:
    found = asked("over=seed&interval=sd&low=0&high=1&rows=model&across=data&value=accuracy&best=lowest&sort=-accuracy")
    words = shlex.split(command_of(Commands(), "my study", "lr>0.1 and model='x y'", found))
    assert words == [
        "xpm", "results", "my study", "--where", "lr>0.1 and model='x y'", "--sort=-accuracy", "--over", "seed",
        "--interval", "sd", "--range", "0", "1", "--pivot", "model", "data", "accuracy", "--lowest",
    ]  # fmt: skip


def test_a_url_keeps_what_is_not_changed() -> None:
    query = QueryParams("over=seed&over=data&first=200")
    assert changed("/results", query, first=None, form="csv") == "/results?over=seed&over=data&form=csv"
    assert changed("/results", QueryParams("form=csv"), form=None) == "/results"


def test_bands_have_no_bootstrap() -> None:
    assert curve_interval(QueryParams("")) == curve_interval(QueryParams("interval=")) == "t"
    with pytest.raises(ResultsError, match="curves have no interval 'bootstrap'"):
        curve_interval(QueryParams("interval=bootstrap"))
