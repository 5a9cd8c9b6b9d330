"""Searching jobs reads the index once, whatever is asked for afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from xpm_core.errors import FilterError, UnknownJobError
from xpm_core.filters import parse
from xpm_core.index.entries import End, Entry
from xpm_core.index.merged import MergedIndex
from xpm_core.index.writers import EndWriter, IndexedJob, SubmissionWriter
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.listing.search import JobSearch
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

NOW_S = 1_800_000_000.0


def identity(number: int) -> str:
    return f"{number:x}".rjust(64, "0")[::-1]


@pytest.fixture
def search(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobSearch:
    """Ten jobs without a server; the first three are done."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    SubmissionWriter(workspace.experiment("e"), "run").add(
        IndexedJob(identity(n), "m:Train", {"n": n}, lambda n=n: {"lr": n / 10}) for n in range(1, 11)
    )
    ended = EndWriter(workspace.path, "w")
    for n in range(1, 4):
        ended.add(identity(n), End(State.DONE, NOW_S - n))
    return JobSearch(workspace.path, None, NOW_S, list)


@pytest.mark.parametrize("name", ["a\0b", "\0", "~no-such-user", "~no-such-user/jobs", "x" * 10_000])
def test_a_name_that_is_no_path_is_no_job(search: JobSearch, name: str) -> None:
    with pytest.raises(UnknownJobError):
        search.named(name)


def test_filters_orders_and_names_find_jobs(search: JobSearch) -> None:
    assert [row.identity for row in search.select("lr>0.75", "-n", 2)] == [identity(10), identity(9)]
    assert len(search.select(parse("state=done"), "", None)) == 3
    assert len(search.select("  ", "", None)) == 10
    assert search.named("n=4").identity == identity(4)
    assert [row.identity for row in search.rows([identity(5), "f" * 64, identity(2)])] == [identity(5), identity(2)]
    with pytest.raises(UnknownJobError):
        search.named("f" * 7)
    with pytest.raises(FilterError):
        search.select("size=3", "", None)


def test_the_index_is_read_once(search: JobSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[MergedIndex] = []
    plain = MergedIndex.read
    monkeypatch.setattr(MergedIndex, "read", lambda index: reads.append(index) or plain(index))
    search.select("lr>0.5", "", None)
    search.select("", "n", 1)
    search.named("n=4")
    assert len(reads) == 1


def test_jobs_that_were_submitted_at_one_time_have_an_order(search: JobSearch) -> None:
    rows = search.known.rows
    rows.update({each: JobRow(Entry(each), None) for each in ("b" * 64, "c" * 64)})
    reverse = list(reversed(rows.items()))
    rows.clear()
    rows.update(reverse)
    for row in rows.values():
        row.entry = replace(row.entry, submitted_s=NOW_S)
    found = [row.identity for row in search.matching("")[0]]
    assert found == [*(identity(n) for n in range(1, 11)), "b" * 64, "c" * 64]
