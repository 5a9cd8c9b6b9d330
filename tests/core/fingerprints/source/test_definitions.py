"""The definitions of a content: what is kept of them comes back, and what cannot be read is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xpm_core.fingerprints.source.definitions import LARGEST, Definitions, definitions

SAMPLE = (Path(__file__).parent / "golden" / "sample.txt").read_bytes()


def test_what_is_written_comes_back() -> None:
    found = definitions(SAMPLE, "a.py")
    again = Definitions.read(found.written())
    assert again is not None
    assert (again.names, again.aliases, again.stars) == (found.names, found.aliases, found.stars)
    assert (again.digest, again.written()) == (found.digest, found.written())


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"version": 1}', b'{"version": 0}', b"\xff"]
)
def test_a_damaged_document_is_as_good_as_none(damage: bytes) -> None:
    assert Definitions.read(damage) is None


def test_a_document_with_other_fields_is_as_good_as_none() -> None:
    fields = json.loads(definitions(b"x = 1", "a.py").written())
    for names in ({"x": [1]}, {"x": 3}, [1]):
        assert Definitions.read(json.dumps({**fields, "names": names}).encode()) is None


@pytest.mark.parametrize(
    ("content", "path", "problem"),
    [
        (b"def f(:", "a.py", "does not parse"),
        (b"x = 1\0", "a.py", "does not parse"),
        (b"# -*- coding: nothing -*-", "a.py", "does not parse"),
        (b"\xff\xfe", "a.py", "does not parse"),
        (b"x = " + b"(" * 5_000 + b")" * 5_000, "a.py", "does not parse"),
        (b"x = " + b"-" * 20_000 + b"1", "a.py", "does not parse, or is nested too deeply"),
        (b"x = " + b".a" * 20_000, "a.py", "does not parse"),
        (b"x = a" + b".a" * 20_000, "a.py", "does not parse, or is nested too deeply"),
        (b"x = 1 #" + b"a" * LARGEST, "a.py", "is over 1 MB of code"),
        (b"\x7fELF", "a.so", "is compiled"),
    ],
)
def test_what_cannot_be_read_has_no_definitions_and_says_why(content: bytes, path: str, problem: str) -> None:
    found = definitions(content, path)
    assert found.problem.startswith("does not parse" if "parse" in problem else problem)
    assert found.names == {}


def test_other_encodings_are_read() -> None:
    text = "# -*- coding: latin-1 -*-\nx = 'é'\n"
    plain = definitions("x = 'é'".encode(), "a.py").names["x"]
    assert definitions(text.encode("latin-1"), "a.py").names["x"].digest == plain.digest
    assert definitions("\ufeffx = 'é'".encode(), "a.py").names["x"].digest == plain.digest


def test_warnings_of_the_users_code_are_not_shown(recwarn: pytest.WarningsRecorder) -> None:
    assert definitions(b"x = '\\d'\ny = 1 is 1", "a.py").problem == ""
    assert len(recwarn) == 0


def test_members_are_those_of_inner_classes_too() -> None:
    found = definitions(b"class A:\n    def m(self): pass\n    class B:\n        def n(self): pass", "a.py")
    assert {name: sorted(each) for name, each in found.members.items()} == {
        "A": ["A.B", "A.B.n", "A.m"],
        "A.B": ["A.B.n"],
    }
