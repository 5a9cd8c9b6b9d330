"""What the documents promise is there: commands, options, files and the states of a job."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.project_files import PACKAGES, ROOT, command_lines, command_problem, files, place, python_files, strings

from xpm_core.states import State

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *files(".md", "docs")]
CODE_BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```|^((?: {4}[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#:]+)\)")
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
