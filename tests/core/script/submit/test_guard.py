"""A script that a worker would run again by importing it is refused, and says which line to guard."""

from __future__ import annotations

import pytest
from helpers.user_scripts import Desktop

pytestmark = pytest.mark.redis


TASK = """
from pathlib import Path
import sys
from xpm_core import Param, Task, experiment

class Count(Task):
    n: Param[int]
    def execute(self):
        Path("n.txt").write_text(__name__)
"""


SUBMIT = """
if __name__ == "__main__":
    with experiment(sys.argv[1], "places", workers=1):
        Count.C(n=1).submit()
"""


def module_of(desktop: Desktop) -> str:
    """The module that the one job saw itself in, and its directory's name."""
    [found] = (desktop.workspace / "jobs").glob("*/*/n.txt")
    return f"{found.parent.parent.name} {found.read_text()}"


def test_unguarded_script_whose_task_is_its_own_is_refused_with_line_and_guard(desktop: Desktop) -> None:
    text = TASK + 'with experiment(sys.argv[1], "open"):\n    Count.C(n=1).submit()\n'
    line = text.splitlines().index("    Count.C(n=1).submit()") + 1
    script = desktop.write("sweep.py", text)
    run = desktop.run(script, desktop.workspace, code=1)
    last = run.err.strip().splitlines()[-1]
    assert last.startswith(
        f"xpm_core.errors.UnguardedScriptError: sweep.py:{line}: class Count is defined in this script"
    )
    assert f'Put line sweep.py:{line - 1} and what belongs to it under `if __name__ == "__main__":`' in last
    assert not (desktop.workspace / "jobs").exists()
    assert not desktop.daemons()


def test_configuration_of_an_unguarded_script_is_refused_as_a_task_is(desktop: Desktop) -> None:
    desktop.write(
        "tasks.py",
        """
        from xpm_core import Config, Param, Task

        class Any(Config):
            pass

        class Use(Task):
            config: Param[Any]
            def execute(self): ...
        """,
    )
    script = desktop.write(
        "sweep.py",
        """
        import sys
        from tasks import Any, Use
        from xpm_core import experiment

        class Mine(Any):
            pass

        with experiment(sys.argv[1], "open"):
            Use.C(config=Mine.C()).submit()
        """,
    )
    run = desktop.run(script, desktop.workspace, code=1)
    assert "UnguardedScriptError: sweep.py:10: class Mine is defined in this script" in run.err


def test_unguarded_script_whose_classes_live_in_a_module_works(desktop: Desktop) -> None:
    desktop.write("tasks.py", TASK)
    script = desktop.write(
        "sweep.py",
        """
        import sys
        from tasks import Count
        from xpm_core import experiment

        def main():
            with experiment(sys.argv[1], "open", workers=1):
                Count.C(n=1).submit()

        main()
        """,
    )
    desktop.run(script, desktop.workspace)
    assert module_of(desktop) == "tasks.count tasks"


@pytest.mark.parametrize(
    "guard",
    ['if "__main__" == __name__:', 'if __name__ == "__main__" and len(sys.argv) > 1:'],
)
def test_guard_may_be_written_in_other_ways(desktop: Desktop, guard: str) -> None:
    text = TASK + SUBMIT.replace('if __name__ == "__main__":', guard)
    desktop.run(desktop.write("sweep.py", text), desktop.workspace)
    assert module_of(desktop) == "sweep.count sweep"


def test_class_at_a_prompt_is_refused_with_what_to_do(desktop: Desktop) -> None:
    code = TASK + f"with experiment({str(desktop.workspace)!r}, 'prompt'):\n    Count.C(n=1).submit()\n"
    run = desktop.run("-c", code, code=1)
    assert "Count: no other process can import this class" in run.err
    assert not (desktop.workspace / "jobs").exists()
