"""`FailedExperiment`: what it says about failures, and the commands that it names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import script_tasks
from helpers.playground import Stage
from helpers.waiting import wait_until
from script_tasks import Fail, Gated, Killed, Needs, Numbered, Write

from xpm_core import tag
from xpm_core.identity import seal
from xpm_core.states import State
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import WorkerId
from xpm_core.workspace.job_records import Marker

pytestmark = pytest.mark.redis

PROGRAMS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def source(place: str) -> str:
    """The line of the tasks' module that a report names: `tests/script_tasks.py:70 in execute`."""
    file, line = re.fullmatch(r"(.*):(\d+) in execute", place).groups()  # type: ignore[union-attr]
    assert Path(file).resolve() == Path(script_tasks.__file__)
    return Path(file).read_text().splitlines()[int(line) - 1].strip()


def cause_of(report: str, error: str) -> list[str]:
    """The lines of a report that belong to one cause, without indentation."""
    lines = report.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"✗ {error}"))
    end = next((n for n in range(start + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
    return [line.strip() for line in lines[start:end]]


def test_report_names_exception_line_log_and_command(stage: Stage) -> None:
    note = stage.note()
    with stage.failing() as failing:
        fail = Fail.C(note=note).submit()
    first, place, log, more = cause_of(failing.report, "ValueError")
    assert re.fullmatch(rf"✗ ValueError: no good: {note} +1 job", first)
    assert source(place) == 'raise ValueError(f"no good: {self.note}")'
    assert log == f"log: {fail.jobpath / 'fail.err'}"
    assert "ValueError: no good" in (fail.jobpath / "fail.err").read_text()
    assert f"xpm show {stage.job(fail).identity[:7]} --workspace {stage.workspace.path}" in more


def test_report_begins_with_the_counts_and_ends_with_what_to_do(stage: Stage) -> None:
    name = stage.name()
    with stage.failing(name) as failing:
        Write.C(note=stage.note()).submit()
        Needs.C(before=Fail.C(note=stage.note()).submit()).submit()
    lines = failing.report.splitlines()
    assert re.fullmatch(rf"{name}  1 done   1 failed   1 blocked   in [\d.]+ s", lines[0])
    assert lines[-1].startswith("next    run the script again")
    assert f"xpm retry --failed --experiment {name}" in lines[-1]


def test_every_command_of_a_report_works_as_printed(stage: Stage, tmp_path: Path) -> None:
    """In another directory, in a shell that knows nothing of the script's `redis=`."""
    with stage.failing() as failing:
        fail = Fail.C(note=stage.note()).submit()
    commands = re.findall(r"(?:more|or): (.*xpm .*)", failing.report)
    assert len(commands) == 2
    environment = {"PATH": PROGRAMS, "HOME": str(tmp_path)}
    show, retry = (
        subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        for command in commands
    )
    assert show.returncode == 1, show.stderr  # which says that the job has failed
    assert "no good" in show.stdout
    assert retry.returncode == 0, retry.stderr
    wait_until(lambda: stage.runs(fail) == 2)


def test_failures_of_one_cause_are_told_together_with_what_is_common_in_their_tags(stage: Stage) -> None:
    note = stage.note()
    with stage.failing() as failing:
        for n in range(4):
            Fail.C(note=note, n=tag(n)).tag("model", "mlp").tag("data", "digits").submit()
        Write.C(note=note).tag("model", "svm").tag("data", "digits").submit()
    first, *_ = cause_of(failing.report, "ValueError")
    assert first.endswith("4 jobs, all with model=mlp"), "data=digits has every job of the run: it tells nothing"
    assert failing.report.count("ValueError") == 1


def test_failures_at_one_line_with_different_messages_are_one_cause(stage: Stage) -> None:
    note = stage.note()
    with stage.failing() as failing:
        for n in range(3):
            Numbered.C(note=note, n=n).submit()
    first, place, *_ = cause_of(failing.report, "ValueError")
    assert re.search(r"step \d is no good +3 jobs, 2 other messages$", first)
    assert "is no good" in source(place)
    assert failing.report.count("✗") == 1


def test_failures_of_different_causes_are_told_apart_the_most_frequent_first(stage: Stage) -> None:
    note = stage.note()
    with stage.failing() as failing:
        Fail.C(note=note, n=tag(7)).submit()
        for n in range(2):
            Numbered.C(note=note, n=n).submit()
    causes = [line for line in failing.report.splitlines() if line.startswith("✗")]
    assert len(causes) == 2
    assert "2 jobs" in causes[0]
    assert causes[1].endswith("1 job, n=7")


def test_blocked_jobs_are_listed_under_the_failure_that_blocks_them(stage: Stage) -> None:
    note = stage.note()
    with stage.failing() as failing:
        fail = Fail.C(note=note).submit()
        blocked = [Needs.C(before=fail, n=n).submit() for n in range(7)]
        deep = Write.C(note=note)
        deep.add_dependencies(blocked[0])
        deep.submit()
        Killed.C(note=note).submit()
    listed = next(line for line in cause_of(failing.report, "ValueError") if line.startswith("blocked"))
    labels = [f"Needs/{stage.job(task).identity[:7]}" for task in blocked]
    assert listed.startswith("blocked by it: ")
    assert sum(label in listed for label in labels) == 5
    assert listed.endswith(" and 3 more")
    assert not any(line.startswith("blocked") for line in cause_of(failing.report, "Signal"))
    assert stage.job(deep).root == stage.job(fail).identity


def test_failure_without_an_exception_says_what_ended_it(stage: Stage) -> None:
    with stage.failing() as failing:
        Killed.C(note=stage.note()).submit()
    first, *_ = cause_of(failing.report, "Signal")
    assert "SIGKILL" in first


def test_class_that_cannot_be_imported_on_the_worker_is_named_with_the_reason(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "only_here.py"
    module.write_text(
        "import os\nfrom xpm_core import Task\n"
        "if 'XPM_JOB' in os.environ:\n    import no_such_package\n"
        "class Absent(Task):\n    def execute(self): ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here

    with stage.failing() as failing:
        only_here.Absent.C().submit()
    assert "cannot import 'only_here.Absent' (No module named 'no_such_package')" in failing.report
    assert "Install" in failing.report


def test_module_that_opens_an_experiment_when_it_is_imported_fails_the_job_with_the_line_and_the_remedy(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "opens_one.py"
    module.write_text(
        "from xpm_core import Task, experiment\n"
        "class Task1(Task):\n    def execute(self): ...\n"
        "import os\n"
        "if 'XPM_JOB' in os.environ:\n"
        f"    with experiment({str(tmp_path / 'other')!r}, 'inner'): pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import opens_one

    with stage.failing() as failing:
        opens_one.Task1.C().submit()
    assert "opens_one.py:6: this process is job" in failing.report
    assert "__main__" in failing.report
    assert not (tmp_path / "other").exists()


def test_failure_that_was_there_before_it_could_be_seen_is_explained_too(stage: Stage, tmp_path: Path) -> None:
    """Another run retries the job and sees it fail while this one has not submitted it yet."""
    fail = Gated.C(note=stage.note(), until=tmp_path / "gate")
    with stage.broken():
        fail.submit()
        wait_until(lambda: stage.job(fail).state is State.RUNNING)
    with stage.failing() as failing:
        fail.until.touch()
        wait_until(lambda: stage.job(fail).state is State.FAILED)
        Gated.C(note=fail.note, until=fail.until).submit()
    assert "ValueError: no good" in failing.report


def test_failed_job_is_run_again_once_by_a_later_run_for_twelve_that_need_it(stage: Stage, tmp_path: Path) -> None:
    only_with = tmp_path / "bad"
    only_with.touch()

    def submit() -> Fail:
        note = "twelve"
        for n in range(12):
            Needs.C(before=Fail.C(note=note, only_with=only_with).submit(), n=n).submit()
        return Fail.C(note=note, only_with=only_with)

    with stage.failing() as failing:
        fail = submit()
        assert failing.xp.wait().blocked == 12
    with stage.failing():
        submit()
    assert stage.runs(fail) == 2
    only_with.unlink()
    with stage.experiment() as xp:
        submit()
        summary = xp.wait()
    assert (summary.done, summary.failed, summary.blocked) == (13, 0, 0)
    assert stage.runs(fail) == 3
    assert stage.job(fail).identity == seal(fail)


def test_task_without_a_retry_left_is_run_once_and_with_two_three_times(stage: Stage) -> None:
    fail = Fail.C(note=stage.note())
    with stage.failing() as failing:
        fail.submit(max_retries=2, backoff=0.05)
        assert failing.xp.wait().failed == 1
    assert stage.runs(fail) == 3


def test_directory_of_a_job_that_failed_by_a_lost_worker_says_so(stage: Stage) -> None:
    """Nobody but the script hears of it: the worker is dead, and whoever finds that has nothing to do with the job."""
    ghost = WorkerId("ghost", "nowhere", ("haunted",), lease_s=0.05)
    with stage.failing(queue="haunted") as failing:
        write = Write.C(note=stage.note())
        write.submit(max_losses=0)
        lease = stage.store.claim(ghost, new_execution_id()).lease
        assert lease is not None
        stage.directory(write).prepare(lease.attempt)
        wait_until(lambda: stage.store.look(0.05) and stage.job(write).state is State.FAILED)
    assert "WorkerLost" in failing.report
    assert stage.directory(write).marker() == Marker("failed", lease.execution)


def test_what_a_job_says_of_its_error_cannot_act_on_the_terminal(stage: Stage) -> None:
    note = "\x1b[2J\r" + "long " * 200
    with stage.failing() as failing:
        Fail.C(note=note).tag("tag", "\x1b[31mred").submit()
    assert "\x1b" not in failing.report
    first, *_ = cause_of(failing.report, "ValueError: no good: ?[2J")
    assert len(first) < 700
