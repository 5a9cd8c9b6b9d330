"""Values of many jobs in columns: a job's values are a mapping, and nothing is unpacked that nobody asks for."""

from __future__ import annotations

from typing import Any

import pytest

from xpm_core.index import columns
from xpm_core.index.columns import Cells, Columns

ROWS = [
    {"lr": 0.1, "data": {"path": "/a"}, "big": 2**100},
    {"lr": None, "data": {"path": "/b"}, "big": 1},
    {"lr": 2, "data": [1, {"x": 2}], "big": 0},
]


def kept(rows: list[dict[str, Any]]) -> list[Cells]:
    """The rows as they are after they were written and read."""
    found = Columns.read(Columns.of(rows).data())
    return [Cells(found, at) for at in range(len(rows))]


def test_the_values_of_each_job_are_those_that_were_written() -> None:
    assert [dict(cells) for cells in kept(ROWS)] == ROWS
    assert kept(ROWS) == ROWS
    assert kept(ROWS)[0] != ROWS[1]


def test_a_job_is_a_mapping() -> None:
    cells = kept(ROWS)[0]
    assert (list(cells), len(cells)) == (["lr", "data", "big"], 3)
    assert ("lr" in cells, "size" in cells) == (True, False)
    assert (cells.get("lr"), cells.get("size"), cells.get("size", 7)) == (0.1, None, 7)
    with pytest.raises(KeyError):
        cells["size"]
    assert repr(cells) == repr(ROWS[0])


def test_jobs_without_names_are_empty_mappings() -> None:
    assert kept([{}, {}]) == [{}, {}]
    assert not kept([{}])[0]


def test_only_what_is_asked_for_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[object] = []
    plain = columns._unpacked
    monkeypatch.setattr(columns, "_unpacked", lambda data: unpacked.append(data) or plain(data))
    cells = kept(ROWS)
    assert [each.get("lr") for each in cells] == [0.1, None, 2]
    assert cells[0].get("size") is None
    assert len(unpacked) == 1


def test_samples_have_a_value_of_each_kind() -> None:
    rows = [{"x": value} for value in (1, 2, "a", {"path": "/a"}, {"path": "/b"}, {"enum": "m:E.A"}, None)]
    found = Columns.read(Columns.of(rows).data())
    assert found.samples == {"x": [1, "a", {"path": "/a"}, {"enum": "m:E.A"}, None]}
