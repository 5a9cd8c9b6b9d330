"""The form of a mark: what was written is read, and what nobody of us has written is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from xpm_core.diagnosis.mark import Mark, versions

MARK = Mark("node1-ab", "0123", 1000.0, "node1", "/data/xpm", 10**9, {"xpm": "0.1"}, -3.5)


def test_mark_that_was_written_is_read() -> None:
    assert Mark.read(MARK.written()) == MARK


@pytest.mark.parametrize(
    "changes",
    [
        {"at_s": "now"},
        {"nonce": 5},
        {"versions": ["x"]},
        {"versions": {"xpm": 1}},
        {"free_bytes": None},
        {"path": None},
    ],
    ids=str,
)
def test_mark_with_a_wrong_value_is_none(changes: dict[str, Any]) -> None:
    assert Mark.read(json.dumps({**json.loads(MARK.written()), **changes})) is None


@pytest.mark.parametrize("written", ["", "{", "[]", "{}", '{"daemon": "x"}'])
def test_what_is_no_mark_is_none(written: str) -> None:
    assert Mark.read(written) is None


def test_field_of_a_later_version_is_passed_over() -> None:
    assert Mark.read(json.dumps({**json.loads(MARK.written()), "colour": "red"})) == MARK


def test_versions_name_python_and_the_packages() -> None:
    assert {"python", "xpm", "redis", "rq"} <= versions().keys()
