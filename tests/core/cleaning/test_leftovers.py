"""What processes have left behind is found where xpm writes, and nowhere else."""

from __future__ import annotations

import os
import time

import pytest
from helpers.cleanings import DAY_S, Cleaner

from xpm_core.cleaning import leftovers
from xpm_core.cleaning.records import Kind
from xpm_core.index.merged import MergedIndex
from xpm_core.labels import short

pytestmark = pytest.mark.redis


def test_temporary_files_go_after_a_day_but_not_those_of_users(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.end("a")
    lab.start("b")
    lab.directory("b").prepare(1)
    cleaner.run("a", "b")
    root, job, runs = lab.workspace.path, lab.directory("a").path, lab.directory("b").path
    ours = [root / ".xpm" / ".workspace.json.01234567", job / ".params.json.89abcdef", job / ".xpm" / ".done.00000000"]
    (root / ".xpm" / "marks").mkdir(exist_ok=True)
    ours += [root / ".xpm" / "marks" / ".d.json.01234567", root / ".xpm" / ".probe.01234567"]
    ours += [root / "experiments" / "sweep" / ".latest.00000000", root / ".xpm" / "index" / ".w.jsonl.01234567"]
    others = [job / ".model.01234567", job / ".xpm" / "done.0123", runs / ".xpm" / ".done.01234567"]
    fresh = job / ".xpm" / ".failed.01234567"
    for path in (*ours, *others, fresh):
        path.touch()
    for path in (*ours, *others):
        os.utime(path, (time.time() - 2 * DAY_S,) * 2)
    found = {item.path for item in cleaner.plan(orphans=True).of(Kind.LEFTOVERS)}
    assert found == {path.relative_to(root).as_posix() for path in ours}
    assert cleaner.remove(orphans=True).failures == []
    assert not any(path.exists() for path in ours)
    assert all(path.exists() for path in (*others, fresh))


def test_links_that_lead_nowhere_go_but_not_those_of_jobs_that_the_server_knows(cleaner: Cleaner) -> None:
    """The doctor would miss them."""
    lab = cleaner.lab
    lab.end("a")
    lab.submit("later")
    lab.store.cancel(lab.submit("cancelled"))
    cleaner.run("a", "later", "cancelled", "unknown")
    links = lab.workspace.experiment("sweep").path / "jobs" / "train"
    (links / "mine").symlink_to("nowhere")
    assert len(list(links.iterdir())) == 5
    assert cleaner.remove(orphans=True).failures == []
    left = {f"name={name}-{short(lab.identity(name))}" for name in ("a", "later", "cancelled")}
    assert {each.name for each in links.iterdir()} == {*left, "mine"}


def test_links_and_lines_stay_of_a_job_that_is_submitted_since_the_plan(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    cleaner.run("linked")
    lab.submit("listed")
    lab.client.flushdb()
    links = lab.workspace.experiment("sweep").path / "jobs" / "train"
    before = sorted(each.name for each in links.iterdir())
    done = cleaner.remove(orphans=True, between=lambda: [lab.submit(name) for name in ("linked", "listed")])
    assert {left.problem for left in done.spared} == {"a script has submitted its job since"}
    assert sorted(each.name for each in links.iterdir()) == before
    assert set(MergedIndex(lab.workspace.path).read()) == {lab.identity("linked"), lab.identity("listed")}


def test_files_of_the_index_become_one_that_says_the_same(cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = cleaner.lab
    lab.end("a")
    lab.end("b")
    cleaner.run("a", "b")
    folder = lab.workspace.path / ".xpm" / "index"
    (folder / "w2.jsonl").write_text((folder / f"{lab.worker.name}.jsonl").read_text() + '{"cut": ')
    before = MergedIndex(lab.workspace.path).read()
    assert cleaner.plan(orphans=True).items == []
    for file in folder.iterdir():
        os.utime(file, (time.time() - 2 * DAY_S,) * 2)
    [item] = cleaner.plan(orphans=True).items
    assert item.what == f"2 {leftovers.INDEX}"
    assert cleaner.remove(orphans=True).failures == []
    assert [each.name.startswith("merged-") for each in folder.iterdir()] == [True]
    assert MergedIndex(lab.workspace.path).read() == before


def test_lines_of_the_index_count_no_more_on_jobs_that_exist_nowhere(cleaner: Cleaner) -> None:
    lab = cleaner.lab
    lab.submit("a")
    lab.submit("b")
    lab.client.flushdb()
    cleaner.run("b")
    assert [item.identity for item in cleaner.plan(orphans=True).items if item.identity] == [lab.identity("a")]
    assert cleaner.remove(orphans=True).failures == []
    assert set(MergedIndex(lab.workspace.path).read()) == {lab.identity("b")}
    assert cleaner.plan(orphans=True).items == []


def test_logs_of_workers_go_after_a_week_of_silence(cleaner: Cleaner) -> None:
    folder = cleaner.lab.workspace.path / ".xpm" / "workers"
    folder.mkdir()
    for name, days in (("old.log", 8), ("new.log", 6), ("notes.txt", 8)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - days * DAY_S,) * 2)
    assert [item.path for item in cleaner.plan(orphans=True).items] == [".xpm/workers/old.log"]
