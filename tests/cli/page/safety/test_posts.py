"""What changes something is sent by a form of this page itself, and only if the page may act."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.guarded import HERE, entered, guarded

from xpm_cli.page.safety.guard import Guard
from xpm_cli.page.safety.posts import MOST_BYTES, MOST_FIELDS

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def value(guard: Guard) -> str:
    return guard.form_value(None)  # type: ignore[arg-type]


def test_a_form_of_the_page_comes_with_its_fields() -> None:
    guard = Guard(acts=True)
    data: dict[str, Any] = {"csrf": value(guard), "job": ["a", "b"], "why": "é & <b>", "empty": ""}
    answer = entered(guard).post("/cancel", data=data, headers={"Origin": HERE})
    assert answer.text == "/cancel {'job': ['a', 'b'], 'why': ['é & <b>'], 'empty': ['']}"


def test_a_view_can_read_the_body_too() -> None:
    guard = Guard(acts=True)
    answer = entered(guard).post("/echo", data={"csrf": value(guard), "a": "1"}, headers={"Origin": HERE})
    assert answer.text == f"csrf={value(guard)}&a=1"


def test_a_page_that_only_shows_refuses_every_form() -> None:
    guard = Guard(acts=False)
    answer = entered(guard).post("/cancel", data={"csrf": value(guard)}, headers={"Origin": HERE})
    assert (answer.status_code, "xpm ui --allow-actions" in answer.text) == (403, True)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_that_may_change_something_are_checked_too(method: str) -> None:
    guard = Guard(acts=True)
    assert entered(guard).request(method, "/cancel").status_code == 403


@pytest.mark.parametrize(
    "origin",
    ["http://evil", "http://localhost:8081", "http://localhost", "http://127.0.0.1:8080", "null", "", "localhost:8080",
     "file://localhost:8080", "http://localhost:8080.evil", "http://localhost:8080/x", "http://evil:80@localhost:8080"],
)  # fmt: skip
def test_another_origin_is_refused(origin: str) -> None:
    guard = Guard(acts=True)
    answer = entered(guard).post("/cancel", data={"csrf": value(guard)}, headers={"Origin": origin})
    assert (answer.status_code, answer.text.startswith("This request does not come from this page")) == (403, True)


def test_no_origin_or_two_are_refused() -> None:
    guard = Guard(acts=True)
    client = entered(guard)
    assert client.post("/cancel", data={"csrf": value(guard)}).status_code == 403
    twice = [("Origin", HERE), ("Origin", HERE), *FORM.items()]
    assert client.post("/cancel", content=f"csrf={value(guard)}", headers=twice).status_code == 403


@pytest.mark.parametrize(
    ("base", "origin"),
    [
        ("http://localhost", "http://LOCALHOST:80"),
        ("https://localhost", "https://localhost:443"),
        ("http://localhost", "https://localhost"),
    ],
)
def test_the_same_origin_in_other_words_is_the_same(base: str, origin: str) -> None:
    guard = Guard(acts=True)
    client = entered(guard, base)
    assert client.post("/cancel", data={"csrf": value(guard)}, headers={"Origin": origin}).status_code == 200


@pytest.mark.parametrize(
    "body", ["", "csrf=", "csrf=0", "csrf={value}&csrf=x", "CSRF={value}", "csrf={token}", "csrf=%00"]
)
def test_a_form_without_the_value_of_the_session_is_refused(body: str) -> None:
    guard = Guard(acts=True)
    content = body.format(value=value(guard), token=guard.token)
    assert entered(guard).post("/cancel", content=content, headers={"Origin": HERE, **FORM}).status_code == 403


def test_a_form_without_a_session_is_refused() -> None:
    guard = Guard(acts=True)
    assert guarded(guard).post("/cancel", data={"csrf": value(guard)}, headers={"Origin": HERE}).status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/json", ""])
def test_what_is_no_form_is_refused(kind: str) -> None:
    guard = Guard(acts=True)
    headers = {"Origin": HERE, "Content-Type": kind}
    assert entered(guard).post("/cancel", content=f"csrf={value(guard)}", headers=headers).status_code == 415


def test_a_form_that_is_too_large_is_refused() -> None:
    guard = Guard(acts=True)
    client, headers = entered(guard), {"Origin": HERE, **FORM}
    long = f"csrf={value(guard)}&x={'x' * MOST_BYTES}"
    assert client.post("/cancel", content=long, headers=headers).status_code == 413
    many = f"csrf={value(guard)}" + "&x=" * MOST_FIELDS
    assert client.post("/cancel", content=many, headers=headers).status_code == 413
