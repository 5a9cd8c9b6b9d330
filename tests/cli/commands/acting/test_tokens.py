"""`xpm tokens`: who holds tokens, who waits, and how many units there are."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from helpers.simulated_jobs import Lab

from xpm_core.completion import server_names
from xpm_core.labels import short
from xpm_core.store.tokens import create_token

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def rows(result: Result) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in result.stdout.splitlines()[1:]]


def test_tokens_show_who_holds_and_who_waits(lab: Lab, xpm: Xpm) -> None:
    create_token(lab.client, "gpu", 4)
    create_token(lab.client, "spare", 1)
    lab.start("a", demand={"gpu": 3})
    lab.submit("b", demand={"gpu": 2})
    assert rows(xpm("tokens")) == [
        ["gpu", "3 of 4", f"1: {short(lab.identity('b'))}", f"{short(lab.identity('a'))} 3"],
        ["spare", "0 of 1", "-", "-"],
    ]
    assert server_names.noted(lab.workspace.path, server_names.TOKENS) == ["gpu", "spare"]


def test_units_of_each_host_are_told_apart(lab: Lab, xpm: Xpm) -> None:
    create_token(lab.client, "gpu", 4, scope="host")
    assert rows(xpm("tokens"))[0][1] == "0 of 4 on each host"
    lab.start("a", demand={"gpu": 3})
    assert rows(xpm("tokens"))[0][1] == f"3 of 4 on {lab.worker.host}"
    (token,) = json.loads(xpm("tokens", "--json").stdout)["tokens"]
    assert (token["used"], token["used_by_host"]) == (3, {lab.worker.host: 3})
    assert token["holders"][0]["job"] == lab.identity("a")


def test_jobs_of_other_workspaces_are_counted(lab: Lab, xpm: Xpm) -> None:
    create_token(lab.client, "gpu", 4)
    lab.start("a", demand={"gpu": 3})
    holders = "xpm:token:gpu:holders"
    ((name, value),) = lab.client.hgetall(holders).items()
    lab.client.hset(holders, name.replace(lab.workspace.id.encode(), b"elsewhere"), value)
    assert rows(xpm("tokens"))[0][3] == f"{short(lab.identity('a'))} 3, other workspaces 3"


def test_server_without_tokens_says_where_they_come_from(xpm: Xpm) -> None:
    assert xpm("tokens").stdout == "no tokens: a script creates one by connector.createtoken\n"
    assert (
        "this server has no tokens. A script creates one: connector.createtoken('gpu', N)."
        in xpm("tokens", "set", "gpu", "2").stderr
    )


@pytest.mark.parametrize("more", [{}, {"scope": "host", "units": True}, {"env": "CUDA_VISIBLE_DEVICES"}])
def test_set_changes_how_many_units_there_are_and_nothing_else(lab: Lab, xpm: Xpm, more: dict[str, object]) -> None:
    create_token(lab.client, "gpu", 2, **more)  # type: ignore[arg-type]
    before = lab.client.hgetall("xpm:token:gpu")
    lab.submit("b", demand={"gpu": 2})
    result = xpm("tokens", "set", "gpu", "4")
    assert (result.exit_code, result.stdout) == (0, "")
    first, second = result.stderr.splitlines()
    assert first == "gpu: 4 units, it had 2."
    assert second == "Ready jobs that ask for it: 1. See: xpm why"
    assert lab.client.hgetall("xpm:token:gpu") == {**before, b"capacity": b"4"}
    assert xpm("tokens", "set", "gpu", "4").stderr == "gpu: it has 4 units already.\n"


def test_units_that_are_held_stay_held(lab: Lab, xpm: Xpm) -> None:
    create_token(lab.client, "gpu", 4)
    lease = lab.start("a", demand={"gpu": 3})
    lab.submit("b", demand={"gpu": 1})
    assert "3 are held. The token gives none until" in xpm("tokens", "set", "gpu", "1").stderr
    lab.finish("a", lease)
    lab.claim(lab.identity("b"))
    assert rows(xpm("tokens"))[0][1] == "1 of 1"


@pytest.mark.parametrize(
    "typed",
    [
        ("tokens", "--json", "set", "gpu", "3"),
        ("queues", "-o", "json", "pause", "default"),
        ("queues", "--json", "resume", "default"),
        ("workers", "--json", "drain", "node1"),
        ("workers", "-o", "name", "stop", "node1"),
    ],
    ids=" ".join,
)
def test_a_form_of_the_list_is_refused_by_what_prints_none(lab: Lab, xpm: Xpm, typed: tuple[str, ...]) -> None:
    lab.join()
    create_token(lab.client, "gpu", 2)
    result = xpm(*typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"--json and -o are for the list that `xpm {typed[0]}` prints." in result.stderr
    assert lab.client.hget("xpm:token:gpu", "capacity") == b"2"


def test_more_units_let_a_job_start(lab: Lab, xpm: Xpm) -> None:
    create_token(lab.client, "gpu", 1)
    lab.start("a", demand={"gpu": 1})
    lab.submit("b", demand={"gpu": 1})
    assert xpm("tokens", "set", "gpu", "2").exit_code == 0
    lab.claim(lab.identity("b"))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("gpuu", "3"), "Error: Token 'gpuu': not on this server. Did you mean gpu? See them: xpm tokens."),
        (("zzz", "3"), "Error: Token 'zzz': not on this server, there is gpu. See them: xpm tokens."),
        (("gpu", "0"), "0 is not in the range x>=1."),
        (("gpu", "many"), "'many' is not a valid integer range."),
    ],
)
def test_bad_input_changes_nothing(lab: Lab, xpm: Xpm, typed: tuple[str, ...], said: str) -> None:
    create_token(lab.client, "gpu", 2)
    result = xpm("tokens", "set", *typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert lab.client.hget("xpm:token:gpu", "capacity") == b"2"
    assert lab.client.smembers("xpm:tokens") == {b"gpu"}
