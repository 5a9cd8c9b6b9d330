"""The record of an execution: what ran, on what machine, with which packages and seeds."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest
import worker_tasks as tasks
from helpers.daemons import Crew
from helpers.package_sites import Site
from helpers.waiting import wait_until
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.index.merged import MergedIndex
from xpm_core.index.rebuild import rebuild
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.provenance import GitState, Provenance, Tree
from xpm_core.states import State
from xpm_worker.starter.outcome import checked_seeds

COMMIT = "1a2b3c4d5e6f" + "0" * 28


@pytest.mark.redis
def test_a_record_says_machine_packages_devices_and_seeds(crew: Crew) -> None:
    task = tasks.Seeded.C(seed=2**70, parts=[tasks.Part.C(init_seed=7), tasks.Part.C(init_seed=-8)])
    crew.submit(task, options={"env": {"CUDA_VISIBLE_DEVICES": "3"}})
    crew.start("--burst", env={"CUDA_VISIBLE_DEVICES": "2,3", "ROCR_VISIBLE_DEVICES": "1"})
    crew.wait(task)
    record = crew.record(task)
    assert record["seeds"] == {
        "seed": str(2**70), "random_state": 5, "parts[0].init_seed": 7, "parts[1].init_seed": -8
    }  # fmt: skip
    assert record["devices"] == {"CUDA_VISIBLE_DEVICES": "3", "ROCR_VISIBLE_DEVICES": "1"}
    assert record["code"] == {"snapshot": "", "provenance": ""}
    assert "git" not in record
    assert record["machine"]["cores"] == len(os.sched_getaffinity(0))
    assert record["machine"]["memory_bytes"] == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    packages = json.loads(CodeStore(crew.workspace.path).get("packages", record["packages"]))
    assert {"redis", "rq", "msgpack"} <= packages["packages"].keys()
    assert record["peak_memory_bytes"] > 0
    assert record["cpu_s"] > 0


@pytest.mark.redis
def test_a_record_and_the_index_name_snapshot_and_commit(crew: Crew) -> None:
    store = CodeStore(crew.workspace.path)
    tree = Tree("lab", ["/home/me/lab"], GitState(COMMIT, "main", ["train.py"], 1))
    provenance = store.put("provenance", Provenance("", [tree]).written())
    task = tasks.Write.C(note="x")
    directory = crew.run(task, options={"provenance": provenance})
    (record,) = directory.records()
    assert record["code"] == {"snapshot": "", "provenance": provenance}
    assert record["git"] == {"commit": COMMIT, "dirty": True}
    end = MergedIndex(crew.workspace.path).read()[directory.identity].end
    assert end is not None
    assert (end.code, end.commit, end.packages) == ("live", "1a2b3c4d5e6f+", record["packages"][:12])


@pytest.mark.redis
def test_a_rebuilt_index_says_the_same(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    fail, write = tasks.Fail.C(note="f"), tasks.Write.C(note="r")
    crew.submit(fail, write)
    crew.start("--burst")
    crew.wait(fail, State.FAILED)
    crew.wait(write)
    for task in (fail, write):
        directory = crew.directory(task)
        wait_until(lambda directory=directory: directory.marker() is not None)  # type: ignore[misc]
        links = crew.workspace.experiment("crew").path / "jobs" / "any"
        links.mkdir(parents=True, exist_ok=True)
        (links / directory.identity[:7]).symlink_to(directory.path)
    known = {identity: entry.end for identity, entry in MergedIndex(crew.workspace.path).read().items()}
    for file in (crew.workspace.path / ".xpm" / "index").iterdir():
        file.unlink()
    rebuild(crew.workspace)
    made = MergedIndex(crew.workspace.path).read()
    assert len(made) == 2
    for identity, end in known.items():
        again = made[identity].end
        assert again is not None
        assert end is not None
        assert end.code == "live"
        assert (again.code, again.commit, again.packages) == (end.code, end.commit, end.packages)


@pytest.mark.redis
def test_a_list_of_packages_that_was_removed_is_there_again_with_the_next_job(crew: Crew) -> None:
    first, second = tasks.Write.C(note="1"), tasks.Write.C(note="2")
    crew.submit(first)
    crew.started()
    crew.wait(first)
    file = Path(CodeStore(crew.workspace.path).document_path("packages", crew.record(first)["packages"]))
    file.unlink()
    crew.submit(second)
    crew.wait(second)
    assert crew.record(second)["packages"] == file.name
    assert file.exists()


@pytest.mark.redis
def test_an_edit_of_an_editable_package_is_in_the_records_soon(crew: Crew, tmp_path: Path) -> None:
    site = Site(tmp_path / "packages")
    site.install("lab", {"url": site.lab.as_uri(), "dir_info": {"editable": True}})
    crew.started("--pythonpath", str(site.folder))
    numbers = itertools.count()

    def recorded() -> str:
        """What the record of one more job says of the package."""
        crew.submit(task := tasks.Write.C(note=f"{next(numbers)}"))
        crew.wait(task)
        document = CodeStore(crew.workspace.path).get("packages", crew.record(task)["packages"])
        return str(json.loads(document)["sources"]["lab"]["digest"])

    assert recorded() == site.facts("lab")["digest"]
    (site.lab / "lab" / "model.py").write_text("layers = 40\n")
    wait_until(lambda: recorded() == site.facts("lab")["digest"])


reported = st.dictionaries(
    st.text(max_size=300),
    st.one_of(st.integers(-(2**63), 2**64 - 1), st.text(), st.booleans(), st.none(), st.lists(st.integers())),
)


@given(reported)
def test_seeds_that_a_job_reports_are_integers_and_few(found: dict[str, Any]) -> None:
    seeds = checked_seeds(found)
    assert len(seeds) <= 50
    assert all(int(value) is not None and type(value) is not bool for value in seeds.values())
    assert all(found[path] == value for path, value in seeds.items())


def test_no_more_seeds_than_fifty_are_recorded() -> None:
    assert list(checked_seeds({f"s{n}": n for n in range(60)})) == [f"s{n}" for n in range(50)]
