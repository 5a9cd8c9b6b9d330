"""Experiments in a notebook and at a prompt: an interrupt ends the typed lines, not the process."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator

import pytest
from helpers.notebooks import Notebook
from helpers.project_files import require
from helpers.user_scripts import Desktop
from helpers.waiting import wait_until

from xpm_core.states import State

pytestmark = [pytest.mark.redis, pytest.mark.faults]


@pytest.fixture
def notebook(desktop: Desktop) -> Iterator[Notebook]:
    """A notebook beside the scripts of a desktop."""
    require(importlib.util.find_spec("ipykernel"), "ipykernel")
    desktop.script("tasks.py", "pass")
    notebook = Notebook(desktop.folder)
    yield notebook
    notebook.close()


def assert_only_theirs(lines: list[str]) -> None:
    """Assert that a traceback has no frame of ours; Python 3.10 cannot drop the outermost one."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))
    ours = re.findall(r"^File .*xpm_core/", text, re.M)
    assert "Cell In" in text
    assert len(ours) <= (0 if sys.version_info >= (3, 11) else 1), text


def cell(desktop: Desktop, body: str) -> str:
    return f"""
from tasks import *
with experiment({str(desktop.workspace)!r}, "nb2", workers=1) as xp:
    for n in range(2):
        Hold.C(n=tag(n), until=Path("gate")).submit()
    {body}
"""


@pytest.mark.parametrize("body", ["xp.wait()", "pass", "while True: time.sleep(0.01)"])
def test_interrupted_cell_is_a_keyboard_interrupt_and_rerun_attaches(
    desktop: Desktop, notebook: Notebook, body: str
) -> None:
    request = notebook.begin(cell(desktop, body))
    desktop.wait_for(Hold_0=State.RUNNING, Hold_1=State.READY)
    notebook.interrupt()
    found = notebook.end(request)
    assert (found["status"], found["ename"]) == ("error", "KeyboardInterrupt")
    assert found["evalue"].startswith("nb2: stopped watching. Its jobs go on (1 ready, 1 running). ")
    assert "rerun this cell" in found["evalue"]
    assert f"xpm cancel --experiment nb2 --workspace {desktop.workspace}" in found["evalue"]
    assert "the script" not in found["evalue"]
    assert_only_theirs(found["traceback"])
    (desktop.folder / "gate").touch()
    assert notebook.end(notebook.begin(cell(desktop, "xp.wait()")))["status"] == "ok"
    assert list(desktop.executions().values()) == [1, 1]


def test_kernel_survives_a_second_interrupt(desktop: Desktop, notebook: Notebook) -> None:
    request = notebook.begin(cell(desktop, "xp.wait()"))
    desktop.wait_for(Hold_0=State.RUNNING, Hold_1=State.READY)
    notebook.interrupt()
    assert notebook.end(request)["ename"] == "KeyboardInterrupt"
    request = notebook.begin("open('asleep', 'w').close()\nwhile True: time.sleep(0.01)")
    wait_until((desktop.folder / "asleep").exists)
    notebook.interrupt()
    assert notebook.end(request)["ename"] == "KeyboardInterrupt"
    assert notebook.end(notebook.begin("1 + 1"))["status"] == "ok"
    (desktop.folder / "gate").touch()


def test_mistake_in_a_cell_is_shown_without_our_frames(notebook: Notebook) -> None:
    found = notebook.end(notebook.begin("from tasks import *\nQuick.C(n='many')"))
    assert found["ename"] == "ParameterTypeError"
    assert "Quick.n: expected int, got 'many' (str)" in found["evalue"]
    assert_only_theirs(found["traceback"])


def test_failures_in_a_cell_name_the_cell_to_be_run_again(desktop: Desktop, notebook: Notebook) -> None:
    text = f"with experiment({str(desktop.workspace)!r}, 'nb3', workers=1) as xp:\n    Bad.C(n=1).submit()"
    found = notebook.end(notebook.begin(f"from tasks import *\n{text}"))
    assert found["ename"] == "FailedExperiment"
    assert "rerun this cell" in found["evalue"]


def test_ctrl_c_at_a_prompt_comes_back_to_the_prompt(desktop: Desktop) -> None:
    desktop.script("tasks.py", "pass")
    terminal = desktop.terminal("-q", columns=200, env={"PYTHON_BASIC_REPL": "1"})
    terminal.shows(">>>")
    terminal.type("from tasks import *\n")
    terminal.type("import xpm_core.script.show.leaving; xpm_core.script.show.leaving.SECOND_CTRL_C_S = 0.05\n")
    terminal.type(f"with experiment({str(desktop.workspace)!r}, 'desk', workers=1) as xp:\n")
    terminal.type(
        "    Hold.C(n=tag(0), until=Path('gate')).submit()\n    Hold.C(n=tag(1), until=Path('gate')).submit()\n\n"
    )
    desktop.wait_for(Hold_0=State.RUNNING, Hold_1=State.READY)
    terminal.shows("Ctrl-C: ")
    terminal.interrupt()
    terminal.shows("KeyboardInterrupt")
    terminal.type("print(6 * 7)\n")
    terminal.shows("42")
    terminal.interrupt()  # which would end a process that does not handle it
    wait_until(lambda: terminal.lines().count("KeyboardInterrupt") == 1, show=terminal.lines)
    terminal.type("print(7 * 7)\n")
    terminal.shows("49")
    assert "To attach again, run this again" in "\n".join(terminal.lines())
    (desktop.folder / "gate").touch()
    terminal.type("exit()\n")
    assert terminal.ends() == 0
