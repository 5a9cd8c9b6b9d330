"""docs/reference/settings.md: its examples run, and it has all settings and variables that there are."""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path

import pytest
from helpers.documents import blocks, play
from helpers.project_files import PACKAGES, ROOT, files, python_files

from xpm_core.project.settings import PROJECT_SETTINGS, SETTINGS, project_settings, read_settings
from xpm_core.project.variables import VARIABLES, settable
from xpm_core.snapshot.taking.files.settings import SNAPSHOT_SETTINGS
from xpm_core.snapshot.taking.files.settings import read_settings as snapshot_settings
from xpm_worker.environment import TIMEOUTS_S
from xpm_worker.settings import DEFAULT_MAX_LOG_MB

DOCUMENT = ROOT / "docs" / "reference" / "settings.md"
VARIABLE = re.compile(r"\bXPM_[A-Z][A-Z_]*")

INDENTED = re.compile(r"^\n((?:    \S[^\n]*\n)+)$", re.MULTILINE)
"""An example of a file: lines that are indented, between empty ones."""

INTERNAL = {
    "XPM_STARTER": "a starter marks its own processes with it",
    "XPM_REHEARSAL": "it is set and removed to take that step once before the first job",
}
"""Variables that only xpm itself sets and reads, each with the reason why users need not know it."""


def variables(text: str) -> set[str]:
    """The variables that a text names. Those of single tokens, such as XPM_TOKEN_GPU, are one."""
    return {re.sub(r"^XPM_TOKEN_.*", "XPM_TOKEN_", name) for name in VARIABLE.findall(text)}


def of_code() -> set[str]:
    """The variables that the packages, their Lua scripts and the files for deployment name."""
    sources = [*python_files(), *files(".lua", *PACKAGES), *(ROOT / "deploy").iterdir()]
    return {name for path in sources for name in variables(path.read_text())}


def names(heading: str) -> set[str]:
    """The first column of the tables below a heading of the page."""
    part = re.split(r"\n##+ ", DOCUMENT.read_text().partition(f"## {heading}\n")[2])[0]
    return {name for cell in re.findall(r"^\| (`[^|]*) \|", part, re.MULTILINE) for name in re.findall(r"`(\w+)", cell)}


@pytest.mark.redis
def test_examples_run_in_order_and_print_what_stands_there(tmp_path: Path, redis_url: str) -> None:
    play(DOCUMENT, tmp_path, {"XPM_REDIS_URL": redis_url})


def test_every_block_is_run_or_is_a_file() -> None:
    idle = [block for block in blocks(DOCUMENT) if block.kind != "console" and not block.file]
    assert [(block.kind, block.line) for block in idle] == []


def test_page_has_all_variables() -> None:
    listed = names("Variables") | names("Variables of a job")
    assert listed == of_code() - set(INTERNAL)
    assert set(INTERNAL) <= of_code()


def test_command_config_has_the_variables_of_the_page() -> None:
    of_deployment = {"XPM_WORKER_OPTIONS", "XPM_CODE", "XPM_UID", "XPM_GID"}
    assert names("Variables") - of_deployment == set(settable()) >= set(VARIABLES)


def test_page_has_all_settings() -> None:
    assert names("Settings files") == set(SETTINGS)
    assert names("Settings of a project") == set(PROJECT_SETTINGS)
    assert names("Which files a snapshot keeps") == set(SNAPSHOT_SETTINGS)


def test_examples_of_settings_are_right(tmp_path: Path) -> None:
    user, project, snapshot = (textwrap.dedent(block) for block in INDENTED.findall(DOCUMENT.read_text()))
    (tmp_path / "settings.toml").write_text(user)
    (tmp_path / "pyproject.toml").write_text(project)
    assert set(read_settings(tmp_path / "settings.toml").content) == set(SETTINGS)
    assert set(project_settings(str(tmp_path))) == set(PROJECT_SETTINGS)
    root = tmp_path / "app"
    for folder in (root, tmp_path / "lib"):
        folder.mkdir()
    (root / "pyproject.toml").write_text(snapshot)
    assert snapshot_settings(str(root)).also == (os.path.realpath(tmp_path / "lib"),)


@pytest.mark.parametrize("variable", ["XPM_MAX_LOG", *TIMEOUTS_S])
def test_defaults_are_those_of_the_code(variable: str) -> None:
    (row,) = re.findall(rf"^\| `{variable}` \|[^|]*\|([^|]*)\|", DOCUMENT.read_text(), re.MULTILINE)
    assert float(row) == {"XPM_MAX_LOG": DEFAULT_MAX_LOG_MB, **TIMEOUTS_S}[variable]
