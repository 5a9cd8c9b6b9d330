"""Scripts that stop before the block has ended, for example at a file that a failed task should have written."""

from __future__ import annotations

import re
import sys

import pytest
from helpers.user_scripts import Desktop

from xpm_core.states import State

pytestmark = [pytest.mark.redis, pytest.mark.slow]

CALCULATE = """
    class Square(Task):
        n: Param[int]
        result: Meta[Path] = field(default_factory=PathGenerator("result.txt"))
        def execute(self):
            if self.n > 1:
                raise ValueError(f"cannot square {self.n}")
            self.result.write_text(str(self.n**2))

    class Sum(Task):
        squares: Param[list[Square]]
        total: Meta[Path] = field(default_factory=PathGenerator("total.txt"))
        def execute(self):
            self.total.write_text(str(sum(int(square.result.read_text()) for square in self.squares)))
"""
"""Tasks with results in files, some of which fail."""

SUBMIT = "squares = [Square.C(n=tag(n)).submit() for n in range(4)]\ntotal = Sum.C(squares=squares).submit()\n"


@pytest.fixture
def calculating(desktop: Desktop) -> Desktop:
    """A desktop whose scripts can import these tasks."""
    desktop.write("tasks.py", "from pathlib import Path\nfrom xpm_core import *\n" + CALCULATE.replace("\n    ", "\n"))
    return desktop


def stops(desktop: Desktop, body: str) -> str:
    """What is shown on stderr by a script that submits them and whose block ends in that way."""
    block = "from tasks import Square, Sum\n" + SUBMIT + body
    return desktop.run(desktop.script("sweep.py", block), code=1).err


def test_loop_over_results_shows_the_failures_before_the_traceback(calculating: Desktop) -> None:
    """The pattern of the README."""
    text = stops(calculating, "xp.wait()\nfor square in squares:\n    print(square.result.read_text())")
    summary, _, traceback = text.partition("Traceback (most recent call last):")
    assert re.search(r"^desk  2 done   2 failed   1 blocked   in ", summary, re.M), text
    assert re.search(r"^✗ ValueError: cannot square \d +2 jobs, 1 of them with another message$", summary, re.M), text
    assert re.search(r"^ +tasks\.py:\d+ in execute$", summary, re.M)
    assert text.count("desk  2 done") == 1
    assert "xpm retry --failed --experiment desk" in summary
    assert "FileNotFoundError" in traceback


@pytest.mark.parametrize("reading", ["squares[2].result.read_text()", "os.stat(squares[2].result)"])
def test_missing_file_of_a_failed_task_says_that_it_failed_and_how(calculating: Desktop, reading: str) -> None:
    text = stops(calculating, f"xp.wait()\n{reading}")
    found = re.search(r"^Square/[0-9a-f]{7}: it failed, .*$", text, re.M)
    assert found, text
    assert "ValueError: cannot square 2" in found[0]
    assert re.search(r"tasks\.py:\d+ in execute", found[0])
    assert f"xpm show {squares_of(found[0])} --workspace {calculating.workspace}" in found[0]
    if sys.version_info >= (3, 11):
        assert text.splitlines()[-1] == found[0], "it is a note of the error itself"


def squares_of(said: str) -> str:
    """The identity's beginning in what was said."""
    return said.partition("/")[2][:7]


def test_missing_file_of_a_blocked_task_names_the_failed_one(calculating: Desktop) -> None:
    text = stops(calculating, "xp.wait()\nprint(total.total.read_text())")
    assert re.search(r"^Sum/[0-9a-f]{7}: it is blocked, .* job Square/[0-9a-f]{7}, .*$", text, re.M), text


def test_missing_file_is_explained_also_where_it_is_the_cause_of_another_error(calculating: Desktop) -> None:
    body = """xp.wait()
try:
    open(squares[3].result)
except OSError as error:
    raise RuntimeError("no table") from error
"""
    text = stops(calculating, body)
    assert re.search(r"^Square/[0-9a-f]{7}: it failed, ", text, re.M), text
    assert "RuntimeError: no table" in text


def test_file_that_is_read_too_early_says_what_to_wait_for(desktop: Desktop) -> None:
    body = "hold = Hold.C(n=1, until=Path('gate')).submit()\nprint((hold.jobpath / 'x').read_text())"
    text = desktop.run(desktop.script("sweep.py", body, options="workers=0"), code=1).err
    assert re.search(r"^Hold/[0-9a-f]{7}: it is not done yet \(ready\), .*xp\.wait\(\)", text, re.M), text
    assert "the script stopped with FileNotFoundError. Its jobs go on (1 ready)" in text


def test_missing_file_of_nobody_is_not_explained(calculating: Desktop) -> None:
    text = stops(calculating, "xp.wait()\nopen('nowhere.txt')")
    assert "it failed, " not in text
    assert "desk  2 done   2 failed" in text


@pytest.mark.parametrize("ending", ["sys.exit(1)", "1 / 0", "Square.C(n='many')"])
def test_failures_are_shown_whatever_leaves_the_block(calculating: Desktop, ending: str) -> None:
    text = stops(calculating, f"xp.wait()\n{ending}")
    assert text.count("desk  2 done   2 failed   1 blocked") == 1, text
    assert text.index("✗ ValueError: cannot square") < text.index("the script stopped with")


def test_failures_are_shown_when_the_script_is_interrupted(desktop: Desktop) -> None:
    body = """
import xpm_core.script.show.leaving; xpm_core.script.show.leaving.SECOND_CTRL_C_S = 0.05
Bad.C(n=tag(1)).submit()
Hold.C(n=tag(1), until=Path("gate")).submit()
"""
    running = desktop.start(desktop.script("sweep.py", body))
    desktop.wait_for(Bad_1=State.FAILED, Hold_1=State.RUNNING)
    running.says("✗ failed")
    running.interrupt()
    assert running.ends() == 130
    assert running.err.count("✗ ValueError: no good     1 job") == 1, running.err
    assert "Traceback" not in running.err
    (desktop.folder / "gate").touch()


def test_mistakes_in_an_experiment_show_no_frame_of_ours(desktop: Desktop) -> None:
    for body in ("Quick.C().submit()", "Quick.C(n=1).submit(memory=3)", "xp.connector.createtoken('a b', 1)"):
        text = desktop.run(desktop.script("sweep.py", body), code=1).err
        assert "Traceback" in text
        frames = [line for line in text.splitlines() if line.startswith('  File "') and "xpm_core" in line]
        assert len(frames) <= (0 if sys.version_info >= (3, 11) else 1), text
