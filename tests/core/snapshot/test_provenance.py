"""Provenance: a document that equal runs share, and that later versions may extend."""

from __future__ import annotations

import json
from typing import Any

import pytest

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.provenance import GitState, Provenance, Tree

GIT = GitState("1a2b3c4d" * 5, "main", ("train.py",), 1)
FULL = Provenance(
    "8c" * 32,
    (Tree("digits", ("/home/me/digits", "/data/me/digits"), GIT), Tree("lib", ("/home/me/lib",))),
    script="train.py",
    arguments=("--epochs", "3"),
    variables={"CUDA_VISIBLE_DEVICES": "0"},
)


def test_document_that_is_read_equals_the_one_that_was_written() -> None:
    again = Provenance.read(FULL.written())
    assert again.written() == FULL.written()
    assert again.trees[0].git is not None
    assert again.trees[0].git.is_dirty
    assert again.trees[1].git is None


def test_each_path_to_a_root_leads_to_its_tree() -> None:
    assert FULL.roots == {"/home/me/digits": "digits", "/data/me/digits": "digits", "/home/me/lib": "lib"}


def test_fields_of_a_later_version_are_passed_over() -> None:
    written = json.loads(FULL.written())
    written["colour"] = written["trees"][0]["git"]["colour"] = written["trees"][0]["colour"] = "red"
    assert Provenance.read(json.dumps(written).encode()).written() == FULL.written()


@pytest.mark.parametrize("change", [{"trees": None}, {"trees": [{}]}, {"trees": [7]}], ids=repr)
def test_malformed_document_is_refused(change: dict[str, Any]) -> None:
    written = {**json.loads(FULL.written()), **change}
    with pytest.raises(SnapshotError, match="provenance: it is malformed"):
        Provenance.read(json.dumps(written).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"7", b"null", b'{"snapshot": ""}'])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError, match="malformed"):
        Provenance.read(data)
