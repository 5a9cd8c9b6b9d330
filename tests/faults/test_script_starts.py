"""A job starts as its script did: it imports the same modules, and sees the same arguments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scripts import Desktop

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
