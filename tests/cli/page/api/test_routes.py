"""`/api/…` answers with what the commands print: byte for byte, but for the time of the look."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result
from helpers.json_schemas import problems
from helpers.page import FormClient, form_client_of
from helpers.typed_commands import AWAY

from xpm_cli.page.desk.desk import Desk
from xpm_core.states import State

if TYPE_CHECKING:
    from conftest import Scene

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]

LESS = "filter=state=failed,blocked&sort=-id&limit=1"
RESULTS = "/api/results?experiment=sweep"
PIVOT = f"{RESULTS}&pivot=name&pivot=optim.lr&pivot=accuracy"

SAME = [
    ("status", "status", "/api/status"),
    ("status", "status sweep", "/api/status?experiment=sweep"),
    ("jobs", "jobs", "/api/jobs"),
    ("jobs", "jobs --where state=failed,blocked --sort -id --limit 1", f"/api/jobs?{LESS}"),
    ("jobs", "jobs --columns id,optim.lr,started,state", "/api/jobs?columns=id,optim.lr,started,state"),
    *[("show", f"show name={state.value}", f"/api/jobs/name={state.value}") for state in State],
    *[("why", f"why name={state.value}", f"/api/why/name={state.value}") for state in State],
    ("why", "why", "/api/why"),
    ("why", "why --state ready,blocked", "/api/why?filter=state=ready,blocked"),
    ("workers", "workers", "/api/workers"),
    ("tokens", "tokens", "/api/tokens"),
    ("queues", "queues", "/api/queues"),
    ("events", "events", "/api/events"),
    ("events", "events name=failed -n 2", "/api/events?job=name=failed&limit=2"),
    ("results", "results sweep", "/api/results?experiment=sweep"),
    ("results", "results sweep --over name", f"{RESULTS}&over=name"),
    ("results", "results sweep --pivot name optim.lr accuracy", PIVOT),
    ("results", "results sweep --state failed", f"{RESULTS}&filter=state=failed"),
]  # fmt: skip
"""The schema, what is typed, and the URL."""

MOVING = re.compile(r'"(time|since|\w+_s)": (?:"[^"]*"|[-\d.e]+)')
"""What says how long ago something was: two looks are not of one moment."""
SPANS = re.compile(r"\b\d+(\.\d+)? (s|min|h)\b( \d+ (s|min)\b)?")


@pytest.fixture(scope="module")
def page(scene: Scene) -> Iterator[FormClient]:
    with form_client_of(scene.shell.folder, scene.shell.url) as client:
        yield client


def still(text: str) -> str:
    return SPANS.sub("…", MOVING.sub(r'"\1": …', text.replace("just now", "1 s ago")))


@pytest.mark.parametrize(("name", "words", "url"), SAME, ids=[words for _, words, _ in SAME])
def test_document_is_that_of_the_command(
    page: FormClient, seen: Xpm, scene: Scene, name: str, words: str, url: str
) -> None:
    found = page.get(url)
    assert (found.status_code, found.headers["content-type"]) == (200, "application/json")
    if "columns" not in url:  # else a record has the columns that were asked for
        assert problems(name, found.json()) == []
    place = ("--workspace", scene.shell.folder)  # commands on the page are typed anywhere, so they name it
    assert still(found.text) == still(seen(*words.split(), "--json", *place).stdout)


def test_experiments_are_those_of_status(page: FormClient, seen: Xpm) -> None:
    found = page.get("/api/experiments").json()
    assert problems("experiments", found) == []
    assert found["experiments"] == json.loads(seen("status", "--json").stdout)["experiments"] != []


def test_events_after_a_cursor_come_once(page: FormClient) -> None:
    every = page.get("/api/events?after=0-0").json()
    assert problems("events", every) == []
    assert every["events"] == page.get("/api/events").json()["events"]
    middle = every["events"][3]["cursor"]
    assert page.get("/api/events", params={"after": middle}).json()["events"] == every["events"][4:]
    last = every["events"][-1]["cursor"]
    assert page.get("/api/events", params={"after": last}).json()["events"] == []


@pytest.mark.parametrize(
    ("url", "status", "type", "said"),
    [
        ("/api/jobs/nothing", 404, "UnknownJobError", "nothing"),
        ("/api/why/nothing", 404, "UnknownJobError", "nothing"),
        ("/api/status?experiment=moon", 404, "UnknownExperimentError", "moon"),
        ("/api/results?experiment=moon", 404, "UnknownExperimentError", "moon"),
        ("/api/jobs?filter=stat=failed", 400, "FilterError", "Did you mean 'state'"),
        ("/api/jobs?sort=moon", 400, "FilterError", "moon"),
        ("/api/jobs?columns=moon", 400, "FilterError", "moon"),
        ("/api/jobs?limit=-1", 400, "RequestError", "expected a number, got '-1'"),
        ("/api/results", 400, "RequestError", "experiment: it is missing"),
        (f"{RESULTS}&columns=moon", 400, "UnknownColumnError", "moon"),
        (f"{RESULTS}&pivot=a", 400, "RequestError", "three times"),
        (f"{RESULTS}&range=0,1", 400, "RequestError", "nothing is folded"),
        (f"{RESULTS}&over=name&range=x", 400, "RequestError", "two numbers"),
        (f"{RESULTS}&over=name&interval=x", 400, "RequestError", "none called 'x'"),
        ("/api/events?after=moon", 400, "RequestError", "expected a cursor"),
        ("/api/events?after=99999999999999-0", 410, "RequestError", "dropped events"),
        ("/api/events?since=moon", 400, "RequestError", "moon"),
        ("/api/moon", 404, "RequestError", "/api/jobs"),
    ],
)
def test_error_says_what_is_wrong_and_what_to_do(page: FormClient, url: str, status: int, type: str, said: str) -> None:
    found = page.get(url)
    assert (found.status_code, found.headers["content-type"]) == (status, "application/json")
    document = found.json()
    assert problems("error", document) == []
    assert document["error"]["type"] == type
    assert said in document["error"]["message"]


def test_message_is_that_of_the_command(page: FormClient, seen: Xpm) -> None:
    message = page.get("/api/jobs/nothing").json()["error"]["message"]
    assert seen("show", "nothing").stderr == f"Error: {message}\n"


def test_without_its_server_files_answer_and_the_rest_says_so(scene: Scene, seen: Xpm) -> None:
    with form_client_of(scene.shell.folder, AWAY) as page:
        for name, words, url in (SAME[0], SAME[2], SAME[5]):
            found = page.get(url)
            assert problems(name, found.json()) == []
            aged = re.compile(r'"age_s": [\d.]+')
            assert aged.sub("", still(found.text)) == aged.sub(
                "", still(seen(*words.split(), "--json", away=True).stdout)
            )
        assert problems("experiments", page.get("/api/experiments").json()) == []
        for url in ("/api/workers", "/api/tokens", "/api/queues", "/api/events", "/api/why", "/api/why/name=ready"):
            found: Any = page.get(url)
            assert (found.status_code, problems("error", found.json())) == (503, []), url


def test_a_long_list_is_read_in_parts_between_which_others_read(
    page: FormClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = page.get("/api/jobs?sort=-name").json()
    real, sizes = Desk.rows, list[int]()

    def rows(desk: Desk, identities: Any) -> Any:
        sizes.append(len(wanted := list(identities)))
        return real(desk, wanted)

    monkeypatch.setattr(Desk, "rows", rows)
    monkeypatch.setattr("xpm_cli.page.api.routes.PART", 2)
    found = page.get("/api/jobs?sort=-name").json()
    assert [job["id"] for job in found["jobs"]] == [job["id"] for job in whole["jobs"]]
    assert len(sizes) > 2
    assert max(sizes) == 2
    sizes.clear()
    assert [job["id"] for job in page.get("/api/jobs?limit=3").json()["jobs"]] == [
        job["id"] for job in page.get("/api/jobs?limit=0").json()["jobs"][:3]
    ]
    assert page.get("/api/jobs?columns=id,id,state").json()["jobs"][0].keys() == {"id", "state"}
