"""The code that ran is the code that was submitted: real edits between submission and start, runs, and retries."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import psutil
import pytest
import redis
from helpers import earlier_version
from helpers.user_scripts import Desktop, Running
from helpers.waiting import wait_until

from xpm_core.reading.jobs import JobReader
from xpm_core.reading.reader import Reader
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.provenance import Provenance
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.wire import signing
from xpm_core.workspace.job_spec import JobOptions
from xpm_core.workspace.workspace import Workspace

pytestmark = [pytest.mark.redis, pytest.mark.faults, pytest.mark.slow, pytest.mark.usefixtures("snapshots_on")]

SCRIPT = """
    import sys
    from pathlib import Path
    from xpm_core import *
    import helper

    class Say(Task):
        n: Param[int]
        def execute(self):
            Path("said.txt").write_text(helper.word(self.n))

    def main():
        with experiment({workspace!r}, "desk", {options}) as xp:
            tasks = [Say.C(n=tag(n)).submit({submit}) for n in range({jobs})]
            print("submitted", flush=True)
            {then}

    if __name__ == "__main__":
        main()
"""


class Lab:
    """A project of two files, whose tasks say what the helper says, and a server that lives on."""

    def __init__(self, desktop: Desktop, client: redis.Redis) -> None:
        self.desktop, self.project, self.client = desktop, desktop.folder / "project", client

    def helper(self, word: str) -> None:
        """Write the helper: `Say` writes this word, or does these lines."""
        body = word if "\n" in word or "raise" in word else f"return {word!r}"
        self.desktop.write("project/helper.py", f"def word(n):\n    {body}\n")

    def script(
        self, *, jobs: int = 1, options: str = "workers=1", submit: str = "", then: str = "pass", name: str = "sweep.py"
    ) -> Path:
        text = SCRIPT.format(
            workspace=str(self.desktop.workspace), options=options, submit=submit, jobs=jobs, then=then
        )
        return self.desktop.write(f"project/{name}", text)

    def run(self, script: Path, *, code: int = 0, env: dict[str, str] | None = None) -> Running:
        return self.desktop.run(script, code=code, cwd=self.project, env=env)

    def xpm(self, *words: str, code: int = 0, env: dict[str, str] | None = None) -> str:
        """What a command says, on both streams."""
        command = [Path(sysconfig.get_path("scripts"), "xpm"), *words, "--workspace", str(self.desktop.workspace)]
        environment = {**os.environ, "COLUMNS": "200", **(env or {})}
        ended = subprocess.run(command, capture_output=True, env=environment, text=True, cwd=self.project, check=False)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def said(self) -> list[str]:
        """What the jobs have said, by their numbers."""
        found = {}
        for folder in (self.desktop.workspace / "jobs" / "sweep.say").glob("*"):
            file = folder / "said.txt"
            number = json.loads((folder / "params.json").read_text())["parameters"]["n"] if file.exists() else -1
            found[number] = file.read_text() if file.exists() else ""
        return [found[n] for n in sorted(found)]

    def worker(self, module: str, *words: str) -> Running:
        """Start a worker."""
        tests = str(Path(earlier_version.__file__).parents[1])
        path = os.pathsep.join(filter(None, [tests, os.environ.get("PYTHONPATH", "")]))
        return self.desktop.start("-m", module, "--workspace", self.desktop.workspace, *words, env={"PYTHONPATH": path})

    @property
    def w(self) -> str:
        return Workspace.open(self.desktop.workspace, create=False).id

    @property
    def reader(self) -> JobReader:
        return Reader(self.client, self.w).jobs

    def states(self) -> list[State]:
        return [job.state for job in self.reader.read(self.reader.identities())]

    def options(self) -> list[JobOptions]:
        """The options of all jobs, none of which is done."""
        return [self.reader.spec(identity).options for identity in self.reader.identities()]


@pytest.fixture
def lab(desktop: Desktop, redis_client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("XPM_REDIS_URL", redis_url)
    return Lab(desktop, redis_client)


def code_in(lines: str, start: str) -> str:
    """The first code that a line names which begins so."""
    (found,) = {line.removeprefix(start)[:7] for line in lines.splitlines() if line.startswith(start)}
    return found


FIXED, BROKEN = "fixed", "raise ValueError('broken')"
EDIT = "Path('helper.py').write_text('def word(n): return \\'new\\'')"


def test_a_job_runs_the_code_that_was_submitted_though_its_file_was_edited_before_it_began(lab: Lab) -> None:
    lab.helper("old")
    ended = lab.run(lab.script(jobs=2, then=EDIT))
    assert lab.said() == ["old", "old"]
    assert re.match(r"code [0-9a-f]{7}: 2 files, [0-9.]+ k?B, 2 new\n", ended.err), ended.err
    (log,) = (lab.desktop.workspace / "experiments" / "desk" / "runs").glob("*/*.log")
    assert f"INFO {ended.err.splitlines()[0]}" in log.read_text()


def test_live_code_is_used_as_it_is_when_a_job_begins_and_says_where_it_came_from(lab: Lab) -> None:
    for way in ({"options": "workers=0, code='live'"}, {"submit": "code='live'"}, {"env": {"XPM_SNAPSHOT": "0"}}):
        lab.helper("old")
        env = way.pop("env", None)
        script = lab.script(**{"options": "workers=0", **way, "then": "raise SystemExit"})  # type: ignore[arg-type]
        assert "code " not in lab.run(script, env=env).err
        (options,) = lab.options()
        assert options.snapshot == ""
        provenance = Provenance.read(CodeStore(lab.desktop.workspace).get("provenance", options.provenance))
        assert ([tree.roots[0] for tree in provenance.trees], provenance.script) == ([str(lab.project)], str(script))
    lab.helper("much newer")  # Python tells files apart that were written in one second by their lengths alone
    lab.run(lab.script(submit="code='live'"))
    assert lab.said() == ["much newer"]


def test_jobs_that_wait_take_the_code_of_the_next_run_and_it_says_so(lab: Lab) -> None:
    lab.helper("old")
    before = code_in(lab.run(lab.script(jobs=3, options="workers=0", then="raise SystemExit")).err, "code ")
    lab.helper("new")
    ended = lab.run(lab.script(jobs=3))
    after = code_in(ended.err, "code ")
    assert ended.err.splitlines().count(f"3 waiting jobs now use code {after} (before: {before})") == 1
    assert lab.said() == ["new"] * 3


def test_a_job_that_runs_keeps_its_code_and_the_next_run_says_in_which_files_it_differs(lab: Lab) -> None:
    lab.helper("import pathlib, time\n    pathlib.Path('begun').touch()\n"
               "    while not pathlib.Path('go').exists(): time.sleep(0.01)\n    return 'old'")  # fmt: skip
    first = lab.desktop.start(lab.script(), cwd=lab.project)
    folder = lab.desktop.workspace / "jobs" / "sweep.say"
    wait_until(lambda: list(folder.glob("*/begun")), show=lambda: first.err)
    lab.helper("new")
    second = lab.desktop.start(lab.script(), cwd=lab.project)
    before = code_in(first.err, "code ")
    keeps = f"1 running job keeps code {before}, which differs from today's in 1 file (helper.py)\n"
    second.says(keeps)
    next(folder.glob("*")).joinpath("go").touch()
    assert (first.ends(), second.ends()) == (0, 0)
    assert second.err.count(keeps) == 1
    ran = f"note    1 job ran with code {before}, which differs from today's in 1 file (helper.py)\n"
    assert ran in second.err
    assert ran not in first.err
    assert lab.said() == ["old"]


def test_a_retry_that_happens_by_itself_keeps_the_code_and_the_next_run_takes_todays(lab: Lab) -> None:
    lab.helper(BROKEN)
    edited = f"import time\n            while {EDIT} and not list(Path({str(lab.desktop.workspace)!r}).glob("
    edited += "'jobs/*/*/.xpm/executions/1-*')): time.sleep(0.01)"
    failed = lab.run(lab.script(submit="max_retries=1, backoff=0.2", then=edited), code=1)
    assert "ValueError: broken" in failed.err
    assert len(list(lab.desktop.workspace.glob("jobs/*/*/.xpm/executions/*"))) == 2
    ended = lab.run(lab.script())
    before, after = code_in(failed.err, "code "), code_in(ended.err, "code ")
    assert f"1 job that failed runs again with code {after} (before: {before})\n" in ended.err
    assert lab.said() == ["new"]


def test_a_done_job_whose_directory_is_gone_uses_todays_code(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.helper("old")
    lab.run(lab.script())
    shutil.rmtree(lab.desktop.workspace / "jobs" / "sweep.say")
    lab.helper("new")
    once = "import xpm_core.script.submit.submitter as s; s.LISTING_LAG_S = 0; "  # the files are on no network
    script = lab.script()
    script.write_text(once + script.read_text().lstrip())
    lab.run(script)
    assert lab.said() == ["new"]


def test_a_file_that_changes_between_two_submissions_is_taken_and_said_once(lab: Lab) -> None:
    lab.helper("old")
    then = f"""time.sleep(0.06); {EDIT}
            [Say.C(n=tag(n)).submit() for n in (7, 8)]"""
    script = lab.script(then=then)
    script.write_text("import time\n" + script.read_text())
    ended = lab.run(script)
    codes = re.findall(r"^code ([0-9a-f]{7}): (.*)$", ended.err, re.MULTILINE)
    assert len(codes) == 2, ended.err
    assert codes[1][1].startswith(f"1 file changed since {codes[0][0]} (helper.py)"), ended.err
    assert lab.said() == ["old", "new", "new"]


def test_two_scripts_at_once_have_their_own_code_each(lab: Lab) -> None:
    lab.helper("old")
    wait = f"""import time
            while not Path({str(lab.desktop.folder / "go")!r}).exists(): time.sleep(0.01)
            for n in (5, 6): Say.C(n=tag(n)).submit()"""
    first = lab.desktop.start(lab.script(then=wait, options="workers=0"), cwd=lab.project)
    wait_until(lambda: "submitted" in first.out, show=lambda: first.err)
    lab.helper("new")
    second = lab.desktop.start(lab.script(jobs=2, options="workers=1"), cwd=lab.project)
    assert second.ends() == 0, second.err
    lab.desktop.folder.joinpath("go").touch()
    wait_until(lambda: len(lab.states()) == 4, show=lambda: first.err)
    work(lab)
    assert first.ends() == 0, first.err
    assert lab.said() == ["new"] * 4, "the first script sees that the helper has changed before it submits again"
    assert "2 files changed since" in first.err


def test_a_worker_of_an_earlier_xpm_hands_a_job_with_a_snapshot_back(lab: Lab) -> None:
    lab.helper("old")
    script = lab.script(options="workers=0", then="raise SystemExit")
    lab.run(script)  # so that there is a workspace
    lab.client.flushall()
    later = lab.worker("xpm_worker", "--name", "m2")
    wait_until(lambda: lab.client.exists(keys.workers(lab.w)), show=lambda: later.err)
    slots = psutil.Process(later.pid).children(recursive=True)
    for slot in slots:
        slot.suspend()
    lab.run(script)
    earlier = lab.worker("helpers.earlier_version", "--name", "m1")
    wait_until(lambda: "does not know the option 'provenance'" in earlier.err, show=lambda: earlier.err)
    wait_until(lambda: lab.states() == [State.READY], show=lab.states)
    for slot in slots:
        slot.resume()
    wait_until(lambda: lab.states() == [State.DONE], show=lambda: later.err)
    assert lab.said() == ["old"]


CALLBACK = """
    import time
    from sweep import *

    class Hold(Task):
        until: Meta[Path]
        def execute(self):
            while not self.until.exists():
                time.sleep(0.005)

    def again(task):
        EDIT
        time.sleep(0.06)
        Say.C(n=tag(9)).submit()

    if __name__ == "__main__":
        with experiment(WORKSPACE, "desk", workers=1) as xp:
            Say.C(n=tag(0)).on_completed(again).submit()
            Hold.C(until=Path(GO)).submit()
"""


def test_what_is_said_of_code_while_a_run_is_shown_does_not_tear_the_display(lab: Lab) -> None:
    lab.helper("old")
    lab.script()
    go = lab.desktop.folder / "go"
    words = {"EDIT": EDIT, "WORKSPACE": repr(str(lab.desktop.workspace)), "GO": repr(str(go))}
    text = CALLBACK
    for word, value in words.items():
        text = text.replace(word, value)
    script = lab.desktop.write(
        "project/shown.py", text.replace("Path('helper.py')", "Path(__file__).with_name('helper.py')")
    )
    terminal = lab.desktop.terminal(script, columns=200)
    found = terminal.draws(lambda lines: any("1 file changed since" in line for line in lines))
    assert [line[:5] for line in found].count("code ") == 2, found
    assert sum(line.startswith("desk  ") for line in found) == 1, found
    go.touch()
    assert terminal.ends() == 0
    assert lab.said() == ["old", "new"]


def test_a_file_of_xpm_run_can_ask_for_live_code(lab: Lab) -> None:
    lab.helper("old")
    lab.script()
    body = "from sweep import Say\nfrom xpm_core import tag\n\n\ndef run(xp):\n    Say.C(n=tag(0)).submit()\n"
    lab.desktop.write("project/study.py", f"{body}    raise SystemExit\n")
    for words, kept in (("", True), ("code: live\n", False)):
        text = f"workspace: {lab.desktop.workspace}\nexperiment: desk\nrun: study.py\nworkers: 0\n{words}"
        lab.desktop.write("project/study.yaml", text)
        command = [Path(sysconfig.get_path("scripts"), "xpm"), "run", "study.yaml"]
        ended = subprocess.run(command, cwd=lab.project, capture_output=True, text=True, check=True)
        (options,) = lab.options()
        assert bool(options.snapshot) is kept is ended.stderr.startswith("code "), ended.stderr


# -- xpm retry ---------------------------------------------------------------------------------------------------------


def broken(lab: Lab, *, jobs: int = 1, env: dict[str, str] | None = None) -> str:
    """Let jobs fail, and leave workers that run what is retried; returns their code."""
    lab.helper(BROKEN)
    return code_in(lab.run(lab.script(jobs=jobs), code=1, env=env).err, "code ")


def work(lab: Lab, env: dict[str, str] | None = None) -> None:
    """Run all that is ready."""
    lab.desktop.run("-m", "xpm_worker", "--workspace", lab.desktop.workspace, "--burst", env=env)


def test_xpm_retry_uses_the_jobs_own_code_and_says_what_differs_now(lab: Lab) -> None:
    code = broken(lab)
    lab.helper(FIXED)
    said = lab.xpm("retry", "--failed", "--yes")
    assert said.splitlines()[0] == f"its code is {code}; 1 file differs now (helper.py): --code now takes today's"
    work(lab)
    assert lab.states() == [State.FAILED]
    lab.helper(BROKEN)
    assert "differ" not in lab.xpm("retry", "--failed", "--yes")


def test_xpm_retry_takes_todays_code_if_it_is_told_to(lab: Lab) -> None:
    before = broken(lab, jobs=3)
    lab.helper(FIXED)
    asked = lab.xpm("retry", "--failed", "--code", "now", code=1)
    assert "would retry 3 jobs" in asked
    assert "differ" not in asked
    said = lab.xpm("retry", "--failed", "--code", "now", "--yes").splitlines()
    after = re.fullmatch(rf"the code of 3 jobs is ([0-9a-f]{{7}}) now, not {before}: 1 file differs now \(helper\.py\)",
                         said[0])  # fmt: skip
    assert after is not None, said
    assert {options.snapshot[:7] for options in lab.options()} == {after[1]}
    work(lab)
    assert lab.said() == [FIXED] * 3
    assert lab.run(lab.script(jobs=3)).err.splitlines()[-1].startswith("desk  3 done (3 reused)")


def test_a_done_job_takes_todays_code_too(lab: Lab) -> None:
    lab.helper("old")
    lab.run(lab.script())
    lab.helper("new")
    (name,) = lab.xpm("jobs", "--state", "done", "-o", "name").split()
    assert "is " in lab.xpm("retry", name, "--code", "now")
    work(lab)
    assert lab.said() == ["new"]
    assert "no file differs now" in lab.xpm("retry", name, "--code", "now")


def test_todays_code_of_a_signed_job_is_signed(lab: Lab) -> None:
    key = {signing.VARIABLE: "correct-horse-battery-staple"}
    broken(lab, env=key)
    lab.helper(FIXED)
    refused = lab.xpm("retry", "--failed", "--code", "now", "--yes", code=1)
    assert "it is signed, and XPM_SIGNING_KEY is not set here: today's code cannot be signed" in refused
    wrong = lab.xpm("retry", "--failed", "--code", "now", "--yes", code=1, env={signing.VARIABLE: "another"})
    assert "its signature is not that of the XPM_SIGNING_KEY here" in wrong
    assert lab.states() == [State.FAILED]
    lab.xpm("retry", "--failed", "--code", "now", "--yes", env=key)
    work(lab, env=key)
    assert lab.said() == [FIXED]


def test_where_the_code_is_not_on_this_machine_a_retry_uses_its_own_and_code_now_is_refused(lab: Lab) -> None:
    code = broken(lab)
    lab.project.rename(lab.project.with_name("moved"))
    lab.project = lab.project.with_name("moved")
    refused = lab.xpm("retry", "--failed", "--code", "now", "--yes", code=1)
    assert "the code that the job was submitted from is gone" in refused
    assert lab.states() == [State.FAILED]
    said = lab.xpm("retry", "--failed", "--yes")
    assert said.startswith(f"its code is {code}; its files are not on this machine\n")
