"""What needs what, by the parameters of all jobs."""

from __future__ import annotations

from itertools import count

import pytest
from helpers.page import page_of
from helpers.simulated_jobs import Lab
from helpers.typed_commands import AWAY

from xpm_cli.page.graph.dependencies import around, by_task, used_in, users_of
from xpm_core.filters import parse
from xpm_core.index.writers import IndexedJob, SubmissionWriter
from xpm_core.labels import label, short
from xpm_core.workspace.workspace import Workspace

USED = {"job": "Prepare/1d1d1d1"}


def test_jobs_that_are_parameters_are_found_alone_and_in_lists() -> None:
    params = {"data": USED, "all": [USED, {"job": "Fetch/2e2e2e2"}], "lr": 0.1, "path": {"path": "/x"},
              "odd": {"job": 3}, "more": {"job": "x", "and": 1}, "mixed": [1, None, USED]}  # fmt: skip
    assert list(used_in(params)) == ["Prepare/1d1d1d1", "Prepare/1d1d1d1", "Fetch/2e2e2e2", "Prepare/1d1d1d1"]
    assert list(used_in(None)) == []


def test_tasks_and_users_by_the_index_alone(workspace: Workspace) -> None:
    prepare, train = "1d" * 32, "3f" * 32
    writer = SubmissionWriter(workspace.experiment("sweep"), "run1")
    writer.add(
        [IndexedJob(prepare, "a:Prepare", {}, dict), IndexedJob(train, "b:Train", {}, lambda: {"data": USED, "x": 1})]
    )
    with page_of(workspace.path, AWAY) as page, page.desk.reading() as view:
        whole = by_task(view, None)
        assert whole.edges == {("a:Prepare", "b:Train")}
        assert not whole.outside
        part = by_task(view, parse("task=Train"))
        assert part.outside == {"a:Prepare"}
        assert set(part.states) == {"a:Prepare", "b:Train"}
        assert users_of(view) == {prepare: [train]}


def twins(lab: Lab) -> tuple[str, str]:
    """Two names of jobs whose identities begin with the same seven characters."""
    seen: dict[str, str] = {}
    for name in map(str, count()):
        if (other := seen.setdefault(short(lab.identity(name)), name)) != name:
            return other, name
    raise AssertionError


@pytest.mark.redis
def test_of_two_jobs_with_one_label_each_has_its_own_users(lab: Lab, redis_url: str) -> None:
    used = twins(lab)
    jobs = [lab.submit(name) for name in used]
    of = {"job": label("Train", jobs[0])}
    users = [lab.submit(f"user of {name}", name, params={"of": of}) for name in used]
    with page_of(lab.workspace.path, redis_url) as page, page.desk.reading() as view:
        assert users_of(view) == {job: [user] for job, user in zip(jobs, users, strict=True)}


@pytest.mark.redis
def test_what_lies_around_a_job_is_the_same_whoever_asks(lab: Lab, redis_url: str) -> None:
    root = lab.submit("root")
    children = [lab.submit(f"child{n}", "root") for n in range(5)]
    leaf = lab.submit("leaf", *(f"child{n}" for n in range(5)))
    with page_of(lab.workspace.path, redis_url) as page, page.desk.reading() as view:
        down = around(view, view.job(root), {}, 50)
        up = around(view, view.job(leaf), {}, 50)
        expected = {*((root, each) for each in children), *((each, leaf) for each in children)}
        assert set(down.edges) == set(up.edges) == expected
        assert (down.levels[leaf], up.levels[root]) == (2, -2)
        few = around(view, view.job(root), {}, 4)
        assert (len(few.rows), few.left) == (4, 3)
        assert few.rows[0].identity == root
