"""Long chains and wide graphs of real tasks: they are submitted, they run, and lose nothing silently."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.playground import Stage
from script_tasks import Gather, Link, WeakLink

from xpm_core.reading.reader import Reader
from xpm_core.store import keys
from xpm_core.wire import signing

pytestmark = [pytest.mark.redis, pytest.mark.slow]


def submit_chain(note: str, length: int) -> list[Any]:
    """Links that each need the one before."""
    links: list[Any] = []
    for n in range(length):
        links.append(Link.C(note=note, n=n, before=links[-1] if links else None).submit())
    return links


def part_files(stage: Stage) -> set[Path]:
    folder = stage.workspace.path / ".xpm/parts"
    return set(folder.iterdir()) if folder.is_dir() else set()


def counts(links: list[Any]) -> Iterator[int]:
    return (int((link.jobpath / "count.txt").read_text()) for link in links)


def test_each_link_of_a_chain_sees_all_that_are_before_it(stage: Stage) -> None:
    with stage.experiment():
        links = submit_chain(stage.note(), 120)
    assert list(counts(links)) == list(range(120))
    assert part_files(stage)
    described = json.loads(stage.directory(links[-1]).params.read_bytes())
    assert described["parameters"]["before"]["parameters"]["n"] == 118


def test_chain_of_1000_is_submitted_with_payloads_that_do_not_grow(stage: Stage) -> None:
    with stage.broken(queue="nobody"):
        links = submit_chain(stage.note(), 1000)
    last = Reader(stage.client, stage.workspace.id).jobs.spec(stage.job(links[-1]).identity).payload
    early = Reader(stage.client, stage.workspace.id).jobs.spec(stage.job(links[20]).identity).payload
    assert len(last) < 2 * len(early)


def test_chain_goes_on_in_a_later_run(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment(name := stage.name()):
        submit_chain(note, 60)
    with stage.experiment(name):
        links = submit_chain(note, 63)
    assert list(counts(links)) == list(range(63))
    assert [stage.runs(link) for link in links] == [1] * 63


def test_job_whose_part_is_gone_fails_and_says_what_to_do_and_the_next_run_mends_it(stage: Stage) -> None:
    note, name, known = stage.note(), stage.name(), part_files(stage)
    with stage.experiment(name):
        submit_chain(note, 50)
    with stage.failing(name) as failing:
        failing.xp._run.submitter._parts.put = losing(failing.xp._run.submitter._parts)  # type: ignore[method-assign]
        submit_chain(note, 51)
    assert "this part of a job's parameters is not there" in failing.report
    assert "Run the script again" in failing.report
    with stage.experiment(name):
        links = submit_chain(note, 51)
    assert list(counts(links)) == list(range(51))
    assert part_files(stage) > known


def test_one_run_of_the_script_mends_all_jobs_whose_parts_are_gone(stage: Stage) -> None:
    note, name, known = stage.note(), stage.name(), part_files(stage)
    broken = stage.folder / f"{name}.broken"
    broken.touch()

    def submit() -> list[Any]:
        links = submit_chain(note, 40)
        links.append(WeakLink.C(note=note, n=40, before=links[-1], only_with=broken).submit())
        for n in range(41, 60):
            links.append(Link.C(note=note, n=n, before=links[-1]).submit())
        return links

    with stage.failing(name):
        submit()
    for file in part_files(stage) - known:
        file.unlink()
    broken.unlink()
    stage.client.set(keys.suspended, 1)  # else a job may start before the script, which writes parts anew, comes to it
    with stage.experiment(name) as xp:
        links = submit()
        xp._run.submitter.flush()
        stage.client.delete(keys.suspended)
    assert list(counts(links)) == list(range(60))


def losing(parts: Any) -> Any:
    """Write parts, and lose them, as a power cut could."""
    put = type(parts).put

    def lost(data: bytes) -> bytes:
        digest: bytes = put(parts, data)
        parts._path(digest).unlink()
        return digest

    return lost


def test_wide_graph_runs_from_one_to_many_to_one(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment():
        first = Link.C(note=note, n=-1).submit()
        many = [Link.C(note=note, n=n, before=first if n == 0 else None).submit() for n in range(200)]
        end = Gather.C(note=note, links=many).submit()
    assert (end.jobpath / "sum.txt").read_text() == str(sum(range(200)))


def test_signature_binds_the_parts_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.VARIABLE, "correct-horse")
    with stage.broken(queue="nobody"):
        link = submit_chain(stage.note(), 60)[-1]
    job = stage.job(link)
    spec = Reader(stage.client, stage.workspace.id).jobs.spec(job.identity)
    parts = [file for file in part_files(stage) if bytes.fromhex(file.name) in spec.payload]
    assert parts, "the payload names its parts by what they hold"
    signing.verify(b"correct-horse", stage.workspace.id, spec)
