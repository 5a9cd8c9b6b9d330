"""Which lines of a file people see of a definition."""

from __future__ import annotations

from textwrap import dedent

import pytest

from xpm_core.fingerprints.source.definitions import definitions
from xpm_core.fingerprints.source.lines import SourceLines
from xpm_core.fingerprints.source.pieces import MODULE

SOURCE = dedent('''
    """A docstring."""
    import os  # first
    from a import (
        b,
    )

    LR = 0.1
    x, y = 1, 2


    @register(name="m")
    class Model(Base):
        """What it is."""

        size = 3

        @property
        def forward(self):
            return 1

        @forward.setter
        def forward(self, value):
            pass

        class Inner:
            z = 1

        def back(self):
            return 2


    def plain(n):
        return n


    def late(n=make()):
        return n


    if os.name == "nt":
        def where():
            return 1
    else:
        def where():
            return 2

    print("x")

    if __name__ == "__main__":
        main()
''').lstrip("\n")  # fmt: skip


def text_of(name: str, *others: str, source: str = SOURCE) -> str:
    lines = SourceLines(source.encode())
    return "\n".join(lines.texts[number - 1] for number in lines.of(name, others))


def test_a_definition_has_its_raw_lines() -> None:
    assert text_of("LR") == "LR = 0.1"
    assert text_of("x") == text_of("y") == "x, y = 1, 2"
    assert text_of("plain") == "def plain(n):\n    return n"
    assert text_of("where").count("def where") == 2
    assert text_of("Model.forward").count("def forward") == 2, "both have one name"
    assert text_of("Model.forward").startswith("    @property\n")
    assert text_of("Model.Inner") == "    class Inner:\n        z = 1"


def test_a_class_is_shown_without_what_stands_elsewhere() -> None:
    assert text_of("Model", "Model.forward", "Model.Inner", "Model.back") == (
        '@register(name="m")\nclass Model(Base):\n    """What it is."""\n\n    size = 3'
    )
    assert "def back" in text_of("Model", "Model.forward", "Model.Inner")


def test_the_code_of_a_module_is_what_an_import_runs() -> None:
    found = text_of(MODULE, "LR")
    for line in ("import os  # first", "x, y = 1, 2", '@register(name="m")', "def late(n=make()):", 'print("x")'):
        assert line in found.splitlines(), line
    for line in ("LR = 0.1", "def plain", "__main__", "return", "docstring", "size"):
        assert line not in found.replace("return 1", "").replace("return 2", ""), line


def test_imports_are_found() -> None:
    lines = SourceLines(SOURCE.encode())
    assert [lines.texts[number - 1] for number in lines.imports] == [
        "import os  # first",
        "from a import (",
        "    b,",
        ")",
    ]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_python_does(ends: str) -> None:
    source = f"a = 1{ends}# \x0c \x1c \u2028 no end of a line{ends}def f():{ends}    return 1"
    assert text_of("f", source=source) == "def f():\n    return 1"


def test_all_definitions_of_the_fingerprints_have_lines() -> None:
    lines = SourceLines(SOURCE.encode())
    assert set(definitions(SOURCE.encode(), "a.py").names) == set(lines.names)
    assert lines.of("unknown") == []


def test_of_a_file_that_does_not_parse_all_lines_count() -> None:
    assert text_of("f", source="def f(:\n  1") == "def f(:\n  1"
    assert SourceLines(b"\xff\n").texts == ["\ufffd"]
