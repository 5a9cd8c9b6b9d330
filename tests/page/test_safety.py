"""What other pages in the same browser can do to this one: nothing. A real browser decides."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from helpers.browser import Shown, Visits
from helpers.simulated_jobs import Lab

from xpm_core.states import State

pytestmark = [pytest.mark.redis, pytest.mark.browser]

EVIL = """<!DOCTYPE html><title>evil</title>
<form method="post" action="{url}/cancel"><input name="csrf" value="0"><button>Win a prize</button></form>
<iframe src="{url}/jobs"></iframe>
<script>
async function tried(options) {{
  try {{ return await (await fetch("{url}/jobs", options)).text() || "nothing" }} catch (error) {{ return "refused" }}
}}
</script>"""


@pytest.fixture
def evil(shown: Shown) -> Iterator[str]:
    """A page of somebody else on this machine. Its port differs, so that browsers call it the same site."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(EVIL.format(url=shown.url).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_token_is_neither_in_the_address_nor_behind_it(lab: Lab, shown: Shown, visits: Visits) -> None:
    lab.submit("a")
    tab = visits().open("/jobs?filter=state%3Dready")
    assert tab.url == f"{shown.url}/jobs?filter=state%3Dready"
    tab.goto(f"{shown.url}/")
    tab.go_back()
    assert tab.url == f"{shown.url}/jobs?filter=state%3Dready"
    assert tab.evaluate("document.cookie") == "", "no script reads it"
    assert shown.guard.token not in tab.content()


def test_another_page_can_neither_act_nor_read_nor_show_this_one(
    lab: Lab, shown: Shown, visits: Visits, evil: str
) -> None:
    lab.submit("a")
    visitor = visits()
    visitor.open("/jobs").close()  # there is a session in this browser
    tab = visitor.context.new_page()
    tab.goto(evil)
    assert tab.evaluate("tried({credentials: 'include'})") == "refused"
    assert tab.evaluate("tried({credentials: 'include', mode: 'no-cors'})") in ("refused", "nothing")
    assert all("jobs" not in frame.title() for frame in tab.frames)
    tab.get_by_role("button").click()
    assert "This request does not come from this page." in tab.content()
    assert visitor.complaints, "the browser has said what it refused"
    visitor.complaints.clear()


def test_another_name_for_this_machine_shows_nothing(lab: Lab, shown: Shown, visits: Visits) -> None:
    """A browser gives the addresses of this machine to every name that ends in .localhost, as an evil DNS would do."""
    visitor = visits()
    tab = visitor.context.new_page()
    answer = tab.goto(shown.url.replace("127.0.0.1", "evil.localhost") + f"/?token={shown.guard.token}")
    assert answer is not None
    assert (answer.status, "served as localhost" in tab.content()) == (403, True)
    visitor.complaints.clear()


def test_a_form_of_the_page_itself_acts(lab: Lab, shown: Shown, visits: Visits) -> None:
    """With `Referrer-Policy: no-referrer`, a browser would send no origin, and each form would be refused."""
    lab.submit("a")
    identity = lab.identity("a")
    for java_script, button, state in ((True, "Cancel", State.CANCELLED), (False, "Retry", State.READY)):
        tab = visits(java_script_enabled=java_script).open(f"/job/{identity}")
        tab.get_by_role("button", name=button, exact=True).first.click()
        tab.wait_for_load_state()
        assert shown.desk.rows([identity])[0].state is state
