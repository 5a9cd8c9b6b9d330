"""What a column is: as it was named, as the source says, or by its name."""

from __future__ import annotations

from typing import Any

import pytest

from xpm_core.errors import ExchangeError
from xpm_core.exchange.foreign.roles import Asked, choose, words_of
from xpm_core.exchange.foreign.sheet import Column, Line, Sheet


def sheet(*columns: Column, rows: list[dict[str, Any]] | None = None) -> Sheet:
    found = Sheet("csv", "runs.csv", "0")
    for column in columns:
        found.add(column)
    for number, values in enumerate(rows or [{each.key: 0.5 for each in columns}], start=2):
        found.append(Line(f"line {number}", values))
    return found


PLAIN = [Column(name, name) for name in ("lr", "model", "val/acc", "test_loss", "seed")]
SAID = [
    Column("config.lr", "lr", "param"), Column("config.loss", "loss", "param"),
    Column("summary.loss", "loss", "result"), Column("summary.lr", "lr", "result"), Column("id", "id", fact=True),
]  # fmt: skip


def test_names_decide_if_nothing_else_does() -> None:
    chosen = choose(sheet(*PLAIN), Asked())
    assert (chosen.names("param"), chosen.names("result")) == (["lr", "model", "seed"], ["val/acc", "test_loss"])
    assert set(chosen.guessed) == {"param", "result"}


def test_a_parameter_that_is_named_after_a_result_is_none() -> None:
    names = ["loss_weight", "kl_coef", "score_threshold", "reward_scale", "weighted_f1", "error_rate", "loss"]
    chosen = choose(sheet(*(Column(name, name) for name in names)), Asked())
    assert chosen.names("result") == ["weighted_f1", "error_rate", "loss"]


def test_a_text_is_no_result_by_its_name() -> None:
    rows = [{"loss": "mse", "accuracy": 0.5, "score": True}]
    chosen = choose(sheet(*(Column(name, name) for name in rows[0]), rows=rows), Asked())
    assert (chosen.names("param"), chosen.names("result")) == (["loss", "score"], ["accuracy"])


@pytest.mark.parametrize(
    ("asked", "params", "results", "left"),
    [
        (Asked(params=["lr", "seed"]), ["lr", "seed"], ["model", "val/acc", "test_loss"], []),
        (Asked(results=["test_loss"]), ["lr", "model", "val/acc", "seed"], ["test_loss"], []),
        (Asked(params=["lr"], results=["test_loss"]), ["lr"], ["test_loss"], ["model", "val/acc", "seed"]),
        (Asked(params=["rate=lr"], results=["acc=val/acc"]), ["rate"], ["acc"], ["model", "test_loss", "seed"]),
        (Asked(tags=["model"]), ["lr", "seed"], ["val/acc", "test_loss"], []),
    ],
)
def test_columns_are_what_they_were_named_as(
    asked: Asked, params: list[str], results: list[str], left: list[str]
) -> None:
    chosen = choose(sheet(*PLAIN), asked)
    assert (chosen.names("param"), chosen.names("result"), chosen.left) == (params, results, left)
    assert chosen.names("tag") == list(asked.tags or [])


def test_the_source_says_what_its_columns_are() -> None:
    chosen = choose(sheet(*SAID), Asked())
    assert chosen.columns == {
        "config.lr": ("param", "lr"),
        "config.loss": ("param", "loss"),
        "summary.loss": ("result", "loss"),
        "summary.lr": ("result", "lr"),
    }
    assert (chosen.guessed, chosen.left) == ([], ["id"])


def test_a_name_means_the_column_of_that_role_first() -> None:
    chosen = choose(sheet(*SAID), Asked(params=["lr", "id"], results=["loss"]))
    assert list(chosen.columns) == ["config.lr", "summary.loss", "id"]
    assert chosen.left == ["config.loss", "summary.lr"]


@pytest.mark.parametrize(
    ("columns", "asked", "said"),
    [
        (PLAIN, Asked(results=["test_los"]), "--results: runs.csv has no column 'test_los'. Did you mean test_loss?"),
        (PLAIN, Asked(params=["a=lrr"]), "--params: runs.csv has no column 'lrr'. Did you mean lr?"),
        (PLAIN, Asked(params=["lr"], tags=["lr"]), "--tags: 'lr' is named twice"),
        (PLAIN, Asked(params=["a=lr", "a=seed"]), "two columns are the param 'a': lr and seed"),
        (PLAIN[:2], Asked(), "no column looks like a result (columns: lr, model). Name the results: --results"),
        (SAID, Asked(tags=["lr"]), "several columns are named 'lr': config.lr, summary.lr"),
    ],
)
def test_what_cannot_be_decided_is_one_error(columns: list[Column], asked: Asked, said: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        choose(sheet(*columns), asked)
    assert said in str(caught.value)


def test_options_have_several_names_each() -> None:
    assert words_of(["lr, model", "seed", ","]) == ["lr", "model", "seed"]
    assert words_of([]) is None
