"""`xpm why`: what people see, in lines and as JSON. tests/core/reading/why builds each situation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab

from xpm_core.labels import short
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import WorkerId
from xpm_core.store.tokens import create_token
from xpm_core.words.reasons import Code

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def timeless(text: str) -> str:
    """A text without its durations, which depend on the machine."""
    return re.sub(r"(?<=for )[\d.]+ s|[\d.]+ s(?= ago)|(?<=after )[\d.]+ s", "T", text)


def test_screen_has_reasons_facts_what_to_do_and_how_old_all_this_is(lab: Lab, xpm: Xpm) -> None:
    create_token(lab.client, "gpu", 1)
    lab.join()
    other = WorkerId("node2-1", "node2")
    lab.store.join(other, pid=1, path="/", version="0")
    first, second = (lab.submit(name, demand={"gpu": 1}) for name in "bc")
    lab.store.claim(other, new_execution_id())
    result = xpm("why", second)
    assert (result.exit_code, result.stderr) == (0, "")
    a, b = short(first), short(second)
    assert timeless(result.stdout).splitlines() == [
        f"{b}     Train name=c   ready for T",
        "",
        "why it does not run yet",
        "  1. not yet: token gpu held by running jobs",
        "     token gpu: it asks for 1, 0 of 1 free",
        f"     held by {a} for T; when the first ends is unknown",
        "     place 1 of 1 in its line",
        "do          wait   give token gpu more units",
        "facts read  Redis T ago   workers' heartbeats T ago",
    ]


def test_screen_of_a_job_that_was_tried_before(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.store.lose(lab.start("a"))
    lab.store.leave(lab.worker.name)
    told = timeless(xpm("why", "last").stdout)
    assert "1. not yet: no living worker serves queue default" in told
    assert "\nearlier     attempt 1: worker node1-1 was lost after T\n" in told
    assert f"\ndo          xpm-worker --workspace {lab.workspace.path}\n" in told
    assert told.endswith("facts read  Redis T ago\n"), "there is no worker whose heartbeat could be read"


@pytest.mark.parametrize(
    ("outcome", "code", "heading", "words"),
    [
        (State.FAILED, 1, "how it stands", "ended: it failed just now: ValueError: the learning rate is negative"),
        (State.DONE, 0, "how it stands", "ended: it is done, just now"),
        (State.CANCELLED, 0, "why it never runs, as it is now", "never: somebody cancelled it"),
    ],
)
def test_what_has_ended_says_so_and_only_a_failure_has_exit_code_1(
    lab: Lab, xpm: Xpm, outcome: State, code: int, heading: str, words: str
) -> None:
    lab.end("a", outcome, ERROR if outcome is State.FAILED else None)
    result = xpm("why", "last")
    assert result.exit_code == code
    assert f"\n{heading}\n  1. {words}\n" in result.stdout


def test_a_job_that_never_runs_is_told_from_one_that_does_not_run_yet(lab: Lab, xpm: Xpm) -> None:
    lab.end("bad", State.FAILED, ERROR)
    blocked = lab.submit("after", "bad")
    bad = short(lab.identity("bad"))
    told = xpm("why", blocked).stdout
    assert "why it never runs, as it is now" in told
    assert f"  1. never: it needs {bad}, which failed: ValueError: the learning rate is negative" in told
    assert f"do          xpm show {bad}   xpm retry {bad}" in told
    assert xpm("why", blocked).exit_code == 0


def test_narrow_terminal_wraps_between_words_and_cuts_nothing(
    lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.end("bad", State.FAILED, ERROR)
    blocked = lab.submit("after", "bad")
    wide = xpm("why", blocked).stdout
    monkeypatch.setenv("COLUMNS", "40")
    narrow = xpm("why", blocked).stdout
    assert max(map(len, narrow.splitlines())) <= 40
    assert timeless(" ".join(narrow.split())) == timeless(" ".join(wide.split()))


def test_json_has_all_of_it(lab: Lab, xpm: Xpm) -> None:
    lab.join()
    lab.start("a")
    waiting = lab.submit("b")
    data = json.loads(xpm("why", waiting, "--json").stdout)
    assert set(data) == {
        "schema", "id", "state", "task", "tags", "time", "since", "outlook", "reasons", "earlier", "forgotten", "facts",
        "do",
    }  # fmt: skip
    assert (data["schema"], data["id"], data["state"], data["outlook"]) == (1, waiting, "ready", "not yet")
    assert [reason["code"] for reason in data["reasons"]] == ["busy"]
    assert data["reasons"][0]["text"] in xpm("why", waiting).stdout
    assert data["do"] == ["wait", "start another worker"]
    assert data["facts"]["redis_s"] == 0
    assert json.loads(xpm("show", waiting, "--json").stdout)["why"]["code"] == "busy"


def test_without_a_job_all_that_waits_is_summed_up_by_reason(lab: Lab, xpm: Xpm) -> None:
    create_token(lab.client, "gpu", 1)
    lab.end("bad", State.FAILED, ERROR)
    lab.submit("after", "bad")
    lab.start("a")
    held = [lab.submit(name, demand={"gpu": 1}) for name in ("b", "c", "d")]
    lab.submit("e", queue="other")
    lab.submit("f", "a")
    result = xpm("why")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "waiting     6 jobs   4 reasons",
        "  1         never: they need jobs that failed or were cancelled   xpm jobs --state blocked",
        "  1         not yet: they need jobs that are not done   xpm jobs --state waiting",
        f"  1         not yet: no living worker serves queue other   queue other   xpm why {short(lab.identity('e'))}",
        f"  3         not yet: the worker that could take it is busy   queue default   xpm why {short(held[0])}",
    ]
    data = json.loads(xpm("why", "--json").stdout)
    assert (data["schema"], data["jobs"]) == (1, 6)
    assert [(group["code"], group["jobs"], group["queue"]) for group in data["groups"]] == [
        ("blocked", 1, None),
        ("dependency", 1, None),
        ("unserved", 1, "other"),
        ("busy", 3, "default"),
    ]
    assert data["groups"][-1]["do"] == [f"xpm why {short(held[0])}"]
    assert {group["code"] for group in data["groups"]} <= {code.value for code in Code}


def test_without_a_job_that_waits_it_says_so(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    assert xpm("why").stdout == "no job waits\n"
    assert json.loads(xpm("why", "--json").stdout)["groups"] == []


def test_unknown_job_has_exit_code_2_and_a_lost_one_is_not_made_up(lab: Lab, xpm: Xpm) -> None:
    identity = lab.submit("a")
    assert xpm("why", "ffff").exit_code == 2
    lab.client.delete(keys.job(lab.workspace.id, identity))
    result = xpm("why", identity)
    assert (result.exit_code, result.stdout) == (2, "")
