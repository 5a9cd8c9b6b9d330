"""Runs have identities that follow from their content, and nothing in them is lost without a word."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from xpm_core.errors import ExchangeError
from xpm_core.exchange.foreign.roles import Asked, choose
from xpm_core.exchange.foreign.runs import Runs, runs_of
from xpm_core.exchange.foreign.sheet import Column, Line, Sheet


def runs(*lines: Line, results: tuple[str, ...] = ("accuracy",), tags: tuple[str, ...] = ()) -> Runs:
    sheet = Sheet("csv", "runs.csv", "0")
    for number, line in enumerate(lines, start=2):
        line.where = line.where or f"line {number}"
        for name in line.values:
            sheet.add(Column(name, name))
        sheet.append(line)
    return runs_of(sheet, choose(sheet, Asked(results=results, tags=tags)))


def line(run: str = "", failed: bool = False, **values: Any) -> Line:
    return Line("", values, run=run, failed=failed)


def ids(found: Runs) -> list[str]:
    return [each["id"] for each in found.kept]


def test_a_run_is_strict_json_with_its_parameters_tags_and_results() -> None:
    found = runs(line(lr=0.1, model="svm", accuracy=math.nan), tags=("model",))
    [kept] = found.kept
    assert json.loads(json.dumps(kept, allow_nan=False)) == {
        "id": kept["id"],
        "where": "line 2",
        "params": {"lr": 0.1},
        "tags": {"model": "svm"},
        "results": {"accuracy": None},
        "not_finite": {"results.accuracy": "nan"},
    }
    assert kept["id"].startswith("csv:")
    assert len(kept["id"]) == 68
    assert found.notes == ["accuracy: 1 value of it is NaN or infinite (the first in line 2). They are kept."]


def test_identities_follow_from_the_content() -> None:
    first = ids(runs(line(lr=0.1, accuracy=1), line(lr=0.2, accuracy=1)))
    assert ids(runs(line(lr=0.2, accuracy=1), line(lr=0.1, accuracy=1))) == first[::-1]
    others = [line(lr=0.1, accuracy=2), line(lr=0.1, accuracy=1, failed=True), line(lr="0.1", accuracy=1), line(lr=0.1)]
    assert len({*first, *(ids(runs(line(accuracy=0), each))[1] for each in others)}) == 6


def test_equal_rows_without_ids_all_count_and_are_named() -> None:
    found = runs(line(lr=0.1, accuracy=1), line(lr=0.2, accuracy=1), line(lr=0.1, accuracy=1))
    assert len(set(ids(found))) == 3
    assert found.notes == [
        "Rows that are equal: line 2 and line 4. Each of them counts. If one is a copy, remove it from runs.csv, and "
        "import that again."
    ]


def test_a_run_with_an_id_counts_once() -> None:
    found = runs(line("a", accuracy=1), line("b", accuracy=1), line("a", accuracy=1))
    assert len(found.kept) == 2
    assert found.notes == ["1 run came twice, with the same id and values, and counts once."]


def test_a_run_with_two_contents_is_refused() -> None:
    with pytest.raises(ExchangeError, match="run a stands in line 2 and in line 3, with different values"):
        runs(line("a", accuracy=1), line("a", accuracy=2))


def test_two_types_in_a_column_are_said() -> None:
    found = runs(line(accuracy=1, lr=0.1), line(accuracy="bad", lr="auto"), line(accuracy=0.5, lr=0.2))
    assert found.notes == [
        "accuracy has two types: 2 numbers and 1 text ('bad' in line 3). They are kept as they are.",
        "lr has two types: 2 numbers and 1 text ('auto' in line 3). They are kept as they are.",
    ]


def test_words_for_nothing_are_no_results_and_no_second_type() -> None:
    found = runs(line(accuracy=1), line(accuracy="N/A", lr=1))
    assert ([each["results"] for each in found.kept], found.notes) == ([{"accuracy": 1}, {}], [])


def test_what_no_cell_can_hold_is_left_out_and_said() -> None:
    found = runs(
        line(accuracy=1, curve=[1, 2], text="x" * 300, big=2**70), results=("accuracy", "curve", "text", "big")
    )
    assert found.kept[0]["results"] == {"accuracy": 1}
    reason = "no cell of a table can hold them (lists, long texts, huge integers)"
    assert found.notes == [f"Left out, because {reason}: curve, text, big."]


def test_a_list_is_a_parameter_as_it_is_and_a_tag_as_text() -> None:
    [kept] = runs(line(accuracy=1, sizes=[1, 2], tagged=[1]), tags=("tagged",)).kept
    assert (kept["params"], kept["tags"]) == ({"sizes": [1, 2]}, {"tagged": "[1]"})


def test_a_decimal_comma_in_a_result_is_refused() -> None:
    with pytest.raises(ExchangeError, match=r"line 3: accuracy: '0,912' has a decimal comma. Write points: 0.912"):
        runs(line(accuracy=1), line(accuracy="0,912"))


def test_runs_that_took_a_time_have_an_end() -> None:
    sheet = Sheet("csv", "runs.csv", "0")
    sheet.add(Column("accuracy", "accuracy", "result"))
    sheet.append(Line("line 2", {"accuracy": 1}, started_s=1000.0, seconds=60.0))
    [kept] = runs_of(sheet, choose(sheet, Asked())).kept
    assert (kept["started"], kept["ended"]) == (1000.0, 1060.0)


def test_nothing_that_has_ended_is_an_error() -> None:
    sheet = Sheet("csv", "runs.csv", "0")
    sheet.add(Column("accuracy", "accuracy", "result"))
    with pytest.raises(ExchangeError, match="no run of it has ended"):
        runs_of(sheet, choose(sheet, Asked()))
