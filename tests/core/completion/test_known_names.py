"""The names of a workspace that shells complete, from a file that goes on with the index."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
from helpers.waiting import wait_until

from xpm_core.completion import known_names, names_file
from xpm_core.completion.known_names import Job, KnownNames
from xpm_core.index.entries import End
from xpm_core.index.writers import EndWriter, IndexedJob, RemovalWriter, SubmissionWriter
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def identity(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def submit(workspace: Workspace, *numbers: int, run: str = "run1", **tags: object) -> None:
    """Let a run of a script submit jobs."""
    writer = SubmissionWriter(workspace.experiment("sweep"), run)
    writer.add([
        IndexedJob(identity(n), "sweep:Train", {"seed": n, **tags}, lambda: {"optim": "Adam", "optim.lr": 0.1})
        for n in numbers
    ])  # fmt: skip


def test_names_are_those_of_the_index(workspace: Workspace) -> None:
    submit(workspace, 1, 2, model="svm", deep=True, note="two words")
    EndWriter(workspace.path, "w").add(identity(2), End(State.FAILED, 4e9))
    names = KnownNames(workspace.path).names
    assert names.tags == {"seed": ["1", "2"], "model": ["svm"], "deep": ["true"], "note": []}
    assert (names.params, names.tasks) == (["optim", "optim.lr"], ["Train"])
    assert [title.split()[-1] for _, title in names.latest] == ["failed", "words"]
    assert KnownNames(workspace.path).experiments() == ["sweep"]


def test_job_is_found_by_its_first_characters_among_many(workspace: Workspace) -> None:
    submit(workspace, *range(3000))
    known = KnownNames(workspace.path)
    for number in (0, 1, 1500, 2999):
        wanted = identity(number)
        assert known.jobs(wanted[:12], 5) == [Job(wanted[:7], f"Train seed={number}")]
    found = known.jobs("0", 5000)
    assert len(found) == sum(identity(n).startswith("0") for n in range(3000))
    assert len({job.name for job in found}) == len(found)
    assert len(known.jobs("0", 10)) == 10
    ordered = sorted(map(identity, range(3000)))
    for edge in (ordered[0], ordered[-1]):
        assert [job.name for job in known.jobs(edge[:9], 5)] == [edge[:7]]
    assert known.jobs("zz", 5) == known.jobs(identity(3000)[:12], 5) == []


def test_names_of_neighbours_are_as_long_as_it_takes_to_tell_them_apart(workspace: Workspace) -> None:
    writer = SubmissionWriter(workspace.experiment("sweep"), "run1")
    alike = ["a" * 9 + "b" * 55, "a" * 10 + "c" * 54, "d" * 64]
    writer.add([IndexedJob(each, "sweep:Train", {}, dict) for each in alike])
    assert [job.name for job in KnownNames(workspace.path).jobs("a", 5)] == ["a" * 10, "a" * 9 + "b"]
    assert {job.name for job in KnownNames(workspace.path).jobs("", 5)} == {"a" * 9 + "b", "a" * 10, "d" * 7}


def test_few_new_lines_are_read_without_a_new_file(workspace: Workspace) -> None:
    submit(workspace, 1)
    assert KnownNames(workspace.path).names.tags["seed"] == ["1"]
    before = names_file.names_file(workspace.path).read_bytes()
    submit(workspace, 2, run="run2", fresh="yes")
    known = KnownNames(workspace.path)
    assert known.names.tags == {"seed": ["1", "2"], "fresh": ["yes"]}
    assert known.jobs(identity(2)[:8], 5) == [Job(identity(2)[:7], "Train seed=2 fresh=yes")]
    assert {job.name for job in known.jobs("", 5)} == {identity(1)[:7], identity(2)[:7]}
    assert names_file.names_file(workspace.path).read_bytes() == before


def test_many_new_lines_or_another_index_make_a_new_file(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(workspace, 1)
    assert KnownNames(workspace.path).names.tags["seed"] == ["1"]
    monkeypatch.setattr(known_names, "FEW_BYTES", 100)
    submit(workspace, 2, 3, run="run2")
    assert KnownNames(workspace.path).jobs(identity(3)[:8], 5)
    stored = names_file.read(workspace.path)
    assert stored is not None
    assert stored.names["tags"]["seed"] == ["1", "2", "3"]
    for file in (workspace.path / "experiments/sweep/index").glob("run1*"):
        file.unlink()
    assert KnownNames(workspace.path).names.tags["seed"] == ["2", "3"]


def test_removed_job_is_named_no_more_until_it_is_submitted_anew(workspace: Workspace) -> None:
    submit(workspace, 1, 2)
    assert KnownNames(workspace.path).names.tags["seed"] == ["1", "2"]
    RemovalWriter(workspace.path, "me").add(identity(1), time.time())
    known = KnownNames(workspace.path)
    assert (known.names.tags["seed"], known.jobs(identity(1)[:8], 5)) == (["2"], [])
    assert [job.name for job in known.jobs("", 5)] == [identity(2)[:7]]
    EndWriter(workspace.path, "w").add(identity(1), End(State.FAILED, 1.0))  # a line from before the removal
    submit(workspace, 3, run="run2")
    assert [job.name for job in KnownNames(workspace.path).jobs("", 5)] == [identity(3)[:7], identity(2)[:7]]
    submit(workspace, 1, run="run3", fresh="yes")
    assert KnownNames(workspace.path).jobs(identity(1)[:8], 5) == [Job(identity(1)[:7], "Train seed=1 fresh=yes")]


def test_file_of_a_large_index_is_written_by_another_process(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_names, "SMALL_BYTES", 10)
    submit(workspace, 1)
    assert KnownNames(workspace.path).names.tags == {}
    wait_until(lambda: KnownNames(workspace.path).names.tags == {"seed": ["1"]})
    wait_until(lambda: not names_file.names_file(workspace.path).with_suffix(".building").exists())


def test_damaged_file_and_a_cache_that_cannot_be_written_are_no_errors(workspace: Workspace, cache: Path) -> None:
    submit(workspace, 1)
    KnownNames(workspace.path).names  # noqa: B018  # writes the file
    for content in (b"", b"{}\n", b"\xff\n", b'{"version": 1, "workspace": 3, "names": {}, "seen": {}}\n'):
        names_file.names_file(workspace.path).write_bytes(content)
        assert KnownNames(workspace.path).names.tags["seed"] == ["1"]
    os.rename(cache, cache.with_name("other"))
    cache.write_text("no folder")
    assert KnownNames(workspace.path).names.tags == {}
    assert KnownNames(workspace.path).jobs("a", 5) == []
    assert KnownNames(workspace.path / "nowhere").experiments() == []


def test_results_are_names_when_their_jobs_have_ended(workspace: Workspace) -> None:
    submit(workspace, 1, 2)
    ends = EndWriter(workspace.path, "w")
    ends.add(identity(1), End(State.DONE, 4e9, results={"accuracy": 0.9, "a name of words": 1}))
    assert KnownNames(workspace.path).names.results == ["accuracy"]
    ends.add(identity(2), End(State.FAILED, 4e9, results={"loss.test": 0.3}))  # the file of the names goes on
    known = KnownNames(workspace.path)
    assert known.names.results == ["accuracy", "loss.test"]
    assert [job.name for job in known.jobs("", 5)] == [job.name for job in known.jobs("", 5) if job.title]
    assert len(known.jobs("", 5)) == 2
