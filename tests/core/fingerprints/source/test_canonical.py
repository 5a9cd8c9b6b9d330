"""Canonical source: equal on all Pythons, blind to layout, and to nothing that is executed."""

from __future__ import annotations

import ast
import io
import json
import keyword
import os
import shutil
import subprocess
import tokenize
import warnings
from pathlib import Path
from types import CodeType

import pytest
from helpers.project_files import ROOT
from hypothesis import assume, given
from hypothesis import strategies as st

from xpm_core.fingerprints.source.canonical import canonical
from xpm_core.fingerprints.source.definitions import definitions

GOLDEN = Path(__file__).parent / "golden"
SAMPLE = (GOLDEN / "sample.txt").read_text()
DIGESTS = json.loads((GOLDEN / "digests.json").read_text())


def digests(text: str) -> dict[str, list[str]]:
    return {name: [each.digest, each.shape] for name, each in definitions(text.encode(), "a.py").names.items()}


def test_digests_are_the_golden_ones() -> None:
    assert digests(SAMPLE) == DIGESTS


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_another_python_finds_the_golden_digests_with_its_standard_library_alone(version: str) -> None:
    python = shutil.which(f"python{version}")
    works = python and subprocess.run([python, "--version"], capture_output=True).returncode == 0
    if python is None or not works:
        pytest.skip(f"there is no Python {version}")
    command = [python, "-S", "-W", "error", str(GOLDEN / "digests.py"), str(GOLDEN / "sample.txt")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == DIGESTS


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("x = (1)", "x = 1"),
        ("x = 1_000 ; y = 0xff", "x = 1000\ny = 255"),
        ("x = 'a' \"b\"", "x = 'ab'"),
        ("x = u'é'", "x = '\\xe9'"),
        ("x = 1,", "x = ,(1)"),
        ("'doc'\nx = 1\n'more'\n...\npass", "x = 1"),
        ("def f():\n    'doc'", "def f():\n    pass"),
        ("def f():\n    x: int = 1\n    y: int\n    a.b: int\n    f().c: int", "def f():\n    x = 1\n    f().c"),
        ("class A:\n    x: int\n    y: int = 1", "class A:\n    x: int\n    y: int = 1"),
        ("f'{a}b' 'c'", "f''((a, -1), 'bc')"),
        ("lambda: 1", "lambda:(1)"),
        ("x = 1e999 + 1e999j", "x = 1e999 + 1e999j"),
    ],
)
def test_what_does_not_count_is_taken_away(source: str, text: str) -> None:
    assert canonical(ast.parse(source).body) == text


# -- laws --------------------------------------------------------------------------------------------------------------


def tokens_of(text: str) -> list[tokenize.TokenInfo]:
    """The tokens of a text. An f-string is one, as it is before Python 3.12."""
    lines, found = text.splitlines(keepends=True), list[tokenize.TokenInfo]()
    depth, start = 0, (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        if name == "FSTRING_START":
            start = start if depth else token.start
            depth += 1
        elif name == "FSTRING_END":
            depth -= 1
            if depth == 0:
                whole = lines[start[0] - 1][start[1] : token.end[1]]
                found.append(tokenize.TokenInfo(tokenize.STRING, whole, start, token.end, token.line))
        elif depth == 0:
            found.append(token)
    return found


TOKENS = tokens_of(SAMPLE)
LAYOUT = {tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
EXECUTED = [number for number, token in enumerate(TOKENS) if token.type not in LAYOUT]
ENDS = [token.start for token in TOKENS if token.type == tokenize.NEWLINE]


@given(
    st.dictionaries(st.sampled_from(ENDS), st.tuples(st.integers(0, 3), st.sampled_from(["", "  # note", "   "]))),
    st.sampled_from(["\n", "\r\n"]),
)
def test_comments_and_blank_lines_never_change_a_digest(
    changes: dict[tuple[int, int], tuple[int, str]], end: str
) -> None:
    lines = SAMPLE.split("\n")
    for (row, column), (blank, comment) in sorted(changes.items(), reverse=True):
        lines[row - 1] = lines[row - 1][:column] + comment + "\n" * blank + lines[row - 1][column:]
    assert digests(end.join("\n".join(lines).split("\n"))) == DIGESTS


@given(st.sets(st.sampled_from([number for number in EXECUTED if number])), st.integers(1, 6))
def test_formatting_never_changes_a_digest(wide: set[int], tab: int) -> None:
    """Each statement is written in one line, with spaces between tokens, and another indentation."""
    text, depth, is_first = "", 0, True
    for number, token in enumerate(TOKENS):
        if token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        elif token.type == tokenize.NEWLINE:
            text, is_first = f"{text}\n", True
        elif token.type not in LAYOUT:
            gap = " " * tab * depth if is_first else " " * (number in wide or TOKENS[number - 1].end != token.start)
            text, is_first = text + gap + token.string, False
    assert digests(text) == DIGESTS


OTHERS = [
    "other",
    "LR",
    "x",
    "17",
    "1.5",
    "'changed'",
    "b'changed'",
    "None",
    "True",
    "+",
    "-",
    "*",
    "<",
    "==",
    "or",
    "and",
]


@given(st.sampled_from(EXECUTED), st.sampled_from(OTHERS))
def test_a_change_of_what_is_executed_always_changes_a_digest(number: int, other: str) -> None:
    """Compiled code says what is executed. It has no docstrings, comments, and annotations of local variables."""
    token = TOKENS[number]
    (row, start), (last, end) = token.start, token.end
    assume(row == last and token.string != other)
    lines = SAMPLE.split("\n")
    lines[row - 1] = f"{lines[row - 1][:start]} {other} {lines[row - 1][end:]}"
    changed = "\n".join(lines)
    code = compiled(changed)
    assume(code is not None)
    if code != COMPILED:
        assert definitions(changed.encode(), "a.py").digest != DIGEST, lines[row - 1]


def compiled(text: str) -> tuple[object, ...] | None:
    """What Python makes of a text, without lines; None if it does not compile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return executed(compile(text, "a.py", "exec", dont_inherit=True, optimize=0))
    except (SyntaxError, ValueError):
        return None


def executed(code: CodeType) -> tuple[object, ...]:
    constants = [executed(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    if constants and code.co_consts[0] in DOCSTRINGS:
        constants[0] = ""
    names = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return code.co_code, tuple(constants), *names, code.co_argcount, code.co_kwonlyargcount, code.co_flags


DOCSTRINGS = {"Doc.", "A sample of the language."}
DIGEST, COMPILED = definitions(SAMPLE.encode(), "a.py").digest, compiled(SAMPLE)


def test_the_sample_has_every_kind_of_operator_and_statement() -> None:
    found = {type(node) for node in ast.walk(ast.parse(SAMPLE))}
    kinds = {
        each
        for base in (ast.stmt, ast.expr, ast.operator, ast.unaryop, ast.cmpop, ast.pattern)
        for each in base.__subclasses__()
    }
    newer = {"TryStar", "TypeAlias", "TemplateStr", "Interpolation", "slice", "Index", "ExtSlice"}
    old = {"Num", "Str", "Bytes", "NameConstant", "Ellipsis"}
    assert {each.__name__ for each in kinds - found} - newer - old == set()
    assert set(keyword.kwlist) - {token.string for token in TOKENS} == set()
