"""Every answer says what a browser may do with it, also one that refuses."""

from __future__ import annotations

import pytest
from helpers.guarded import HERE, entered, guarded
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from xpm_cli.page.safety.guard import Guard
from xpm_cli.page.safety.headers import FAILED, KEPT, POLICY


@pytest.mark.parametrize("path", ["/", "/jobs", "/job/x/file/index.html"])
def test_every_answer_has_them(path: str) -> None:
    guard = Guard()
    for answer in (entered(guard).get(path), guarded(guard).get(path), guarded(guard).get(f"/?token={guard.token}")):
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"


def test_the_policy_is_that_of_the_documents_and_allows_nothing_unsafe() -> None:
    assert POLICY == "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/assets/page.css?v=3f2a", True),
        ("/assets/vendor/htmx.min.js?v=4.0.1", True),
        ("/assets/page.css", False),
        ("/assets/page.css?x=1", False),
        ("/jobs?v=1", False),
        ("/jobs/assets/?v=1", False),
    ],
)
def test_only_an_asset_with_its_version_in_the_url_is_kept(path: str, kept: bool) -> None:
    assert entered(Guard()).get(path).headers["cache-control"] == (KEPT if kept else "no-store")


def test_a_refusal_is_never_kept() -> None:
    assert guarded(Guard()).get("/assets/page.css?v=1").headers["cache-control"] == "no-store"


def test_a_fault_of_the_page_has_them_too() -> None:
    def broken(request: Request) -> Response:
        raise RuntimeError("boom")

    guard = Guard()
    application = Starlette(routes=[Route("/", broken)], middleware=guard.middleware())
    client = TestClient(application, HERE, raise_server_exceptions=False)
    answer = client.get(f"/?token={guard.token}")
    assert (answer.status_code, answer.text) == (500, f"{FAILED}\n")
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["cache-control"] == "no-store"
