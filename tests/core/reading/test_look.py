"""Looking at a workspace: what the server says, what the files say without it, and that nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis
from helpers.playground import Stage
from helpers.server_content import everything
from helpers.simulated_jobs import Lab
from helpers.store_client import StoreClient, identity, submission
from helpers.study import NAME, OTHER, Study

import xpm_core
from xpm_core.errors import AmbiguousJobError, FilterError, RedisUnavailableError, UnknownJobError, WorkspaceError
from xpm_core.filters import parse
from xpm_core.index.writers import EndWriter, IndexedJob, SubmissionWriter
from xpm_core.reading.look import View, look
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.states import Event, State
from xpm_core.store.jobs import Store
from xpm_core.words.reasons import Code
from xpm_core.workspace.workspace import Workspace

pytestmark = [pytest.mark.redis, pytest.mark.slow]

NOWHERE = "redis://localhost:1/0"


@pytest.fixture(scope="module")
def study(stage: Stage) -> Iterator[Study]:
    study = Study(stage)
    yield study
    study.finish()


@pytest.fixture
def view(study: Study) -> Iterator[View]:
    with look(study.stage.workspace.path, redis=study.stage.url) as view:
        yield view


@pytest.fixture
def files(study: Study) -> Iterator[View]:
    """The same, without the server."""
    with look(study.stage.workspace.path, redis=NOWHERE) as view:
        yield view


def names(study: Study, listing: Any) -> set[str]:
    return set(study.names([row.identity for row in listing]))


def test_every_state_is_seen(study: Study, view: View) -> None:
    assert {row.identity: row.state for row in view.jobs()} == {
        study.identity(name): state for name, state in study.states().items()
    }
    assert set(study.states().values()) == set(State) - {State.DELAYED}


@pytest.mark.parametrize("away", [False, True])
def test_tasks_of_a_run_have_configurations_in_every_state(study: Study, view: View, files: View, away: bool) -> None:
    looked = files if away else view
    tasks = {each.identity: each for each in looked.experiment(NAME).run("latest").tasks()}
    wanted = {study.identity(name): name for name in study.tasks if name != "other"}
    assert tasks.keys() == wanted.keys()
    states = study.states()
    for job, name in wanted.items():
        task, submitted = tasks[job], study.tasks[name]
        if not away:
            assert (task.state, task.read_by, task.problem) == (states[name], "today", "")
            assert type(task.config) is type(submitted)
        assert task.config.note == submitted.note if hasattr(submitted, "note") else task.config.n == submitted.n
        assert task.jobpath == submitted.jobpath


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("state=failed,blocked", {"failed", "blocked"}),
        ("state=done", {"done0", "done1", "other"}),
        ("not state=done and experiment=study and task=Write", {"waiting", "cancelled"}),
        ("n>4", {"running", "ready", "waiting", "cancelled"}),
        ("tag.n<=1", {"done0", "done1"}),
        ("param.note=h", {"running"}),
        ("note=other", {"other"}),
        ("experiment=other", {"other"}),
        ("token=gpu and state=ready", {"ready"}),
        ("queue=nobody", {"cancelled"}),
        ("error=ValueError", {"failed"}),
        ("before=Fail*", {"blocked"}),
        ("submitted<1h and state=running", {"running"}),
        ("since=1h and task=Fail", {"failed"}),
        ("worker=*", {"done0", "done1", "other", "failed", "running"}),
    ],
)
def test_filters_select(study: Study, view: View, text: str, found: set[str]) -> None:
    assert names(study, view.jobs(text)) == found


def test_without_an_order_what_needs_somebody_comes_first_and_done_last(view: View) -> None:
    states = [row.state for row in view.jobs()]
    assert states[:3] == [State.FAILED, State.BLOCKED, State.RUNNING]
    assert states[-3:] == [State.DONE] * 3


def test_an_order_and_a_limit_hold(study: Study, view: View) -> None:
    listing = view.jobs("experiment=study", sort="-n", limit=3)
    assert study.names([row.identity for row in listing]) == ["cancelled", "waiting", "ready"]
    assert (len(listing), listing.matched, listing.total) == (3, 8, 9)
    ended = view.jobs("state=done", sort="ended")
    assert [row.ended_s for row in ended] == sorted(row.ended_s or 0 for row in ended)


def test_a_row_has_what_index_and_server_know(study: Study, view: View) -> None:
    done = view.job(study.identity("done1"))
    assert (done.name, done.tags, done.experiments) == ("Write", {"n": 1}, [NAME])
    assert done.params == {"note": "w", "n": 1}
    assert done.host
    assert done.worker
    assert done.started_s
    assert done.ended_s
    assert done.ended_s >= done.started_s
    failed = view.job(study.identity("failed"))
    assert (failed.error_type, failed.error["message"], failed.attempts) == ("ValueError", "no good: f", 1)
    assert repr(failed) == f"<Fail n=3 {failed.identity[:7]} failed>"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("n=5", "running"),
        ("failed", "failed"),
        ("last", "cancelled"),
        ("fail/{failed}", "failed"),
        ("fail/", "failed"),
        ("Needs", "blocked"),
        ("{waiting}", "waiting"),
        ("{path of done0}", "done0"),
        ("{link of done1}", "done1"),
    ],
)
def test_names_of_jobs(study: Study, view: View, name: str, found: str) -> None:
    workspace = study.stage.workspace.path
    words = {each: study.identity(each)[:12] for each in study.tasks}
    words["path of done0"] = str(study.stage.directory(study.tasks["done0"]).path)
    words["link of done1"] = str(next((workspace / "experiments" / NAME / "jobs" / "write").glob("n=1-*")))
    assert view.job(name.format(**words)).identity == study.identity(found)


def test_a_name_of_several_jobs_is_an_error_with_their_titles(study: Study, view: View) -> None:
    with pytest.raises(AmbiguousJobError, match=r"it names several: .*Write n=0.*Give the identity of one"):
        view.job("write/")
    with pytest.raises(AmbiguousJobError, match=r"several: [0-9a-f]{7} \("):
        view.job("n=3")
    with pytest.raises(UnknownJobError):
        view.job("")
    with pytest.raises(UnknownJobError):
        view.job("fffffffffffff")
    with pytest.raises(UnknownJobError):
        view.job("nosuch/" + study.identity("done0"))
    with pytest.raises(FilterError, match=r"no job has a tag .m."):
        view.job("m=5")


def test_experiments_tokens_workers_and_events_are_seen(study: Study, view: View) -> None:
    assert [(each.name, each.jobs) for each in view.experiments()] == [(NAME, 8), (OTHER, 1)]
    (token,) = view.tokens()
    assert (token.name, token.waiting, token.first) == ("gpu", 1, [study.identity("ready")])
    assert [bool(worker.job) for worker in view.workers()].count(True) == 1
    events = [record for record in view.events() if record.job == study.identity("failed")]
    assert [record.event for record in events] == [Event.SUBMITTED, Event.READY, Event.STARTED, Event.FAILED]
    assert list(view.events(after=list(view.events())[-1].cursor)) == []


def test_why_a_job_waits_is_seen(view: View) -> None:
    assert view.why("n=6").reasons[0].code is Code.TOKEN_HELD
    assert view.why("n=7").reasons[0].code is Code.DEPENDENCY


def test_looking_writes_nothing(study: Study) -> None:
    client, workspace = study.stage.client, study.stage.workspace.path

    def all_keys() -> dict[bytes, Any]:
        beating = (b":worker", b":serving", b":clock")
        found = everything(client).items()
        return {key: value for key, value in found if not key.startswith(b"rq:") and all(b not in key for b in beating)}

    def all_files() -> set[tuple[str, int]]:
        return {(str(path), path.lstat().st_mtime_ns) for path in workspace.rglob("*") if not path.is_dir()}

    before, there = all_keys(), all_files()
    with look(workspace, redis=study.stage.url) as view:
        view.jobs("n>0 or queue=nobody", sort="started")
        view.experiments(), view.tokens(), view.workers(), list(view.events())
        view.job("failed"), view.why("n=6"), view.reader.survey.read(), view.reader.reasons.summary()
    after = all_keys()
    leases = {key for key in before if key.endswith(b":leases")}  # the running job's worker renews its own
    assert {key for key in before | after if before.get(key) != after.get(key)} <= leases
    assert all_files() == there


def test_a_view_lists_jobs_anew_when_it_is_refreshed(desk: StoreClient, workspace: Workspace, redis_url: str) -> None:
    store = Store(desk.client, workspace.id)
    run = store.open_run("e", "run1", {})
    with look(workspace.path, redis=redis_url) as view:
        store.submit("e", run.started_ms, [submission("a")], {})
        assert [row.state for row in view.jobs()] == [State.READY]
        store.cancel(identity("a"))
        store.submit("e", run.started_ms, [submission("b")], {})
        assert len(view.jobs()) == 1
        view.refresh()
        assert {row.state for row in view.jobs()} == {State.CANCELLED, State.READY}


def test_a_workspace_of_somebody_else_is_read_from_its_files(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Workspace) -> EmbeddedServer:
        raise WorkspaceError("/data/theirs/.xpm/redis", "cannot be made: permission denied", "Make it writable.")

    monkeypatch.setattr(EmbeddedServer, "attach", refuse)
    with look(study.stage.workspace.path) as view:
        assert isinstance(view.away, WorkspaceError)
        assert len(view.jobs()) == 9


# -- without the server ------------------------------------------------------------------------------------------------


def test_without_the_server_the_files_answer(study: Study, files: View) -> None:
    assert isinstance(files.away, RedisUnavailableError)
    assert files.server == "files"
    assert 0 <= files.age_s < 3600
    ended = {"done0": State.DONE, "done1": State.DONE, "other": State.DONE, "failed": State.FAILED}
    assert {row.identity: row.state for row in files.jobs()} == {
        study.identity(name): ended.get(name) for name in study.tasks
    }
    assert {each.name: each.jobs for each in files.experiments()} == {NAME: 8, OTHER: 1}


def test_without_the_server_filters_say_what_they_leave_out(study: Study, files: View) -> None:
    assert names(study, files.jobs("tag.n<2")) == {"done0", "done1"}
    assert names(study, files.jobs("error=ValueError")) == {"failed"}
    failed = files.jobs("state=failed")
    assert names(study, failed) == {"failed"}
    assert failed.unsure == 5  # how these stand only the server knows
    assert files.job("failed").identity == study.identity("failed")
    assert files.job("n=7").state is None


def test_without_the_server_what_only_it_knows_is_an_error(files: View) -> None:
    for ask in (files.workers, files.tokens, lambda: list(files.events()), lambda: files.why("n=7")):
        with pytest.raises(RedisUnavailableError, match="connection refused"):
            ask()


def test_a_place_that_is_no_workspace_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="is not a workspace"):
        xpm_core.look(tmp_path)


def test_an_empty_workspace_has_no_jobs(workspace: Workspace, redis_url: str) -> None:
    for url in (redis_url, NOWHERE):
        with look(workspace.path, redis=url) as view:
            assert (list(view.jobs()), view.experiments(), view.notes) == ([], [], [])
            with pytest.raises(UnknownJobError):
                view.job("last")


# -- what does not agree -----------------------------------------------------------------------------------------------


def test_jobs_that_the_index_lacks_are_seen_and_said(
    study: Study, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = study.stage.workspace.path / "experiments" / NAME / "index"
    aside = index.rename(index.with_name("aside"))
    try:
        with look(study.stage.workspace.path, redis=study.stage.url) as view:
            assert len(view.jobs()) == 9
            assert names(study, view.jobs("state=failed")) == {"failed"}
            assert view.job("failed").name == "Fail"
            assert view.jobs("note=other").unsure == 8
            assert "The index lacks 8 jobs" in view.notes[0]
    finally:
        aside.rename(index)


def test_lists_of_an_earlier_xpm_are_not_believed(study: Study) -> None:
    """A worker of an xpm that does not keep the lists of states has moved jobs: all jobs are read."""
    client, w = study.stage.client, study.stage.workspace.id
    key = f"xpm:{w}:listed:failed"
    kept = client.zrange(key, 0, -1, withscores=True)
    client.delete(key)
    try:
        with look(study.stage.workspace.path, redis=study.stage.url) as view:
            assert names(study, view.jobs("state=failed")) == {"failed"}
            assert names(study, view.jobs("state=done")) == {"done0", "done1", "other"}
    finally:
        client.zadd(key, dict(kept))


def test_a_list_in_which_one_job_is_missing_and_another_too_many_is_not_believed(study: Study) -> None:
    """As long as the counts say, and yet wrong: two moves of a worker that does not keep the lists."""
    client, w = study.stage.client, study.stage.workspace.id
    key = f"xpm:{w}:listed:failed"
    kept = client.zrange(key, 0, -1, withscores=True)
    client.delete(key)
    client.zadd(key, {study.identity("done0"): 1})
    try:
        with look(study.stage.workspace.path, redis=study.stage.url) as view:
            assert names(study, view.jobs("state=failed")) == {"failed"}
            assert names(study, view.jobs("state=done")) == {"done0", "done1", "other"}
    finally:
        client.delete(key)
        client.zadd(key, dict(kept))


def test_jobs_that_the_server_has_forgotten_are_seen_and_said(study: Study, redis_url: str) -> None:
    with look(study.stage.workspace.path, redis=redis_url) as view:  # another server: it knows nothing
        assert names(study, view.jobs("state=done")) == {"done0", "done1", "other"}
        assert len(view.jobs()) == 9
        assert "The server does not know 9 jobs" in view.notes[0]


# -- following events --------------------------------------------------------------------------------------------------


def test_jobs_that_have_changed_are_read_and_the_others_stay(
    workspace: Workspace, redis_client: redis.Redis, redis_url: str
) -> None:
    """A program that follows the events does not list all jobs for each of them."""
    lab = Lab(workspace, redis_client)
    lab.submit("a")
    with look(workspace.path, redis=redis_url) as view:
        ranking = view.ranked(parse("state=ready"))
        new = lab.submit("b", params={"lr": 0.5})
        ranking.update(view.update([new, "f" * 64]))
        assert [row.title for row in view.rows(ranking.window(0, 5))] == ["Train name=a", "Train name=b"]
        assert [row.identity for row in view.jobs("lr=0.5")] == [new]  # also filters know its parameters
        lab.store.cancel(new)
        lab.store.cancel(lab.identity("a"))
        ranking.update(view.update([new]))
        assert ranking.window(0, 5) == [lab.identity("a")]
        assert [row.identity for row in view.jobs("state=cancelled")] == [new]


def test_a_job_that_the_index_gets_later_has_its_parameters_then(
    workspace: Workspace, redis_client: redis.Redis, redis_url: str
) -> None:
    lab = Lab(workspace, redis_client)
    with look(workspace.path, redis=redis_url) as view:
        assert not view.jobs()
        lab.writers["sweep"] = cast(SubmissionWriter, SimpleNamespace(add=lambda _: None))
        identity = lab.submit("a")
        (row,) = view.update([identity])
        assert (row.title, row.state, row.params) == ("Train name=a", State.READY, None)
        SubmissionWriter(workspace.experiment("sweep"), "run1").add(
            [IndexedJob(identity, "sweep:Train", {"name": "a"}, lambda: {"lr": 0.1})]
        )
        assert view.update([identity]) == [row]
        assert (row.params, row.experiments) == ({"lr": 0.1}, ["sweep"])


def test_results_that_the_index_gets_after_the_end_of_their_job_come_with_the_next_update(
    workspace: Workspace, redis_client: redis.Redis, redis_url: str
) -> None:
    """A worker tells the server first, and then writes the index."""
    lab = Lab(workspace, redis_client)
    lab.end("a", results={"accuracy": 0.5})
    lease = lab.start("b")
    with look(workspace.path, redis=redis_url) as view:
        ranking = view.ranked(parse("accuracy>0.1"))
        assert len(ranking) == 1
        ends, held = lab.ends, []
        lab.ends = cast(EndWriter, SimpleNamespace(add=lambda *line: held.append(line)))
        lab.finish("b", lease, results={"accuracy": 0.9, "loss": 0.1})
        ranking.update(view.update([lease.identity]))
        assert len(ranking) == 1
        ends.add(*held[0])
        ranking.update(view.update([]))
        assert set(ranking.window(0, 5)) == {lab.identity("a"), lease.identity}
        assert [row.identity for row in view.jobs("loss<0.5")] == [lease.identity]  # filters know its name
        assert view.update([]) == []


def test_without_the_server_nothing_can_be_brought_up_to_date(files: View) -> None:
    with pytest.raises(RedisUnavailableError):
        files.update([])
