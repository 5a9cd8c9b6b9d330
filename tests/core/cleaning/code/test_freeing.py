"""Which kept code may go: nothing that a record, a job or a script needs, and nothing if that is not known."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from helpers.cleanings import Cleaner, age
from helpers.stored_code import Code

from xpm_core.cleaning.code import naming
from xpm_core.cleaning.records import Kind, Left
from xpm_core.fingerprints.ran import Ran
from xpm_core.judging.acceptance import Acceptance, content_of
from xpm_core.states import State
from xpm_core.workspace.job_spec import JobOptions

pytestmark = pytest.mark.redis


@pytest.fixture
def code(cleaner: Cleaner) -> Code:
    return Code(cleaner.lab.workspace.path)


def end(cleaner: Cleaner, name: str, snapshot: str, provenance: str = "", state: State = State.DONE) -> Path:
    """A job that has ended, with a record that names its code; returns its directory."""
    lab = cleaner.lab
    lease = lab.start(name, options=JobOptions(snapshot=snapshot, provenance=provenance))
    lab.finish(name, lease, state, code={"snapshot": snapshot, "provenance": provenance})
    return lab.directory(name).path


def test_what_nobody_names_goes_with_the_contents_that_only_it_has(cleaner: Cleaner, code: Code) -> None:
    kept, gone = code.snapshot(train="1", lib="2"), code.snapshot(train="3", lib="2")
    packages = code.packages("numpy==2.0")
    named, unnamed = code.provenance(kept, packages), code.provenance(gone)
    end(cleaner, "a", kept, named)
    cleaner.run("a")
    code.age()
    items = cleaner.plan(orphans=True).of(Kind.CODE)
    assert {item.path for item in items} == {f"code/snapshots/{gone}", "code/provenance"}
    [snapshot] = [item for item in items if "snapshots" in item.path]
    assert snapshot.what == f"snapshot {gone[:7]} of digits, 2 files"
    assert len(snapshot.parts) == 2  # the manifest, and the content that no other snapshot has
    assert cleaner.plan(failed=True).of(Kind.CODE) == []
    done = cleaner.remove(orphans=True)
    assert (len(done.items), done.failures) == (2, [])
    assert code.there == {kept, named, packages} | code.contents(kept)
    assert unnamed not in code.there
    assert cleaner.plan(orphans=True).of(Kind.CODE) == []


def test_what_was_used_within_a_day_stays(cleaner: Cleaner, code: Code) -> None:
    old = code.snapshot(train="1")
    code.age()
    young = code.snapshot(train="2")
    assert [item.path for item in cleaner.plan(orphans=True).of(Kind.CODE)] == [f"code/snapshots/{old}"]
    cleaner.remove(orphans=True)
    assert code.there == {young} | code.contents(young)


def test_a_submission_that_is_young_keeps_its_old_snapshot_and_its_old_contents(cleaner: Cleaner, code: Code) -> None:
    snapshot = code.snapshot(train="1")
    code.age()
    told = code.provenance(snapshot)
    cleaner.remove(orphans=True)
    assert code.there == {snapshot, told} | code.contents(snapshot)


@pytest.mark.parametrize("state", ["ready", "running", "failed"])
def test_what_a_job_on_the_server_names_stays(cleaner: Cleaner, code: Code, state: str) -> None:
    snapshot = code.snapshot(train="1")
    told = code.provenance(snapshot)
    options = JobOptions(snapshot=snapshot, provenance=told)
    if state == "ready":
        cleaner.lab.submit("a", options=options)
    elif state == "running":
        cleaner.lab.start("a", options=options)
    else:
        end(cleaner, "a", snapshot, told, State.FAILED)
        shutil.rmtree(cleaner.lab.directory("a").path)
    cleaner.run("a")
    code.age()
    assert cleaner.plan(orphans=True).of(Kind.CODE) == []


def test_a_job_that_goes_frees_its_code_in_the_same_plan(cleaner: Cleaner, code: Code) -> None:
    shared, own, loose = code.snapshot(train="1"), code.snapshot(train="2", lib="1"), code.snapshot(train="3")
    end(cleaner, "good", shared)
    for name, snapshot in (("a", own), ("b", shared)):
        end(cleaner, name, snapshot, state=State.FAILED)
    cleaner.run("good", "a", "b")
    code.age()
    plan = cleaner.plan(failed=True)
    assert [item.path for item in plan.of(Kind.CODE)] == [f"code/snapshots/{own}"]
    assert plan.of(Kind.CODE)[0].size > 0
    cleaner.remove(failed=True)
    assert code.there == {shared, loose} | code.contents(shared) | code.contents(loose)


def test_the_code_of_a_job_that_stays_against_the_plan_stays(cleaner: Cleaner, code: Code) -> None:
    snapshot = code.snapshot(train="1")
    end(cleaner, "a", snapshot, state=State.FAILED)
    cleaner.run("a")
    code.age()
    done = cleaner.remove(failed=True, between=lambda: cleaner.lab.submit("a", options=JobOptions(snapshot=snapshot)))
    assert [left.problem for left in done.spared] == ["a script has submitted it since"]
    assert code.there == {snapshot} | code.contents(snapshot)


def test_a_directory_that_was_set_aside_keeps_its_code_until_it_goes(cleaner: Cleaner, code: Code) -> None:
    snapshot = code.snapshot(train="1")
    job = end(cleaner, "a", snapshot)
    aside = cleaner.lab.workspace.path / "old" / job.parent.name / f"{job.name}-1-0123abcd"
    aside.parent.mkdir(parents=True)
    shutil.move(job, aside)
    cleaner.lab.client.flushdb()
    code.age()
    assert cleaner.plan(orphans=True).of(Kind.CODE) == []
    assert [item.kind for item in cleaner.plan(old=True).items] == [Kind.OLD, Kind.CODE]


def test_without_a_server_that_knows_them_the_records_name_the_code(cleaner: Cleaner, code: Code) -> None:
    snapshot = code.snapshot(train="1")
    job = end(cleaner, "a", snapshot)
    cleaner.run("a")
    (job / ".xpm" / "handed.json").unlink()
    cleaner.lab.client.flushdb()
    code.age()
    assert cleaner.plan(orphans=True).of(Kind.CODE) == []


def test_records_from_before_snapshots_name_nothing(cleaner: Cleaner, code: Code) -> None:
    snapshot = code.snapshot(train="1")
    cleaner.lab.end("a")
    cleaner.run("a")
    code.age()
    assert [item.path for item in cleaner.plan(orphans=True).of(Kind.CODE)] == [f"code/snapshots/{snapshot}"]


def test_no_code_goes_while_a_record_is_damaged(cleaner: Cleaner, code: Code) -> None:
    snapshot = code.snapshot(train="1")
    job = end(cleaner, "a", snapshot)
    cleaner.run("a")
    [record] = job.glob(".xpm/executions/*.json")
    record.write_bytes(b"")
    code.age()
    plan = cleaner.plan(orphans=True)
    relative = record.relative_to(cleaner.lab.workspace.path).as_posix()
    assert (plan.of(Kind.CODE), plan.strange) == ([], [Left(relative, naming.DAMAGED)])
    record.unlink()
    assert cleaner.plan(orphans=True).strange == []


def test_jobs_that_were_moved_to_another_disk_count_and_a_link_that_leads_nowhere_stops_it(
    cleaner: Cleaner, code: Code, tmp_path: Path
) -> None:
    snapshot = code.snapshot(train="1")
    job = end(cleaner, "a", snapshot)
    code.age()
    elsewhere = tmp_path / "disk"
    shutil.move(job.parent, elsewhere)
    job.parent.symlink_to(elsewhere)
    cleaner.lab.client.flushdb()
    assert cleaner.plan(orphans=True).of(Kind.CODE) == []
    shutil.move(elsewhere, tmp_path / "unmounted")
    assert Left(f"jobs/{job.parent.name}", naming.ASTRAY) in cleaner.plan(orphans=True).strange
    assert cleaner.plan(orphans=True).of(Kind.CODE) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_no_code_goes_while_a_record_cannot_be_read(cleaner: Cleaner, code: Code) -> None:
    job = end(cleaner, "a", code.snapshot(train="1"))
    cleaner.run("a")
    [record] = job.glob(".xpm/executions/*.json")
    record.chmod(0)
    code.age()
    assert cleaner.plan(orphans=True).of(Kind.CODE) == []


def test_no_record_is_read_when_no_code_could_go(cleaner: Cleaner, code: Code) -> None:
    end(cleaner, "a", code.snapshot(train="1"))
    facts = cleaner.facts()
    assert facts.naming.unnamed((), ()) == set()
    assert facts.naming._known == {}


def test_with_a_date_only_what_was_used_before_goes(cleaner: Cleaner, code: Code) -> None:
    older = code.snapshot(train="1")
    code.age(30)
    newer = code.snapshot(train="2")
    for path in (code.store.document_path("snapshots", newer), *map(code.store.object_path, code.contents(newer))):
        age(Path(path), 3)
    before_s = cleaner.facts().now_s - 10 * 86400
    assert [item.path for item in cleaner.plan(orphans=True, before_s=before_s).of(Kind.CODE)] == [
        f"code/snapshots/{older}"
    ]


def test_contents_that_no_snapshot_has_and_old_caches_go_and_temporary_files(cleaner: Cleaner, code: Code) -> None:
    kept = code.snapshot(train="1")
    loose = code.store.put_object(b"a script was killed")
    seen = code.store.folder / "seen"
    seen.mkdir()
    (seen / "digits").write_text("{}")
    definitions = code.store.folder / "definitions"
    definitions.mkdir()
    (definitions / ("ab" * 32)).write_text("{}")
    temporary = code.store.folder / "snapshots" / ".0123.0123abcd"
    temporary.write_text("half")
    end(cleaner, "a", kept)
    cleaner.run("a")
    code.age()
    found = {item.path: item.what for item in cleaner.plan(orphans=True).items}
    assert found == {
        "code/objects": "1 content of a file that no snapshot has",
        "code/definitions": "1 memory of what is defined in a file",
        "code/seen": "1 memory of which files were read",
        "code/snapshots/.0123.0123abcd": "temporary file",
    }
    cleaner.remove(orphans=True)
    assert code.there == {kept} | code.contents(kept)
    assert loose not in code.there
    assert list(definitions.iterdir()) == []


def test_what_a_job_ran_stays_while_a_record_names_it(cleaner: Cleaner, code: Code) -> None:
    snapshot = code.snapshot(train="1")
    named, unnamed = (code.store.put("ran", Ran("monitoring", why=why).written()) for why in ("a", "b"))
    lab = cleaner.lab
    lease = lab.start("a", options=JobOptions(snapshot=snapshot))
    lab.finish("a", lease, State.DONE, code={"snapshot": snapshot}, ran=named)
    cleaner.run("a")
    code.age()
    [item] = cleaner.plan(orphans=True).of(Kind.CODE)
    assert (item.path, item.what) == ("code/ran", "1 list of what a job ran")
    cleaner.remove(orphans=True)
    assert (named in code.there, unnamed in code.there) == (True, False)


def accept(directory: Path, snapshot: str, provenance: str) -> Path:
    """Accept the result of a job with other code; returns the file."""
    file = directory / ".xpm" / "accepted.jsonl"
    found = Acceptance("e1", snapshot, provenance, "why", "ana", "head", 1.0)
    file.write_bytes(content_of([found]) + b'{"version": 1, "exec')  # and a line that was cut
    return file


def test_what_an_acceptance_names_stays_as_long_as_its_job(cleaner: Cleaner, code: Code) -> None:
    kept, accepted = code.snapshot(train="1"), code.snapshot(train="2")
    described = code.provenance(accepted, code.packages("numpy==2.0"))
    directory = end(cleaner, "a", kept)
    file = accept(directory, accepted, described)
    cleaner.run("a")
    code.age()
    assert cleaner.plan(orphans=True).of(Kind.CODE) == []
    file.unlink()
    items = cleaner.plan(orphans=True).of(Kind.CODE)
    assert {item.path for item in items} == {f"code/snapshots/{accepted}", "code/provenance", "code/packages"}


def test_an_acceptance_that_cannot_be_read_keeps_all_code(cleaner: Cleaner, code: Code) -> None:
    directory = end(cleaner, "a", code.snapshot(train="1"))
    (directory / ".xpm" / "accepted.jsonl").mkdir()
    cleaner.run("a")
    code.snapshot(train="3")
    code.age()
    plan = cleaner.plan(orphans=True)
    assert plan.of(Kind.CODE) == []
    assert [left.problem for left in plan.strange] == [naming.UNREAD]
