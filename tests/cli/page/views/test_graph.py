"""The graph: by task for all jobs, and up and down from one job."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import redis
from helpers.every_state import EveryState
from helpers.page import page_of
from helpers.simulated_jobs import Lab
from helpers.typed_commands import AWAY

from xpm_core.index.writers import IndexedJob, SubmissionWriter
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

EVIL = '"><script>alert(1)</script>'


def text(folder: Path, url: str | None, path: str, **query: str) -> str:
    with page_of(folder, url) as page:
        return page.get(path, params=query)


def index(workspace: Workspace, jobs: dict[str, tuple[str, dict[str, object]]]) -> None:
    """Write jobs into the index alone: identity -> task and parameters."""
    writer = SubmissionWriter(workspace.experiment("sweep"), "run1")
    writer.add(
        IndexedJob(identity, task, {}, lambda params=params: params) for identity, (task, params) in jobs.items()
    )


def edges(found: str) -> set[str]:
    return {each for each in re.findall(r"<title>([^<]*?)</title>", found) if " needs " in each}


def test_tasks_with_their_jobs_by_state_lead_to_the_jobs(
    workspace: Workspace, redis_client: redis.Redis, redis_url: str
) -> None:
    EveryState(workspace, redis_client)
    found = text(workspace.path, redis_url, "/graph")
    assert "Train: 8 jobs" in found
    assert 'href="/jobs?filter=task%3D' in found
    assert "state%3Dfailed" in found
    assert "others of its own" in found


def test_needs_are_known_by_parameters_of_all_jobs(workspace: Workspace) -> None:
    prepare, other = "1d" * 32, "2e" * 32
    jobs: dict[str, tuple[str, dict[str, object]]] = {
        prepare: ("sweep:Prepare", {}), other: ("sweep:Fetch", {}),
        "ee" * 32: ("sweep:Report", {"of": [{"job": "Train/0000000"}, {"job": "Train/0000001"}]}),
    }  # fmt: skip
    jobs |= {
        f"{n:07}{'a' * 57}": ("sweep:Train", {"data": {"job": f"Prepare/{prepare[:7]}"}, "lr": n}) for n in range(300)
    }
    jobs[f"{299:07}{'a' * 57}"][1]["more"] = {"job": f"Fetch/{other[:7]}"}
    index(workspace, jobs)
    found = text(workspace.path, AWAY, "/graph")
    assert edges(found) == {"Train needs Prepare", "Train needs Fetch", "Report needs Train"}
    assert "Train: 300 jobs (300 unknown)" in found
    assert "some of each task" in found


def test_a_filter_leaves_tasks_out_but_those_that_are_needed(workspace: Workspace) -> None:
    prepare = "1d" * 32
    index(workspace, {prepare: ("sweep:Prepare", {}), "2e" * 32: ("sweep:Other", {}),
                      "3f" * 32: ("sweep:Train", {"data": {"job": f"Prepare/{prepare[:7]}"}})})  # fmt: skip
    found = text(workspace.path, AWAY, "/graph", filter="task=Train")
    assert "Prepare: 1 job, outside of the filter" in found
    assert "Other" not in found


def test_at_most_fifty_tasks_are_drawn_and_the_rest_is_said(workspace: Workspace) -> None:
    index(workspace, {f"{n:02}" * 32: (f"sweep:T{n:02}", {}) for n in range(60)})
    found = text(workspace.path, AWAY, "/graph")
    assert found.count('class="node') == 50
    assert "Not shown: 10 tasks with the fewest jobs, 10 jobs together." in found


def test_a_hundred_thousand_jobs_are_a_small_picture(workspace: Workspace) -> None:
    prepare = "1d" * 32
    jobs: dict[str, tuple[str, dict[str, object]]] = {prepare: ("sweep:Prepare", {})}
    jobs |= {f"{n:064}": ("sweep:Train", {"data": {"job": f"Prepare/{prepare[:7]}"}}) for n in range(100_000)}
    index(workspace, jobs)
    found = text(workspace.path, AWAY, "/graph")
    assert edges(found) == {"Train needs Prepare"}
    assert len(found) < 20_000


def test_a_job_shows_what_it_needs_and_what_needs_it_to_a_depth_of_two(
    lab: Lab, workspace: Workspace, redis_url: str
) -> None:
    names = ["far", "grandmother", "mother", "me", "child", "grandchild", "farther"]
    ids = {}
    for name, before in zip(names, [None, *names], strict=False):
        ids[name] = lab.submit(name, *([before] if before else []))
    ids["aunt"] = lab.submit("aunt", "grandmother")
    found = text(workspace.path, redis_url, "/graph", job=ids["me"][:12])
    shown = {name for name in ids if f"Train name={name}" in found}
    assert shown == {"grandmother", "mother", "me", "child", "grandchild"}
    assert "Train name=me needs Train name=mother" in edges(found)
    for word in ("this job", "needed by what it needs", "needs what needs it"):
        assert word in found


def test_many_that_need_a_job_are_cut_and_counted(lab: Lab, workspace: Workspace, redis_url: str) -> None:
    root = lab.submit("root")
    for number in range(70):
        lab.submit(f"child{number}", "root")
    found = text(workspace.path, redis_url, "/graph", job=root)
    assert found.count('class="node') == 50
    assert "Not shown: 21 further jobs, and what lies behind them; 50 are." in found


def test_without_the_server_parameters_and_directories_say_it(workspace: Workspace) -> None:
    prepare = "1d" * 32
    index(workspace, {prepare: ("sweep:Prepare", {}),
                      "3f" * 32: ("sweep:Train", {"data": {"job": f"Prepare/{prepare[:7]}"}})})  # fmt: skip
    found = text(workspace.path, AWAY, "/graph", job=prepare)
    assert edges(found) == {"Train needs Prepare"}
    assert "by parameters alone" in found
    assert "The server cannot be had" in found


def test_unknown_jobs_and_wrong_filters_are_errors(lab: Lab, workspace: Workspace, redis_url: str) -> None:
    lab.submit("a")
    with page_of(workspace.path, redis_url) as page:
        page.get("/graph", status=404, params={"job": "ffff1234"})
        assert "nonsense" in page.get("/graph", status=400, params={"filter": "nonsense=="})


def test_no_jobs_are_said(workspace: Workspace, redis_url: str) -> None:
    assert "No jobs yet." in text(workspace.path, redis_url, "/graph")


def test_hostile_names_are_text(lab: Lab, workspace: Workspace, redis_url: str) -> None:
    evil = lab.submit("evil", tags={"name": EVIL, "x": "</svg><img src=x onerror=alert(1)>"})
    index(workspace, {"ab" * 32: (f"sweep:{EVIL}", {"data": {"job": f"Train/{evil[:7]}"}})})
    for query in ({}, {"job": evil}):
        found = text(workspace.path, redis_url, "/graph", **query)
        assert "<script>alert" not in found
        assert "<img" not in found
        assert "&lt;script&gt;" in found
    assert State.READY.value in found
