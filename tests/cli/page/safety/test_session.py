"""Who has the token gets a session, and loses the token from the address. All others get one sentence."""

from __future__ import annotations

import re

import pytest
from helpers.guarded import entered, guarded

from xpm_cli.page.safety.guard import Guard


def test_without_a_session_everything_is_refused_and_says_what_to_do() -> None:
    for path in ("/", "/jobs", "/assets/page.css", "/live", "/api/jobs"):
        answer = guarded(Guard()).get(path)
        assert answer.status_code == 403
        assert "Open the address that the script or `xpm ui` has printed" in answer.text
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_the_token_becomes_a_cookie_and_leaves_the_address() -> None:
    guard = Guard(cookie="xpm-12346-00ff")
    client = guarded(guard)
    answer = client.get(f"/jobs?filter=lr%3E0.1&token={guard.token}&sort=-lr")
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs?filter=lr%3E0.1&sort=-lr")
    name, *attributes = re.split("; ", answer.headers["set-cookie"])
    assert name.startswith("xpm-12346-00ff=")
    assert sorted(each.lower() for each in attributes) == ["httponly", "path=/", "samesite=lax"]
    assert guard.token not in answer.headers["set-cookie"]
    assert client.get("/jobs").text == "/jobs {}"


def test_the_token_is_good_for_any_number_of_browsers() -> None:
    guard = Guard()
    for _ in range(3):
        assert entered(guard).get("/").status_code == 200


def test_a_token_for_one_time_is_good_once() -> None:
    guard = Guard()
    client = guarded(guard)
    assert client.get(f"/?token={guard.once}").status_code == 303
    client.cookies.clear()
    assert client.get(f"/?token={guard.once}").status_code == 403
    assert client.get(f"/?token={guard.token}").status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 32, "{token}0", "{short}", "%00", "{token}%20", "ä"])
def test_a_wrong_token_is_refused_although_there_is_a_session(token: str) -> None:
    guard = Guard()
    answer = entered(guard).get(f"/?token={token.format(token=guard.token, short=guard.token[:-1])}")
    assert (answer.status_code, "printed last" in answer.text) == (403, True)
    assert "set-cookie" not in answer.headers


def test_a_token_in_a_post_begins_no_session() -> None:
    guard = Guard(acts=True)
    answer = guarded(guard).post(f"/?token={guard.token}", headers={"Origin": "http://localhost:8080"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


@pytest.mark.parametrize("cookie", ["", "0" * 32, "{token}", "{value}x", "x{value}"])
def test_a_wrong_cookie_is_refused(cookie: str) -> None:
    guard = Guard()
    client = guarded(guard)
    value = cookie.format(token=guard.token, value=guard._session)
    assert client.get("/", headers={"Cookie": f"{guard.cookie}={value}"}).status_code == 403


def test_other_cookies_of_the_host_do_no_harm() -> None:
    guard = Guard(cookie="xpm-1")
    header = f"xpm-12=1; a; =; xpm-1=old; xpm-1={guard._session}; _xsrf=é"
    assert guarded(guard).get("/", headers={"Cookie": header.encode("latin-1")}).status_code == 200


@pytest.mark.parametrize("path", ["//evil.example/", "///evil.example", "/\\evil.example", "/%5Cevil.example"])
def test_the_redirect_stays_on_this_page(path: str) -> None:
    guard = Guard()
    location = guarded(guard).get(f"http://localhost:8080{path}?token={guard.token}").headers["location"]
    assert re.match(r"/(?![/\\])", location)


def test_the_cookie_is_secure_where_the_page_is() -> None:
    guard = Guard()
    answer = guarded(guard, "https://localhost").get(f"/?token={guard.token}")
    assert "; Secure" in answer.headers["set-cookie"]


def test_two_pages_have_other_secrets_and_none_is_in_their_text() -> None:
    one, other = Guard(), Guard()
    assert len({one.token, one.once, one._session, one._form_value, other.token, other._session}) == 6
    assert re.fullmatch("[0-9a-f]{32}", one.token)
    assert all(secret not in repr(one) for secret in (one.token, one.once, one._session, one._form_value))
