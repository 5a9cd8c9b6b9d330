"""A job starts as its script did: it imports the same modules, and sees the same arguments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.user_scripts import Desktop

pytestmark = pytest.mark.redis

LOOK = """
    import json, sys
    from pathlib import Path
    from xpm_core import Param, Task, experiment

    ARGUMENTS = sys.argv

    def look():
        import statistics, textwrap
        return [statistics.__file__, textwrap.__file__, ARGUMENTS]

    class Look(Task):
        n: Param[int]
        def execute(self):
            Path("seen.json").write_text(json.dumps(look()))

    if __name__ == "__main__":
        with experiment(sys.argv[1], "look", workers=1) as xp:
            jobs = [Look.C(n=n).submit() for n in range(2)]
            xp.wait()
            print(json.dumps([look(), *(json.loads((job.jobpath / "seen.json").read_text()) for job in jobs)]))
"""


@pytest.mark.parametrize("name", ["sweep.py", "test.py"])
def test_a_job_imports_the_project_s_module_as_its_script_does(desktop: Desktop, tmp_path: Path, name: str) -> None:
    """Whatever the standard library has of that name."""
    desktop.write("statistics.py", "")
    run = desktop.run(desktop.write(name, LOOK), desktop.workspace)
    script, *jobs = json.loads(run.out)
    assert script[0] == str(tmp_path / "statistics.py")
    assert [each[:2] for each in jobs] == [script[:2]] * 2


BRANCHING = """
    import argparse, json, sys
    from pathlib import Path
    from xpm_core import Param, Task, experiment

    parser = argparse.ArgumentParser()
    parser.add_argument("workspace")
    parser.add_argument("--size", type=int, default=1)
    parser.add_argument("--server")
    parser.add_argument("--big", action="store_true")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()

    if options.big:
        class Look(Task):
            n: Param[int]
            m: Param[int]
            def execute(self):
                Path("seen.json").write_text(json.dumps([sys.argv, options.size]))

    if __name__ == "__main__":
        given = sys.argv
        sys.argv = given[:1]  # as programs do that have understood the rest
        with experiment(options.workspace, "look", workers=1) as xp:
            jobs = [Look.C(n=n, m=1).submit() for n in range(3)]
            xp.wait()
            print(json.dumps([given, *(json.loads((job.jobpath / "seen.json").read_text()) for job in jobs)]))
"""


@pytest.mark.parametrize("files", [[], ["odd\udce9", *(f"data/{n:06}.csv" for n in range(5000))]], ids=["few", "many"])
def test_a_job_sees_the_arguments_of_its_script(desktop: Desktop, files: list[str]) -> None:
    words = [*files, "--size=7", "--big", "--server", "redis://alice:secret@head:1/0"]
    run = desktop.run(desktop.write("sweep.py", BRANCHING), desktop.workspace, *words)
    script, *jobs = json.loads(run.out)
    script[script.index("redis://alice:secret@head:1/0")] = "redis://alice:***@head:1/0"
    assert jobs == [[script, 7]] * 3
    sizes = {len(json.loads(each.read_text())["payload"]) for each in desktop.workspace.rglob("handed.json")}
    assert max(sizes) < 4000
