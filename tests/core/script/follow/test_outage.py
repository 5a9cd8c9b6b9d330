"""While Redis is away a script says so once, and goes on when it is back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.private_server import PrivateServer
from helpers.waiting import wait_until
from script_tasks import Hold, Write

from xpm_core import experiment

pytestmark = pytest.mark.redis


class Ear:
    """Hears what a script says."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.said = ""

    def heard(self, words: str) -> bool:
        """Whether it has said that by now."""
        self.said += self._capsys.readouterr().err
        return words in self.said


def test_while_redis_is_away_the_script_says_so_and_goes_on_when_it_is_back(
    fresh_server: Callable[..., PrivateServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = fresh_server(aof=True)
    ear = Ear(capsys)

    def outage() -> None:
        wait_until(lambda: (hold.jobpath / "started").exists())
        server.kill()
        wait_until(lambda: ear.heard("Redis is out of reach"))
        (tmp_path / "gate").touch()  # the job ends while nobody can be told
        server.start()
        wait_until(lambda: ear.heard("Redis answers again"))

    thread = threading.Thread(target=outage)
    with experiment(tmp_path / "workspace", "x", redis=server.url, workers=1) as xp:
        hold = Hold.C(note="outage", until=tmp_path / "gate").submit()
        after = Write.C(note="after")
        after.add_dependencies(hold)
        after.submit()
        thread.start()
        summary = xp.wait()
        thread.join()
    assert (summary.done, summary.failed) == (2, 0)
    assert len(xp.workspace.job_at(f"jobs/script_tasks.hold/{hold.jobpath.name}").records()) == 1
    assert ear.said.count("out of reach") == 1


def test_submitting_while_redis_is_away_says_so_and_waits(
    fresh_server: Callable[..., PrivateServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = fresh_server(aof=True)
    ear = Ear(capsys)

    def back() -> None:
        wait_until(lambda: ear.heard("Redis is out of reach"))
        server.start()

    with experiment(tmp_path / "workspace", "x", redis=server.url, workers=1) as xp:
        server.stop()
        thread = threading.Thread(target=back)
        thread.start()
        for n in range(3):
            Write.C(note="away", n=n).submit()
        assert xp.wait().done == 3
        thread.join()


def test_ctrl_c_while_redis_is_away_leaves_all_the_same(
    fresh_server: Callable[..., PrivateServer],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = fresh_server()

    def pressed(seconds: float) -> None:
        raise KeyboardInterrupt

    xp = experiment(tmp_path / "workspace", "x", redis=server.url, workers=0)
    xp.__enter__()
    Write.C(note="away").submit()
    xp._run.submitter.flush()
    server.kill()
    wait_until(lambda: xp.tracker.outage.reason)
    monkeypatch.setattr("xpm_core.script.show.leaving.time.sleep", pressed)
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as caught:
            xp.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    finally:
        signal.signal(signal.SIGINT, before)
    assert caught.value.code == 130
    said = capsys.readouterr().err
    assert "Its jobs go on (1 ready)" in said
    assert "Redis is out of reach" in said
    assert "0 jobs cancelled" in said
