"""Removing: what somebody uses meanwhile stays, and what goes is gone everywhere, whatever happens in between."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from helpers.cleanings import Cleaner
from helpers.invariants import check_everything
from helpers.simulated_jobs import ERROR, Lab
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from xpm_core.cleaning import places
from xpm_core.cleaning.plan import plan
from xpm_core.cleaning.records import Kind, Wanted
from xpm_core.cleaning.removing import collection, removal
from xpm_core.cleaning.removing.removal import common
from xpm_core.diagnosis.checks import examine
from xpm_core.diagnosis.findings import Level
from xpm_core.diagnosis.patient import Patient
from xpm_core.index.merged import MergedIndex
from xpm_core.labels import short
from xpm_core.reading.look import View
from xpm_core.states import State
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import Submission
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis


def kept(lab: Lab, name: str) -> Submission | None:
    found = lab.directory(name).kept("sweep:Train")
    return Submission(**found._asdict()) if found else None


def known(cleaner: Cleaner, *names: str) -> list[bool]:
    states = cleaner.reader.jobs.states([cleaner.lab.identity(name) for name in names])
    return [cleaner.lab.identity(name) in states for name in names]


def test_what_goes_is_gone_from_disk_server_index_links_and_events(cleaner: Cleaner, redis_url: str) -> None:
    lab = cleaner.lab
    lab.end("data")
    lab.end("model", needs=("data",))
    lab.end("good")
    cleaner.run("data", "model", "good")
    cleaner.run("good")
    done = cleaner.remove(orphans=True, keep_runs=1)
    assert (len(done.items), done.failures, done.spared) == (3, [], [])
    assert [cleaner.there(name) for name in ("data", "model", "good")] == [False, False, True]
    assert known(cleaner, "data", "model", "good") == [False, False, True]
    links = lab.workspace.experiment("sweep").path / "jobs" / "train"
    assert [each.name for each in links.iterdir()] == [f"name=good-{short(lab.identity('good'))}"]
    with View(lab.workspace, redis_url) as view:
        assert [row.identity for row in view.jobs()] == [lab.identity("good")]
        assert view.notes == []
    with View(lab.workspace, "unix:///nowhere") as view:
        assert [row.identity for row in view.jobs()] == [lab.identity("good")]
    assert cleaner.trash() == []
    check_everything(lab.client, lab.workspace.id)


def test_a_job_that_was_removed_runs_anew_when_it_is_submitted_and_is_listed(cleaner: Cleaner, redis_url: str) -> None:
    lab = cleaner.lab
    lab.end("a")
    cleaner.run()
    cleaner.remove(orphans=True)
    lab.store.open_run("other", "run2", {})
    lab.end("a", experiment="other")
    with View(lab.workspace, redis_url) as view:
        [row] = view.jobs()
        assert (row.state, row.experiments, row.params) == (State.DONE, ["other"], {"name": "a"})
    assert cleaner.there("a")
    check_everything(lab.client, lab.workspace.id)


def test_the_doctor_finds_no_fault_after_a_removal(cleaner: Cleaner, redis_url: str) -> None:
    lab = cleaner.lab
    lab.end("data")
    lab.end("old")
    lab.end("bad", State.FAILED, ERROR)
    lab.store.cancel(cancelled := lab.submit("cancelled"))
    lab.ends.cancelled([cancelled], time.time())
    cleaner.run("old", "bad")
    cleaner.run("data", "cancelled")
    for wanted in ({"keep_runs": 1, "orphans": True}, {"failed": True}):
        assert cleaner.remove(**wanted).items != []
        with View(lab.workspace, redis_url) as view:
            faults = [each for each in examine(Patient(view)) if each.level is not Level.OK]
        assert [each for each in faults if each.subject in ("jobs", "links", "index", "lists", "view for RQ")] == []


def test_what_somebody_uses_after_the_plan_stays_with_all_that_it_needs(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    for name in ("data", "model", "retried", "failed", "free"):
        state = State.FAILED if name == "failed" else State.DONE
        lab.end(name, state, needs=("data",) if name == "model" else ())
    cleaner.run()

    def use() -> None:
        lab.store.recall("sweep", [lab.identity("model")]).reply()
        lab.store.retry(lab.identity("retried"), kept=kept(lab, "retried"))
        lab.store.retry(lab.identity("failed"))

    done = cleaner.remove(orphans=True, between=use)
    assert {left.path.rpartition("/")[2]: left.problem for left in done.spared} == {
        lab.identity("model"): "a script has submitted it since",
        lab.identity("data"): "another job that stays needs it",
        lab.identity("retried"): "it is ready again",
        lab.identity("failed"): "it is ready again",
    }
    assert [item.identity for item in done.items] == [lab.identity("free")]


def test_a_job_that_has_run_again_since_the_plan_stays(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("a")
    cleaner.run()

    def run_again() -> None:
        lab.store.retry(lab.identity("a"), kept=kept(lab, "a"))
        lab.finish("a", lab.claim(lab.identity("a")))

    done = cleaner.remove(orphans=True, between=run_again)
    assert [left.problem for left in done.spared] == ["it has run again since"]
    assert cleaner.there("a")


def test_a_new_user_of_a_job_keeps_it(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("data")
    cleaner.run()
    done = cleaner.remove(orphans=True, between=lambda: lab.submit("model", "data"))
    assert cleaner.there("data")
    user = short(lab.identity("model"))
    assert [left.problem for left in done.spared] == [f"{user} needs it, which is not done"]


def test_after_a_crash_the_next_removal_takes_the_trash(cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = cleaner.lab
    lab.end("a")
    cleaner.run("a")
    cleaner.run()
    with cleaner.collection() as opened:
        facts = cleaner.facts()
        cleaner.removal(facts, opened).take(plan(facts, Wanted(orphans=True, keep_runs=1)))
    assert len(cleaner.trash()) == 2  # it was killed before it deleted anything
    assert cleaner.plan(old=True).items == []  # it may still be about to
    assert not cleaner.there("a")
    monkeypatch.setattr(places, "TRASH_S", -1)
    done = cleaner.remove(old=True)
    assert [item.kind for item in done.items] == [Kind.TRASH, Kind.TRASH]
    assert cleaner.trash() == []


def test_what_cannot_be_renamed_is_named_and_the_server_still_knows_it(
    cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = cleaner.lab
    lab.end("data")
    lab.end("model", needs=("data",))
    lab.end("free")
    cleaner.run()
    model, access = str(lab.directory("model").path), os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: str(path) != model and access(path, mode, **more))
    done = cleaner.remove(orphans=True)
    assert [(left.path, left.problem) for left in done.failures] == [
        (lab.directory("model").relative, "permission denied")
    ]
    assert known(cleaner, "model", "data", "free") == [True, True, False]
    assert cleaner.there("data")


def test_a_collection_that_is_over_leaves_the_rest(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("a")
    cleaner.run()
    done = cleaner.remove(orphans=True, between=lambda: lab.client.delete(f"xpm:{lab.workspace.id}:collection"))
    assert "was stopped for more than" in done.failures[0].problem
    assert cleaner.there("a")


def test_a_directory_is_not_renamed_late(cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch) -> None:
    cleaner.lab.end("a")
    cleaner.run()
    monkeypatch.setattr(collection, "SAFE_S", -1.0)
    done = cleaner.remove(orphans=True)
    assert [left.problem for left in done.spared] == ["this took too long; the next xpm gc removes it"]
    assert cleaner.there("a")


def test_a_directory_that_was_renamed_late_is_put_back(cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process was stopped just before it renamed; the job was submitted again, and runs."""
    lab = cleaner.lab
    lab.end("a")
    cleaner.run()
    rename = os.rename

    def late(source: Any, target: Any) -> None:
        if Path(target).name.startswith(".removed-"):
            monkeypatch.setattr(os, "rename", rename)
            lab.client.delete(f"xpm:{lab.workspace.id}:collection")
            shutil.rmtree(source)  # the worker has set it aside
            lease = lab.start("a")
            lab.directory("a").prepare(lease.attempt)
            (lab.directory("a").path / "new").touch()
        rename(source, target)

    monkeypatch.setattr(removal.os, "rename", late)
    done = cleaner.remove(orphans=True)
    assert [left.problem for left in done.spared] == ["it was submitted again meanwhile"]
    assert (lab.directory("a").path / "new").exists()


def test_only_what_was_shown_goes(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("a")
    cleaner.run()
    shown = cleaner.plan(orphans=True)
    lab.end("b")
    assert [item.identity for item in common(cleaner.plan(orphans=True), shown).items] == [lab.identity("a")]


NAMES = "abcdef"


class Cleanings(RuleBasedStateMachine):
    """Submissions, ends, retries, runs and removals in any order: nothing goes that somebody needs."""

    client: redis.Redis
    place: Path
    count = 0

    def __init__(self) -> None:
        super().__init__()
        self.client.flushdb()
        type(self).count += 1
        workspace = Workspace.open(self.place / str(self.count))
        lab = Lab(workspace, self.client)
        lab.join()
        self.cleaner, self.lab = Cleaner(lab), lab
        self.declared: dict[str, set[str]] = {}
        self.runs: list[tuple[Any, set[str]]] = []

    def state(self, name: str) -> State | None:
        found = self.cleaner.reader.jobs.states([self.lab.identity(name)])
        return found[self.lab.identity(name)][0] if found else None

    def is_marked(self, name: str) -> bool:
        marker = self.lab.directory(name).marker()
        return marker is not None and marker.kind == "done"

    @rule(names=st.sets(st.sampled_from(NAMES), min_size=1), needs=st.sets(st.sampled_from(NAMES), max_size=2))
    def script(self, names: set[str], needs: set[str]) -> None:
        """A script names some jobs, and leaves."""
        named: set[str] = set()
        for name in sorted(names):
            if self.state(name) is None:
                self.declared[name] = {need for need in needs if need < name and need in named}
            elif not all(self.state(need) for need in self.declared[name]):
                continue
            self.lab.submit(name, *sorted(self.declared[name]))
            named.add(name)
        self.runs.append((self.cleaner.run(*sorted(named)), named))

    @rule(bad=st.booleans())
    def work(self, bad: bool) -> None:
        """A worker runs the next job."""
        lease = self.lab.store.claim(self.lab.worker, new_execution_id()).lease
        if lease is not None:
            name = next(name for name in NAMES if self.lab.identity(name) == lease.identity)
            for need in self.declared[name]:
                assert self.is_marked(need), (name, need)
            self.lab.finish(name, lease, State.FAILED if bad else State.DONE, ERROR if bad else None)
            self.lab.directory(name).write_marker("failed" if bad else "done", lease.execution)

    @rule(name=st.sampled_from(NAMES))
    def retry(self, name: str) -> None:
        if self.state(name) is not None:
            self.lab.store.retry(self.lab.identity(name), kept=kept(self.lab, name))

    @rule(name=st.sampled_from(NAMES))
    def cancel(self, name: str) -> None:
        if self.state(name) is not State.RUNNING:
            self.lab.store.cancel(self.lab.identity(name))

    @rule(old=st.booleans(), failed=st.booleans(), orphans=st.booleans(), keep=st.sampled_from([None, 1, 2]))
    def remove(self, old: bool, failed: bool, orphans: bool, keep: int | None) -> None:
        done = self.cleaner.remove(old=old, failed=failed, orphans=orphans, keep_runs=keep)
        assert (done.failures, done.spared) == ([], [])
        if keep is not None:
            left = self.runs[-keep:]
            self.runs = [run for run in self.runs if run[0].path.is_dir()]
            assert all(run in self.runs for run in left)

    @invariant()
    def nothing_is_lost(self) -> None:
        while self.lab.store.look().more:
            pass
        check_everything(self.client, self.lab.workspace.id)
        for name in NAMES:
            if self.state(name) is State.DONE:
                assert self.is_marked(name), name
                assert all(self.cleaner.there(need) for need in self.declared[name]), name
        for _, named in self.runs:
            for name in named:
                assert self.state(name) is not None or not self.cleaner.there(name)
        listed = MergedIndex(self.lab.workspace.path).read()
        assert all(self.lab.identity(name) in listed for name in NAMES if self.state(name) is not None)
        assert self.cleaner.trash() == []


def test_random_cleanings_never_remove_what_is_needed(redis_client: redis.Redis, tmp_path: Path) -> None:
    lives: Any = type("PlacedCleanings", (Cleanings,), {"client": redis_client, "place": tmp_path})
    run_state_machine_as_test(
        lives,
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
