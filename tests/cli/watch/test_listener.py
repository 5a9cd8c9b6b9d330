"""The listener hands events on, also after an outage."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from helpers.private_server import PrivateServer
from helpers.simulated_jobs import Lab
from helpers.waiting import wait_until

from xpm_core.reading.events import Record
from xpm_core.reading.listener import Listener
from xpm_core.reading.look import View, look
from xpm_core.store import keys
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis


class Heard:
    """A listener, and what it has said."""

    def __init__(self, view: View) -> None:
        self.jobs: set[str] = set()
        self.missed = 0
        self.errors: list[Exception] = []
        self.listener = Listener(view, self.hear, self.miss, self.errors.append)
        self.listener.start()

    def hear(self, records: list[Record]) -> None:
        self.jobs.update(record.job for record in records)

    def miss(self, cursor: str) -> None:
        assert cursor == self.listener.cursor
        self.missed += 1


@pytest.fixture
def listens() -> Iterator[Callable[[View], Heard]]:
    made: list[Heard] = []

    def start(view: View) -> Heard:
        made.append(Heard(view))
        return made[-1]

    yield start
    for heard in made:
        heard.listener.close()
        heard.listener.join()


def test_jobs_of_events_are_named(lab: Lab, redis_url: str, listens: Callable[[View], Heard]) -> None:
    with look(lab.workspace.path, redis=redis_url) as view:
        lab.submit("before")
        heard = listens(view)
        later = lab.submit("later")
        wait_until(lambda: heard.jobs == {later}, show=lambda: heard.jobs)
        heard.listener.close()
        heard.listener.join()
    assert (heard.missed, heard.errors) == (0, [])


def test_after_an_outage_anything_may_have_happened(
    fresh_server: Callable[..., PrivateServer], workspace: Workspace, listens: Callable[[View], Heard]
) -> None:
    server = fresh_server(aof=True)
    with server.client() as client, look(workspace.path, redis=server.url) as view:
        lab = Lab(workspace, client)
        heard = listens(view)
        wait_until(lambda: any(each["cmd"] == "xread" for each in client.client_list()))
        server.kill()
        server.start()
        wait_until(lambda: heard.missed, show=lambda: heard.errors)
        later = lab.submit("later")
        wait_until(lambda: later in heard.jobs, show=lambda: heard.jobs)
        heard.listener.close()
        heard.listener.join()
    assert heard.errors == []


def test_a_stream_that_was_lost_is_noticed(lab: Lab, redis_url: str, listens: Callable[[View], Heard]) -> None:
    with look(lab.workspace.path, redis=redis_url) as view:
        lab.submit("before")
        heard = listens(view)
        lab.client.delete(keys.events(lab.workspace.id))
        wait_until(lambda: heard.missed, show=lambda: heard.errors)


def test_a_connection_that_is_closed_on_purpose_is_no_error(
    lab: Lab, redis_url: str, listens: Callable[[View], Heard]
) -> None:
    with look(lab.workspace.path, redis=redis_url) as view:
        heard = listens(view)
        wait_until(lambda: any(client["cmd"] == "xread" for client in lab.client.client_list()))
        heard.listener.close()
    heard.listener.join()
    assert heard.errors == []
