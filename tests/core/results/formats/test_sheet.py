"""The flat form of a table, and values as people read them."""

from __future__ import annotations

from helpers.result_jobs import FakeJob, table

from xpm_core.results.formats.sheet import Sheet, flat, is_folded, is_number, plain, text_of
from xpm_core.states import State


def test_a_column_of_cells_becomes_one_of_each_part() -> None:
    jobs = [FakeJob({"lr": lr, "seed": seed}, {"f1": lr + seed}) for lr in (1, 2) for seed in range(3)]
    found = flat(table(jobs).over("seed").sheet())
    assert list(found) == ["lr", "f1.mean", "f1.sd", "f1.n", "f1.low", "f1.high", "f1.method"]
    assert (found["lr"], found["f1.mean"], found["f1.method"]) == ([1, 2], [2.0, 3.0], ["95 % t", "95 % t"])


def test_a_column_of_cells_and_texts_keeps_both() -> None:
    jobs = [FakeJob({"lr": lr, "seed": seed}, {"f1": lr if lr > 1 else "none"}) for lr in (1, 2) for seed in range(3)]
    found = flat(table(jobs).over("seed").sheet())
    assert (found["f1"], found["f1.mean"], found["f1.n"]) == (["none", None], [None, 2.0], [None, 3])


def test_values_as_texts() -> None:
    assert [text_of(value) for value in (None, True, 0.123456, 3, State.DONE, "x")] == [
        "", "True", "0.1235", "3", "done", "x",
    ]  # fmt: skip
    assert text_of(0.123456, exact=True) == "0.123456"
    assert (plain({"a": (1,)}), plain({1, 2}).startswith("{")) == ('{"a": [1]}', False)


def test_what_is_a_number_and_what_is_a_cell() -> None:
    assert [is_number(value) for value in (1, 0.5, True, "1", State.DONE)] == [True, True, False, False, False]
    assert not is_folded((1, 2))
    assert Sheet(["a"], [[1], [2]]).column(0) == [1, 2]
