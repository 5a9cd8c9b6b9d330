"""Exports of wandb in each form that its page and its Python API give."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from xpm_core.errors import ExchangeError
from xpm_core.exchange.foreign.sheet import Sheet
from xpm_core.exchange.foreign.wandb import read_wandb

RUN = {
    "id": "3kq1",
    "name": "brisk-sun-1",
    "state": "finished",
    "created_at": "2026-11-27T12:00:00Z",
    "host": "gpu-a",
    "commit": "1a2b3c4d5e6f7a8b",
    "tags": ["first"],
    "config": {"lr": 0.1, "optim": {"name": "adam"}, "sizes": [64, 32], "_wandb": {"cli": 1}, "none": None},
    "summary": {
        "accuracy": 0.9,
        "loss": {"min": 0.1},
        "test/f1": "NaN",
        "best": "model.pt",
        "curve": {"_type": "histogram", "bins": [1]},
        "_runtime": 60,
        "_step": 3,
    },
}
VALUES = {"config.lr": 0.1, "config.optim.name": "adam", "config.sizes": [64, 32]}
RESULTS = {"summary.accuracy": 0.9, "summary.loss.min": 0.1}


def read(folder: Path, content: str) -> Sheet:
    file = folder / "export"
    file.write_text(content)
    return read_wandb(file)


def values(sheet: Sheet, *, roles: tuple[str | None, ...] = ("param", "result")) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in line.values.items() if sheet.columns[key].role in roles} for line in sheet.lines
    ]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([RUN]),
        json.dumps(RUN),
        json.dumps(RUN, indent=1),
        json.dumps({"runs": [RUN]}),
        json.dumps(RUN) + "\n\n" + json.dumps({**RUN, "state": "running"}) + "\n",
        json.dumps([{**RUN, "config": json.dumps(RUN["config"]), "summary": json.dumps(RUN["summary"])}]),
        json.dumps({name: {"0": value} for name, value in RUN.items()}),
        json.dumps([{**{k: v for k, v in RUN.items() if k != "summary"}, "summary_metrics": RUN["summary"]}]).replace(
            "summary_metrics", "summaryMetrics"
        ),
    ],
)
def test_runs_come_as_objects(tmp_path: Path, content: str) -> None:
    sheet = read(tmp_path, content)
    [found] = values(sheet, roles=("param", "result"))
    found = {key.replace("summaryMetrics", "summary"): value for key, value in found.items()}
    f1 = found.pop("summary.test/f1", "NaN")
    assert (found, f1) == ({**VALUES, **RESULTS}, "NaN")
    [line] = sheet.lines
    assert (line.run, line.failed, line.host, line.commit) == ("3kq1", False, "gpu-a", "1a2b3c4d5e6f")
    assert (line.started_s, line.seconds) == (1795780800.0, 60)


def test_texts_of_a_summary_are_results_only_if_they_are_named(tmp_path: Path) -> None:
    column = read(tmp_path, json.dumps([RUN])).columns["summary.best"]
    assert (column.role, column.fact) == (None, True)


def test_the_table_of_the_api_has_dicts_as_python_writes_them(tmp_path: Path) -> None:
    content = (
        ",summary,config,name\n"
        "0,\"{'accuracy': 0.9, 'loss': nan, '_step': 3}\",\"{'lr': 0.1, 'on': True}\",brisk-sun-1\n"
        "1,{},\"{'lr': 0.2}\",calm-sea-2\n"
    )
    first, second = values(read(tmp_path, content))
    assert math.isnan(first.pop("summary.loss"))
    assert (first, second) == ({"summary.accuracy": 0.9, "config.lr": 0.1, "config.on": True}, {"config.lr": 0.2})


def test_the_table_of_the_page_has_a_column_for_each_value(tmp_path: Path) -> None:
    content = (
        '"Name","State","Notes","User","Tags","Created","Runtime","Sweep","lr","accuracy"\n'
        '"brisk-sun-1","finished","-","ana","","2026-11-27T12:00:00.000Z","60","","0.1","0.9"\n'
        '"calm-sea-2","crashed","-","ana","","2026-11-27T12:00:00.000Z","5","","0.2",""\n'
    )
    sheet = read(tmp_path, content)
    assert values(sheet, roles=(None,))[0] == {
        "Name": "brisk-sun-1", "State": "finished", "Notes": "-", "User": "ana",
        "Created": "2026-11-27T12:00:00.000Z", "Runtime": 60, "lr": 0.1, "accuracy": 0.9,
    }  # fmt: skip
    assert [key for key, column in sheet.columns.items() if not column.fact] == ["lr", "accuracy"]
    assert [(line.failed, line.seconds) for line in sheet.lines] == [(False, 60), (True, 5)]


def test_values_beside_their_descriptions_are_unwrapped(tmp_path: Path) -> None:
    run = {"config": {"lr": {"desc": None, "value": 0.1}, "both": {"value": 1, "other": 2}}, "summary": {"a": 1}}
    [found] = values(read(tmp_path, json.dumps([run])))
    assert found == {"config.lr": 0.1, "config.both.value": 1, "config.both.other": 2, "summary.a": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is empty"),
        ("[]", "it has no runs"),
        ("[1]", "run 1: expected an object, got int"),
        ('[{"config": 3}]', "run 1: config: expected an object, got int"),
        ('[{"config": "{broken"}]', "run 1: config: expected an object, got str"),
        ('[{"config": {}},\n', "export:2: it is no JSON"),
        ('{"config": {}}\n{"config": {}\n', "export:2: it is no JSON"),
        ('{"config": {}}\n\n[1]\n', "export:3: expected an object, got list"),
        ("[" * 100_000, "it is n"),
        ('[{"summary": ' + '{"x": ' * 3000 + "1" + "}" * 3000 + "}]", "it is nested too deep"),
        ("summary,config\nbroken,{}\n", "export:2: summary: expected a dict or JSON, got 'broken'"),
        ('"Step","brisk-sun-1 - loss"\n1,0.5\n', "it is the export of a chart"),
    ],
)
def test_what_is_no_export_is_one_error(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        read(tmp_path, content)
    assert said in str(caught.value)


def test_halves_of_characters_are_replaced(tmp_path: Path) -> None:
    sheet = read(
        tmp_path, '[{"config": {"na\\ud800me": "te\\ud800xt", "deep": [{"\\ud800": 1}]}, "summary": {"a": 1}}]'
    )
    json.dumps([line.values for line in sheet.lines], ensure_ascii=False).encode()
