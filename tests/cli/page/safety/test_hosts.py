"""The page answers to the names of this machine for itself, and to those that are allowed."""

from __future__ import annotations

import pytest
from helpers.guarded import entered, guarded

from xpm_cli.page.safety.guard import Guard
from xpm_cli.page.safety.hosts import host_allowed, host_of


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:8080"]
)
def test_this_machine_is_known_with_any_port(host: str) -> None:
    assert entered(Guard()).get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil", "evil:8080", "localhost.evil", "evil.localhost", "127.0.0.1.evil", "127.0.0.2", "0.0.0.0", "::1", "[::1",
     "localhost:8080@evil", "localhost:", "localhost:x", "localhost:8080, evil", "localhost.", " ", "", ":8080",
     "[::1]evil", "[evil]:8080", "locälhost", "localhost:٣"],
)  # fmt: skip
def test_other_names_are_refused_also_with_a_session(host: str) -> None:
    answer = entered(Guard()).get("/", headers={"Host": host.encode()})
    assert (answer.status_code, answer.text.endswith("start it with --allow-host NAME.\n")) == (403, True)


def test_the_name_is_checked_before_the_token() -> None:
    guard = Guard()
    answer = guarded(guard).get(f"/?token={guard.token}", headers={"Host": "evil"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_two_names_are_refused() -> None:
    client = entered(Guard())
    assert client.get("/", headers=[("Host", "localhost"), ("Host", "localhost")]).status_code == 403  # type: ignore[arg-type]


def test_allowed_names_are_known_with_any_port() -> None:
    client = entered(Guard(hosts=frozenset({"Head.cluster.org", "[fd00::1]"})))
    for host in ("head.cluster.org", "HEAD.cluster.org:8443", "[fd00::1]:8443"):
        assert client.get("/", headers={"Host": host}).status_code == 200
    assert client.get("/", headers={"Host": "cluster.org"}).status_code == 403


def test_a_name_that_cannot_be_read_is_never_known() -> None:
    client = entered(Guard(hosts=frozenset({"", "head"})))
    assert client.get("/", headers={"Host": "a:b"}).status_code == 403
    assert [host_allowed(each) for each in ("Head:1", "fd00::1", "[fd00::1]:1", "a:b")] == [
        "head",
        "[fd00::1]",
        "[fd00::1]",
        "",
    ]


def test_the_name_of_a_header_is_read() -> None:
    assert [host_of(each) for each in ("a:1", "a", "[::1]", "[::1]:1", "a:b", "")] == [
        "a",
        "a",
        "[::1]",
        "[::1]",
        "",
        "",
    ]
