"""What commands load, and how often they speak to the server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from helpers.round_trips import counted
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.index.writers import IndexedJob, SubmissionWriter
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

Xpm = Callable[..., Result]


HELP = """
import contextlib, io
from xpm_cli import main
with contextlib.redirect_stdout(io.StringIO()):
    main(["--help"], standalone_mode=False)
"""


def loaded(code: str) -> set[str]:
    """The modules that a new interpreter has loaded after running some code."""
    code = f"{code}\nimport sys\nprint(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(found.stdout.split())


def test_help_loads_no_command_and_no_client() -> None:
    modules = loaded(HELP)
    assert "xpm_cli.app" in modules
    assert not {"redis", "rich", "rq", "msgpack", "psutil", "asyncio"} & modules
    assert not [
        name for name in modules if name.startswith(("xpm_cli.commands.", "xpm_core.reading", "xpm_core.store"))
    ]


def test_status_loads_neither_the_language_of_filters_nor_the_index() -> None:
    modules = loaded("import xpm_cli.commands.looking.status")
    assert "redis" in modules
    assert not {"rich", "rq", "psutil", "statistics", "msgpack", "xpm_core.filters", "xpm_core.index"} & modules
    assert not [name for name in modules if name.startswith(("xpm_core.reading.listing.", "xpm_core.language"))]


COMPLETION = """
import os
os.environ.update(_XPM_COMPLETE="bash_complete", COMP_LINE="xpm show 3f")
from xpm_cli import main
try:
    main()
except SystemExit:
    pass
"""


def test_completion_loads_no_command_and_no_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    SubmissionWriter(workspace.experiment("sweep"), "run1").add([IndexedJob("3f" * 32, "m:Train", {}, dict)])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XPM_WORKSPACE", str(workspace.path))
    assert {"word", "3f3f3f3", "Train"} <= loaded(COMPLETION)  # this writes what it will find the next time
    modules = loaded(COMPLETION)
    assert {"3f3f3f3", "Train"} <= modules
    heavy = {"redis", "rich", "rq", "msgpack", "psutil", "asyncio", "subprocess"}
    if sys.version_info < (3, 11):
        heavy -= {"subprocess"}  # platform of Python 3.10 imports it
    assert not heavy & modules
    assert not [
        name for name in modules if name.startswith(("xpm_cli.commands.", "xpm_core.reading", "xpm_core.store"))
    ]


@pytest.mark.redis
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_status_takes_five_round_trips(lab: Lab, xpm: Xpm, form: tuple[str, ...]) -> None:
    lab.join()
    for n in range(3):
        lab.end(f"bad {n}", State.FAILED, ERROR)
        lab.submit(f"later {n}", queue=f"queue{n}")
    with counted() as spoken:
        result = xpm("status", *form)
    assert (result.exit_code, spoken.trips) == (0, 5), "three, and two for the ETA"


@pytest.mark.redis
def test_a_list_reads_the_past_once_however_many_jobs_it_explains(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.start("long")
    lab.submit("first")

    def streams_read() -> int:
        before = read(lab)
        assert xpm("jobs").exit_code == 0
        return read(lab) - before

    def read(lab: Lab) -> int:
        return int(lab.client.info("commandstats").get("cmdstat_xrevrange", {}).get("calls", 0))

    few = streams_read()
    for n in range(5):
        lab.submit(f"later {n}")
    assert few == streams_read() == 1
