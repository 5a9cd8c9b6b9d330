"""What the documents promise is there: commands, options, files and the states of a job."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest
from helpers.project_files import PACKAGES, ROOT, command_lines, command_problem, files, place, python_files, strings

from xpm_core.states import State

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *files(".md", "docs")]
CODE_BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```|^((?: {4}[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#:]+)\)")
HEADING = re.compile(r"^#{2,3} ", re.MULTILINE)
ITEM = re.compile(r"\n\n|\n(?=\d+\. |- )")
NAME = re.compile(r"[A-Za-z_][\w.]*")
MODULE = re.compile(r"(\w+)/[\w/]+(?:\.lua)?")
PATH = re.compile(rf"(?:{'|'.join(PACKAGES)}|tests|deploy|examples|docs|bench)/[\w./@*-]*")


def code(text: str) -> str:
    """What stands in code blocks and code spans of a document."""
    blocks = [fenced or indented for fenced, indented in CODE_BLOCK.findall(text)]
    return "\n".join([*blocks, *CODE_SPAN.findall(text)])


def lost_modules(text: str) -> list[str]:
    """The modules that a text names by room (`store/keys`), and that are in no such room of any package."""
    tops = [ROOT / package for package in PACKAGES]
    named = (match for match in map(MODULE.fullmatch, CODE_SPAN.findall(text)) if match is not None)
    own = [match[0] for match in named if any((top / match[1]).is_dir() for top in tops)]
    return [name for name in own if not any((top / f"{name}{end}").exists() for top in tops for end in ("", ".py"))]


def defines(source: str, name: str) -> bool:
    """Whether a source, in Python or Lua, defines a name: a class, function, variable or field."""
    defined = rf"(?:\b(?:class|def|local|function) (?:function )?(?:\w+\.)?{name}\b|^\s*{name}\s*[:=](?!=))"
    return re.search(defined, source, re.MULTILINE) is not None


def lost_names(text: str) -> list[str]:
    """The names of code in the lists of a document that are not where the lists say.

    A list stands below a heading of its own. Each name in it is defined in a file that the list names. If an item names
    files, its names stand in one of them.
    """
    lost = []
    for section in HEADING.split(text):
        defining = "\n".join(path.read_text() for path in named_files(section))
        for item in ITEM.split(section):
            here = "\n".join(path.read_text() for path in named_files(item)) or defining
            for name in CODE_SPAN.findall(item):
                if NAME.fullmatch(name) and not hasattr(typing, name) and not (ROOT / name).exists():
                    *_, last = parts = name.split(".")
                    stands = all(re.search(rf"\b{part}\b", here) for part in parts)
                    if not (last == "lua" or (stands and defines(defining, last))):
                        lost.append(name)
    return lost


def named_files(text: str) -> list[Path]:
    """The files that a text names in code spans."""
    return [ROOT / name for name in CODE_SPAN.findall(text) if "/" in name and (ROOT / name).is_file()]


def how_to_add() -> str:
    """The part of CONTRIBUTING.md that lists the files to touch."""
    return (ROOT / "CONTRIBUTING.md").read_text().partition("## How to add\n")[2].partition("\n## ")[0]


def wrong_commands(text: str) -> list[str]:
    """The command lines of xpm in a text that do not exist."""
    found = (command_problem(program, words) for program, words in command_lines(text))
    return [problem for problem in found if problem is not None]


@pytest.mark.parametrize("path", DOCUMENTS, ids=place)
def test_commands_that_a_document_names_exist(path: Path) -> None:
    assert wrong_commands(code(path.read_text())) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=place)
def test_files_that_a_document_names_exist(path: Path) -> None:
    text = path.read_text()
    links = [name for name in LINK.findall(text) if not (path.parent / name).exists()]
    named = [name for name in PATH.findall(code(text)) if not list(ROOT.glob(name.rstrip("/.")))]
    assert links + named == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=place)
def test_modules_that_a_document_names_exist(path: Path) -> None:
    assert lost_modules(path.read_text()) == []


def test_module_that_is_lost_is_noticed() -> None:
    text = "See `store/keys`, `language/code`, `xpm_core/store`, `experiments/sweep` and `store/doors`."
    assert lost_modules(text) == ["store/doors"]


def test_names_that_the_lists_of_contributing_name_stand_where_they_say() -> None:
    assert lost_names(how_to_add()) == []


@pytest.mark.parametrize(
    "item",
    [
        "`xpm_core/states.py`: a member of `Evnt`.",
        "`xpm_core/states.py`: a field of `JobOptions`.",
        "`xpm_core/store/lua/include/jobs.lua`: `jobs.mov` changes it.",
        "`xpm_core/words/reasons.py`: its name in `Reason`, and `State`.",
        "Look for `Reason`.",
    ],
)
def test_name_that_is_lost_is_noticed(item: str) -> None:
    right = "1. `xpm_core/states.py`: a member of `Event`, and `State.settled`."
    assert lost_names(f"### An event\n\n{right}\n2. {item}\n") == [CODE_SPAN.findall(item)[-1]]


def test_names_that_contributing_names_elsewhere_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text().replace(how_to_add(), "")
    names = [name for name in CODE_SPAN.findall(text) if re.fullmatch(r"[a-z]+(?:_[a-z]+)+", name)]
    project = "\n".join(path.read_text() for path in python_files(*PACKAGES, "tests"))
    assert names
    assert [name for name in names if not defines(project, name)] == []


def test_each_thing_that_is_added_has_a_list() -> None:
    headings = re.findall(r"^### (.*)$", how_to_add(), re.MULTILINE)
    assert headings == [
        "An option of `submit`",
        "A transition",
        "An event",
        "A reason",
        "A command",
        "A view of the page",
        "A check of the doctor",
        "A kind of parameter",
        "A page of documents",
    ]


def test_documents_that_the_code_names_exist() -> None:
    sources = [*python_files(), *files(".lua", *PACKAGES), *files(".py", "examples"), *(ROOT / "deploy").iterdir()]
    broken = [
        f"{place(path)}: {name}"
        for path in sources
        for name in re.findall(r"[\w/-]+\.md\b", path.read_text())
        if not (ROOT / name).exists()
    ]
    assert broken == []


def test_commands_that_the_code_names_exist() -> None:
    broken = [
        f"{place(path, line)}: {problem}"
        for path in python_files()
        for line, text in strings(path.read_text())
        for problem in wrong_commands(text)
    ]
    assert not broken, "\n" + "\n".join(broken)


def test_commands_that_deploy_names_exist() -> None:
    for path in (ROOT / "deploy").iterdir():
        assert wrong_commands(path.read_text()) == [], place(path)


@pytest.mark.parametrize(
    "text",
    [
        "Resize it: xpm tokenz set gpu 4.",
        "See it: xpm show 3f2a91c --colour, or xpm status.",
        "xpm status, then xpm forget 3f2a91c",
        "Start one: xpm-worker --workspace /data --slotz 2",
    ],
)
def test_wrong_command_is_noticed(text: str) -> None:
    assert len(wrong_commands(text)) == 1


def test_right_commands_pass() -> None:
    assert wrong_commands("See it: xpm show 3f2a91c. Or run `xpm status --json` (xpm 0.1), as xpm does.") == [
        "xpm does: xpm has no command 'does'"
    ]


def test_architecture_tells_every_state() -> None:
    table = (ROOT / "ARCHITECTURE.md").read_text().partition("## Life of a job")[2].partition("\n\n`cancel`")[0]
    assert set(re.findall(r"^\| (\w+)(?::[^|]*)? \|", table, re.MULTILINE)) - {"state"} == {
        state.value for state in State
    }


def test_makefile_targets_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in [*DOCUMENTS, ROOT / ".ci" / "run"]:
        text = code(path.read_text()) if path.suffix == ".md" else path.read_text()
        assert set(re.findall(r"(?:^|`|; )\s*make ([a-z-]+)", text, re.MULTILINE)) <= targets, place(path)


def test_changelog_has_an_unreleased_section() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()
