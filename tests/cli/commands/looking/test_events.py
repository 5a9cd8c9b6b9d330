"""`xpm events`: what has happened, in order, and what happens."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import Shell
from helpers.waiting import PATIENCE_S

from xpm_core.labels import short
from xpm_core.reading.events import EventReader
from xpm_core.states import Event, State
from xpm_core.store.records import Retries
from xpm_core.store.steering.pauses import pause_queue, resume_queue

if TYPE_CHECKING:
    from conftest import Scene

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def words(result: Result) -> list[str]:
    """The events of a table, without its header."""
    return [line.split("  ")[1].strip() for line in map(squeezed, result.stdout.splitlines()[1:])]


def squeezed(line: str) -> str:
    while "   " in line:
        line = line.replace("   ", "  ")
    return line


def test_events_of_a_job_come_in_order_with_what_matters(lab: Lab, xpm: Xpm) -> None:
    lease = lab.start("a")
    lab.store.tell(lease, Event.PROGRESS, {"fraction": 0.5, "desc": "epoch 1/2"})
    lab.finish("a", lease, State.FAILED, ERROR)
    lab.submit("b", "a")
    result = xpm("events", "name=a")
    assert words(result) == ["submitted", "ready", "started", "progress", "failed"]
    *_, started, progress, failed = result.stdout.splitlines()
    assert started.endswith(f"{short(lab.identity('a'))}  Train name=a  on {lab.worker.name}")
    assert progress.endswith("50% epoch 1/2")
    assert failed.endswith(f"{ERROR['type']}: {ERROR['message']}")
    blocked = xpm("events", "name=b").stdout.splitlines()[-1]
    assert blocked.endswith(f"needs {short(lab.identity('a'))}")


def test_retry_says_when(lab: Lab, xpm: Xpm) -> None:
    lab.end("a", State.FAILED, ERROR, retries=Retries(max_retries=1, backoff_s=100))
    (last,) = xpm("events", "-n", "1").stdout.splitlines()[1:]
    assert "delayed" in last
    assert " again at " in last


def test_limit_takes_the_last_ones_and_since_the_younger_ones(lab: Lab, xpm: Xpm) -> None:
    for name in "abc":
        lab.end(name)
    every = words(xpm("events"))
    assert every.count("done") == 3
    assert words(xpm("events", "-n", "4")) == every[-4:]
    assert words(xpm("events", "-n", "0")) == every
    assert words(xpm("events", "--since", "1h")) == every
    nothing = xpm("events", "--since", "2099-01-01")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "Nothing has happened" in nothing.stderr


def test_many_events_are_read_in_pages(lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xpm_core.reading.events.BATCH", 2)
    for name in "abc":
        lab.end(name)
    assert words(xpm("events")).count("started") == 3


def test_lines_of_json_are_the_events_of_the_document(scene: Scene, seen: Xpm) -> None:
    document = json.loads(seen("events", "--json").stdout)["events"]
    assert [json.loads(line) for line in seen("events", "-o", "jsonl").stdout.splitlines()] == document
    failed = next(each for each in document if each["event"] == "failed")
    assert (failed["job"], failed["error"]["type"]) == (scene.ids[State.FAILED], "ValueError")


def test_narrow_terminal_cuts_the_details(lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.end("a", State.FAILED, {"type": "ValueError", "message": "long " * 50})
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, xpm("events").stdout.splitlines())) <= 80


def test_follow_prints_what_happens_until_ctrl_c(shell: Shell, lab: Lab) -> None:
    lease = lab.start("a")
    process = shell.start("events", "-f", "-n", "1")
    assert process.stdout is not None
    assert " started " in process.stdout.readline()
    lab.finish("a", lease)
    assert f" done            {short(lab.identity('a'))}  Train name=a" in process.stdout.readline()
    lab.submit("new")
    assert f" submitted       {short(lab.identity('new'))}  Train name=new" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, said.strip()) == (130, "")


def test_follow_aligns_the_names_of_all_events(shell: Shell, lab: Lab) -> None:
    lab.join()
    pause_queue(lab.client, lab.workspace.id, "default", "ann", "")
    resume_queue(lab.client, lab.workspace.id, "default", "ann")
    lab.start("a")
    process = shell.start("events", "-f", "-n", "5")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    assert [line.split()[1] for line in lines] == ["queue_paused", "queue_resumed", "submitted", "ready", "started"]
    assert {line[26:29] for line in lines} == {"-  ", f"{short(lab.identity('a'))[:3]}"}
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)


def test_follow_prints_no_event_twice(lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event may happen between the look at the last one and the reading of those before."""
    lab.submit("a")
    last = EventReader.last

    def late(reader: EventReader) -> str:
        cursor = last(reader)
        lab.submit("b")
        return cursor

    monkeypatch.setattr(EventReader, "last", late)
    monkeypatch.setattr(EventReader, "astray", Mock(side_effect=KeyboardInterrupt))
    result = xpm("events", "-f", "-n", "0")
    assert [line.split()[1] for line in result.stdout.splitlines()] == ["submitted", "ready"] * 2


def test_follow_of_jobs_prints_lines_of_json_of_these_alone(shell: Shell, lab: Lab) -> None:
    lease = lab.start("a")
    process = shell.start("events", "name=a", "-f", "-o", "jsonl", "-n", "1")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "started"
    lab.submit("b")
    lab.finish("a", lease)
    found = json.loads(process.stdout.readline())
    assert (found["event"], found["job"]) == ("done", lab.identity("a"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (("--since", "soon"), 2, "--since: expected a duration, such as 30s"),
        (("-f", "--json"), 2, "With --follow, take -o jsonl."),
        (("fffffff",), 2, "Job 'fffffff': no job has this name."),
    ],
)
def test_bad_input_says_what_to_do(seen: Xpm, typed: tuple[str, ...], code: int, said: str) -> None:
    result = seen("events", *typed)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in " ".join(result.stderr.split())


def test_without_the_server_there_are_none(seen: Xpm) -> None:
    result = seen("events", away=True)
    assert (result.exit_code, result.stdout) == (3, "")
