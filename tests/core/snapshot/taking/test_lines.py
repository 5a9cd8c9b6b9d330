"""The words about a snapshot: short, whole, and safe on a terminal."""

from __future__ import annotations

from xpm_core.snapshot.taking.files.selection import Notes
from xpm_core.snapshot.taking.lines import change_line, cut, first_line, note_lines, outside_line

NAME, BEFORE = "8c1f2e0" + "0" * 57, "9d3e1aa" + "0" * 57


def test_the_lines_are_those_of_the_documents() -> None:
    assert first_line(NAME, 214, 1_900_000, 3) == "code 8c1f2e0: 214 files, 1.9 MB, 3 new"
    changed = change_line(BEFORE, NAME, ["train.py", "util.py"])
    assert (
        changed == "code 9d3e1aa: 2 files changed since 8c1f2e0 (train.py, util.py); jobs submitted from now on use it"
    )
    assert cut(list("abcde")) == "a, b, c and 2 more"


def test_long_lists_and_names_that_act_on_a_terminal_are_cut() -> None:
    many = [f"{'x' * 200}{number}" for number in range(1000)]
    notes = Notes(
        secrets=[".env\x1b[2J", *many], leaving=many, large=[(name, 5) for name in many], closed=many, unmatched=many
    )
    lines = [
        *note_lines("/p", notes),
        change_line(NAME, BEFORE, many),
        outside_line(many, "/p/pyproject.toml", ["../lib"]),
    ]
    assert len(lines) == 7
    for line in lines:
        assert len(line) <= 600
        assert line.isprintable()
        assert "more" in line


def test_it_is_said_once_which_kinds_of_outputs_are_left_out() -> None:
    (line,) = note_lines("/p", Notes(outputs=["*.log", "*.out"]))
    assert line == (
        "code: left out, because programs write them: *.log, *.out. "
        'To keep such files: [tool.xpm.snapshot] include = ["*.log"]'
    )
    narrowed = list(note_lines("/p", Notes(outputs=["*.log"], only="Python files", narrowed="it has 50,000 files")))
    assert len(narrowed) == 1, "all data is left out then, and that is said"


def test_what_was_not_noticed_is_not_said() -> None:
    assert list(note_lines("/p", Notes())) == []


def test_a_narrowed_selection_says_what_is_kept_and_why() -> None:
    (line,) = note_lines("/p", Notes(only="Python files", narrowed="it has 50,000 files (images: 49,990 files)"))
    assert line == (
        "code: of /p, only Python files are kept, because it has 50,000 files (images: 49,990 files). "
        'Others: [tool.xpm.snapshot] include = ["..."] in pyproject.toml'
    )
