"""What has changed for one job, by the files as they are now."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from textwrap import dedent

import pytest
from helpers.done_job import FILES, RAN, TASK, DoneJob

from xpm_core.fingerprints.ran import OpenedFile, Ran
from xpm_core.judging.since import Since, since

OTHER_HELPER = dedent(FILES["changed_helper.py"]).lstrip("\n").replace("return n", "return 0")


@pytest.fixture
def job(tmp_path: Path) -> Iterator[DoneJob]:
    found = DoneJob(tmp_path)
    with found.importable():
        yield found


def found(job: DoneJob) -> Since:
    return since(job.workspace, job.directory, TASK)


def names(job: DoneJob) -> tuple[list[str], list[str], list[str]]:
    parts = found(job).parts
    return tuple([each.name for each in part] for part in (parts.ran, parts.never, parts.unsure))  # type: ignore[return-value]


def kept(job: DoneJob) -> set[Path]:
    """The files of the kept code."""
    return {path for path in (job.workspace / "code").rglob("*") if path.is_file()}


def test_nothing_has_changed_as_long_as_the_files_are_the_same(job: DoneJob) -> None:
    job.run()
    assert (found(job).answer, names(job)) == ("same", ([], [], []))
    job.edit("changed_helper.py", "# A comment.", "# Another one, and a line.\n")
    assert found(job).answer == "same"


def test_changes_stand_in_groups_and_no_snapshot_is_written(job: DoneJob) -> None:
    job.run()
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    assert (found(job).answer, names(job)) == ("reached", ([], ["unused"], []))
    before = kept(job)
    job.edit("changed_helper.py", "return n", "return n + 1")
    assert (found(job).answer, names(job)) == ("ran", (["used"], ["unused"], []))
    assert {path.parent.name for path in kept(job) - before} == {"definitions"}


def test_what_processes_may_have_run_is_told_apart(job: DoneJob) -> None:
    job.run(replace(RAN, processes=["fork"]))
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    assert (found(job).answer, names(job)) == ("unknown", ([], [], ["unused"]))


def test_what_is_not_recorded_is_said(job: DoneJob) -> None:
    job.run(None)
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    assert (found(job).lacks, names(job)) == ("all", (["unused"], [], []))


def test_functions_that_are_not_recorded_count_with_their_modules(job: DoneJob) -> None:
    job.run(replace(RAN, means="imports", why="Python 3.11", functions={}))
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    assert (found(job).lacks, names(job)) == ("functions", (["unused"], [], []))


def test_a_place_that_cannot_be_followed_stands_beside_what_has_changed(job: DoneJob) -> None:
    job.files["changed_helper.py"] += "\ndef other(name):\n    return getattr(changed_task, name)\n"
    text = job.files["changed_helper.py"].replace("n\n\n", "other(n)\n\n", 1)
    job.files["changed_helper.py"] = f"import changed_task\n{text}"
    job.write("changed_helper.py", job.files["changed_helper.py"])
    job.run(replace(RAN, processes=["fork"]))
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    job.edit("changed_helper.py", "return other(n)", "return 1 + other(n)")
    now = found(job)
    assert (now.answer, names(job)) == ("ran", (["used"], [], ["unused"]))
    assert len(now.why) == 1
    assert now.why[0].startswith("getattr at changed_helper.py:")


def test_what_changed_for_an_earlier_attempt_is_told_if_the_job_continued_it(job: DoneJob) -> None:
    earlier = replace(RAN, functions={("p", "changed_helper.py"): ("unused",)})
    job.run(earlier, RAN, resumable=True)
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    assert (found(job).answer, names(job)) == ("ran", (["unused"], [], []))


def test_an_earlier_attempt_is_compared_by_the_code_that_it_had(job: DoneJob) -> None:
    job.run(RAN, RAN, resumable=True)
    before, _ = job.directory.records()
    job.directory.write_record(1, "e1", {**before, "code": job.submitted(changed_helper=OTHER_HELPER)})
    job.edit("changed_helper.py", "return 0", "return n")
    now = found(job)
    [change] = now.parts.ran
    assert (now.answer, names(job), now.lacks) == ("ran", (["used"], [], []), "")
    then, today = now.comparisons[change].contents(change)
    assert then == OTHER_HELPER.encode()
    assert today == job.files["changed_helper.py"].encode()


def test_an_earlier_attempt_of_which_nothing_was_seen_may_have_run_all(job: DoneJob) -> None:
    job.run(None, RAN, resumable=True)
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    assert (found(job).lacks, names(job)) == ("all", (["unused"], [], []))


def test_files_that_it_has_read_are_compared_with_the_disk(job: DoneJob) -> None:
    job.write("rates.csv", "1")
    job.run(replace(RAN, files=[OpenedFile("p", "rates.csv", "digest", "0" * 64)]))
    assert (found(job).answer, found(job).files) == ("ran", ("rates.csv",))


def test_files_that_it_has_read_and_that_are_the_same_are_not_told(job: DoneJob) -> None:
    job.files["rates.csv"] = "1"
    job.write("rates.csv", "1")
    files = [OpenedFile("p", "rates.csv", "digest", sha256(b"1").hexdigest())]
    job.run(replace(RAN, files=files, processes=["fork"]))
    assert (found(job).answer, found(job).files) == ("same", ())
    job.write("rates.csv", "2")
    assert (found(job).answer, found(job).files) == ("ran", ("rates.csv",))


@pytest.mark.parametrize("ran", [None, replace(RAN, processes=["fork"])])
def test_a_file_that_it_may_have_read_unseen_is_told_once_it_has_changed(job: DoneJob, ran: Ran | None) -> None:
    job.files["rates.csv"] = "1"
    job.write("rates.csv", "1")
    job.run(ran)
    assert (found(job).answer, found(job).why) == ("same", ())
    job.write("rates.csv", "2")
    assert (found(job).answer, found(job).why) == ("unknown", ("the file rates.csv, which it may have read unseen",))


def test_what_an_earlier_attempt_ran_counts_if_the_job_continues_it(job: DoneJob) -> None:
    job.run(replace(RAN, functions={("p", "changed_helper.py"): ("unused",)}), RAN, resumable=True)
    job.edit("changed_helper.py", "return -n", "return 1 - n")
    assert (found(job).answer, names(job)) == ("ran", (["unused"], [], []))
    job.edit("changed_helper.py", "return n", "return n + 1")
    assert names(job) == (["unused", "used"], [], [])


def test_a_project_that_is_not_here_is_said(job: DoneJob) -> None:
    job.run()
    shutil.rmtree(job.root)
    assert found(job).why == (f"the folder {job.root}, from which it was submitted, is not here",)


def test_a_snapshot_that_is_damaged_is_said(job: DoneJob) -> None:
    job.run()
    shutil.rmtree(job.workspace / "code" / "snapshots")
    now = found(job)
    assert now.answer == "unknown"
    assert "snapshot" in now.why[0]


def test_a_job_of_which_nothing_is_known_is_said(job: DoneJob) -> None:
    assert found(job).why == ("there is no record of how it ran",)
