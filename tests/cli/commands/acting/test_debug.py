"""`xpm debug`: a job in the foreground, in a scratch folder, with nothing written anywhere else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import debugged_tasks
import pytest
from debugged_tasks import Failing, Net, Prepared, Resumed, Trained
from helpers.kept_code import keep_folder
from helpers.payloads import submitted
from helpers.server_content import everything
from helpers.simulated_jobs import Lab
from helpers.typed_commands import PROGRAM, Shell
from helpers.user_scripts import Terminal, open_terminal
from helpers.waiting import PATIENCE_S

from xpm_core.identity import seal, task_id
from xpm_core.index.writers import IndexedJob, SubmissionWriter
from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.store.records import Submission
from xpm_core.store.tokens import create_token
from xpm_core.wire import payload, signing
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_spec import JobOptions, JobSpec
from xpm_core.workspace.kept_job import KeptJob

pytestmark = pytest.mark.redis

ORIGIN = Path(debugged_tasks.__file__).name


class Bench:
    """A workspace with jobs whose code is real. No worker runs; jobs end as the tests say."""

    def __init__(self, lab: Lab, shell: Shell, folder: Path) -> None:
        self.lab, self.shell, self.folder = lab, shell, folder
        self.index = SubmissionWriter(lab.workspace.experiment("sweep"), "run1")
        lab.join()
        folder.mkdir()

    def submit(self, task: Any, *needs: Any, signed: bytes | None = None, **more: Any) -> str:
        """Submit a task; returns its identity."""
        identity, w = seal(task), self.lab.workspace
        name, directory = task_id(type(task)), w.directory_of(task_id(type(task)), seal(task))
        resumable = isinstance(task, Resumed)
        options = JobOptions(env=more.pop("env", {}), resumable=resumable, **more.pop("code", {}))
        data = payload.pack(task, w.path)
        spec = JobSpec(identity, name, type(task).__name__, directory, data, options)
        spec = signing.signed(signed, w.id, spec) if signed else spec
        job = Submission(spec, needs=[seal(need) for need in needs], tags={"x": getattr(task, "x", 0)}, **more)
        self.lab.store.submit("sweep", self.lab.run.started_ms, [job], {})
        self.index.add([IndexedJob(identity, name, job.tags, dict)])
        submitted(task, w.path, directory.removeprefix("jobs/"))
        return identity

    def directory(self, task: Any) -> JobDirectory:
        """The directory of a task's job."""
        return self.lab.workspace.job(task_id(type(task)), seal(task))

    def done(self, task: Any, **files: str) -> JobDirectory:
        """Submit a task, and let it be done, with these text files in its directory."""
        return self.end(task, State.DONE, **files)

    def end(self, task: Any, state: State, **files: str) -> JobDirectory:
        """The same, with another end."""
        lease, directory = self.lab.claim(self.submit(task)), self.directory(task)
        number = directory.prepare(1)
        directory.write_record(number, lease.execution, {"exit_code": 0})
        for name, text in files.items():
            (directory.path / f"{name}.txt").write_text(text)
        if state is State.DONE:
            directory.keep(KeptJob(*(getattr(lease, name) for name in KeptJob._fields)))
        self.lab.store.finish(self.lab.worker, lease, state)
        if state is State.DONE:
            directory.write_marker("done", lease.execution)
        return directory

    def trained(self) -> str:
        """Submit a job that needs a done one, with an environment and with tokens."""
        create_token(self.lab.client, "gpu", 4, units=True)
        create_token(self.lab.client, "cpu", 8)
        data = Prepared.C()
        self.done(data, data="seeds")
        return self.submit(Trained.C(x=5, data=data), data, env={"LAB": "blue"}, demand={"gpu": 2, "cpu": 3})

    def debug(self, *words: object, **more: Any) -> subprocess.CompletedProcess[str]:
        """Type `xpm debug`; scratch folders come into the test's folder."""
        return self.shell.run("debug", *words, **{"TMPDIR": str(self.folder), **more})

    def terminal(self, *words: str, **more: str) -> Terminal:
        """The same in a terminal."""
        environment = self.shell.environment(TMPDIR=str(self.folder), PYTHON_BASIC_REPL="1", **more)
        return open_terminal(
            str(PROGRAM), "debug", *words, cwd=self.shell.folder, env=environment, columns=200, lines=60
        )

    def state(self) -> tuple[dict[str, Any], dict[bytes, Any]]:
        """All that the workspace and the server hold."""
        files = {
            str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino, path.read_bytes() if path.is_file() else b"")
            for path in sorted(self.lab.workspace.path.rglob("*"))
        }
        return files, everything(self.lab.client)


@pytest.fixture
def bench(lab: Lab, shell: Shell, tmp_path: Path) -> Bench:
    return Bench(lab, shell, tmp_path / "scratch")


def scratch(said: str) -> Path:
    """The scratch folder that is named first."""
    first = said.splitlines()[0]
    found = re.fullmatch(r"scratch     (/\S+) \(it stays; remove it when you need it no more\)", first)
    assert found, said
    return Path(found[1])


def test_job_runs_with_its_inputs_and_environment_and_changes_nothing_elsewhere(bench: Bench) -> None:
    identity = bench.trained()
    w = bench.lab.workspace.path
    cache = next(iter((w / "config" / "debugged_tasks.Net").glob("*")), w / "config/debugged_tasks.Net" / seal(Net.C()))
    cache.mkdir(parents=True)
    (cache / "table.txt").write_text("a table")
    before = bench.state()
    result = bench.debug(short(identity), CUDA_VISIBLE_DEVICES="7")
    assert result.returncode == 0, result.stderr
    folder = scratch(result.stderr)
    assert bench.state() == before
    assert (folder.parent, folder.stat().st_mode & 0o777) == (bench.folder, 0o700)
    assert folder.name.startswith(f"xpm-trained-{short(identity)}-")
    said = dict(line.partition(": ")[::2] for line in result.stdout.splitlines())
    assert said["data"] == f"seeds in {bench.directory(Prepared.C()).path}"
    assert (said["table"], said["best"], said["modules"]) == ("a table", "none", "[]")
    assert said["folder"] == f"{folder} None"
    known = {"XPM_JOB": identity, "XPM_EXECUTION": "debug", "XPM_WORKSPACE": str(w), "XPM_TASKDIR": str(folder)}
    tokens = {"XPM_TOKENS": "cpu=3;gpu=2:0,1", "XPM_TOKEN_CPU": "3", "XPM_TOKEN_GPU": "0,1"}
    assert dict(each.split("=", 1) for each in said["variables"].split()) == {"LAB": "blue", **known, **tokens}
    assert (folder / "result.txt").read_text() == "42"
    assert (folder / "out/net/weights.bin").read_text() == "2"
    assert '"x": 5' in (folder / "params.json").read_text()
    first, *rest = result.stderr.splitlines()[1:]
    assert first.startswith("progress    0% epoch 0/3")
    assert rest[-2] == f"output      Trained.net.saved(2, '{folder}/out/net/weights.bin')"
    assert rest[-1].startswith("done        after ")


def test_failed_job_shows_the_users_lines_and_the_command_for_more(bench: Bench) -> None:
    identity = short(bench.submit(Failing.C(x=3)))
    before = bench.state()
    result = bench.debug("x=3")
    assert bench.state() == before
    assert (result.returncode, result.stdout) == (1, "")
    trace = result.stderr.splitlines()[1:]
    assert trace[0] == "Traceback (most recent call last):"
    files = [line for line in trace if line.startswith('  File "')]
    assert [(ORIGIN in line, line.split()[-1]) for line in files] == [(True, "execute"), (True, "step")]
    assert trace[-2:] == ["ValueError: 3 is bad", f"A debugger at this place: xpm debug {identity} --pdb"]
    quiet = bench.debug("x=3", "-q")
    assert (quiet.returncode, quiet.stderr.splitlines()[0]) == (1, "Traceback (most recent call last):")


@pytest.mark.parametrize(
    ("how", "code", "said"), [("leave", 0, "done        after"), ("quit", 1, "sys.exit: no more.")]
)
def test_job_that_leaves_by_itself_is_done_or_failed_by_its_exit_code(
    bench: Bench, how: str, code: int, said: str
) -> None:
    result = bench.debug(short(bench.submit(Failing.C(x=1, how=how))))
    assert result.returncode == code
    assert said in result.stderr


def test_debugger_opens_where_the_error_was_raised(bench: Bench) -> None:
    terminal = bench.terminal(bench.submit(Failing.C(x=3)), "--pdb")
    terminal.shows("(Pdb)")
    terminal.type("p self.x\n")
    terminal.shows("\n3\n")
    terminal.type("u\n")
    terminal.shows("self.step()")
    terminal.type("q\n")
    assert terminal.ends() == 1


def test_breakpoint_stops_the_job_and_lets_it_go_on(bench: Bench) -> None:
    job = bench.submit(Failing.C(x=3, how="stop"))
    terminal = bench.terminal(job)
    terminal.shows("(Pdb)")
    terminal.type("p 100 + self.x\n")
    terminal.shows("\n103\n")
    terminal.type("c\n")
    assert terminal.ends() == 0
    assert bench.debug(job, PYTHONBREAKPOINT="0").returncode == 0


def test_debugger_of_the_environment_is_taken_for_errors_too(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "owndb.py").write_text(
        "def post_mortem(trace):\n    print('owndb at', trace.tb_frame.f_code.co_name)\n"
    )
    job = bench.submit(Failing.C(x=3))
    result = bench.debug(job, "--pdb", PYTHONBREAKPOINT="owndb.set_trace", PYTHONPATH=str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "owndb at execute\n")


def test_ctrl_c_reaches_the_job_and_shows_where_it_stood(bench: Bench) -> None:
    terminal = bench.terminal(bench.submit(Failing.C(x=3, how="hang")))
    terminal.shows("hangs")
    terminal.interrupt()
    assert terminal.ends() == 130
    assert "time.sleep(600)" in terminal.out
    assert "KeyboardInterrupt" in terminal.out


def test_shell_has_the_environment_of_the_job_and_says_how_to_run_it(bench: Bench) -> None:
    identity = bench.trained()
    before = bench.state()
    terminal = bench.terminal(identity, "--shell", SHELL="/bin/sh", PS1="$ ")
    terminal.shows("To run the job: sh .xpm/run (--pdb opens a debugger at an error). To leave: exit")
    terminal.shows("\n$")
    terminal.type("echo; echo $LAB; pwd; cd .xpm; sh run; cat ../result.txt; echo; exit 7\n")
    assert terminal.ends() == 7
    lines = terminal.lines()
    folder = scratch("\n".join(lines))
    assert {"blue", str(folder), "42"} <= set(lines)
    assert bench.state() == before


def test_job_can_be_run_again_in_its_scratch_folder(bench: Bench) -> None:
    identity = bench.trained()
    cache = bench.lab.workspace.path / "config/debugged_tasks.Net" / seal(Net.C())
    cache.mkdir(parents=True)
    (cache / "table.txt").write_text("a table")
    (cache / "latest.txt").symlink_to("table.txt")
    first = bench.debug(identity)
    folder = scratch(first.stderr)
    (copied,) = (folder / ".xpm/shared").rglob("table.txt")
    copied.write_text("my table")
    again = subprocess.run(
        ["sh", ".xpm/run"],
        cwd=folder,
        env=bench.shell.environment(XPM_TASKDIR=str(folder)),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert (again.returncode, "table: my table\n" in again.stdout) == (0, True), again.stderr


def test_trackers_see_a_run_of_its_own(bench: Bench) -> None:
    identity = bench.submit(Resumed.C(x=3), env={"WANDB_NAME": "mine"})
    shell = bench.folder / "shell"
    shell.write_text("#!/bin/sh\nenv\n")
    shell.chmod(0o755)
    result = bench.debug(identity, "--shell", SHELL=str(shell), WANDB_TAGS="a")
    found = dict(line.partition("=")[::2] for line in result.stdout.splitlines())
    assert {name: value for name, value in found.items() if name.startswith(("WANDB_", "MLFLOW_"))} == {
        "WANDB_NAME": "mine",
        "MLFLOW_RUN_NAME": "Resumed x=3",
        "WANDB_RUN_GROUP": "sweep",
        "WANDB_TAGS": "a",
        "WANDB_RUN_ID": f"{identity[:16]}-{bench.lab.workspace.id}-debug",
    }


def test_shell_that_does_not_exist_is_an_error(bench: Bench) -> None:
    result = bench.debug(bench.submit(Failing.C(x=3)), "--shell", SHELL="/nowhere/sh")
    assert result.returncode == 1
    assert "/nowhere/sh: No such file or directory. Set SHELL to a program that exists." in result.stderr
    both = bench.debug("last", "--shell", "--pdb")
    assert (both.returncode, "not both" in both.stderr) == (2, True)


def test_job_whose_input_is_missing_is_not_run(bench: Bench) -> None:
    data = Prepared.C()
    need = bench.submit(data)
    job = bench.submit(Trained.C(x=5, data=data), data)
    waits = bench.debug(job)
    see = f"See when it ends: xpm show {short(need)}"
    assert (waits.returncode, waits.stdout) == (1, "")
    assert waits.stderr == f"Error: Trained/{short(job)}: it needs Prepared x=0 {short(need)}, which is ready. {see}\n"
    bench.lab.store.cancel(need)
    assert f"which is cancelled. Run that first: xpm retry {short(need)}" in bench.debug(job).stderr
    assert not list(bench.folder.iterdir())


def test_done_job_whose_input_is_gone_is_not_run(bench: Bench) -> None:
    identity = bench.trained()
    place = bench.directory(Prepared.C()).path
    place.rename(bench.folder / "elsewhere")
    result = bench.debug(identity)
    assert result.returncode == 1
    assert f"whose directory is gone ({place}). Run that again: xpm retry " in result.stderr


@pytest.mark.parametrize("away", [False, True], ids=["live", "away"])
def test_done_job_is_run_from_what_its_directory_keeps(bench: Bench, away: bool) -> None:
    bench.done(Prepared.C(seed=4))
    identity = seal(Prepared.C(seed=4))
    result = bench.debug(identity, away=away)
    assert result.returncode == 0, result.stderr
    assert (bench.folder / next(bench.folder.iterdir()) / "data.txt").read_text() == "data"


def test_password_of_a_server_that_does_not_answer_stays_here(bench: Bench) -> None:
    bench.done(Prepared.C(seed=4))
    away = "unix:///nowhere/redis.sock?password=open-sesame"
    for words, more in (((), {"XPM_REDIS_URL": away}), (("--redis", away), {})):
        terminal = bench.terminal(
            seal(Prepared.C(seed=4)), "--shell", *words, SHELL="/bin/sh", PS1="$ ", LAB_SECRET="open-sesame", **more
        )
        terminal.shows("\n$")
        terminal.type("echo secret=$LAB_SECRET.; exit\n")
        assert terminal.ends() == 0
        assert "secret=." in terminal.lines()


def test_job_that_does_not_say_what_it_runs_is_an_error(bench: Bench) -> None:
    directory = bench.done(Prepared.C())
    (directory.path / ".xpm/handed.json").unlink()
    forgotten = bench.debug(directory.identity)
    assert forgotten.returncode == 1
    remedy = f"Remove it, and run its script again: {directory.path}."
    assert (
        f"Prepared/{short(directory.identity)}: its directory does not say what it runs. {remedy}" in forgotten.stderr
    )
    unknown = bench.debug("ffffff")
    assert (unknown.returncode, "no job has this name" in unknown.stderr) == (2, True)
    waiting = bench.submit(Failing.C(x=1))
    away = bench.debug(waiting, away=True)
    assert (away.returncode, away.stderr.count("Traceback")) == (3, 0)


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module with a task, in a folder that scripts import from."""
    file = tmp_path / "code" / "gone_tasks.py"
    file.parent.mkdir()
    file.write_text(TASK)
    monkeypatch.setattr(sys, "path", [str(file.parent), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the file is written again within a second
    yield file
    sys.modules.pop("gone_tasks", None)


TASK = "from xpm_core import Param, Task\n\nclass Fit(Task):\n    n: Param[int]\n    def execute(self): print(self.n)\n"


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ("", "cannot import 'gone_tasks.Fit' (module 'gone_tasks' has no class 'Fit'). Its code has changed since"),
        ("import nothing_there\n", "(No module named 'nothing_there'): looked in "),
        ("1 / 0\n", "(ZeroDivisionError: division by zero). Its module raised that: mend it."),
        (TASK.replace("n: Param[int]", "m: Param[int]"), "payload: Fit has no parameter 'n' any more."),
    ],
    ids=["class", "module", "raises", "parameter"],
)
def test_code_that_cannot_be_loaded_any_more_is_one_error(bench: Bench, code: Path, after: str, said: str) -> None:
    identity = bench.submit(import_module("gone_tasks").Fit.C(n=1))
    code.write_text(after)
    result = bench.debug(identity)
    assert (result.returncode, result.stdout) == (1, "")
    error = result.stderr.splitlines()[-1 if "A debugger" not in result.stderr else -2]
    assert error.startswith(f"Error: Fit/{short(identity)}: ")
    assert said in error
    assert "xpm_core" not in result.stderr.replace("the packages of", "")


def test_job_runs_a_copy_of_its_snapshot_that_can_be_edited_there(bench: Bench, code: Path) -> None:
    task = import_module("gone_tasks").Fit.C(n=1)
    kept = keep_folder(bench.lab.workspace.path, code.parent)
    identity = bench.submit(task, code=kept.options)
    code.write_text(TASK.replace("self.n", "'changed'"))
    before = bench.state()
    result = bench.debug(identity)
    assert (result.returncode, result.stdout) == (0, "1\n"), result.stderr
    assert bench.state() == before
    folder = scratch(result.stderr)
    said = f"code        snapshot {short(kept.snapshot)}, a copy in .xpm/code, where you may change it"
    assert result.stderr.splitlines()[1] == said
    copy = folder / ".xpm" / "code" / "code" / "gone_tasks.py"
    copy.write_text(TASK.replace("self.n", "'edited'"))
    shell = bench.debug(identity, "--shell", SHELL="/bin/true")
    again = subprocess.run(
        ["sh", ".xpm/run"], cwd=folder, env={**os.environ, "XPM_TASKDIR": str(folder)}, capture_output=True
    )
    assert (shell.returncode, again.stdout) == (0, b"edited\n")


def test_job_whose_snapshot_is_gone_is_not_run_and_leaves_no_folder(bench: Bench, code: Path) -> None:
    kept = keep_folder(bench.lab.workspace.path, code.parent)
    identity = bench.submit(import_module("gone_tasks").Fit.C(n=1), code=kept.options)
    Path(kept.store.document_path("snapshots", kept.snapshot)).unlink()
    result = bench.debug(identity)
    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert f"this description of snapshot {short(kept.snapshot)} is missing" in line
    assert not list(bench.folder.iterdir())


def test_signed_jobs_alone_are_run_where_a_key_is_set_and_the_key_stays_here(bench: Bench) -> None:
    key = "0123456789abcdef"
    bare, signed = bench.submit(Failing.C(x=1)), bench.submit(Failing.C(x=2, how="leave"), signed=key.encode())
    refused = bench.debug(bare, XPM_SIGNING_KEY=key)
    assert (refused.returncode, "it is not signed" in refused.stderr) == (1, True)
    assert bench.debug(signed, XPM_SIGNING_KEY=key, LAB_SECRET=key).returncode == 0
    seen = subprocess.run(
        [str(PROGRAM), "debug", signed, "--shell", "-q"],
        env=bench.shell.environment(
            TMPDIR=str(bench.folder), SHELL="/bin/sh", XPM_SIGNING_KEY=key, LAB_SECRET=f"--key={key}"
        ),
        cwd=bench.shell.folder,
        input="env\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    ).stdout
    assert f"XPM_JOB={signed}" in seen
    assert key not in seen
    assert bench.shell.url not in seen


def test_resumable_task_continues_from_a_copy(bench: Bench) -> None:
    directory = bench.end(Resumed.C(), State.FAILED, checkpoint="early")
    (directory.path / "link.txt").symlink_to(directory.path / "checkpoint.txt")
    directory.out.write_text("old log")
    before = bench.state()
    copied = bench.debug("Resumed")
    assert copied.returncode == 0, copied.stderr
    assert copied.stdout == "found: early ['.xpm', 'checkpoint.txt', 'link.txt', 'params.json']\n"
    assert "copied      1 file, 5 B, from earlier attempts: it continues from there." in copied.stderr
    assert (scratch(copied.stderr) / "link.txt").read_text() == "later"
    anew = bench.debug("Resumed", "--no-copy")
    assert anew.stdout.startswith("found: nothing")
    assert bench.state() == before


def test_resumable_task_with_much_data_begins_anew_and_says_so(bench: Bench) -> None:
    directory = bench.end(Resumed.C(), State.FAILED, checkpoint="early")
    with (directory.path / "large.bin").open("wb") as file:
        os.truncate(file.fileno(), 1_200_000_000)  # a hole, which takes no space
    result = bench.debug("Resumed")
    assert result.stdout.startswith("found: nothing")
    assert "not copied  2 files, 1.2 GB, from earlier attempts. Here it begins anew; --copy" in result.stderr
