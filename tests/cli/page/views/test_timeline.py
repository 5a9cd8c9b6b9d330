"""The timeline: small answers however much has run, true words beside the picture, and a table that says the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from helpers.page import PageClient, page_of
from helpers.private_server import PrivateServer
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import AWAY

from xpm_cli.page.timeline import history as module
from xpm_cli.page.timeline.lanes import lane_of
from xpm_cli.page.views.timeline import in_order
from xpm_core.index.entries import End, ended_line, submitted_line
from xpm_core.index.folders import ends_folder
from xpm_core.states import State
from xpm_core.store.records import WorkerId
from xpm_core.store.tokens import create_token
from xpm_core.workspace.job_spec import Retries
from xpm_core.workspace.workspace import Workspace

EVIL = '"><script>alert(1)</script>'
MANY, SLOTS, BEGAN_S = 100_000, 64, 1_700_000_000.0


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_S", 0.0)
    monkeypatch.setattr(module, "PATIENCE_S", 60.0)


def write_ends(workspace: Path, worker: str, ends: list[tuple[str, End]]) -> None:
    folder = ends_folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [ended_line(identity, end) for identity, end in ends]
    (folder / f"{worker}.jsonl").write_text("\n".join([*lines, ""]))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which 64 slots have run 100,000 jobs, some seconds each; its server is away."""
    workspace = Workspace.open(tmp_path_factory.mktemp("large") / "workspace")
    each = MANY // SLOTS
    index = workspace.experiment("sweep").path / "index"
    index.mkdir(parents=True)
    with open(index / "run.jsonl", "w") as file:
        for slot in range(SLOTS):
            worker, at_s, ends = f"node{slot // 8}-ab.{slot % 8}", BEGAN_S, []
            for number in range(each):
                identity = f"{slot:02}{number:06}".ljust(64, "a")
                took_s = 1 + (number * 7 + slot) % 13
                state = State.FAILED if number % 97 == 0 else State.DONE
                ends.append((identity, End(state, at_s + took_s, at_s, f"node{slot // 8}", worker, identity[:16], 1)))
                at_s += took_s + (300 if number % 400 == 0 else 0.2)
                file.write(submitted_line(identity, "sweep:Train", {"n": number}, {"n": number}, BEGAN_S) + "\n")
            write_ends(workspace.path, worker, ends)
    return workspace.path


@pytest.fixture(scope="module")
def many(large: Path) -> Iterator[PageClient]:
    """Its page. Tests only look."""
    with page_of(large, AWAY) as found:
        yield found


@pytest.fixture
def page(many: PageClient) -> PageClient:
    return many


def test_a_hundred_thousand_executions_are_an_answer_of_bounded_size(page: PageClient) -> None:
    whole = page.get("/timeline")
    executions = MANY // SLOTS * SLOTS
    assert f"{executions} executions" in whole
    assert len(whole.encode()) < 500_000
    assert "Workers 1 to 40 of 64" in whole
    for query in (
        {"first": 40},
        {"from": BEGAN_S, "to": BEGAN_S + 600},
        {"from": BEGAN_S + 3000, "to": BEGAN_S + 3010},
        {"from": BEGAN_S, "to": BEGAN_S + 20000, "lane": "node0-ab.0"},
        {"from": 0, "to": 2e9},
    ):
        assert len(page.get("/timeline", params=query).encode()) < 500_000, query


def test_only_what_is_seen_is_sent(page: PageClient) -> None:
    part = page.get("/timeline", params={"from": BEGAN_S, "to": BEGAN_S + 15, "lane": "node0-ab.0"})
    jobs = set(re.findall(r'href="/job/(\w+)"', part))
    assert jobs == {f"00{number:06}".ljust(64, "a") for number in range(1)}
    assert "Train n=0" in part
    later = page.get("/timeline", params={"from": BEGAN_S + 305, "to": BEGAN_S + 330, "lane": "node0-ab.0"})
    assert f"00{1:06}".ljust(64, "a") in later
    assert f"00{99:06}".ljust(64, "a") not in later


def test_zooming_and_panning_are_links(page: PageClient) -> None:
    found = page.get("/timeline", params={"from": BEGAN_S + 100, "to": BEGAN_S + 200})
    for url in (
        f"from={BEGAN_S + 125:.0f}&amp;to={BEGAN_S + 175:.0f}",
        f"from={BEGAN_S + 50:.0f}&amp;to={BEGAN_S + 250:.0f}",
        f"from={BEGAN_S + 50:.0f}&amp;to={BEGAN_S + 150:.0f}",
        f"from={BEGAN_S + 150:.0f}&amp;to={BEGAN_S + 250:.0f}",
    ):
        assert f"/timeline?{url}" in found
    assert 'data-live="' not in found
    assert 'data-live="' in page.get("/timeline")


def test_a_filter_makes_the_others_faint(page: PageClient) -> None:
    query = {"from": BEGAN_S, "to": BEGAN_S + 400, "lane": "node0-ab.0"}
    assert " other" not in page.get("/timeline", params=query)
    found = page.get("/timeline", params={**query, "filter": "n=0"})
    assert found.count('class="done other"') > found.count('class="failed"') == 1
    assert "nonsense" in page.get("/timeline", status=400, params={"filter": "nonsense=1"})


@pytest.mark.parametrize("query", [{"from": "x"}, {"to": "nan"}, {"from": "5", "to": "5"}, {"from": "9", "to": "5"},
                                   {"to": "1e300"}, {"from": "-1"}, {"from": "inf"}])  # fmt: skip
def test_a_part_of_time_that_is_none_is_said(page: PageClient, query: dict[str, str]) -> None:
    assert "Give `from` and `to`" in page.get("/timeline", status=400, params=query)


def test_without_the_server_it_says_what_it_does_not_know(page: PageClient) -> None:
    found = page.get("/timeline")
    assert "only what workers have written is shown" in found
    assert "What jobs waited for is known by the server alone." in found


def test_a_worker_that_nobody_knows_is_said(page: PageClient) -> None:
    assert "Of nobody nothing is known" in page.get("/timeline", params={"lane": "nobody"})


@pytest.mark.redis
def test_no_executions_are_said(workspace: Workspace, lab: Lab, redis_url: str) -> None:
    with page_of(workspace.path, redis_url) as page:
        assert "No worker has run anything yet." in page.get("/timeline")


@pytest.mark.redis
def test_retries_and_lost_leases_are_marked_and_said(lab: Lab, redis_url: str) -> None:
    lab.join()
    lab.end("again", State.FAILED, ERROR, retries=Retries(max_retries=1, backoff_s=3600))
    lost = lab.start("lost")
    lab.store.lose(lost)
    lab.claim(lost.identity)
    with page_of(lab.workspace.path, redis_url) as page:
        found = page.get("/timeline", params={"lane": "node1-1"})
    assert "1 tried again" in found
    assert "1 lost" in found
    assert "1 running" in found
    assert "1 further attempt" in found
    assert 'class="mark"' in found
    assert 'class="again"' in found
    assert re.search(r"<td>Train name=lost</td>\s*<td class=\"number\">1</td>\s*<td><span class=\"state lost\">", found)


@pytest.mark.redis
def test_what_jobs_waited_for_is_said_with_its_age(lab: Lab, redis_client: redis.Redis, redis_url: str) -> None:
    create_token(redis_client, "gpu", 1)
    lab.join()
    lab.start("holds", demand={"gpu": 1})
    lab.submit("waits", demand={"gpu": 1})
    with page_of(lab.workspace.path, redis_url) as page:
        found = page.get("/timeline")
    assert re.search(r"\d+ % of waiting was for <strong>token gpu</strong>", found)
    assert "Counted from " in found
    assert "What jobs of other workspaces held is not known." in found


@pytest.mark.redis
def test_a_server_that_goes_away_is_said_by_each_view(
    workspace: Workspace, fresh_server: Callable[..., PrivateServer]
) -> None:
    server = fresh_server()
    with server.client() as client:
        lab = Lab(workspace, client)
        lab.join()
        lab.start("a")
        lab.submit("b", "a")
    with page_of(workspace.path, server.url) as page:
        assert "this is how things stood" not in page.get("/timeline")
        server.kill()
        found = page.get("/timeline")
        assert "The server does not answer, so this is how things stood at" in found
        assert "1 running" in found
        assert "Only the server knows workers, tokens and queues" in page.get("/workers")
        assert "Train: 2 jobs" in page.get("/graph")


def test_without_the_server_it_says_what_files_do_not_know(page: PageClient) -> None:
    found = page.get("/timeline")
    assert "The server cannot be had, so only what workers have written is shown" in found
    assert "attempts that were tried again, handed back or lost are missing" in found
    assert "from its first job to its last one" in found


def test_workers_beyond_the_last_are_the_first(page: PageClient) -> None:
    assert "Workers 1 to 40 of 64" in page.get("/timeline", params={"first": 999})


@pytest.mark.redis
def test_hostile_names_are_text(lab: Lab, redis_url: str) -> None:
    lab.worker = WorkerId(EVIL, EVIL)
    lab.join()
    lab.start("a", tags={"name": EVIL, "more": "</svg><img src=x onerror=alert(1)>"})
    with page_of(lab.workspace.path, redis_url) as page:
        for query in ({}, {"lane": EVIL}, {"filter": EVIL}, {"from": EVIL}):
            found = page.client.get("/timeline", params=query).text
            assert "<script>alert" not in found
            assert "<img" not in found
            assert "onerror=" not in re.sub(r"&lt;img.*?&gt;", "", found)


def test_lanes_are_in_the_order_of_the_terminal() -> None:
    names = ["b-1.10", "b-1.2", "a", "b-1.x", "a-2.0"]
    assert [lane.worker for lane in in_order([lane_of(name, "", [], 1.0) for name in names])] == [
        "a", "a-2.0", "b-1.2", "b-1.10", "b-1.x",
    ]  # fmt: skip
