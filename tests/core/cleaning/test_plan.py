"""What may go: never what a job that has not ended, or a run that is kept, needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time

import pytest
from helpers.cleanings import DAY_S, Cleaner, age
from helpers.project_files import require
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.cleaning.records import Kind, Left, Why
from xpm_core.errors import WorkspaceError
from xpm_core.states import State
from xpm_core.store.records import RetryCode

pytestmark = pytest.mark.redis


def ids(lab: Lab, *names: str) -> set[str]:
    return set(map(lab.identity, names))


def test_orphans_are_jobs_that_no_run_names_and_no_job_that_stays_needs(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    for name, needs in (("data", ()), ("model", ("data",)), ("score", ("model",)), ("alone", ()), ("old", ("alone",))):
        lab.end(name, needs=needs)
    cleaner.run("score")
    assert cleaner.jobs(Kind.ORPHANS, orphans=True) == ids(lab, "alone", "old")
    assert cleaner.plan(orphans=True).kept == {Why.NEEDED: 2}
    assert cleaner.plan().items == []


@pytest.mark.parametrize("how", ["path", "link"])
def test_a_job_is_needed_whose_directory_a_parameter_or_a_link_leads_to(cleaner: Cleaner, how: str) -> None:
    lab = cleaner.lab
    lab.end("data")
    lab.end("model")
    cleaner.run("model")
    model, data = lab.directory("model"), lab.directory("data")
    if how == "path":
        params = json.loads(model.params.read_text())
        params["parameters"]["corpus"] = {"path": f"{data.relative}/corpus.txt", "in": "workspace"}
        model.write_params(params)
    else:
        (model.path / "corpus").symlink_to(f"../{data.identity}/corpus.txt")
    assert cleaner.jobs(Kind.ORPHANS, orphans=True) == set()
    shutil.rmtree(model.path)
    assert cleaner.jobs(Kind.ORPHANS, orphans=True) == ids(lab, "data")


def test_what_a_job_needs_that_has_not_ended_stays_through_jobs_that_are_done(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("data")
    lab.end("model", needs=("data",))
    lab.start("score", "model")
    lab.submit("table", "score")
    cleaner.run()
    assert cleaner.plan(orphans=True, failed=True).of(Kind.ORPHANS) == []


def test_failed_jobs_go_although_a_run_names_them_but_not_those_that_block_others(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    for name in ("a", "b"):
        lab.end(name, State.FAILED, ERROR)
    lab.submit("c", "b")
    lab.store.cancel(lab.submit("never-run"))
    lab.end("good")
    cleaner.run("a", "b", "c", "never-run", "good")
    found = cleaner.plan(failed=True)
    assert {item.identity: (item.state, bool(item.path)) for item in found.items} == {
        lab.identity("a"): ("failed", True),
        lab.identity("never-run"): ("cancelled", False),
    }
    assert found.kept == {Why.BLOCKED: 1}
    lab.store.cancel(lab.identity("c"))
    assert cleaner.jobs(Kind.FAILED, failed=True) == ids(lab, "a", "b", "c", "never-run")


def test_a_failed_job_stays_whose_script_may_still_submit_jobs_that_need_it(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    for name in ("a", "b"):
        lab.end(name, State.FAILED, ERROR)
    cleaner.run("b")
    live = cleaner.run("a", ended=False)
    assert cleaner.jobs(Kind.FAILED, failed=True) == ids(lab, "b")
    assert cleaner.plan(failed=True).kept == {Why.NAMED: 1}
    live.end()
    assert cleaner.jobs(Kind.FAILED, failed=True) == ids(lab, "a", "b")


def test_a_failed_job_stays_whose_earlier_result_a_job_that_stays_has_used(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("data")
    lab.end("model", needs=("data",))
    assert lab.store.retry(lab.identity("data"), kept=_kept(lab, "data"))[0] is RetryCode.RETRIED
    lab.finish("data", lab.claim(lab.identity("data")), State.FAILED, ERROR)
    lab.submit("waits for both", "data")
    cleaner.run("data", "model", "waits for both")
    assert cleaner.plan(failed=True).items == []
    assert cleaner.plan(failed=True).kept == {Why.NEEDED: 1}, "to cancel the blocked job would not be enough"


def _kept(lab: Lab, name: str):  # type: ignore[no-untyped-def]
    from xpm_core.store.records import Submission

    kept = lab.directory(name).kept("sweep:Train")
    assert kept is not None
    return Submission(**kept._asdict())


def test_a_run_of_an_earlier_xpm_names_all_jobs_of_its_experiment(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("a")
    lab.end("b", experiment="other")
    cleaner.run(recorded=False)
    cleaner.run(experiment="other")
    assert cleaner.jobs(Kind.ORPHANS, orphans=True) == ids(lab, "b")


def test_an_experiment_without_runs_keeps_its_jobs_until_its_folder_is_gone(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("a")
    cleaner.run("a")
    shutil.rmtree(lab.workspace.experiment("sweep").path / "runs")
    assert cleaner.jobs(Kind.ORPHANS, orphans=True) == set()
    shutil.rmtree(lab.workspace.experiment("sweep").path)
    assert cleaner.jobs(Kind.ORPHANS, orphans=True) == ids(lab, "a")


@pytest.mark.parametrize("how", ["link to a run", "link to an experiment", "own name"])
def test_a_run_that_somebody_has_moved_or_renamed_stays_and_keeps_its_jobs(cleaner: Cleaner, how: str) -> None:
    lab = cleaner.lab
    lab.end("a")
    kept, newer = cleaner.run("a"), cleaner.run()
    place = newer.path.parents[1] if how == "link to an experiment" else kept.path
    elsewhere = place.with_name("best") if how == "own name" else lab.workspace.path.parent / "elsewhere"
    place.rename(elsewhere)
    if how != "own name":
        place.symlink_to(elsewhere)
    assert cleaner.plan(orphans=True, keep_runs=1).items == []


def test_older_runs_go_and_with_them_the_jobs_that_only_they_name(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    for name in ("a", "b", "c"):
        lab.end(name)
    first, second = cleaner.run("a", "b"), cleaner.run("b", "c")
    other = cleaner.run("c", experiment="other")
    found = cleaner.plan(keep_runs=1)
    assert [item.path for item in found.items] == [first.path.relative_to(lab.workspace.path).as_posix()]
    assert found.unnamed == 1
    assert cleaner.jobs(Kind.ORPHANS, keep_runs=1, orphans=True) == ids(lab, "a")
    assert cleaner.jobs(Kind.ORPHANS, orphans=True) == set()
    assert cleaner.plan(keep_runs=2).items == []
    assert second.path.is_dir()
    assert other.path.is_dir()


def test_the_tenth_run_of_a_second_is_newer_than_the_ninth(cleaner: Cleaner) -> None:
    runs = cleaner.lab.workspace.experiment("sweep").path / "runs"
    for name in ("20260101-000000", *(f"20260101-000000-{n}" for n in range(2, 11))):
        (runs / name).mkdir(parents=True)
    stay = {run.path.name for run in cleaner.facts().runs.all["sweep"][:2]}
    assert stay == {"20260101-000000-9", "20260101-000000-10"}


def test_a_run_stays_whose_script_may_still_submit_or_whose_jobs_have_not_ended(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("a")
    lab.submit("b")
    killed, waiting = cleaner.run("a", ended=False), cleaner.run("b")
    cleaner.run("a")
    assert cleaner.plan(keep_runs=1).kept == {Why.IN_USE: 2}
    age(killed.path, 2)
    age(waiting.path, 2)
    assert [item.path for item in cleaner.plan(keep_runs=1).items] == [f"experiments/sweep/runs/{killed.name}"]


def test_a_directory_that_the_server_does_not_know_stays_until_it_was_silent_for_a_day(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("done")
    lab.end("bad", State.FAILED, ERROR)
    lab.directory("bad").write_marker("failed", "e1")
    cleaner.run()
    lab.client.flushdb()
    found = cleaner.plan(orphans=True, failed=True)
    assert (found.items, found.kept) == ([], {Why.FRESH: 2})
    for name in ("done", "bad"):
        age(lab.directory(name).path, 2)
    assert cleaner.jobs(Kind.ORPHANS, orphans=True, failed=True) == ids(lab, "done")
    assert cleaner.jobs(Kind.FAILED, failed=True) == ids(lab, "bad")


def test_a_job_stays_for_a_day_whose_worker_was_lost(cleaner: Cleaner) -> None:
    """It may have been cut off only, and then goes on when the server answers."""
    lab = cleaner.lab
    from xpm_core.workspace.job_spec import Retries

    lease = lab.start("a", retries=Retries(max_losses=0))
    lab.directory("a").prepare(1)
    lab.store.lose(lease)
    cleaner.run("a")
    assert cleaner.plan(failed=True).kept == {Why.FRESH: 1}


def test_what_retries_have_set_aside_goes_and_what_others_put_there_stays(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("a")
    (lab.directory("a").path / "model.bin").write_bytes(bytes(100_000))
    lab.store.retry(lab.identity("a"), kept=_kept(lab, "a"))
    lease = lab.claim(lab.identity("a"))
    lab.directory("a").prepare(lease.attempt)
    (lab.workspace.path / "old" / "mine").mkdir()
    (lab.workspace.path / "old" / "mine" / "notes").touch()
    assert cleaner.plan(old=True).kept == {Why.MOVED: 1}  # its worker may not have moved the logs yet
    lab.finish("a", lease)
    found = cleaner.plan(old=True)
    assert [item.path.rpartition("/")[0] for item in found.items] == ["old/sweep.train"] * len(found.items) != []
    assert max(item.size for item in found.items) >= 100_000
    assert found.strange == [Left("old/mine/notes", "it was not put there by xpm")]


def test_older_leaves_what_ended_or_changed_later(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("a", State.FAILED, ERROR)
    lab.end("b")
    cleaner.run("a")
    cleaner.run()
    now_s = time.time()
    for wanted in ({"failed": True}, {"orphans": True}, {"keep_runs": 1}):
        assert cleaner.plan(before_s=now_s - DAY_S, **wanted).items == []
        assert len(cleaner.plan(before_s=now_s + DAY_S, **wanted).items) == 1
    lab.client.hset(f"xpm:{lab.workspace.id}:job:{lab.identity('b')}", "ended", round((now_s - 2 * DAY_S) * 1000))
    assert cleaner.jobs(Kind.ORPHANS, orphans=True, before_s=now_s - DAY_S) == ids(lab, "b")


def test_a_younger_job_that_stays_keeps_an_older_one_that_it_needs(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("data")
    lab.end("model", needs=("data",))
    cleaner.run()
    now_s = time.time()
    lab.client.hset(f"xpm:{lab.workspace.id}:job:{lab.identity('data')}", "ended", round((now_s - 2 * DAY_S) * 1000))
    assert cleaner.jobs(Kind.ORPHANS, orphans=True, before_s=now_s - DAY_S) == set()


def test_a_job_directory_that_is_a_link_stays_and_is_named(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("a")
    cleaner.run()
    path = lab.directory("a").path
    elsewhere = lab.workspace.path.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    found = cleaner.plan(orphans=True)
    assert found.items == []
    assert found.strange == [Left(lab.directory("a").relative, "it is a link")]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount something")
def test_a_job_directory_with_a_mount_in_it_stays_and_is_named(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("a")
    cleaner.run()
    data = lab.workspace.path.parent / "data"
    data.mkdir()
    place = lab.directory("a").path / "data"
    place.mkdir()
    require(shutil.which("mount"), "mount")
    if subprocess.run(["mount", "--bind", data, place], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not allow mounts")
    try:
        found = cleaner.plan(orphans=True)
        assert (found.items, [left.path for left in found.strange]) == ([], [lab.directory("a").relative])
    finally:
        subprocess.run(["umount", place], check=True)


def test_nothing_is_planned_when_a_folder_cannot_be_read(cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch) -> None:
    cleaner.lab.end("a")
    folder = cleaner.lab.directory("a").folder
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path) == folder:
            raise PermissionError(13, "no", folder)
        return scandir(path)

    monkeypatch.setattr("os.scandir", refusing)
    with pytest.raises(WorkspaceError, match="cannot be listed: permission denied"):
        cleaner.plan(orphans=True)
