"""Real jobs, and what their records say that they ran."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from helpers.daemons import Crew
from helpers.kept_code import keep_folder
from helpers.waiting import wait_until

from xpm_core.fingerprints.ran import OpenedFile, Ran, RanModule
from xpm_core.index.merged import MergedIndex
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.states import State

pytestmark = pytest.mark.redis

monitored = pytest.mark.skipif(sys.version_info < (3, 12), reason="needs sys.monitoring")

STUDY = """
import functools
from pathlib import Path
from xpm_core.config import Param, Task
import helper

class Study(Task):
    what: Param[str]

    def execute(self):
        exec(self.what, globals())

    def never(self):
        pass
"""
HELPER = """
import functools

def plain():
    return 1

def other():
    return 2

def numbers():
    yield from (plain() for _ in range(2))

def outer():
    def inner():
        return (lambda: plain())()
    return inner()

async def later():
    return plain()

class Model:
    rate = 0.1

    @property
    def size(self):
        return 3

    def __call__(self):
        return self.size

    def __init_subclass__(cls):
        pass
"""
HERE = "Path(__file__).parent"


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XPM_SNAPSHOT_FOLDER", str(tmp_path / "host"))


@pytest.fixture
def project(written: Path) -> Path:
    """A project of which this process has imported the module `study`."""
    (written / "pyproject.toml").write_text('[project]\nname = "digits"\n')
    (written / "study.py").write_text(STUDY)
    (written / "helper.py").write_text(HELPER)
    (written / "unused.py").write_text("def never(): ...\n")
    (written / "data.csv").write_text("1,2,3\n")
    return written


def study(what: str) -> Any:
    """A task that runs some code; it is another one in each test, because a test has a project of its own."""
    module = importlib.import_module("study")
    return module.Study.C(what=f"{what}\n# {module.__file__}")


def run(crew: Crew, project: Path, what: str, state: State = State.DONE, **options: Any) -> dict[str, Any]:
    """The record of a job that runs some code in `execute`."""
    code = keep_folder(crew.workspace.path, project)
    crew.run(task := study(what), state, options={**code.options, **options})
    return crew.record(task)


def run_all(crew: Crew, project: Path, whats: list[str]) -> dict[str, dict[str, Any]]:
    """The records of such jobs, which the resident runs."""
    code, tasks = keep_folder(crew.workspace.path, project), {what: study(what) for what in whats}
    crew.submit(*tasks.values(), options=code.options)
    for task in tasks.values():
        crew.wait(task, State.DONE)
    crew.rest()
    return {what: crew.record(task) for what, task in tasks.items()}


def document(crew: Crew, record: dict[str, Any]) -> Ran:
    """What the job of a record has run."""
    return Ran.read(CodeStore(crew.workspace.path).get("ran", record["ran"]))


def ran(crew: Crew, project: Path, what: str, state: State = State.DONE, **options: Any) -> Ran:
    """What such a job has run."""
    return document(crew, run(crew, project, what, state, **options))


def names(found: Ran, path: str = "helper.py") -> list[str]:
    return [name for (_, file), names in found.functions.items() if file == path for name in names]


@monitored
def test_functions_that_were_entered_are_named_and_no_others(residents: Crew, project: Path) -> None:
    found = ran(residents, project, "list(helper.numbers()); helper.outer(); helper.Model()()")
    assert (found.means, found.why, found.lacks, found.processes) == ("monitoring", "", (), ())
    assert found.sees_all
    assert names(found, "study.py") == ["Study.execute"]
    assert names(found) == [
        "Model.__call__",
        "Model.size",
        "numbers",
        "numbers.<locals>.<genexpr>",
        "outer",
        "outer.<locals>.inner",
        "outer.<locals>.inner.<locals>.<lambda>",
        "plain",
    ]


@monitored
def test_threads_coroutines_partials_and_exit_handlers_are_seen(residents: Crew, project: Path) -> None:
    what = (
        "import asyncio, atexit, threading; asyncio.run(helper.later());"
        "thread = threading.Thread(target=functools.partial(helper.outer)); thread.start(); thread.join();"
        "atexit.register(helper.other); type('Sub', (helper.Model,), {})"
    )
    found = names(ran(residents, project, what))
    assert {"later", "outer", "other", "Model.__init_subclass__"} <= set(found)


@monitored
def test_a_job_that_fails_has_run_something_too(residents: Crew, project: Path) -> None:
    found = ran(residents, project, "helper.plain(); 1 / 0", State.FAILED)
    assert names(found) == ["plain"]


@monitored
def test_a_job_that_ends_monitoring_says_that_functions_are_missing(residents: Crew, project: Path) -> None:
    found = ran(residents, project, "import sys; sys.monitoring.free_tool_id(4); helper.plain()")
    assert found.lacks == ("functions",)
    assert not found.sees_all


@monitored
def test_a_profiler_and_a_tracer_go_on_beside_it(residents: Crew, project: Path) -> None:
    what = (
        "import cProfile, sys; profile = cProfile.Profile(); profile.runcall(helper.outer);"
        "assert any(each.code.co_name == 'outer' for each in profile.getstats() if hasattr(each.code, 'co_name'));"
        "lines = []; sys.settrace(lambda *given: lines.append(given)); helper.other(); sys.settrace(None); assert lines"
    )
    assert {"outer", "other"} <= set(names(ran(residents, project, what)))


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="has sys.monitoring")
def test_without_monitoring_the_document_says_so_and_has_the_modules(residents: Crew, project: Path) -> None:
    found = ran(residents, project, "helper.plain()")
    assert (found.means, found.functions, found.sees_all) == ("imports", {}, False)
    assert "has no sys.monitoring" in found.why


def test_modules_are_named_and_files_that_were_run_otherwise(residents: Crew, project: Path) -> None:
    (project / "pkg").mkdir()
    (project / "pkg" / "__init__.py").write_text("")
    (project / "pkg" / "part.py").write_text("")
    (project / "tool.py").write_text("")
    what = f"import runpy, sys, pkg.part; runpy.run_path(str({HERE} / 'tool.py')); del sys.modules['helper']"
    found = ran(residents, project, what)
    assert found.modules == (
        RanModule("modules", "helper.py", ""),
        RanModule("modules", "pkg/__init__.py", "pkg"),
        RanModule("modules", "pkg/part.py", "pkg.part"),
        RanModule("modules", "study.py", "study"),
        RanModule("modules", "tool.py", ""),
    )


def test_data_that_was_read_is_named_by_digest_wherever_it_was_read(residents: Crew, project: Path) -> None:
    (project / "live.txt").write_text("live")
    os.utime(project / "live.txt", (1, 1))
    what = f"({HERE} / 'data.csv').read_text(); open({str(project / 'live.txt')!r}).read(); open('own.txt', 'w')"
    found = ran(residents, project, what)
    assert [(each.path, each.digest) for each in found.files if each.state == "digest"][:1] == [
        ("data.csv", sha256(b"1,2,3\n").hexdigest())
    ]
    assert [(each.path, each.live) for each in found.files] == [("data.csv", False), ("live.txt", True)]


def test_code_packages_and_the_workspace_are_no_data(crew: Crew, project: Path) -> None:
    inside = project / "runs"
    shutil.copytree(crew.workspace.path, inside)
    what = (
        f"open(__file__).read(); open({str(crew.workspace.path / '.xpm' / 'workspace.json')!r}).read();"
        "import inspect; inspect.getsource(helper); open('own.txt', 'w').write('1'); open('own.txt').read()"
    )
    assert ran(crew, project, what).files == ()


def test_code_that_was_read_as_text_and_not_run_is_data(residents: Crew, project: Path) -> None:
    (project / "conf.py").write_text("rate = 1")
    what = f"import traceback; exec(({HERE} / 'conf.py').read_text()); open(__file__).read(); helper.__spec__\n"
    found = ran(residents, project, what + "try: 1 / 0\nexcept ZeroDivisionError: traceback.print_exc()")
    assert [(each.path, each.state) for each in found.files] == [("conf.py", "digest")]


def test_code_that_was_imported_from_where_the_project_lies_is_data(residents: Crew, project: Path) -> None:
    (project / "late").mkdir()
    (project / "late" / "late_module.py").write_text("")
    what = (
        f"import importlib.util as u\ns = u.spec_from_file_location('x', {str(project / 'late' / 'late_module.py')!r})"
    )
    found = ran(residents, project, f"{what}\ns.loader.exec_module(u.module_from_spec(s))")
    assert [each.path for each in found.files] == ["late/late_module.py"]
    assert "late/late_module.py" not in [each.path for each in found.modules]


def test_a_file_that_was_looked_for_in_vain_is_absent(residents: Crew, project: Path) -> None:
    what = f"import contextlib\nwith contextlib.suppress(OSError): open({HERE} / 'local.json')"
    assert ran(residents, project, what).files == (OpenedFile("modules", "local.json", "absent"),)


def test_a_live_file_that_changed_while_the_job_ran_is_unknown(residents: Crew, project: Path) -> None:
    live = str(project / "data.csv")
    what = f"import os; open({live!r}).read(); os.utime({live!r})"
    assert ran(residents, project, what).files == (OpenedFile("modules", "data.csv", "unknown", live=True),)


def test_what_a_job_writes_itself_is_no_data_of_its_own(residents: Crew, project: Path) -> None:
    cache = str(project / "cache.bin")
    assert ran(residents, project, f"open({cache!r}, 'w').write('1'); open({cache!r}).read()").files == ()


def test_what_a_job_has_added_to_and_read_is_unknown(residents: Crew, project: Path) -> None:
    live = str(project / "data.csv")
    found = ran(residents, project, f"open({live!r}, 'a').close(); open({live!r}).read()")
    assert found.files == (OpenedFile("modules", "data.csv", "unknown", live=True),)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_processes_of_its_own_are_said(residents: Crew, project: Path) -> None:
    words = {
        "import subprocess; subprocess.run(['true'])": ("subprocess",),
        "import os; os.system('true')": ("subprocess",),
        "import os; pid = os.fork(); pid or os._exit(0); os.waitpid(pid, 0)": ("fork",),
        "import multiprocessing as m\np = m.get_context('fork').Process(target=helper.plain); p.start(); p.join()": (
            "fork",
        ),
    }
    records = run_all(residents, project, list(words))
    found = {what: document(residents, record) for what, record in records.items()}
    assert {what: each.processes for what, each in found.items()} == words
    assert not any(each.sees_all or "plain" in names(each) for each in found.values())


def test_a_spawned_process_is_said(residents: Crew, project: Path) -> None:
    what = (
        "import multiprocessing as m; p = m.get_context('spawn').Process(target=helper.plain); p.start(); p.join();"
        "assert p.exitcode == 0"
    )
    assert ran(residents, project, what).processes == ("spawn",)


def test_a_compiler_that_runs_functions_without_python_is_said(residents: Crew, project: Path) -> None:
    found = ran(residents, project, "import sys, types; sys.modules['numba'] = types.ModuleType('numba')")
    assert found.compilers == ("numba",)
    assert not found.sees_all


def test_what_other_packages_start_as_processes_is_said(residents: Crew, project: Path) -> None:
    found = ran(
        residents, project, "import sys, types; sys.modules['multiprocess.popen_forkserver'] = types.ModuleType('m')"
    )
    assert found.processes == ("forkserver",)


def test_modules_that_could_not_be_noted_are_said(residents: Crew, project: Path) -> None:
    """As if a thread of the job imported something at that moment."""
    what = (
        "from xpm_worker.job import user_code\nreal = user_code.names_since\n"
        "def changed(last):\n    user_code.names_since = real\n    raise RuntimeError('changed during iteration')\n"
        "user_code.names_since = changed"
    )
    found = ran(residents, project, what)
    assert (found.lacks, found.sees_all) == (("modules",), False)


@monitored
def test_a_callback_that_was_replaced_is_said(residents: Crew, project: Path) -> None:
    what = "import sys; m = sys.monitoring; m.register_callback(4, m.events.PY_START, lambda *_: m.DISABLE)"
    assert ran(residents, project, what).lacks == ("functions",)


def test_a_child_that_a_job_has_forked_ends_no_trace_and_writes_nothing(residents: Crew, project: Path) -> None:
    what = "import os; child = os.fork(); helper.other() if child == 0 else os.waitpid(child, 0)"
    found = ran(residents, project, what)
    assert (found.processes, names(found)) == (("fork",), [])


def test_the_record_and_the_index_say_that_it_has_read_live_files(residents: Crew, project: Path) -> None:
    os.utime(project / "data.csv", (1, 1))
    (project / "old.txt").write_text("")
    for what, said in ((f"open({str(project / 'missing')!r}, 'rb')", True), (f"open({HERE} / 'data.csv')", False)):
        record = run(residents, project, f"try: {what}\nexcept OSError: pass")
        assert record.get("live_files", False) is said
        entries = MergedIndex(residents.workspace.path).read().values()
        ends = {entry.end.execution: entry.end.live_files for entry in entries if entry.end is not None}
        assert ends[record["execution"]] is said


def test_two_equal_jobs_share_a_document(crew: Crew, project: Path) -> None:
    first, second = (run(crew, project, f"helper.plain(); {number}") for number in (1, 2))
    assert first["ran"] == second["ran"]
    assert len(os.listdir(crew.workspace.path / "code" / "ran")) == 1


@pytest.mark.parametrize("where", ["worker", "job"])
def test_a_variable_switches_it_off(crew: Crew, project: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if where == "worker":
        monkeypatch.setenv("XPM_TRACE", "0")
    assert "ran" not in run(crew, project, "helper.plain()", **({"env": {"XPM_TRACE": "0"}} if where == "job" else {}))


def test_live_code_is_not_traced(residents: Crew, project: Path) -> None:
    residents.run(task := study("helper.plain()"))
    assert "ran" not in residents.record(task)


def test_a_job_that_was_killed_has_run_nobody_knows_what(residents: Crew, project: Path) -> None:
    record = run(residents, project, "import os; os.kill(os.getpid(), 9)", State.FAILED)
    assert record["signal"] == 9
    assert "ran" not in record


def test_a_job_that_leaves_without_its_end_is_done_and_what_it_ran_is_unknown(residents: Crew, project: Path) -> None:
    record = run(residents, project, "import os; os._exit(0)")
    assert (record["reason"], "ran" in record) == ("done", False)


def test_a_disk_that_does_not_take_the_document_fails_no_job(crew: Crew, project: Path) -> None:
    (crew.workspace.path / "code").mkdir()
    (crew.workspace.path / "code" / "ran").write_text("in the way")
    record = run(crew, project, "helper.plain()")
    assert (record["reason"], "ran" in record) == ("done", False)


WHATEVER = [
    "import sys; [sys.audit(*each) for each in (('open',), ('open', 1, 2, 3), ('open', None, 'r', 0), ('exec', 1),"
    "('open', b'\\xff', 'r', 0), ('open', '\\0', 'r', 0), ('sqlite3.connect', object()), ('exec',))]",
    "import os, tempfile; folder = tempfile.mkdtemp(); os.chdir(folder); os.rmdir(folder)\n"
    "try: open('gone')\nexcept FileNotFoundError: pass",
    "import sys; sys.modules['odd'] = object(); sys.modules['odder'] = None; sys.modules['oddest'] = type",
    f"import os; os.mkfifo('pipe'); os.open('pipe', os.O_RDONLY | os.O_NONBLOCK); os.listdir({HERE})",
    "import os, resource; resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))",
    "import hashlib, json, time; hashlib.sha256 = json.dumps = time.monotonic = None",
    "import signal; signal.signal(signal.SIGALRM, lambda *_: 1 / 0); signal.setitimer(signal.ITIMER_REAL, 0.2, 0)",
]


def test_whatever_a_job_does_it_is_done(residents: Crew, project: Path) -> None:
    records = run_all(residents, project, WHATEVER)
    assert {what: record["reason"] for what, record in records.items()} == dict.fromkeys(WHATEVER, "done")


def test_an_error_of_a_signals_handler_reaches_the_job_in_the_middle_of_opening(residents: Crew, project: Path) -> None:
    what = (
        "import signal\nclass Late(Exception): pass\n"
        "def late(*_): raise Late\n"
        "signal.signal(signal.SIGALRM, late); signal.setitimer(signal.ITIMER_REAL, 0.01)\n"
        f"try:\n    while True: open({HERE} / 'data.csv').close()\nexcept Late: Path('late').touch()"
    )
    whats = [f"{what}\n{number}" for number in range(3)]
    run_all(residents, project, whats)
    assert all((residents.directory(study(each)).path / "late").exists() for each in whats)


def test_jobs_of_a_template_are_traced_as_others(crew: Crew, project: Path, installed: Path) -> None:
    (installed / "packed.py").write_text("def used(): ...\n")
    (project / "helper.py").write_text("import packed\n" + HELPER)
    code = keep_folder(crew.workspace.path, project)
    worker = crew.start("--pythonpath", str(installed))
    records = []
    for number in range(3):
        crew.submit(task := study(f"helper.plain(); {number}"), options=code.options)
        crew.wait(task)
        records.append(wait_until(lambda task=task: crew.record(task), show=lambda: worker.log))
    assert len({record["ran"] for record in records}) == 1
