"""Lists for programs: JSON, JSON lines and CSV."""

from __future__ import annotations

import csv
import io
import json

from xpm_cli.output.forms import as_csv, as_json, as_json_lines


def test_json_begins_with_its_version() -> None:
    text = as_json({"total": 2}, "jobs", [{"id": "a"}, {"id": "é"}])
    assert list(json.loads(text).items()) == [("schema", 1), ("total", 2), ("jobs", [{"id": "a"}, {"id": "é"}])]


def test_json_lines_are_one_object_each() -> None:
    lines = list(as_json_lines([{"id": "a\nb"}, {"id": "c"}]))
    assert [json.loads(line) for line in lines] == [{"id": "a\nb"}, {"id": "c"}]
    assert not any("\n" in line for line in lines)


def test_csv_quotes_what_needs_it_and_writes_objects_as_json() -> None:
    rows = [["a,b", 0.1, None, True], ['"', "two\r\nlines", {"lr": 0.1}, [1]]]
    head, first, second = as_csv(["w", "x", "y", "z"], rows)
    assert (head, first) == ("w,x,y,z", '"a,b",0.1,,True')
    assert next(csv.reader(io.StringIO(second, newline=""))) == ['"', "two\r\nlines", '{"lr": 0.1}', "[1]"]
