"""Every example in docs/howto runs and prints what stands there; the messages on these pages are those of the code."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psutil
import pytest
from helpers.daemons import alive
from helpers.documents import blocks, play
from helpers.project_files import ROOT, place, python_files, strings
from helpers.waiting import wait_until

from xpm_core.server.shared.server import SharedServer
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.slow

FOLDER = ROOT / "docs" / "howto"
PAGES = sorted(FOLDER.glob("*.md"))

PLAYED = ["debugging", "disk", "imports", "moving", "sharing", "signing", "slurm", "upgrading", "workers", "yaml"]
"""Pages that are run here from top to bottom."""

STARTS_A_SERVER = {"workers"}
"""Pages that start a server, and stop it at their end."""

PLAYED_ELSEWHERE = {"migrating", "notebooks", "redis", "reproduce", "trackers"}
"""Pages that have a test of their own."""

ONLY_READ = {
    "docker": ({"text"}, "needs a running Docker; test_howto_services.py checks the files"),
    "imports": ({"text"}, "needs an account of wandb; test_wandb.py reads what it writes"),
    "redis": ({"text"}, "lines of a configuration file; test_howto_redis.py starts a server with them"),
    "reproduce": ({"text"}, "installs packages; test_reproduce.py runs the script with another Python"),
    "trackers": ({"text"}, "installs a package; test_howto_trackers.py has it in a folder of its own"),
    "slurm": ({"text"}, "needs Slurm; test_howto_services.py has the shell read it"),
    "systemd": ({"text", "ini"}, "changes services of the machine; test_howto_services.py checks the files"),
}
"""By page, the kinds of blocks that are not run, and why."""

FOREIGN = {
    "BdbQuit": "Python's debugger",
    "No module named 'xpm_core'": "Python",
    "No such file or directory": "the operating system",
    "Suspending workers.": "RQ",
    "connection refused": "the operating system",
    "device or resource busy": "the operating system",
    "no space left on device": "the operating system",
}
"""Messages that are not xpm's, and whose they are."""

TABLE = re.compile(r"^\| the message says .*\n\|[ -|]*\n((?:\|.*\n)+)", re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")


def page_name(page: Path) -> str:
    return page.stem


def messages(page: Path) -> list[str]:
    """The messages in the first column of a page's last table. Those of systemd cannot be compared."""
    found = TABLE.search(page.read_text())
    rows = found[1].splitlines() if found and page.stem != "systemd" else []
    return [span for row in rows for span in SPAN.findall(row.split("|")[1]) if span not in FOREIGN]


@cache
def said() -> str:
    """All that the code can say."""
    texts = [text for path in python_files() for _, text in strings(path.read_text())]
    return "\n".join([*texts, (ROOT / "deploy" / "compose.yaml").read_text()])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a page is played. Workers that it leaves there are ended."""
    yield tmp_path
    left = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        try:
            works_here = Path(process.cwd()).is_relative_to(tmp_path) or any(str(tmp_path) in word for word in words)
        except psutil.Error:
            continue
        if works_here and any("xpm-worker" in word or "xpm_worker" in word for word in words):
            left.append(process)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):  # slots end with their daemon
            process.kill()
    wait_until(lambda: not any(map(alive, left)))
    for notice in tmp_path.glob("*/.xpm/server.json"):
        with SharedServer(Workspace.open(notice.parent.parent)) as server:
            server.stop()


@pytest.mark.redis
@pytest.mark.parametrize(
    "name", [name if name in STARTS_A_SERVER else pytest.param(name, marks=pytest.mark.shows) for name in PLAYED]
)
def test_examples_run_in_order_and_print_what_stands_there(name: str, folder: Path, redis_url: str) -> None:
    play(FOLDER / f"{name}.md", folder, {"XPM_REDIS_URL": "" if name in STARTS_A_SERVER else redis_url})


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_block_is_run_or_there_is_a_reason(page: Path) -> None:
    excused, _ = ONLY_READ.get(page.stem, (set(), ""))
    idle = {block.kind for block in blocks(page)} - {"python", "pycon", "console"}
    files = {block.kind for block in blocks(page) if block.file}
    assert idle - files <= excused
    if any(block.kind in ("python", "console") for block in blocks(page)):
        assert page.stem in {*PLAYED, *PLAYED_ELSEWHERE}


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_messages_are_those_of_the_code(page: Path) -> None:
    lost = [each for each in messages(page) if not all(part.strip() in said() for part in each.split("..."))]
    assert lost == []


def test_lost_message_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("| the message says | cause |\n| --- | --- |\n| `it hums`, or `BdbQuit` | x |\n\n")
    assert messages(page) == ["it hums"]
    assert len([each for path in PAGES for each in messages(path)]) > 30


def test_index_lists_each_page_once() -> None:
    listed = re.findall(r"^\| \[[^]]+\]\((\w+\.md)\)", (FOLDER / "index.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [page.name for page in PAGES if page.stem != "index"], place(FOLDER)
