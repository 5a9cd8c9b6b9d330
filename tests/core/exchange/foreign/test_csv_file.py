"""A CSV file is read as it was meant, or refused by one error that says where, why, and what to do."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import ExchangeError
from xpm_core.exchange.foreign.csv_file import read_csv, table_of
from xpm_core.exchange.foreign.sheet import Sheet


def read(folder: Path, content: str | bytes) -> Sheet:
    file = folder / "runs.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_csv(file)


def test_each_row_is_a_run_with_its_line(tmp_path: Path) -> None:
    sheet = read(tmp_path, "lr,model,accuracy\n0.1,svm,0.9\n\n0.2,mlp,\n")
    assert [(line.where, line.values) for line in sheet.lines] == [
        ("line 2", {"lr": 0.1, "model": "svm", "accuracy": 0.9}),
        ("line 4", {"lr": 0.2, "model": "mlp"}),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "lr;model\n0.1;svm\n",
        "lr\tmodel\n0.1\tsvm\n",
        "lr,model\r\n0.1,svm\r\n",
        "\ufefflr,model\n0.1,svm\n",
        '"lr","model"\n"0.1","svm"',
        ",lr,model\n0,0.1,svm\n",
        "Unnamed: 0,lr,model\n0,0.1,svm\n",
        "lr,model,\n0.1,svm,\n",
        "lr,model\n0.1,svm,,\n",
    ],
)
def test_forms_that_programs_write_are_one(tmp_path: Path, content: str) -> None:
    assert [line.values for line in read(tmp_path, content).lines] == [{"lr": 0.1, "model": "svm"}]


def test_blanks_around_values_make_no_other_value(tmp_path: Path) -> None:
    sheet = read(tmp_path, 'lr, model, size\n0.1, svm , "64, 32"\n0.1,svm,"64, 32"\n0.1, "svm", "64, 32"\n')
    assert [line.values for line in sheet.lines] == [{"lr": 0.1, "model": "svm", "size": "64, 32"}] * 3
    (line,) = read(tmp_path, "lr,model\n0.1, svm\n").lines
    assert line.values == {"lr": 0.1, "model": "svm"}


def test_a_quoted_value_may_have_commas_quotes_and_ends_of_lines(tmp_path: Path) -> None:
    sheet = read(tmp_path, 'name of it,accuracy\n"a, ""b""\nc",1\nd,2\n')
    assert [line.values["name of it"] for line in sheet.lines] == ['a, "b"\nc', "d"]
    assert sheet.lines[1].where == "line 4"


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=2, max_size=2)))
def test_what_the_csv_module_writes_is_read(rows: list[list[str]]) -> None:
    rows = [row for row in rows if any(each.strip() for each in row)]
    if not rows:
        return
    file = io.StringIO(newline="")
    csv.writer(file).writerows([["first", "second"], *rows])
    assert [row for _, row in table_of(file.getvalue(), "x.csv").rows] == rows


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "runs.csv: it is empty. Name a file with runs."),
        (b"\n\n", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (b"lr,accuracy\n", "it has a header and no rows"),
        ("lr,modèle\n0.1,svm\n".encode("latin-1"), "runs.csv:1: byte 0xe8 is not UTF-8"),
        ("lr,model\n0.1,svm\n0.1,é\n".encode("latin-1"), "runs.csv:3: byte 0xe9 is not UTF-8"),
        ("lr,model\n0.1,svm\n".encode("utf-16"), "it is UTF-16"),
        (b"lr,model\n0.1,\x00\n", "runs.csv:2: it has a NUL byte"),
        (b"PK\x03\x04rest", "it is a zip archive or an Excel file. Save it as CSV."),
        (b"\x1f\x8brest", "it is compressed"),
        (b"lr,model\n0.1\n", "runs.csv:2: it has 1 value, and the header has 2 columns"),
        (b"lr,accuracy\n0.1,0,912\n", "Are there decimal commas? Write points (0.912)."),
        (b"lr,lr\n1,2\n", "runs.csv:1: two columns are named 'lr'. Rename one of them."),
        (b"lr,,accuracy\n1,2,3\n", "column 2 has no name"),
        (b'lr,model\n0.1,"svm\n0.2,mlp\n', "runs.csv:2: it is no CSV (unexpected end of data)"),
        (b'lr,model\n0.1,"svm"x\n', "runs.csv:2: it is no CSV"),
        (
            b"lr;accuracy\n0.1;0.9\n0.2;0,912\n",
            "runs.csv:3: accuracy: '0,912' has a decimal comma. Write points: 0.912.",
        ),
        (b"lr;n\n1.234,5;1\n", "runs.csv:2: lr: '1.234,5' has a decimal comma. Write points: 1234.5."),
        (b"lr,a\n0.1," + b"x" * 200_000, "field larger than field limit"),
    ],
)
def test_what_is_no_such_table_is_one_error(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        read(tmp_path, content)
    assert said in str(caught.value)
    assert str(tmp_path / "runs.csv") in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match=r"cannot be read \(No such file"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(ExchangeError, match=r"it is a folder. Name a file."):
        read_csv(tmp_path)


def test_texts_with_commas_are_no_decimal_commas(tmp_path: Path) -> None:
    sheet = read(tmp_path, "sizes;accuracy\n64,32,16;1\n64,32;2\n")
    assert [line.values["sizes"] for line in sheet.lines] == ["64,32,16", "64,32"]


def test_states_and_times_are_facts(tmp_path: Path) -> None:
    rows = "1,FINISHED,2026-11-27T12:00:00Z\n2,failed,\n3,Running,\n4,killed,\n"
    sheet = read(tmp_path, f"accuracy,status,start_time\n{rows}")
    assert [(line.where, line.failed, line.started_s) for line in sheet.lines] == [
        ("line 2", False, 1795780800.0),
        ("line 3", True, None),
        ("line 5", True, None),
    ]
    assert list(sheet.columns) == ["accuracy", "status", "start_time"]
    assert sheet.columns["status"].fact
    assert sheet.notes == ["Left out, because they had not ended: 1 run (1 Running)."]


def test_a_state_that_is_none_is_a_column_like_others(tmp_path: Path) -> None:
    sheet = read(tmp_path, "state,accuracy\nTexas,1\nOhio,2\n")
    assert [line.values["state"] for line in sheet.lines] == ["Texas", "Ohio"]
    assert not sheet.columns["state"].fact


def test_prefixes_of_mlflow_say_what_a_column_is(tmp_path: Path) -> None:
    sheet = read(tmp_path, "run_id,params.lr,metrics.val/acc,tags.mlflow.user,tags.model\nab,0.1,0.9,ana,svm\n")
    assert [(each.name, each.role, each.fact) for each in sheet.columns.values()] == [
        ("run_id", None, True),
        ("lr", "param", False),
        ("val/acc", "result", False),
        ("tags.mlflow.user", None, True),
        ("model", "tag", False),
    ]
    assert sheet.lines[0].run == "ab"


def test_what_is_not_finite_is_kept(tmp_path: Path) -> None:
    sheet = read(tmp_path, "lr,loss\n1,nan\n1,-inf\n")
    assert math.isnan(sheet.lines[0].values["loss"])
    assert sheet.lines[1].values["loss"] == -math.inf
