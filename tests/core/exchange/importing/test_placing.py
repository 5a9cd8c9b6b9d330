"""Jobs come into a workspace whole or not at all; what is there stays."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exchange_tasks import Model, Prepare, Train
from helpers.finished_jobs import Study, handed, tree
from helpers.forged_tars import files_of, written
from helpers.kept_code import keep

from xpm_core.errors import ExchangeError, WorkspaceError
from xpm_core.exchange.importing import placing
from xpm_core.exchange.importing.archive import Archive
from xpm_core.exchange.importing.checks import Checked, check
from xpm_core.exchange.importing.contents import read_contents
from xpm_core.exchange.importing.placing import STAGING, Placing, Standing, Who, standing
from xpm_core.index.merged import MergedIndex
from xpm_core.judging.acceptance import Acceptance, add
from xpm_core.judging.acceptance import standing as accepted
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.states import State
from xpm_core.workspace.experiment_directory import Sampling
from xpm_core.workspace.reported.job_results import JobResults
from xpm_core.workspace.workspace import Workspace

WHO = Who("bob", "laptop")


def bring(path: Path, into: Path, name: str = "digits", between: Callable[[], object] = lambda: None) -> Standing:
    """Import a file; `between` is called after the checks."""
    with Archive(path) as archive:
        found = check(read_contents(archive))
        stands = standing(found, into, name)
        workspace = Workspace.open(into)
        between()
        Placing(found, workspace, name, WHO).place(stands)
        return stands


def check_of(path: Path) -> Checked:
    with Archive(path) as archive:
        return check(read_contents(archive))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    found = Study(tmp_path / "ws")
    code = keep(tmp_path / "ws", tmp_path / "proj", {"train.py": "print(1)\n"})
    found.grid(3, files={"deep/er/model.bin": "\x00" * 100}, env={"COLOUR": "red", "API_KEY": "x"}, **code.options)
    written(found, tmp_path / "x.tar.gz")
    return found


def test_jobs_come_with_all_their_files(study: Study, tmp_path: Path) -> None:
    stands = bring(tmp_path / "x.tar.gz", tmp_path / "new")
    assert len(stands.new) == 4
    for job in (tmp_path / "ws" / "jobs").glob("*/*"):
        here = tmp_path / "new" / job.relative_to(tmp_path / "ws")
        expected, found = tree(job), tree(here)
        mark = json.loads(found.pop(".xpm/imported.json"))
        assert (mark["file"], mark["experiment"], mark["imported_by"]) == ("x.tar.gz", "digits", "bob")
        for files in (expected, found):
            files.pop(".xpm/handed.json")
        assert found == expected
        ours, theirs = (
            handed(study.workspace.job_at(f"jobs/{job.parent.name}/{job.name}")),
            json.loads((here / ".xpm" / "handed.json").read_bytes()),
        )
        assert theirs["options"]["env"] == ({"COLOUR": "red"} if ours["options"]["env"] else {})
        assert (theirs["payload"], theirs["needs"]) == (ours["payload"], ours["needs"])
        if theirs["options"]["env"]:
            assert stat.S_IMODE((here / ".xpm" / "handed.json").stat().st_mode) == 0o600
    assert not (tmp_path / "new" / STAGING).exists()


def test_the_experiment_has_its_runs_links_and_index(study: Study, tmp_path: Path) -> None:
    bring(tmp_path / "x.tar.gz", tmp_path / "new")
    there, here = tmp_path / "ws" / "experiments" / "digits", tmp_path / "new" / "experiments" / "digits"
    assert tree(here / "runs") == tree(there / "runs")
    assert (here / "latest" / "results" / "table.csv").read_text() == "a,b\n"
    links = [path for path in (here / "jobs").rglob("*") if path.is_symlink()]
    assert len(links) == 4
    assert all((path / "model.txt").read_text() == "learnt" for path in links)
    entries = MergedIndex(tmp_path / "new").read()
    assert {entry.state for entry in entries.values()} == {State.DONE}
    assert {tuple(entry.experiments) for entry in entries.values()} == {("digits",)}
    assert {entry.params.get("lr") for entry in entries.values()} == {None, 0.1, 0.2, 0.3}
    assert {entry.tags.get("n") for entry in entries.values()} == {None, 0, 1, 2}


def test_code_is_kept_as_a_script_keeps_it(study: Study, tmp_path: Path) -> None:
    bring(tmp_path / "x.tar.gz", tmp_path / "new")
    there, here = CodeStore(tmp_path / "ws"), CodeStore(tmp_path / "new")
    (snapshot,) = os.listdir(f"{there.folder}/snapshots")
    assert here.manifest(snapshot).data == there.manifest(snapshot).data
    assert here.object(here.manifest(snapshot).files[0].digest) == b"print(1)\n"
    assert os.listdir(f"{here.folder}/provenance") == os.listdir(f"{there.folder}/provenance")


def test_jobs_that_are_done_here_stay_as_they_are(study: Study, tmp_path: Path) -> None:
    bring(tmp_path / "x.tar.gz", tmp_path / "new")
    job = next((tmp_path / "new" / "jobs").glob("*train/*"))
    (job / "model.txt").write_text("mine")
    (job / ".xpm" / "imported.json").unlink()
    stands = bring(tmp_path / "x.tar.gz", tmp_path / "new", "again")
    assert (len(stands.new), stands.here) == (0, 4)
    assert (job / "model.txt").read_text() == "mine"
    assert not (job / ".xpm" / "imported.json").exists()
    assert len(MergedIndex(tmp_path / "new").read()[job.name].experiments) == 2


def test_jobs_that_are_here_and_not_done_stay_as_they_are(study: Study, tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "new")
    first = check_of(tmp_path / "x.tar.gz").jobs[-1]
    workspace.job_at(first.directory).prepare(1)
    stands = bring(tmp_path / "x.tar.gz", tmp_path / "new")
    assert (len(stands.new), stands.other) == (3, [first.identity])
    assert tree(tmp_path / "new" / first.directory) == {}


def test_an_empty_directory_that_a_worker_makes_meanwhile_stays(study: Study, tmp_path: Path) -> None:
    first = check_of(tmp_path / "x.tar.gz").jobs[-1]

    def make() -> None:
        (tmp_path / "new" / first.directory).mkdir(parents=True)

    bring(tmp_path / "x.tar.gz", tmp_path / "new", between=make)
    assert tree(tmp_path / "new" / first.directory) == {}


@pytest.mark.parametrize("mtime", ["inf", "nan", "1e300", "-5"])
def test_a_file_that_says_no_time_is_taken(study: Study, tmp_path: Path, mtime: str) -> None:
    files = {f"digits/{name}": data for name, data in files_of(tmp_path / "x.tar.gz").items()}
    with tarfile.open(tmp_path / "y.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.pax_headers = len(data), {"mtime": mtime}
            tar.addfile(member, io.BytesIO(data))
    assert len(bring(tmp_path / "y.tar", tmp_path / "new").new) == 4


def test_a_job_that_comes_meanwhile_wins(study: Study, tmp_path: Path) -> None:
    first = check_of(tmp_path / "x.tar.gz").jobs[-1]

    def comes() -> None:
        (tmp_path / "new" / first.directory).mkdir(parents=True)
        (tmp_path / "new" / first.directory / "mine").write_text("mine")

    bring(tmp_path / "x.tar.gz", tmp_path / "new", between=comes)
    assert tree(tmp_path / "new" / first.directory) == {"mine": "mine"}


def test_an_experiment_of_that_name_is_refused_before_anything_is_written(study: Study, tmp_path: Path) -> None:
    before = tree(tmp_path / "ws")
    with pytest.raises(ExchangeError, match="--as NAME"):
        bring(tmp_path / "x.tar.gz", tmp_path / "ws")
    assert tree(tmp_path / "ws") == before


def test_a_disk_with_too_little_space_is_refused(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    with pytest.raises(ExchangeError, match=r"has 1\.0 kB free"):
        bring(tmp_path / "x.tar.gz", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_disk_that_becomes_full_leaves_nothing_half_there(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "no space", "x")

    monkeypatch.setattr(placing.os, "utime", full)
    with pytest.raises(WorkspaceError, match="no space left on device"):
        bring(tmp_path / "x.tar.gz", tmp_path / "new")
    assert not (tmp_path / "new" / "jobs").exists()
    assert not (tmp_path / "new" / "experiments").exists()
    assert not (tmp_path / "new" / STAGING).exists()


def test_a_file_that_changes_after_the_checks_is_refused(study: Study, tmp_path: Path) -> None:
    other = Study(tmp_path / "other")
    other.grid(3, files={"deep/er/model.bin": "\x01" * 100})
    written(other, tmp_path / "y.tar.gz")

    def replace() -> None:
        data = (tmp_path / "y.tar.gz").read_bytes()
        with open(tmp_path / "x.tar.gz", "r+b") as file:
            file.write(data)
            file.truncate()

    with pytest.raises(ExchangeError, match="changed while it was imported"):
        bring(tmp_path / "x.tar.gz", tmp_path / "new", between=replace)
    assert not (tmp_path / "new" / "jobs").exists()


STEPS = 25
"""Renamings and links of an import; it is killed at each of them."""
DIES = """
import os, sys
from pathlib import Path
from xpm_core.exchange.importing.archive import Archive
from xpm_core.exchange.importing.checks import check
from xpm_core.exchange.importing.contents import read_contents
from xpm_core.exchange.importing.placing import Placing, Who, standing
from xpm_core.workspace.workspace import Workspace
count = 0
def counted(change):
    def counting(*paths):
        global count
        if count == int(sys.argv[1]):
            os.kill(os.getpid(), 9)
        count += 1
        change(*paths)
    return counting
os.rename, os.symlink = counted(os.rename), counted(os.symlink)
with Archive(Path(sys.argv[2])) as archive:
    found = check(read_contents(archive))
    stands = standing(found, Path(sys.argv[3]), "digits")
    Placing(found, Workspace.open(Path(sys.argv[3])), "digits", Who("bob", "laptop")).place(stands)
print(count)
"""
"""Imports a file, and dies at a renaming or a link."""


@pytest.mark.faults
@pytest.mark.parametrize("step", range(STEPS))
def test_an_import_that_was_killed_is_repeated(
    study: Study, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "expected").mkdir()
    bring(tmp_path / "x.tar.gz", tmp_path / "expected")
    place = tmp_path / "x.tar.gz", tmp_path / "new"
    died = subprocess.run([sys.executable, "-c", DIES, str(step), *place], capture_output=True)
    assert died.returncode == -9, died
    for job in (tmp_path / "new" / "jobs").glob("*/*"):
        expected = tree(tmp_path / "expected" / job.relative_to(tmp_path / "new"))
        assert tree(job).keys() == expected.keys()
    monkeypatch.setattr(placing, "YOUNG_S", 0)
    if not (tmp_path / "new" / "experiments" / "digits").exists():
        bring(tmp_path / "x.tar.gz", tmp_path / "new")
    assert _without_times(tree(tmp_path / "new")) == _without_times(tree(tmp_path / "expected"))
    assert len(MergedIndex(tmp_path / "new").read()) == 4


def _without_times(files: dict[str, str]) -> set[str]:
    """The names of files; of those that have a time in their names, only the folder. Temporary names are left out."""
    named = [name for name in files if not name.rpartition("/")[2].startswith(".")]
    return {name if "imported-" not in name else name.rpartition("/")[0] for name in named} - {".xpm/workspace.json"}


def test_failed_jobs_come_as_failed_ones(tmp_path: Path) -> None:
    study = Study(tmp_path / "ws")
    first = Prepare.C(seed=1)
    needed = study.add(first)
    failed = study.add(Train.C(lr=0.1, data=first, model=Model.C()), kind="failed", needs=[needed])
    from xpm_core.exchange.exporting.export import prepare
    from xpm_core.exchange.exporting.tar_writer import written_whole

    export = prepare(study.workspace, "digits", version="1", ask=lambda identity: None)
    with written_whole(tmp_path / "x.tar") as stream:
        export.write(stream)
    bring(tmp_path / "x.tar", tmp_path / "new")
    entry = MergedIndex(tmp_path / "new").read()[failed.identity]
    assert entry.state is State.FAILED


def test_what_was_accepted_comes_along_and_says_from_where(tmp_path: Path) -> None:
    study = Study(tmp_path / "ws")
    job = study.add(Prepare.C(seed=1))
    code = keep(tmp_path / "ws", tmp_path / "proj", {"train.py": "print(1)\n"})
    marker = job.marker()
    assert marker is not None
    ours = [Acceptance(marker.execution, code.snapshot, code.provenance, why, "ana", "head", 1.0) for why in "ab"]
    for each in ours:
        add(job, each)
    written(study, tmp_path / "x.tar")
    bring(tmp_path / "x.tar", tmp_path / "new")
    here = Workspace.open(tmp_path / "new").job_at(job.relative)
    assert accepted(here) == [replace(each, file="x.tar") for each in reversed(ours)]
    assert CodeStore(tmp_path / "new").manifest(code.snapshot)
    assert CodeStore(tmp_path / "new").get("provenance", code.provenance)


def test_the_index_has_what_imported_jobs_have_reported(tmp_path: Path) -> None:
    study = Study(tmp_path / "ws")
    reported = {"results": {"accuracy": 0.9, "loss": None}, "not_finite": {"loss": "inf"}}
    job = study.grid(1, record=reported, files={"results.json": '{"schema": 1, "results": {"accuracy": 0.9}}'})[1]
    written(study, tmp_path / "x.tar.gz")
    bring(tmp_path / "x.tar.gz", tmp_path / "new")
    end = MergedIndex(tmp_path / "new").read()[job.identity].end
    assert end is not None
    assert end.results == {"accuracy": 0.9, "loss": math.inf}
    assert JobResults(tmp_path / "new" / job.relative)["accuracy"] == 0.9


def test_captions_know_of_samplings_in_the_new_workspace_too(tmp_path: Path) -> None:
    study = Study(tmp_path / "ws")
    job = study.add(Prepare.C(seed=1))
    sampling = Sampling("accuracy", ("seed",), 0.1, 20, "width", 7, frozenset([job.identity]))
    study.workspace.experiment(study.name).keep_sampling(sampling)
    written(study, tmp_path / "x.tar")
    bring(tmp_path / "x.tar", tmp_path / "new", "others")
    assert Workspace.open(tmp_path / "new").experiment("others").samplings() == [sampling]
